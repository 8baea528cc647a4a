//! Tenants that share a host: what a well-behaved one is given beside one that spins to the
//! deadline of every call, and how long it waits. Jobs of tenants are run through the library, by
//! `host/examples/fairness.rs`.

use anyhow::{Context, Result};
use serde_json::Value;

use super::program::Program;
use super::row::{Goal, Row};
use super::{Bench, Subject};

pub(super) const SUBJECT: Subject = Subject { name: "fairness", rows };

/// Of each of its measurements.
const SECONDS: &str = "5";

/// What stops guests: nobody is called sooner.
const TICK_MS: f64 = 10.0;

fn rows(bench: &Bench) -> Result<Vec<Row>> {
    bench.project.build_example("fairness")?;
    let driver = bench.project.target.join("release/examples/fairness");
    let plugin = bench.plugins.join("upcase.wasm");
    let program = Program::new("fairness", driver).arg(plugin).arg(SECONDS);
    let report: Value = serde_json::from_str(&program.run()?.stdout)?;
    let figure = |key: &str| report.get(key).and_then(Value::as_f64).context(key.to_owned());
    let (alone, beside) = (figure("alone_p99_ms")?, figure("beside_p99_ms")?);
    let times = figure("weight_times")?;
    let row = |name: &str, goal, measured, detail| Row {
        name: name.to_owned(),
        goal,
        measured: Some(measured),
        detail,
        commands: vec![program.command_line()],
        times: None,
    };
    Ok(vec![
        row(
            "share of the processors beside a tenant that spins, of 1",
            Goal::RatioAtLeast(0.45),
            figure("share")?,
            format!("equal weights, 2 threads each, {SECONDS} s"),
        ),
        row(
            "99 of 100 chunks beside a tenant that spins",
            Goal::MillisecondsAtMost(2.0 * alone + TICK_MS),
            beside,
            format!("one thread; {alone:.2} ms alone"),
        ),
        row(
            "weights 1 and 3: nearness to three times the processor time",
            Goal::RatioAtLeast(0.95),
            (times / 3.0).min(3.0 / times),
            format!("{times:.3} times"),
        ),
    ])
}

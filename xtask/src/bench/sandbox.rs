//! What limits and fresh sandboxes cost: each run beside the same run without them.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::corpus::{self, Input};
use super::measure::{check_agreement, pairs};
use super::program::Program;
use super::row::{Goal, Row};
use super::{Bench, Subject, THREADS};

pub(super) const SUBJECT: Subject = Subject { name: "sandbox", rows };

/// Every limit at what it may be at most.
const RELAXED: [&str; 18] = [
    "--memory=4GiB",
    "--table-elements=10000000",
    "--stack=64MiB",
    "--timeout=5m",
    "--timeout-per-mib=1m",
    "--output-per-call=4GiB",
    "--log-bytes=1GiB",
    "--log-lines=1000000000",
    "--rejects-per-job=1000000000",
    "--recycle-after=1PiB",
    "--component-size=1GiB",
    "--functions=1000000",
    "--compile-timeout=1h",
    "--max-ratio=1000000000",
    "--max-members=1000000000",
    "--max-decompressed=1PiB",
    "--max-record=4GiB",
    "--isolate=job",
];

/// Chunks that have a sandbox each, as large as where nobody says otherwise.
const CHUNK: &str = "--chunk-size=1MiB";

/// So small that a run is little but making sandboxes.
const TINY: &str = "--chunk-size=1KiB";

/// The text that is cut into tiny chunks.
const TINY_MEGABYTES: u64 = 20;

/// More than any run takes.
const GUEST_TIME: &str = "--guest-time=24h";

fn rows(bench: &Bench) -> Result<Vec<Row>> {
    let text = corpus::beginning(bench, bench.megabytes)?;
    let input = Input::File(text.clone());
    let host = || bench.host("wordcount", THREADS).arg(&text);
    let limited = host().arg(GUEST_TIME).named("limits");
    let relaxed = host().args(RELAXED).named("none");
    let fueled = host().arg("--fuel=1000000000000").named("fuel");
    let chunks = host().args([CHUNK, "--isolate=chunk"]).named("by chunk");
    let job = host().args([CHUNK]).named("by job");
    let compared = [
        ("every limit, vs none", Goal::RatioAtLeast(0.97), [&limited, &relaxed]),
        ("a sandbox for each MiB, vs one", Goal::RatioAtLeast(0.80), [&chunks, &job]),
        ("fuel, vs none", Goal::RatioReported, [&fueled, &relaxed]),
    ];
    let mut rows = Vec::new();
    for (name, goal, [ours, other]) in compared {
        check_agreement(ours, other)?;
        rows.push(Row::ratio(name, goal, [ours, other], &pairs(ours, other, &input, bench.runs)?));
    }
    rows.push(sandboxes(bench)?);
    rows.push(endless(bench)?);
    Ok(rows)
}

/// A whole run of a call that never ends: what it takes beyond the deadline is starting, stopping
/// and telling.
fn endless(bench: &Bench) -> Result<Row> {
    let source = bench.directory().join("endless");
    fs::write(&source, "!")?;
    let limits = ["--set", "attack=backtrack", "--set", "at=push", "--timeout", "200ms"];
    let host = bench.pipelines(&[&["vandal"]], 1).args(limits).arg(&source).exiting(1).silenced();
    let runs = (0..bench.runs.max(5)).map(|_| host.run()).collect::<Result<Vec<_>>>()?;
    Ok(Row::time("a run of an endless call, --timeout 200ms", 220.0, &host, &runs))
}

/// Sandboxes of a small plugin that are made in a second, each used for one tiny chunk.
fn sandboxes(bench: &Bench) -> Result<Row> {
    let text = corpus::beginning(bench, TINY_MEGABYTES)?;
    let report = bench.directory().join("sandbox.json");
    let host: Program = bench
        .pipelines(&[&["upcase"]], THREADS)
        .args([TINY, "--isolate=chunk", "--report"])
        .arg(&report)
        .arg(&text)
        .silenced();
    Input::File(text).warm()?;
    let (mut best, mut microseconds) = (0.0, 0.0);
    for _ in 0..bench.runs {
        host.run()?;
        let report: Value = serde_json::from_slice(&fs::read(&report)?)?;
        let figure = |key: &str| report.get(key).and_then(Value::as_f64).context(key.to_owned());
        let rate = figure("instances")? / figure("seconds")?;
        ensure!(rate.is_finite(), "a run took no time");
        if rate > best {
            (best, microseconds) = (rate, figure("instance_us")?);
        }
    }
    Ok(Row {
        name: format!("sandboxes of upcase a second, {THREADS} threads"),
        goal: Goal::PerSecondAtLeast(20_000.0),
        measured: Some(best),
        detail: format!(
            "best of {} runs, chunks of 1 KiB; {microseconds:.1} us to make one",
            bench.runs
        ),
        commands: vec![host.command_line()],
        times: None,
    })
}

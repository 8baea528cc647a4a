//! The cheapest transformer: beside a native loop, beside `tr`, and beside itself where the order
//! does not matter.

use anyhow::Result;

use super::{MOST_MIB, Outputs, SLOW_RUNS};
use crate::bench::THREADS;
use crate::bench::measure::{Pairs, check_same_file, pairs};
use crate::bench::program::Program;
use crate::bench::row::{Goal, Row};

/// Of the host unless it is told otherwise; told to both sides, so that they stay equal.
const CHUNK_KIB: &str = "512";

const NATIVE: Goal = Goal::RatioAtLeast(0.85);
const TR: Goal = Goal::RatioAtLeast(5.0);
const ORDER: Goal = Goal::RatioAtLeast(0.95);

const OURS: &str = "ours.txt";
const THEIRS: &str = "theirs.txt";

impl Outputs<'_> {
    /// `upcase` over the text, where it prints.
    pub(super) fn upcase(&self) -> Program {
        self.bench.pipelines(&[&["upcase"]], THREADS).arg(&self.text)
    }
}

/// To a file and to nothing beside native code, to nothing beside `tr`, then the memory.
pub(super) fn rows(outputs: &Outputs) -> Result<Vec<Row>> {
    let Outputs { bench, text, input, size, scratch } = outputs;
    let (ours, theirs) = (scratch.file(OURS), scratch.file(THEIRS));
    let host = outputs.upcase().args(["--chunk-size", &format!("{CHUNK_KIB}KiB")]);
    let native = bench.native("upcase", THREADS).args(["--chunk-kib", CHUNK_KIB]).arg(text);
    let tr = Program::new("tr", "tr").env("LC_ALL", "C").args(["a-z", "A-Z"]).reading(text);
    let to_file = ["--durable", "fast", "--exists", "replace", "--out"];

    let host_file = host.clone().args(to_file).arg(&ours).writing(&ours);
    let native_file = native.clone().arg("--out").arg(&theirs).writing(&theirs);
    check_same_file(&host.clone().saved(&ours), &tr.clone().saved(&theirs))?;
    check_same_file(&host_file, &native_file)?;
    let files = pairs(&host_file, &native_file, input, bench.runs)?;
    for name in [OURS, THEIRS] {
        scratch.delete(name)?;
    }
    let (host, native, tr) = (host.silenced(), native.silenced(), tr.silenced());
    let nothing = pairs(&host, &native, input, bench.runs)?;
    let to_tr = pairs(&host, &tr, input, bench.runs.min(SLOW_RUNS))?;
    let mut rows = vec![
        Row::ratio(
            format!("upcase of {size} to tmpfs, vs native"),
            NATIVE,
            [&host_file, &native_file],
            &files,
        ),
        Row::ratio(
            format!("upcase of {size} to /dev/null, vs native"),
            NATIVE,
            [&host, &native],
            &nothing,
        ),
        Row::ratio(format!("upcase of {size} to /dev/null, vs tr"), TR, [&host, &tr], &to_tr),
    ];
    let to_file = files.into_our_runs();
    let to_nothing = [nothing, to_tr].map(Pairs::into_our_runs).concat();
    rows.push(Row::memory(
        format!("upcase of {size} to tmpfs, memory"),
        MOST_MIB,
        &host_file,
        &to_file,
    ));
    rows.push(Row::memory(
        format!("upcase of {size} to /dev/null, memory"),
        MOST_MIB,
        &host,
        &to_nothing,
    ));
    Ok(rows)
}

/// What it costs to write chunks in their order: with one thread nothing, so with several.
pub(super) fn order_rows(outputs: &Outputs) -> Result<Vec<Row>> {
    let Outputs { bench, input, size, .. } = outputs;
    let ordered = outputs.upcase().named("in order").silenced();
    let unordered = outputs.upcase().arg("--unordered").named("in no order").silenced();
    let pairs = pairs(&ordered, &unordered, input, bench.runs)?;
    let name = format!("upcase of {size} to /dev/null, in order vs in none");
    Ok(vec![Row::ratio(name, ORDER, [&ordered, &unordered], &pairs)])
}

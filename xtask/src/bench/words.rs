//! Words of 1 GB: the sandboxed plugin beside the same algorithm in native code, and beside `wc`.

use anyhow::Result;

use super::corpus::{self, Input};
use super::measure::{check_agreement, pairs};
use super::program::Program;
use super::row::{Goal, Row};
use super::{Bench, Subject, THREADS};

/// `wc` takes seconds where the others take tenths.
const WC_RUNS: usize = 3;

pub(super) const SUBJECT: Subject = Subject { name: "words", rows };

fn rows(bench: &Bench) -> Result<Vec<Row>> {
    let text = corpus::text(bench)?;
    let input = Input::File(text.clone());
    let mut rows = Vec::new();
    for threads in [1, THREADS] {
        let host = bench.host("wordcount", threads).arg(&text);
        for (io, goal) in [("pread", 0.85), ("mmap", 1.0)] {
            let native = bench.native("wordcount", threads).args(["--io", io]).arg(&text);
            check_agreement(&host, &native)?;
            let pairs = pairs(&host, &native, &input, bench.runs)?;
            let name = format!("words of 1 GB, {threads} thr., vs native {io}");
            rows.push(Row::ratio(name, Goal::RatioAtLeast(goal), [&host, &native], &pairs));
        }
    }
    let host = bench.host("wordcount", THREADS).arg(&text);
    // Bytes, not characters: the faster of its two ways, and what the plugin counts.
    let wc = Program::new("wc", "wc").env("LC_ALL", "C").arg("-lw").arg(&text);
    let pairs = pairs(&host, &wc, &input, bench.runs.min(WC_RUNS))?;
    let goal = Goal::RatioAtLeast(20.0);
    rows.push(Row::ratio("words of 1 GB, vs wc -lw", goal, [&host, &wc], &pairs));
    Ok(rows)
}

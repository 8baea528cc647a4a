//! The lines with a literal, written to nothing: beside programs that search, which count them.
//!
//! Counting is less work than writing, and what others do best: `grep` stops at the first line
//! where it sees that it prints to /dev/null.

use anyhow::{Result, anyhow};

use super::{MOST_MIB, Outputs, SLOW_RUNS};
use crate::bench::THREADS;
use crate::bench::measure::{alone, check_same_file, pairs};
use crate::bench::program::Program;
use crate::bench::row::{Goal, Row};
use crate::bench::tools::is_on_path;

/// A name that some thousand lines of the kernel hold.
const LITERAL: &str = "mutex_lock";

/// A row for each program that is there, then the memory.
pub(super) fn rows(outputs: &Outputs) -> Result<Vec<Row>> {
    let Outputs { bench, text, input, size, scratch } = outputs;
    let pattern = format!("pattern={LITERAL}");
    let host =
        bench.pipelines(&[&["grep"]], THREADS).args(["--set", &pattern, "--set", "fixed=true"]);
    let host = host.arg(text);
    let search = |program: &str, options: &str| {
        let command = Program::new(program, program).env("LC_ALL", "C");
        command.args([options, LITERAL]).arg(text)
    };
    if is_on_path(bench, "grep") {
        let theirs = search("grep", "-aF").saved(&scratch.file("theirs.txt"));
        check_same_file(&host.clone().saved(&scratch.file("ours.txt")), &theirs)?;
    }
    let host = host.silenced();
    let (mut rows, mut runs) = (Vec::new(), alone(&host, input, bench.runs.min(SLOW_RUNS))?);
    for (program, options) in [("rg", "-acF"), ("grep", "-acF")] {
        let name = format!("grep of {size} to /dev/null, vs {program} -c");
        if !is_on_path(bench, program) {
            rows.push(Row::skipped(name, Goal::RatioReported, &anyhow!("no {program} here")));
            continue;
        }
        let other = search(program, options);
        let pairs = pairs(&host, &other, input, bench.runs)?;
        rows.push(Row::ratio(name, Goal::RatioReported, [&host, &other], &pairs));
        runs.extend(pairs.into_our_runs());
    }
    rows.push(Row::memory(format!("grep of {size} to /dev/null, memory"), MOST_MIB, &host, &runs));
    Ok(rows)
}

//! Three transformers, each of which takes what comes out of the one before.
//!
//! The bound is the guest time of the three in runs of their own, over just the bytes that each
//! gets in the chain, spread evenly over the threads: so reading, writing, and the way from one
//! plugin to the next are what the chain may take on top.

use anyhow::Result;

use super::bound::{Bound, Reported, Round, Whole, runs, spread};
use super::{MOST_MIB, Outputs};
use crate::bench::measure::check_same_file;
use crate::bench::program::Program;
use crate::bench::row::{Goal, Row};
use crate::bench::{Bench, THREADS};

const STAGES: [&str; 3] = ["upcase", "grep", "redact"];

/// A capital, as it comes behind `upcase`. Two thirds of the lines hold it, and they are nine
/// tenths of the bytes.
const GREP: [&str; 4] = ["--set", "grep.pattern=E", "--set", "grep.fixed=true"];

/// `redact` says of each line that is not UTF-8 that it is set aside; the text holds hundreds.
const QUIET: &str = "--quiet";

/// At most 1.1 times the bound.
const NEAR: Goal = Goal::RatioAtLeast(0.909);

const BOUNDS: [Bound; 2] = [
    Bound { name: "guests alone / threads", goal: NEAR, time: Round::guests_spread },
    // Leaves out what the stages cost each other, in cache say: to tell that from what the host
    // costs.
    Bound {
        name: "its own guests / threads",
        goal: Goal::RatioReported,
        time: |round| spread(round.guests),
    },
];

/// The chain, to where it prints.
pub(super) fn chain(outputs: &Outputs) -> Program {
    outputs.bench.pipelines(&[&STAGES], THREADS).args(GREP).arg(QUIET).arg(&outputs.text)
}

/// A row for each bound, then the memory.
pub(super) fn rows(outputs: &Outputs) -> Result<Vec<Row>> {
    let Outputs { bench, input, size, scratch, .. } = outputs;
    let report = |name: &str| scratch.file(&format!("{name}.json"));
    let (mut inner, mut source) = (Vec::new(), outputs.text.clone());
    for stage in STAGES {
        let made = scratch.file(&format!("{stage}.txt"));
        let program = alone(bench, stage).arg(&source);
        program.clone().saved(&made).run()?;
        inner.push(Reported::new(program.silenced(), report(stage)));
        source = made;
    }
    // What the stages made one after the other, made at once.
    let last = Program::new("cat", "cat").arg(&source).saved(&scratch.file("copy.txt"));
    check_same_file(&chain(outputs).saved(&scratch.file("chain.txt")), &last)?;
    for name in ["copy.txt", "chain.txt", "redact.txt"] {
        scratch.delete(name)?;
    }
    let all = Reported::new(chain(outputs).silenced(), report("chain"));
    let whole = Whole { all, alone: inner, decoder: None };
    let rounds = whole.rounds(input, bench.runs)?;
    for name in ["upcase.txt", "grep.txt"] {
        scratch.delete(name)?;
    }
    let name = format!("chain of 3 over {size}");
    let mut rows: Vec<_> = BOUNDS.iter().map(|bound| whole.row(&name, bound, &rounds)).collect();
    rows.push(Row::memory(format!("{name}, memory"), MOST_MIB, &whole.all.program, &runs(&rounds)));
    Ok(rows)
}

/// One stage on its own, before its file.
fn alone(bench: &Bench, stage: &str) -> Program {
    let program = bench.pipelines(&[&[stage]], THREADS).arg(QUIET);
    if stage == "grep" { program.args(GREP) } else { program }
}

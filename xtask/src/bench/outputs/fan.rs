//! Four aggregators over one scan of compressed text.
//!
//! The bound is what takes longer: the decoder alone, or the guest time of the four in runs of
//! their own, spread evenly over the threads. Nobody can be faster; and where neither is much
//! longer than the other even that is out of reach, because the decoder takes a thread from the
//! guests. So the decoder and the guests spread together are reported, too.
//!
//! The goal is for four whose states are small. Beside it, with the last of them exchanged:
//! `topwords`, whose state grows with the text and is saved and merged at the end, which is no
//! guest time; and `checksum`, which needs a source from its front to its end in one state: all
//! four get the same chunks, so the guests run one after the other. That fan is beside one thread,
//! too.

use std::path::PathBuf;

use anyhow::Result;

use super::bound::{Bound, Reported, Round, Whole, runs, spread};
use super::{MOST_MIB, Outputs, size_word};
use crate::bench::corpus::Input;
use crate::bench::inputs::packed::Packing;
use crate::bench::measure::{check_agreement, pairs};
use crate::bench::program::Program;
use crate::bench::row::{Goal, Row};
use crate::bench::{Bench, THREADS};

/// An aggregator, and its settings.
struct Member {
    plugin: &'static str,
    settings: &'static [&'static str],
}

const FIRST: [Member; 3] = [
    Member { plugin: "wordcount", settings: &[] },
    Member { plugin: "grepcount", settings: &["pattern=return", "fixed=true"] },
    Member { plugin: "grepcount", settings: &["pattern=[A-Z]+_[0-9]+"] },
];
const SMALL: Member = Member { plugin: "grepcount", settings: &["pattern=^\\s*$", "invert=true"] };
const TOPWORDS: Member = Member { plugin: "topwords", settings: &[] };
const CHECKSUM: Member = Member { plugin: "checksum", settings: &[] };

/// At most 1.15 times the bound.
const NEAR: Goal = Goal::RatioAtLeast(0.87);

const fn longer(goal: Goal) -> Bound {
    let time = |round: &Round| round.decoder.max(round.guests_spread());
    Bound { name: "max(decoder, guests alone / threads)", goal, time }
}

const TOGETHER: Bound = Bound {
    name: "(decoder + guests alone) / threads",
    goal: Goal::RatioReported,
    time: |round| round.decoder.max(spread(round.decoder + round.guests_alone)),
};

/// The fans, each beside its bounds and with its memory; the one with `checksum` beside one thread,
/// too.
pub(super) fn rows(outputs: &Outputs) -> Result<Vec<Row>> {
    let bench = outputs.bench;
    // A fourth of the text: what the other benches of compressed text take.
    let megabytes = bench.megabytes / 4;
    let file = Packing::Gzip.file_of(bench, megabytes)?;
    let size = size_word(megabytes);
    let fan = Fan { outputs, input: Input::File(file.clone()), file };
    let mut rows = fan.rows(&format!("fan of 4 over {size} in gzip"), &SMALL, NEAR)?;
    let name = format!("fan with topwords over {size} in gzip");
    rows.extend(fan.rows(&name, &TOPWORDS, Goal::RatioReported)?);
    let name = format!("fan with checksum over {size} in gzip");
    rows.extend(fan.rows(&name, &CHECKSUM, Goal::RatioReported)?);
    let (many, one) = (fan.program(&CHECKSUM, THREADS), fan.program(&CHECKSUM, 1));
    let pairs = pairs(&many, &one, &fan.input, bench.runs)?;
    let name = format!("{name}, {THREADS} thr. vs 1");
    rows.push(Row::ratio(name, Goal::RatioReported, [&many, &one], &pairs));
    Ok(rows)
}

/// What every fan here has.
struct Fan<'a> {
    outputs: &'a Outputs<'a>,
    file: PathBuf,
    input: Input,
}

impl Fan<'_> {
    fn rows(&self, name: &str, fourth: &Member, goal: Goal) -> Result<Vec<Row>> {
        let Outputs { bench, scratch, .. } = self.outputs;
        let report = |number| scratch.file(&format!("fan-{number}.json"));
        let alone = FIRST.iter().chain([fourth]).enumerate().map(|(number, member)| {
            Reported::new(alone(bench, member).arg(&self.file), report(number + 1))
        });
        let decoder = Program::new("decoder", bench.project.program("baseline"));
        let decoder = decoder.args(["decode", "--codec", "gzip"]).arg(&self.file);
        let all = Reported::new(self.program(fourth, THREADS), report(0));
        let whole = Whole { all, alone: alone.collect(), decoder: Some(decoder) };
        for alone in &whole.alone {
            check_agreement(&whole.all.program, &alone.program)?;
        }
        let rounds = whole.rounds(&self.input, bench.runs)?;
        let memory = format!("{name}, memory");
        Ok(vec![
            whole.row(name, &longer(goal), &rounds),
            whole.row(name, &TOGETHER, &rounds),
            Row::memory(memory, MOST_MIB, &whole.all.program, &runs(&rounds)),
        ])
    }

    /// The three and a fourth, in one run.
    fn program(&self, fourth: &Member, threads: usize) -> Program {
        let members: Vec<_> = FIRST.iter().chain([fourth]).collect();
        let pipelines: Vec<_> = members.iter().map(|member| [member.plugin]).collect();
        let pipelines: Vec<&[&str]> = pipelines.iter().map(<[_; 1]>::as_slice).collect();
        let mut program = self.outputs.bench.pipelines(&pipelines, threads);
        for (position, member) in (1..).zip(members) {
            for setting in member.settings {
                program = program.arg("--set").arg(format!("{position}.{setting}"));
            }
        }
        in_full(program).arg(&self.file)
    }
}

/// One member on its own, before its file.
fn alone(bench: &Bench, member: &Member) -> Program {
    let program = bench.pipelines(&[&[member.plugin]], THREADS);
    in_full(
        member.settings.iter().fold(program, |program, setting| program.args(["--set", setting])),
    )
}

/// With the memory that `topwords` may need.
fn in_full(program: Program) -> Program {
    program.args(["--format", "json", "--memory", "2GiB"])
}

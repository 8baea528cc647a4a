//! Gristmill beside the tools that people use for the same task, on generated data.
//!
//! Each tool gives the same answer before it is measured: the same bytes, the same JSON values line
//! by line, or the same numbers. Outputs are written to tmpfs, so no disk is measured. Start-up
//! counts on both sides, that of Python for `DuckDB` and Polars, too. A tool that cannot be had is
//! a row that says so. All programs of a task run in turn (A B C A B C ...), so what slows the
//! machine down slows all. Nothing is asked of the ratios: rows that we lose stay in the table.

mod answer;
mod data;
mod records;
mod text;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use super::corpus::Input;
use super::measure::Pairs;
use super::program::{Program, Run};
use super::row::{Goal, Row, Times};
use super::scratch::Scratch;
use super::tools::{Module, Tool};
use super::{Bench, Subject, THREADS};
use answer::Answer;
use data::Data;

/// Measured runs of each program, and of those that take longer than [`LONG`].
const RUNS: usize = 5;
const RUNS_LONG: usize = 3;
const LONG: Duration = Duration::from_secs(5);

pub(super) const SUBJECT: Subject = Subject { name: "peers", rows };

/// What each task is made from.
struct Peers<'a> {
    bench: &'a Bench<'a>,
    data: Data,
    scratch: Scratch,
}

/// Something to be done to an input, by us and by others.
struct Task {
    /// How the chart calls it.
    name: &'static str,
    input: PathBuf,
    ours: Program,
    others: Vec<Other>,
    /// What has to be equal.
    answer: Answer,
}

/// Another program for a task: its name, what it says its version is, and its command.
struct Other {
    name: &'static str,
    found: Result<(String, Program)>,
}

fn rows(bench: &Bench) -> Result<Vec<Row>> {
    let peers = Peers { bench, data: Data::make(bench)?, scratch: Scratch::make()? };
    let mut rows = Vec::new();
    for task in records::tasks(&peers).into_iter().chain(text::tasks(&peers)?) {
        for row in task_rows(&task, bench.runs.min(RUNS))? {
            eprintln!("bench: {}: {}, {}", row.name, row.figure(), row.detail);
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Checks every answer, then runs all programs in turn, again and again; what takes long is left
/// out of the last rounds.
fn task_rows(task: &Task, rounds: usize) -> Result<Vec<Row>> {
    let input = Input::File(task.input.clone());
    input.warm()?;
    let mut quotas = Vec::new();
    for (_, program) in task.others.iter().filter_map(|other| other.found.as_ref().ok()) {
        let longest = task.answer.check(&task.ours, program)?;
        quotas.push((program, if longest > LONG { RUNS_LONG.min(rounds) } else { rounds }));
    }
    let mut ours = Vec::new();
    let mut theirs: Vec<Vec<Run>> = vec![Vec::new(); quotas.len()];
    for round in 0..rounds {
        input.warm()?;
        ours.push(task.ours.run()?);
        for ((program, quota), runs) in quotas.iter().zip(&mut theirs) {
            if round < *quota {
                runs.push(program.run()?);
            }
        }
    }
    let mut theirs = theirs.into_iter();
    let mut measured = || theirs.next().unwrap_or_default();
    let rows = task.others.iter().map(|other| match &other.found {
        Ok((version, program)) => row(task, other.name, version, program, &ours, measured()),
        Err(reason) => Row::skipped(task.beside(other.name), Goal::RatioReported, reason),
    });
    Ok(rows.collect())
}

fn row(
    task: &Task,
    other: &'static str,
    version: &str,
    program: &Program,
    ours: &[Run],
    theirs: Vec<Run>,
) -> Row {
    let runs = theirs.len();
    let pairs = Pairs::of(ours.to_vec(), theirs);
    let times = Times {
        task: task.name,
        other,
        version: version.to_owned(),
        ours: pairs.our_median(),
        theirs: pairs.baseline_median(),
        runs,
    };
    let row = Row::ratio(task.beside(other), Goal::RatioReported, [&task.ours, program], &pairs);
    Row { times: Some(times), ..row }
}

impl Task {
    /// The name of a row.
    fn beside(&self, other: &str) -> String {
        format!("{}, vs {other}", self.name)
    }
}

impl Peers<'_> {
    /// `host run` with a plugin and its settings.
    fn ours(&self, plugin: &str, settings: &[&str]) -> Program {
        let host = self.bench.pipelines(&[&[plugin]], THREADS).named("Gristmill");
        settings.iter().fold(host, |host, setting| host.arg("--set").arg(*setting))
    }

    /// Where ours is written.
    fn our_output(&self) -> PathBuf {
        self.scratch.file("ours")
    }

    /// Where theirs is written.
    fn their_output(&self) -> PathBuf {
        self.scratch.file("theirs")
    }

    /// A tool with the command that `program` makes of its path.
    fn tool(&self, name: &'static str, tool: Tool, program: impl Fn(Program) -> Program) -> Other {
        let found = || {
            let path = tool.find(self.bench)?;
            let version = tool.version(self.bench)?;
            Ok((version, program(Program::new(name, path))))
        };
        Other { name, found: found() }
    }

    /// A line of the shell, in which `$1` is the input. It needs `tools`; the version is that of
    /// the first.
    fn shell(&self, name: &'static str, tools: &[Tool], line: &str, input: &PathBuf) -> Other {
        let found = || {
            let mut versions = Vec::new();
            for tool in tools {
                tool.find(self.bench)?;
                versions.push(tool.version(self.bench)?);
            }
            let shell = Program::new(name, "sh").args(["-c", line, "sh"]).arg(input);
            Ok((versions.into_iter().next().unwrap_or_default(), shell.env("LC_ALL", "C")))
        };
        Other { name, found: found() }
    }

    /// A statement of Python that writes [`Self::their_output`].
    fn python(&self, name: &'static str, module: Module, statement: &str) -> Other {
        let found = || {
            let python = module.find(self.bench)?;
            let line = format!("import {}; {statement}", module.name);
            let program = Program::new(name, python).args(["-c", &line]);
            Ok((module.version(), program.writing(&self.their_output())))
        };
        Other { name, found: found() }
    }
}

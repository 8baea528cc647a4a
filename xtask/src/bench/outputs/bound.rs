//! Runs of several plugins beside the least that they could take, which is computed from runs of
//! each alone.
//!
//! Guest time is what the report of a run says (`thread_seconds.guest`): the time that all threads
//! spent in the plugin, by the clock. The parts are run in turn with the whole, so that the bound
//! is of the same minutes as what it is compared with.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::bench::THREADS;
use crate::bench::corpus::Input;
use crate::bench::measure::Pairs;
use crate::bench::program::{Program, Run};
use crate::bench::row::{Goal, Row};

/// A run of the host that tells its guest time.
pub(super) struct Reported {
    /// With its report.
    pub(super) program: Program,
    report: PathBuf,
}

/// The whole, and what its bound is computed from.
pub(super) struct Whole {
    /// All plugins in one run.
    pub(super) all: Reported,
    /// Each plugin in a run of its own, over the bytes that it gets in the whole.
    pub(super) alone: Vec<Reported>,
    /// What decodes the input and does nothing with it, where it is compressed.
    pub(super) decoder: Option<Program>,
}

/// The whole and its parts, run once each.
#[derive(Clone)]
pub(super) struct Round {
    all: Run,
    /// Of the whole.
    pub(super) guests: Duration,
    /// The sum of the plugins alone.
    pub(super) guests_alone: Duration,
    /// The whole run of the decoder; 0 without one.
    pub(super) decoder: Duration,
}

/// What a whole is compared with.
pub(super) struct Bound {
    /// How the table calls it.
    pub(super) name: &'static str,
    /// What is asked of the whole.
    pub(super) goal: Goal,
    /// The time, from what was measured in the same round.
    pub(super) time: fn(&Round) -> Duration,
}

impl Reported {
    /// The program with a report, which each run writes over.
    pub(super) fn new(program: Program, report: PathBuf) -> Self {
        Self { program: program.arg("--report").arg(&report), report }
    }

    fn run(&self) -> Result<(Run, Duration)> {
        let run = self.program.run()?;
        let context = || self.report.display().to_string();
        let text = fs::read_to_string(&self.report).with_context(context)?;
        Ok((run, guest_time(&text).with_context(context)?))
    }
}

fn guest_time(report: &str) -> Result<Duration> {
    let report: Value = serde_json::from_str(report)?;
    let seconds = report.pointer("/thread_seconds/guest").and_then(Value::as_f64);
    Ok(Duration::try_from_secs_f64(seconds.context("no thread_seconds.guest")?)?)
}

impl Whole {
    /// Measures it and its parts in turn, after a round that is not measured: it fills caches.
    pub(super) fn rounds(&self, input: &Input, runs: usize) -> Result<Vec<Round>> {
        self.round(input)?;
        (0..runs).map(|_| self.round(input)).collect()
    }

    fn round(&self, input: &Input) -> Result<Round> {
        input.warm()?;
        let (all, guests) = self.all.run()?;
        let mut round =
            Round { all, guests, guests_alone: Duration::ZERO, decoder: Duration::ZERO };
        for alone in &self.alone {
            round.guests_alone += alone.run()?.1;
        }
        if let Some(decoder) = &self.decoder {
            round.decoder = decoder.run()?.wall;
        }
        Ok(round)
    }

    /// The whole beside a bound.
    pub(super) fn row(&self, name: &str, bound: &Bound, rounds: &[Round]) -> Row {
        let bounds = rounds.iter().map(|round| Run {
            wall: (bound.time)(round),
            peak_bytes: 0,
            stdout: String::new(),
        });
        let pairs = Pairs::of(runs(rounds), bounds.collect());
        let alone = self.alone.iter().map(|alone| &alone.program);
        let programs = [&self.all.program].into_iter().chain(alone).chain(&self.decoder);
        let commands = programs.map(Program::command_line).collect();
        let names = [self.all.program.name.as_str(), bound.name];
        Row::compared(format!("{name}, vs {}", bound.name), bound.goal, names, commands, &pairs)
    }
}

impl Round {
    /// The plugins alone, spread evenly over all threads.
    pub(super) fn guests_spread(&self) -> Duration {
        spread(self.guests_alone)
    }
}

/// A time of all threads as the time of a run in which none ever waits.
pub(super) fn spread(time: Duration) -> Duration {
    time.div_f64(f64::from(u32::try_from(THREADS).unwrap_or(u32::MAX)))
}

/// The runs of the whole.
pub(super) fn runs(rounds: &[Round]) -> Vec<Run> {
    rounds.iter().map(|round| round.all.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_tells_guest_time() {
        let time = guest_time(r#"{"thread_seconds":{"read":1.0,"guest":0.25}}"#).unwrap();
        assert_eq!(time, Duration::from_millis(250));
        assert!(guest_time("{}").is_err() && guest_time("").is_err());
        assert!(guest_time(r#"{"thread_seconds":{"guest":-1}}"#).is_err());
    }

    #[test]
    fn a_bound_comes_from_its_own_round() {
        let script = r#"echo '{"thread_seconds":{"guest":0.5}}' > "$2""#;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report");
        let reported =
            || Reported::new(Program::new("sh", "sh").args(["-c", script, "sh"]), path.clone());
        let whole = Whole { all: reported(), alone: vec![reported(), reported()], decoder: None };
        fs::write(directory.path().join("in"), "").unwrap();
        let rounds = whole.rounds(&Input::File(directory.path().join("in")), 2).unwrap();
        let [round, _] = rounds.as_slice() else { unreachable!("{}", rounds.len()) };
        assert_eq!(round.guests, Duration::from_millis(500));
        assert_eq!(round.guests_spread(), Duration::from_secs(1) / 2);
        assert_eq!(round.decoder, Duration::ZERO);
    }
}

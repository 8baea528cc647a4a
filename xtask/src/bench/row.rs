//! A row of the table: what was measured, the goal, the figure, and the commands behind it.

use std::time::Duration;

use serde_json::{Value, json};

use super::measure::{Pairs, median_wall, peak_bytes};
use super::program::{Program, Run};

/// What a figure should be.
#[derive(Clone, Copy)]
pub(super) enum Goal {
    /// Baseline time over our time.
    RatioAtLeast(f64),
    /// Baseline time over our time, to be known; nothing is asked of it.
    RatioReported,
    /// Wall time.
    MillisecondsAtMost(f64),
    /// Peak resident memory.
    MebibytesAtMost(f64),
    /// Something that is done many times a second.
    PerSecondAtLeast(f64),
}

/// One figure.
pub(super) struct Row {
    /// What was measured.
    pub(super) name: String,
    /// What it should be.
    pub(super) goal: Goal,
    /// What it is, in the goal's unit; nothing where it could not be measured.
    pub(super) measured: Option<f64>,
    /// The figures behind it, or why there are none.
    pub(super) detail: String,
    /// The command lines, to be repeated by hand.
    pub(super) commands: Vec<String>,
    /// The times behind a comparison that goes into a chart.
    pub(super) times: Option<Times>,
}

/// What our program and a tool of others took for one task.
pub(super) struct Times {
    /// The task, which several rows share.
    pub(super) task: &'static str,
    /// The other tool.
    pub(super) other: &'static str,
    /// What it says its version is.
    pub(super) version: String,
    /// Medians.
    pub(super) ours: Duration,
    pub(super) theirs: Duration,
    /// Measured runs of each.
    pub(super) runs: usize,
}

impl Goal {
    /// Whether a figure is good enough, where anything is asked of it.
    fn is_met(self, measured: f64) -> Option<bool> {
        match self {
            Self::RatioAtLeast(least) | Self::PerSecondAtLeast(least) => Some(measured >= least),
            Self::RatioReported => None,
            Self::MillisecondsAtMost(most) | Self::MebibytesAtMost(most) => Some(measured <= most),
        }
    }

    /// The goal as the table says it.
    pub(super) fn text(self) -> String {
        match self {
            Self::RatioAtLeast(least) => format!(">= {least}x"),
            Self::RatioReported => "none".to_owned(),
            Self::MillisecondsAtMost(most) => format!("<= {most} ms"),
            Self::MebibytesAtMost(most) => format!("<= {most} MiB"),
            Self::PerSecondAtLeast(least) => format!(">= {least} /s"),
        }
    }

    /// A figure in the goal's unit.
    fn figure(self, measured: f64) -> String {
        match self {
            Self::RatioAtLeast(_) | Self::RatioReported => format!("{measured:.3}x"),
            Self::MillisecondsAtMost(_) => format!("{measured:.1} ms"),
            Self::MebibytesAtMost(_) => format!("{measured:.1} MiB"),
            Self::PerSecondAtLeast(_) => format!("{measured:.0} /s"),
        }
    }
}

impl Row {
    /// Our program beside another.
    pub(super) fn ratio(
        name: impl Into<String>,
        goal: Goal,
        programs: [&Program; 2],
        pairs: &Pairs,
    ) -> Self {
        let commands = programs.map(Program::command_line).to_vec();
        Self::compared(name, goal, programs.map(|program| program.name.as_str()), commands, pairs)
    }

    /// What took some time beside what it is measured by, by their names in the table.
    pub(super) fn compared(
        name: impl Into<String>,
        goal: Goal,
        names: [&str; 2],
        commands: Vec<String>,
        pairs: &Pairs,
    ) -> Self {
        let [ours, baseline] = names;
        let detail = format!(
            "{} {}, {} {}, of pairs {:.2}x, peak {:.0} MiB",
            ours,
            seconds(pairs.our_median()),
            baseline,
            seconds(pairs.baseline_median()),
            pairs.ratio_of_pairs(),
            mebibytes(pairs.our_peak_bytes()),
        );
        Self {
            name: name.into(),
            goal,
            measured: Some(pairs.ratio_of_medians()),
            detail,
            commands,
            times: None,
        }
    }

    /// The median time of one program.
    pub(super) fn time(name: &str, most_ms: f64, program: &Program, runs: &[Run]) -> Self {
        Self {
            name: name.to_owned(),
            goal: Goal::MillisecondsAtMost(most_ms),
            measured: Some(median_wall(runs).as_secs_f64() * 1000.0),
            detail: format!("median of {} runs", runs.len()),
            commands: vec![program.command_line()],
            times: None,
        }
    }

    /// The peak memory of one program.
    pub(super) fn memory(
        name: impl Into<String>,
        most_mib: f64,
        program: &Program,
        runs: &[Run],
    ) -> Self {
        Self {
            name: name.into(),
            goal: Goal::MebibytesAtMost(most_mib),
            measured: Some(mebibytes(peak_bytes(runs))),
            detail: format!("most of {} runs, {}", runs.len(), seconds(median_wall(runs))),
            commands: vec![program.command_line()],
            times: None,
        }
    }

    /// A row that could not be measured, and why.
    pub(super) fn skipped(name: impl Into<String>, goal: Goal, reason: &anyhow::Error) -> Self {
        let reason = format!("{reason:#}").replace('\n', "; ");
        let detail = format!("skipped: {reason}");
        Self { name: name.into(), goal, measured: None, detail, commands: Vec::new(), times: None }
    }

    /// Whether the goal is met, where there is a goal and a figure.
    pub(super) fn is_met(&self) -> Option<bool> {
        self.goal.is_met(self.measured?)
    }

    /// The figure as the table says it.
    pub(super) fn figure(&self) -> String {
        self.measured.map_or_else(|| "-".to_owned(), |measured| self.goal.figure(measured))
    }

    /// The row for machines, with commands and reasons as `shortened` makes them.
    pub(super) fn json(&self, shortened: impl Fn(&str) -> String) -> Value {
        json!({
            "name": self.name,
            "goal": self.goal.text(),
            "measured": self.measured,
            "met": self.is_met(),
            "detail": shortened(&self.detail),
            "commands": self.commands.iter().map(|text| shortened(text)).collect::<Vec<_>>(),
            "times": self.times.as_ref().map(Times::json),
        })
    }
}

impl Times {
    fn json(&self) -> Value {
        json!({
            "task": self.task,
            "other": self.other,
            "version": self.version,
            "ours_s": rounded(self.ours),
            "theirs_s": rounded(self.theirs),
            "runs": self.runs,
        })
    }
}

/// Seconds, to a tenth of a millisecond.
fn rounded(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e4).round() / 1e4
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

/// Exact to a KiB, up to 4 TiB.
fn mebibytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1024).unwrap_or(u32::MAX)) / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_at_its_bound() {
        assert_eq!(Goal::RatioAtLeast(0.85).is_met(0.85), Some(true));
        assert_eq!(Goal::RatioAtLeast(0.85).is_met(0.84), Some(false));
        assert_eq!(Goal::MebibytesAtMost(96.0).is_met(mebibytes(96 << 20)), Some(true));
        assert_eq!(Goal::MillisecondsAtMost(15.0).is_met(15.1), Some(false));
        assert_eq!(Goal::RatioReported.is_met(0.0), None);
    }

    #[test]
    fn a_skipped_row_says_why_and_meets_nothing() {
        let reason = anyhow::anyhow!("no pigz\nhint: install it").context("pigz");
        let row = Row::skipped("gzip", Goal::RatioAtLeast(1.0), &reason);
        assert_eq!(row.detail, "skipped: pigz: no pigz; hint: install it");
        assert_eq!((row.figure().as_str(), row.is_met()), ("-", None));
        assert_eq!(row.json(str::to_owned)["measured"], Value::Null);
    }
}

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
    /// Wall time.
    MillisecondsAtMost(f64),
    /// Peak resident memory.
    MebibytesAtMost(f64),
}

/// One figure.
pub(super) struct Row {
    /// What was measured.
    pub(super) name: String,
    /// What it should be.
    pub(super) goal: Goal,
    /// What it is, in the goal's unit.
    pub(super) measured: f64,
    /// The figures behind it.
    pub(super) detail: String,
    /// The command lines, to be repeated by hand.
    pub(super) commands: Vec<String>,
}

impl Goal {
    /// Whether a figure is good enough.
    pub(super) fn is_met(self, measured: f64) -> bool {
        match self {
            Self::RatioAtLeast(least) => measured >= least,
            Self::MillisecondsAtMost(most) | Self::MebibytesAtMost(most) => measured <= most,
        }
    }

    /// The goal as the table says it.
    pub(super) fn text(self) -> String {
        match self {
            Self::RatioAtLeast(least) => format!(">= {least}x"),
            Self::MillisecondsAtMost(most) => format!("<= {most} ms"),
            Self::MebibytesAtMost(most) => format!("<= {most} MiB"),
        }
    }

    /// A figure in the goal's unit.
    pub(super) fn figure(self, measured: f64) -> String {
        match self {
            Self::RatioAtLeast(_) => format!("{measured:.2}x"),
            Self::MillisecondsAtMost(_) => format!("{measured:.1} ms"),
            Self::MebibytesAtMost(_) => format!("{measured:.1} MiB"),
        }
    }
}

impl Row {
    /// Our program beside another.
    pub(super) fn ratio(
        name: impl Into<String>,
        goal: f64,
        programs: [&Program; 2],
        pairs: &Pairs,
    ) -> Self {
        let [ours, baseline] = programs;
        let detail = format!(
            "{} {}, {} {}, of pairs {:.2}x, peak {:.0} MiB",
            ours.name,
            seconds(pairs.our_median()),
            baseline.name,
            seconds(pairs.baseline_median()),
            pairs.ratio_of_pairs(),
            mebibytes(pairs.our_peak_bytes()),
        );
        Self {
            name: name.into(),
            goal: Goal::RatioAtLeast(goal),
            measured: pairs.ratio_of_medians(),
            detail,
            commands: programs.map(Program::command_line).to_vec(),
        }
    }

    /// The median time of one program.
    pub(super) fn time(name: &str, most_ms: f64, program: &Program, runs: &[Run]) -> Self {
        Self {
            name: name.to_owned(),
            goal: Goal::MillisecondsAtMost(most_ms),
            measured: median_wall(runs).as_secs_f64() * 1000.0,
            detail: format!("median of {} runs", runs.len()),
            commands: vec![program.command_line()],
        }
    }

    /// The peak memory of one program.
    pub(super) fn memory(name: &str, most_mib: f64, program: &Program, runs: &[Run]) -> Self {
        Self {
            name: name.to_owned(),
            goal: Goal::MebibytesAtMost(most_mib),
            measured: mebibytes(peak_bytes(runs)),
            detail: format!("most of {} runs, {}", runs.len(), seconds(median_wall(runs))),
            commands: vec![program.command_line()],
        }
    }

    /// The row for machines.
    pub(super) fn json(&self) -> Value {
        json!({
            "name": self.name,
            "goal": self.goal.text(),
            "measured": self.measured,
            "met": self.goal.is_met(self.measured),
            "detail": self.detail,
            "commands": self.commands,
        })
    }
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
        assert!(Goal::RatioAtLeast(0.85).is_met(0.85));
        assert!(!Goal::RatioAtLeast(0.85).is_met(0.84));
        assert!(Goal::MebibytesAtMost(96.0).is_met(mebibytes(96 << 20)));
        assert!(!Goal::MillisecondsAtMost(15.0).is_met(15.1));
    }
}

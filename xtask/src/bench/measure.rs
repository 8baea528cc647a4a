//! Pairs of runs, and the figures drawn from them.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::corpus::Input;
use super::program::{Program, Run};

/// The runs of two programs, taken in turn.
pub(super) struct Pairs {
    ours: Vec<Run>,
    baseline: Vec<Run>,
}

/// Runs `ours` and `baseline` in turn, after one run of each that is not measured: it fills caches.
pub(super) fn pairs(
    ours: &Program,
    baseline: &Program,
    input: &Input,
    runs: usize,
) -> Result<Pairs> {
    input.warm()?;
    ours.run()?;
    baseline.run()?;
    let mut pairs = Pairs { ours: Vec::new(), baseline: Vec::new() };
    for _ in 0..runs {
        input.warm()?;
        pairs.ours.push(ours.run()?);
        pairs.baseline.push(baseline.run()?);
    }
    Ok(pairs)
}

/// Runs one program several times, after one run that is not measured.
pub(super) fn alone(program: &Program, input: &Input, runs: usize) -> Result<Vec<Run>> {
    input.warm()?;
    program.run()?;
    (0..runs).map(|_| program.run()).collect()
}

/// Checks that two programs did the same work: each number that `baseline` prints is in what `ours`
/// prints.
pub(super) fn check_agreement(ours: &Program, baseline: &Program) -> Result<()> {
    let (found, expected) = (ours.run()?, baseline.run()?);
    check_numbers(ours, &found, &expected)
}

/// The same for runs that were made.
pub(super) fn check_numbers(ours: &Program, found: &Run, expected: &Run) -> Result<()> {
    let found = numbers(&found.stdout);
    for number in numbers(&expected.stdout) {
        ensure!(
            found.contains(&number),
            "results differ: {number} is not printed by {}",
            ours.command_line()
        );
    }
    Ok(())
}

/// Checks that two programs make the same file. Neither is held in memory.
pub(super) fn check_same_file(ours: &Program, other: &Program) -> Result<()> {
    ours.run()?;
    other.run()?;
    check_made(ours, other)
}

/// The same for programs that were run.
pub(super) fn check_made(ours: &Program, other: &Program) -> Result<()> {
    ensure!(
        are_equal(made(ours)?, made(other)?)?,
        "these write different bytes:\n{}\n{}",
        ours.command_line(),
        other.command_line()
    );
    Ok(())
}

/// The file that a program made.
pub(super) fn made(program: &Program) -> Result<BufReader<File>> {
    let path = program.made().context("makes no file")?;
    let file = File::open(path).with_context(|| path.display().to_string())?;
    Ok(BufReader::with_capacity(128 * 1024, file))
}

fn are_equal(mut one: impl BufRead, mut other: impl BufRead) -> io::Result<bool> {
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        let length = left.len().min(right.len());
        if left.get(..length) != right.get(..length) {
            return Ok(false);
        }
        if length == 0 {
            return Ok(left.len() == right.len());
        }
        one.consume(length);
        other.consume(length);
    }
}

fn numbers(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_ascii_digit()).filter(|word| !word.is_empty()).collect()
}

impl Pairs {
    /// Runs that were made elsewhere, each beside the one of the same place.
    pub(super) fn of(ours: Vec<Run>, baseline: Vec<Run>) -> Self {
        Self { ours, baseline }
    }

    /// Median time of our program.
    pub(super) fn our_median(&self) -> Duration {
        median_wall(&self.ours)
    }

    /// Median time of the other program.
    pub(super) fn baseline_median(&self) -> Duration {
        median_wall(&self.baseline)
    }

    /// Baseline time over our time, of the medians: above 1, ours is faster.
    pub(super) fn ratio_of_medians(&self) -> f64 {
        ratio(self.baseline_median(), self.our_median())
    }

    /// The median of the ratios of the single pairs, which a drift of the whole machine does not
    /// move.
    pub(super) fn ratio_of_pairs(&self) -> f64 {
        let walls = self.ours.iter().zip(&self.baseline);
        median(walls.map(|(ours, baseline)| ratio(baseline.wall, ours.wall)).collect())
    }

    /// The largest peak among our runs.
    pub(super) fn our_peak_bytes(&self) -> u64 {
        peak_bytes(&self.ours)
    }

    /// Our runs, for what is drawn from them alone.
    pub(super) fn into_our_runs(self) -> Vec<Run> {
        self.ours
    }
}

/// The largest peak among some runs; 0 when there are none.
pub(super) fn peak_bytes(runs: &[Run]) -> u64 {
    runs.iter().map(|run| run.peak_bytes).max().unwrap_or(0)
}

/// The median time of some runs; 0 when there are none.
pub(super) fn median_wall(runs: &[Run]) -> Duration {
    Duration::from_secs_f64(median(runs.iter().map(|run| run.wall.as_secs_f64()).collect()))
}

fn ratio(baseline: Duration, ours: Duration) -> f64 {
    baseline.as_secs_f64() / ours.as_secs_f64().max(f64::MIN_POSITIVE)
}

/// The middle value, or the mean of the two in the middle; 0 of none.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let high = values.get(values.len() / 2).copied().unwrap_or(0.0);
    let low = values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0.0);
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(milliseconds: u64, peak_bytes: u64) -> Run {
        Run { wall: Duration::from_millis(milliseconds), peak_bytes, stdout: String::new() }
    }

    #[test]
    fn medians_of_odd_even_and_none() {
        assert_eq!(median(vec![9.0, 1.0, 2.0]).to_bits(), 2.0_f64.to_bits());
        assert_eq!(median(vec![4.0, 1.0, 2.0, 9.0]).to_bits(), 3.0_f64.to_bits());
        assert_eq!(median(Vec::new()).to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn a_higher_ratio_means_that_ours_is_faster() {
        let ours = vec![run(10, 5), run(20, 9), run(40, 7)];
        let pairs = Pairs { ours, baseline: vec![run(20, 0), run(20, 0), run(20, 0)] };
        assert!((pairs.ratio_of_medians() - 1.0).abs() < 1e-9);
        assert!((pairs.ratio_of_pairs() - 1.0).abs() < 1e-9);
        assert_eq!(pairs.our_peak_bytes(), 9);
    }

    #[test]
    fn files_are_compared_to_their_ends() {
        let equal = |one: &str, other: &str| {
            let one = BufReader::with_capacity(2, one.as_bytes());
            are_equal(one, BufReader::with_capacity(3, other.as_bytes())).unwrap()
        };
        assert!(equal("", "") && equal("abcdefg", "abcdefg"));
        assert!(!equal("abcdefg", "abcdefgh") && !equal("abc", "") && !equal("abcdefg", "abcdefG"));
    }

    #[test]
    fn numbers_are_found_in_any_format() {
        assert_eq!(numbers("{\"lines\":12,\"words\":3}"), ["12", "3"]);
    }
}

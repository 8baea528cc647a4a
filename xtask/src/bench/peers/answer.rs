//! What has to be equal before two programs are compared, so that nobody is faster by doing less.

use std::io::{BufRead, Lines};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::bench::measure::{check_made, check_numbers, made};
use crate::bench::program::Program;

/// How answers are compared.
#[derive(Clone, Copy)]
pub(super) enum Answer {
    /// The files are the same bytes.
    Bytes,
    /// The files hold the same JSON values, line by line; the order of an object's fields and
    /// spaces do not count.
    JsonLines,
    /// Each number that the other program prints is one that ours prints.
    Numbers,
}

impl Answer {
    /// Runs both once, compares, and returns how long the slower one took.
    pub(super) fn check(self, ours: &Program, other: &Program) -> Result<Duration> {
        let (found, expected) = (ours.run()?, other.run()?);
        match self {
            Self::Bytes => check_made(ours, other)?,
            Self::Numbers => check_numbers(ours, &found, &expected)?,
            Self::JsonLines => {
                check_same_values(made(ours)?.lines(), made(other)?.lines()).with_context(
                    || {
                        format!(
                            "answers differ:\n{}\n{}",
                            ours.command_line(),
                            other.command_line()
                        )
                    },
                )?;
            }
        }
        Ok(found.wall.max(expected.wall))
    }
}

fn check_same_values(mut ours: Lines<impl BufRead>, mut theirs: Lines<impl BufRead>) -> Result<()> {
    for number in 1_u64.. {
        let (one, other) = match (ours.next(), theirs.next()) {
            (None, None) => return Ok(()),
            (Some(one), Some(other)) => (one?, other?),
            _ => bail!("one has {} lines, the other has more", number - 1),
        };
        let parsed = |line: &str| {
            serde_json::from_str::<Value>(line).with_context(|| format!("line {number}: {line}"))
        };
        ensure!(parsed(&one)? == parsed(&other)?, "line {number}:\n{one}\n{other}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(ours: &str, theirs: &str) -> bool {
        check_same_values(ours.as_bytes().lines(), theirs.as_bytes().lines()).is_ok()
    }

    #[test]
    fn values_count_and_their_form_does_not() {
        assert!(same("{\"a\":1,\"b\":\"é\"}\n", "{\"b\": \"\\u00e9\", \"a\": 1}"));
        assert!(!same("{\"a\":1}", "{\"a\":\"1\"}"));
        assert!(!same("{\"a\":1}", "{\"a\":1}\n{\"a\":1}"));
        assert!(!same("1\n2", "2\n1"));
        assert!(!same("{", "{"));
    }
}

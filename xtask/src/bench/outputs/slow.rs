//! Memory where nobody takes what is written as fast as it is made: it should not grow.

use anyhow::Result;

use super::{MOST_MIB, Outputs, chain};
use crate::bench::program::SlowReader;
use crate::bench::row::Row;

/// The host is ahead of this reader as far as it ever gets within a tenth of a second.
const READER: SlowReader = SlowReader { bytes_a_second: 1_000_000, seconds: 5 };

/// A row for each program that writes, each run once: the reader makes all runs alike.
pub(super) fn rows(outputs: &Outputs) -> Result<Vec<Row>> {
    let programs = [
        ("upcase", outputs.upcase()),
        ("upcase in no order", outputs.upcase().arg("--unordered")),
        ("chain of 3", chain::chain(outputs)),
    ];
    let mut rows = Vec::new();
    for (name, program) in programs {
        outputs.input.warm()?;
        let run = program.run_read_by(READER)?;
        let name = format!("{name} of {}, read at 1 MB/s, memory", outputs.size);
        rows.push(Row::memory(name, MOST_MIB, &program, &[run]));
    }
    Ok(rows)
}

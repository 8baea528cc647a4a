//! The least a run takes: 1 KB of input, with the compiled plugin in the cache.

use anyhow::Result;

use super::corpus::{self, Input};
use super::measure::alone;
use super::row::Row;
use super::{Bench, Subject, THREADS};

/// Such runs are short, so many of them cost little.
const RUNS_FACTOR: usize = 10;

pub(super) const SUBJECT: Subject = Subject { name: "start", rows };

fn rows(bench: &Bench) -> Result<Vec<Row>> {
    let text = corpus::small(bench)?;
    let host = bench.host("wordcount", THREADS).arg(&text);
    let runs = alone(&host, &Input::File(text), bench.runs * RUNS_FACTOR)?;
    Ok(vec![Row::time("a run over 1 KB", 15.0, &host, &runs)])
}

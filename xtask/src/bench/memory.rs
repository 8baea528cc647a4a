//! Peak memory of a run over 1 GB, and with `--big` over 10 GB: it should not grow with the input.

use anyhow::Result;

use super::corpus::{self, Input};
use super::measure::alone;
use super::row::Row;
use super::{Bench, Subject, THREADS};

const MOST_MIB: f64 = 96.0;

/// Peaks differ little from run to run.
const RUNS: usize = 3;

pub(super) const SUBJECT: Subject = Subject { name: "memory", rows };

fn rows(bench: &Bench) -> Result<Vec<Row>> {
    let text = corpus::text(bench)?;
    let host = bench.host("wordcount", THREADS).arg(&text);
    let runs = alone(&host, &Input::File(text), bench.runs.min(RUNS))?;
    let mut rows = vec![Row::memory("memory over 1 GB", MOST_MIB, &host, &runs)];
    if bench.big {
        let text = corpus::ten_times(bench)?;
        let host = bench.host("wordcount", THREADS).arg(&text.0);
        // Once: the peak is what counts, and the file may not fit the page cache.
        let runs = [host.run()?];
        rows.push(Row::memory("memory over 10 GB", MOST_MIB, &host, &runs));
    }
    Ok(rows)
}

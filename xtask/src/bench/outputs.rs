//! What is written, and several plugins at once: transformers, chains of them, aggregators over one
//! scan, and readers that are slow.
//!
//! The text is all of the large text, or as much of it as `--megabytes` says. Files are written to
//! tmpfs, so no disk is measured.

mod bound;
mod chain;
mod fan;
mod grep;
mod slow;
mod upcase;

use std::path::PathBuf;

use anyhow::Result;

use super::corpus::{self, Input};
use super::row::Row;
use super::scratch::Scratch;
use super::{Bench, Subject};

/// The most memory that a run may have resident.
const MOST_MIB: f64 = 160.0;

/// What takes seconds where others take tenths is not run as often.
const SLOW_RUNS: usize = 3;

pub(super) const SUBJECT: Subject = Subject { name: "outputs", rows };

/// What each part of the subject is given.
struct Outputs<'a> {
    bench: &'a Bench<'a>,
    text: PathBuf,
    /// The text, as what is to be brought into the page cache.
    input: Input,
    /// The size of the text as the table says it.
    size: String,
    scratch: Scratch,
}

fn rows(bench: &Bench) -> Result<Vec<Row>> {
    let text = corpus::beginning(bench, bench.megabytes)?;
    let input = Input::File(text.clone());
    let size = size_word(bench.megabytes);
    let outputs = Outputs { bench, text, input, size, scratch: Scratch::make()? };
    let parts = [upcase::rows, upcase::order_rows, chain::rows, fan::rows, grep::rows, slow::rows];
    let mut rows = Vec::new();
    for part in parts {
        rows.extend(part(&outputs)?);
    }
    Ok(rows)
}

fn size_word(megabytes: u64) -> String {
    if megabytes == 1000 { "1 GB".to_owned() } else { format!("{megabytes} MB") }
}

//! What results look like: one way to say it for each `--format`.

use std::io::{self, Write};

use super::json::{Document, Lines};
use super::table::Table;
use super::value::Value;
pub use crate::settings::Format;

/// Why there is no result.
#[derive(Debug, Clone, Copy)]
pub struct Fault<'a> {
    /// A word that scripts can match.
    pub kind: &'a str,
    /// What happened.
    pub message: &'a str,
}

/// The result of one source.
#[derive(Debug)]
pub struct Row<'a> {
    /// The source.
    pub source: &'a str,
    /// Which of several plugins gave the result.
    pub plugin: Option<&'a str>,
    /// How many bytes of it were processed.
    pub bytes: u64,
    /// Its result, or why there is none.
    pub result: Result<&'a Value, Fault<'a>>,
}

/// One of the results that stand at the end.
#[derive(Debug)]
pub struct Shown<'a> {
    /// Which of several plugins gave it.
    pub plugin: Option<&'a str>,
    /// The result, or why there is none.
    pub result: Result<&'a Value, Fault<'a>>,
}

/// What stands at the end.
#[derive(Debug)]
pub struct Total<'a> {
    /// The results over all sources that did not fail, one for each plugin; none where they were not asked for.
    pub results: &'a [Shown<'a>],
    /// How many sources there were, failed ones among them.
    pub sources: u64,
    /// How many failed.
    pub failed: u64,
    /// Bytes that were processed.
    pub bytes: u64,
}

impl Format {
    /// A formatter of this kind.
    pub fn formatter(self) -> Box<dyn Formatter> {
        match self {
            Self::Table => Box::new(Table::default()),
            Self::Jsonl => Box::new(Lines),
            Self::Json => Box::new(Document::default()),
            Self::Raw => Box::new(Raw),
        }
    }

    /// Whether failures are part of the output, rather than only told to the user.
    pub fn shows_failures(self) -> bool {
        matches!(self, Self::Jsonl | Self::Json)
    }
}

/// Writes results as they come in order; a formatter may hold them back to the end.
pub trait Formatter: Send {
    /// Writes one source. Called in order, once for each that has something to show.
    ///
    /// # Errors
    /// When writing fails, here and in the other method.
    fn row(&mut self, out: &mut dyn Write, row: &Row<'_>) -> io::Result<()>;

    /// Writes the end. Called once, last, unless the run was stopped: then with `None`.
    fn end(&mut self, out: &mut dyn Write, total: Option<&Total<'_>>) -> io::Result<()>;

    /// Bytes of memory that it keeps of the rows so far.
    fn held_bytes(&self) -> u64 {
        0
    }
}

/// The plugin's own bytes.
struct Raw;

impl Formatter for Raw {
    fn row(&mut self, out: &mut dyn Write, row: &Row<'_>) -> io::Result<()> {
        row.result.as_ref().map_or(Ok(()), |value| out.write_all(value.raw()))
    }

    fn end(&mut self, out: &mut dyn Write, total: Option<&Total<'_>>) -> io::Result<()> {
        let results = total.map(|total| total.results).unwrap_or_default();
        let values = results.iter().filter_map(|shown| shown.result.as_ref().ok());
        values.into_iter().try_for_each(|value| out.write_all(value.raw()))
    }
}

//! What is written of results, and what writes it in one `--format`. Knows none of them:
//! `formatter.rs` has one for each.

use std::io::{self, Write};

use super::value::Value;

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
    /// The results over all sources that did not fail, one for each plugin; none where they were
    /// not asked for.
    pub results: &'a [Shown<'a>],
    /// How many sources there were, failed ones among them.
    pub sources: u64,
    /// How many failed.
    pub failed: u64,
    /// Bytes that were processed.
    pub bytes: u64,
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

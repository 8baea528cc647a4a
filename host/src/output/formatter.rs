//! What results look like: a formatter for each `--format`, of which the simplest is here.

use std::io::{self, Write};

use super::format::{Formatter, Row, Total};
use super::json::{Document, Lines};
use super::table::Table;
pub use crate::settings::Format;
use crate::settings::Show;

impl Format {
    /// A formatter of this kind, of what is to be shown.
    pub fn formatter(self, show: Show) -> Box<dyn Formatter> {
        match self {
            Self::Table => Box::new(Table::default()),
            Self::Jsonl => Box::new(Lines),
            Self::Json => Box::new(Document::of(show)),
            Self::Raw => Box::new(Raw),
        }
    }

    /// Whether failures are part of the output, not only of standard error.
    pub fn shows_failures(self) -> bool {
        matches!(self, Self::Jsonl | Self::Json)
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

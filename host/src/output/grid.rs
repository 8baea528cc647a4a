//! Aligned columns of text, of anything.
//!
//! Widths are those of a terminal (Unicode Standard Annex 11), and known before a line is written:
//! drawing is one pass, fast enough that an interrupt is not held up.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::settings::limits::is_only_shown;

/// Between two columns.
const GAP: &str = "  ";

/// A column, as wide as its widest cell so far.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) align: Align,
    width: usize,
}

/// On which side the cells of a column are even.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// As words are.
    Left,
    /// As numbers are.
    Right,
}

/// Rows under a header. Holds all of them, as the widths of the columns are known at the end.
#[derive(Debug)]
pub struct Grid {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Column {
    pub(super) fn new(name: impl Into<String>, align: Align) -> Self {
        let name = shown(name.into());
        Self { width: name.width(), name, align }
    }

    /// A cell as it is shown, for which there is room from now on.
    pub(super) fn fit(&mut self, cell: String) -> String {
        let cell = shown(cell);
        self.width = self.width.max(cell.width());
        cell
    }
}

impl Grid {
    /// A grid with these columns, without rows.
    pub fn new<'a>(columns: impl IntoIterator<Item = (&'a str, Align)>) -> Self {
        let columns = columns.into_iter().map(|(name, align)| Column::new(name, align)).collect();
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row. What would break the table, or the terminal, becomes a space.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let fitted = self.columns.iter_mut().zip(cells).map(|(column, cell)| column.fit(cell));
        self.rows.push(fitted.collect());
    }

    /// Writes the header and all rows, a line each.
    ///
    /// # Errors
    /// When writing fails.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut lines = Lines::header(out, &self.columns)?;
        self.rows.iter().try_for_each(|row| lines.write(row.iter().map(String::as_str)))
    }
}

/// Writes lines of cells, padded to the widths of their columns.
pub(super) struct Lines<'a> {
    out: &'a mut dyn Write,
    columns: &'a [Column],
    line: String,
}

impl<'a> Lines<'a> {
    /// Writes the names of the columns.
    pub(super) fn header(out: &'a mut dyn Write, columns: &'a [Column]) -> io::Result<Self> {
        let mut lines = Self { out, columns, line: String::new() };
        lines.write(columns.iter().map(|column| column.name.as_str()))?;
        Ok(lines)
    }

    pub(super) fn write<'c>(&mut self, cells: impl Iterator<Item = &'c str>) -> io::Result<()> {
        self.line.clear();
        for (column, cell) in self.columns.iter().zip(cells) {
            let missing = column.width.saturating_sub(cell.width());
            let [before, behind] = match column.align {
                Align::Left => [0, missing],
                Align::Right => [missing, 0],
            };
            self.line.extend(std::iter::repeat_n(' ', before));
            self.line.push_str(cell);
            self.line.extend(std::iter::repeat_n(' ', behind));
            self.line.push_str(GAP);
        }
        let end = self.line.trim_end().len();
        self.line.truncate(end);
        self.line.push('\n');
        self.out.write_all(self.line.as_bytes())
    }
}

/// The text on one line, with nothing that a terminal obeys.
pub(super) fn shown(text: String) -> String {
    if text.chars().all(is_only_shown) {
        return text;
    }
    text.chars().map(|c| if is_only_shown(c) { c } else { ' ' }).collect()
}

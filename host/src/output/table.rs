//! Aligned columns, of anything; and of results: a column for each key where they are flat JSON
//! objects, else one for the result. What a plugin gives is bounded here: so many columns, and so
//! much of a cell; where there is more, there is a `…`.
//!
//! Widths are those of a terminal (Unicode Standard Annex 11), and known before a line is written:
//! drawing is one pass, fast enough that an interrupt is not held up.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::cells::{self, Cell};
use super::format::{Formatter, Row, Total};
use super::value::Value;
use crate::settings::limits::{CELL_BYTES_MAX, COLUMNS_MAX, TABLE_BYTES_MAX, is_only_shown};

/// The column of results that are not objects.
const RESULT: &str = "result";

/// The column that says which of several plugins a result is from.
const PLUGIN: &str = "plugin";

/// Between two columns.
const GAP: &str = "  ";

/// Holds rows back to the end, when the widths of the columns are known. Failed sources have no
/// row: the user is told of them otherwise.
#[derive(Default)]
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<Line>,
    /// Whether there are more columns than are kept.
    has_more: bool,
    /// What the rows take.
    held_bytes: u64,
}

/// A column, as wide as its widest cell so far.
#[derive(Debug, Clone)]
struct Column {
    name: String,
    align: Align,
    width: usize,
}

struct Line {
    source: String,
    /// By column, as far as it has any.
    cells: Vec<(usize, String)>,
}

impl Line {
    /// Bytes of memory that it takes: each text has an allocation of its own.
    fn held_bytes(&self) -> u64 {
        const ALLOCATION_BYTES: usize = 16;
        let cell = |(_, text): &(usize, String)| {
            size_of::<(usize, String)>() + text.capacity() + ALLOCATION_BYTES
        };
        let cells = self.cells.iter().map(cell).sum::<usize>();
        (size_of::<Self>() + self.source.capacity() + 2 * ALLOCATION_BYTES + cells) as u64
    }
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
    fn new(name: impl Into<String>, align: Align) -> Self {
        let name = shown(name.into());
        Self { width: name.width(), name, align }
    }

    /// A cell as it is shown, for which there is room from now on.
    fn fit(&mut self, cell: String) -> String {
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
struct Lines<'a> {
    out: &'a mut dyn Write,
    columns: &'a [Column],
    line: String,
}

impl<'a> Lines<'a> {
    /// Writes the names of the columns.
    fn header(out: &'a mut dyn Write, columns: &'a [Column]) -> io::Result<Self> {
        let mut lines = Self { out, columns, line: String::new() };
        lines.write(columns.iter().map(|column| column.name.as_str()))?;
        Ok(lines)
    }

    fn write<'c>(&mut self, cells: impl Iterator<Item = &'c str>) -> io::Result<()> {
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
fn shown(text: String) -> String {
    if text.chars().all(is_only_shown) {
        return text;
    }
    text.chars().map(|c| if is_only_shown(c) { c } else { ' ' }).collect()
}

impl Table {
    fn add(&mut self, source: &str, plugin: Option<&str>, value: &Value) {
        let mut kept = Vec::new();
        let mut put = |key: Option<String>, cell| {
            self.put(&mut kept, key.unwrap_or_else(|| RESULT.into()), cell);
        };
        if !value.is_json() || cells::each(value.raw(), &mut put).is_err() {
            kept.clear();
            let raw = value.raw().get(..=CELL_BYTES_MAX).unwrap_or(value.raw());
            self.put(&mut kept, RESULT.into(), Cell::of(String::from_utf8_lossy(raw)));
        }
        if let Some(plugin) = plugin {
            self.put(&mut kept, PLUGIN.into(), Cell::of(plugin));
        }
        kept.shrink_to_fit();
        let row = Line { source: shown(source.to_string()), cells: kept };
        self.held_bytes += row.held_bytes();
        self.rows.push(row);
    }

    /// Puts a cell into a row, if there is a column for it. Of a key that is there twice, the last
    /// is shown.
    fn put(&mut self, row: &mut Vec<(usize, String)>, key: String, cell: Cell) {
        let align = if cell.is_number { Align::Right } else { Align::Left };
        let Some((at, column)) = self.column(shown(cut(key)), align) else { return };
        let text = column.fit(cut(cell.text));
        match row.iter_mut().rev().find(|(known, _)| *known == at) {
            Some((_, before)) => *before = text,
            None => row.push((at, text)),
        }
    }

    /// The column of that name, which is made if there is room for one more. Numbers are even on
    /// the right where there is nothing else.
    fn column(&mut self, name: String, align: Align) -> Option<(usize, &mut Column)> {
        let known = self.columns.iter().position(|column| column.name == name);
        if known.is_none() && self.columns.len() == COLUMNS_MAX {
            self.has_more = true;
            return None;
        }
        let at = known.unwrap_or_else(|| {
            self.columns.push(Column::new(name, align));
            self.columns.len() - 1
        });
        let column = self.columns.get_mut(at)?;
        if align == Align::Left {
            column.align = align;
        }
        Some((at, column))
    }

    fn draw(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut columns = self.columns.clone();
        columns.extend(self.has_more.then(|| Column::new(MORE, Align::Left)));
        columns.push(Column::new("source", Align::Left));
        let mut lines = Lines::header(out, &columns)?;
        let mut cells: Vec<&str> = Vec::with_capacity(columns.len());
        for line in &self.rows {
            cells.clear();
            cells.resize(self.columns.len(), "");
            for (at, cell) in &line.cells {
                if let Some(shown) = cells.get_mut(*at) {
                    *shown = cell;
                }
            }
            cells.extend(self.has_more.then_some(MORE));
            cells.push(&line.source);
            lines.write(cells.iter().copied())?;
        }
        Ok(())
    }
}

/// What stands for what is left out.
const MORE: &str = "…";

/// As much of a cell as is shown.
fn cut(mut text: String) -> String {
    if text.len() > CELL_BYTES_MAX {
        text.truncate(text.floor_char_boundary(CELL_BYTES_MAX));
        text.push_str(MORE);
        text.shrink_to_fit();
    }
    text
}

impl Formatter for Table {
    fn row(&mut self, _out: &mut dyn Write, row: &Row<'_>) -> io::Result<()> {
        if let Ok(value) = row.result {
            self.add(row.source, row.plugin, value);
        }
        if self.held_bytes > TABLE_BYTES_MAX {
            let rows = self.rows.len();
            let told = format!(
                "a table is laid out when all rows are known, and {rows} rows take more than {TABLE_BYTES_MAX} bytes of memory; ⟦format⟧ jsonl writes each as it comes"
            );
            return Err(io::Error::other(told));
        }
        Ok(())
    }

    fn held_bytes(&self) -> u64 {
        self.held_bytes
    }

    fn end(&mut self, out: &mut dyn Write, total: Option<&Total<'_>>) -> io::Result<()> {
        for shown in total.map(|total| total.results).unwrap_or_default() {
            if let Ok(value) = shown.result {
                self.add("total", shown.plugin, value);
            }
        }
        if self.rows.is_empty() {
            return Ok(());
        }
        self.draw(out)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::output::OutputType;
    use crate::stats::Held;

    fn drawn(results: &[String]) -> String {
        let mut table = Table::default();
        for result in results {
            let value = Value::new(
                OutputType::of("application/json"),
                Held::within(&Arc::default(), result.clone().into_bytes()),
            );
            table.add("a", None, &value);
        }
        let mut out = Vec::new();
        table.draw(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_that_take_too_much_are_refused_with_the_way_out() {
        let mut table = Table { held_bytes: TABLE_BYTES_MAX - 100, ..Table::default() };
        let value = Value::new(
            OutputType::of("application/json"),
            Held::within(&Arc::default(), b"{\"a\":1}".to_vec()),
        );
        let row = Row { source: "a", plugin: None, bytes: 0, result: Ok(&value) };
        let refused = table.row(&mut Vec::new(), &row).unwrap_err().to_string();
        assert!(refused.contains("1 rows take more than 268435456 bytes"), "{refused}");
        assert!(refused.contains("⟦format⟧ jsonl"), "{refused}");
    }

    #[test]
    fn columns_and_cells_have_an_end_and_that_is_shown() {
        let wide = |columns: usize| {
            let cells: Vec<_> = (0..columns).map(|n| format!("\"c{n:06}\":{n}")).collect();
            format!("{{{}}}", cells.join(","))
        };
        assert!(!drawn(&[wide(COLUMNS_MAX)]).contains(MORE));
        let text = drawn(&[wide(200_000), wide(3)]);
        assert!(text.lines().all(|line| line.contains(MORE)), "{}", text.len());
        assert!(text.len() < 20_000, "{}", text.len());
        let long = drawn(&[format!("{{\"{0}\":\"{0}\"}}", "ä".repeat(100_000))]);
        assert_eq!(long.matches('ä').count(), CELL_BYTES_MAX);
    }

    #[test]
    fn columns_are_even_whatever_is_in_them() {
        let results =
            [r#"{"n":1,"word":"漢字"}"#, r#"{"n":100,"word":"a\nb"}"#, r#"{"n":20,"other":true}"#];
        let expected = "  n  word  other  source\n  1  漢字         a\n100  a b          a\n 20        true   a\n";
        assert_eq!(drawn(&results.map(String::from)), expected);
    }
}

//! Aligned columns, of anything; and of results: a column for each key where they are flat JSON objects, else one for the
//! result. What a plugin gives is bounded here: so many columns, and so much of a cell; where there is more, there is a `…`.

use std::borrow::Cow;
use std::io::{self, Write};

use serde_json::{Map, Value as Json};
use unicode_width::UnicodeWidthStr;

use super::format::{Formatter, Row, Total};
use super::value::Value;
use crate::settings::limits::{CELL_BYTES_MAX, COLUMNS_MAX, TABLE_BYTES_MAX, is_only_shown};

/// The column of results that are not objects.
const RESULT: &str = "result";

/// The column that says which of several plugins a result is from.
const PLUGIN: &str = "plugin";

/// Holds rows back to the end, when the widths of the columns are known. Failed sources have no row: the user is told of
/// them otherwise.
#[derive(Default)]
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<Line>,
    /// Whether there are more columns than are kept.
    has_more: bool,
    /// What the rows take.
    held_bytes: u64,
}

struct Column {
    name: String,
    numbers: bool,
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
    layout: Layout,
    rows: Vec<Vec<String>>,
}

impl Grid {
    /// A grid with these columns, without rows.
    pub fn new<'a>(columns: impl IntoIterator<Item = (&'a str, Align)>) -> Self {
        let (names, aligned): (Vec<_>, Vec<_>) =
            columns.into_iter().map(|(name, align)| (shown(name), align)).unzip();
        let mut layout = Layout::new(aligned);
        layout.widen(&names);
        Self { layout, rows: vec![names] }
    }

    /// Adds a row. What would break the table, or the terminal, becomes a space.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<_> = cells.into_iter().map(|text| shown(&text)).collect();
        self.layout.widen(&cells);
        self.rows.push(cells);
    }

    /// Writes the header and all rows, a line each.
    ///
    /// # Errors
    /// When writing fails.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        self.rows.iter().try_for_each(|row| self.layout.line(row, out))
    }
}

/// The columns: on which side each is even, and how wide it is.
#[derive(Debug)]
struct Layout {
    columns: Vec<(Align, usize)>,
}

impl Layout {
    fn new(aligned: impl IntoIterator<Item = Align>) -> Self {
        Self { columns: aligned.into_iter().map(|align| (align, 0)).collect() }
    }

    /// Makes room for the cells of a row.
    fn widen(&mut self, cells: &[impl AsRef<str>]) {
        for ((_, width), cell) in self.columns.iter_mut().zip(cells) {
            *width = (*width).max(cell.as_ref().width());
        }
    }

    /// Writes a row, with two spaces between its cells and none at its end.
    fn line(&self, cells: &[impl AsRef<str>], out: &mut dyn Write) -> io::Result<()> {
        let mut line = String::new();
        for (at, ((align, width), cell)) in self.columns.iter().zip(cells).enumerate() {
            let cell = cell.as_ref();
            line.push_str(if at == 0 { "" } else { BETWEEN });
            let space = width.saturating_sub(cell.width());
            let (before, behind) = match align {
                Align::Left => (0, space),
                Align::Right => (space, 0),
            };
            line.extend(std::iter::repeat_n(' ', before));
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', behind));
        }
        writeln!(out, "{}", line.trim_end())
    }
}

/// What stands between two columns.
const BETWEEN: &str = "  ";

/// A text as it is shown: what would break the table, or the terminal, becomes a space.
fn shown(text: &str) -> String {
    text.chars().map(|c| if is_only_shown(c) { c } else { ' ' }).collect()
}

impl Table {
    fn add(&mut self, source: &str, plugin: Option<&str>, value: &Value) {
        let mut cells = match serde_json::from_slice(value.json()) {
            Ok(Json::Object(cells)) => cells,
            Ok(other) => Map::from_iter([(RESULT.to_string(), other)]),
            Err(_) => Map::from_iter([(
                RESULT.to_string(),
                Json::String(String::from_utf8_lossy(value.raw()).into_owned()),
            )]),
        };
        if let Some(plugin) = plugin {
            cells.insert(PLUGIN.to_string(), Json::String(plugin.to_string()));
        }
        let mut kept = Vec::with_capacity(cells.len().min(COLUMNS_MAX));
        for (name, cell) in cells {
            if let Some(column) = self.column(cut(name), cell.is_number()) {
                kept.push((column, cut(text(Some(&cell)))));
            }
        }
        kept.shrink_to_fit();
        let row = Line { source: source.to_string(), cells: kept };
        self.held_bytes += row.held_bytes();
        self.rows.push(row);
    }

    /// Where the column of that name is, which is made if there is room for one more.
    fn column(&mut self, name: String, number: bool) -> Option<usize> {
        if let Some(at) = self.columns.iter().position(|column| column.name == name) {
            self.columns.get_mut(at)?.numbers &= number;
            return Some(at);
        }
        if self.columns.len() == COLUMNS_MAX {
            self.has_more = true;
            return None;
        }
        self.columns.push(Column { name, numbers: number });
        Some(self.columns.len() - 1)
    }

    /// Writes the header and all rows. Lays out one row at a time: what is held is what the rows have.
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let align = |column: &Column| if column.numbers { Align::Right } else { Align::Left };
        let more = self.has_more.then_some(MORE);
        let last = [Align::Left].into_iter().cycle().take(1 + usize::from(self.has_more));
        let mut layout = Layout::new(self.columns.iter().map(align).chain(last));
        let names = self.columns.iter().map(|column| column.name.as_str());
        let header: Vec<_> = names.chain(more).chain(["source"]).map(shown).collect();
        layout.widen(&header);
        for line in &self.rows {
            layout.widen(&self.cells(line));
        }
        layout.line(&header, out)?;
        self.rows.iter().try_for_each(|line| layout.line(&self.cells(line), out))
    }

    /// A row, with a cell for each column.
    fn cells<'t>(&'t self, line: &'t Line) -> Vec<Cow<'t, str>> {
        let mut cells = vec![Cow::Borrowed(""); self.columns.len()];
        for (at, cell) in &line.cells {
            if let Some(to) = cells.get_mut(*at) {
                *to = shown(cell).into();
            }
        }
        let more = self.has_more.then_some(Cow::Borrowed(MORE));
        cells.into_iter().chain(more).chain([shown(&line.source).into()]).collect()
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
                "a table is laid out when all rows are known, and {rows} rows take more than {TABLE_BYTES_MAX} bytes of memory; --format jsonl writes each as it comes"
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
        self.write(out)
    }
}

/// What a cell shows.
fn text(cell: Option<&Json>) -> String {
    match cell {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::OutputType;

    fn drawn(results: &[String]) -> String {
        let mut table = Table::default();
        for result in results {
            let value = Value::new(OutputType::of("application/json"), result.clone().into_bytes());
            table.add("a", None, &value);
        }
        let mut out = Vec::new();
        table.write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_that_take_too_much_are_refused_with_the_way_out() {
        let mut table = Table { held_bytes: TABLE_BYTES_MAX - 100, ..Table::default() };
        let value = Value::new(OutputType::of("application/json"), b"{\"a\":1}".to_vec());
        let row = Row { source: "a", plugin: None, bytes: 0, result: Ok(&value) };
        let refused = table.row(&mut Vec::new(), &row).unwrap_err().to_string();
        assert!(refused.contains("1 rows take more than 268435456 bytes"), "{refused}");
        assert!(refused.contains("--format jsonl"), "{refused}");
    }

    #[test]
    fn a_column_is_as_wide_as_its_widest_cell_on_the_screen() {
        let text = drawn(&[r#"{"n":10,"t":"\u65e5"}"#.into(), r#"{"n":9,"t":"ab\nc"}"#.into()]);
        assert_eq!(text, " n  t     source\n10  \u{65e5}    a\n 9  ab c  a\n");
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
}

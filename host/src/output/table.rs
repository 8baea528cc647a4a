//! Aligned columns, of anything; and of results: a column for each key where they are flat JSON objects, else one for the
//! result. What a plugin gives is bounded here: so many columns, and so much of a cell; where there is more, there is a `…`.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table as Drawn, presets};
use serde_json::{Map, Value as Json};

use super::format::{Formatter, Row, Total};
use super::value::Value;
use crate::settings::limits::{CELL_BYTES_MAX, COLUMNS_MAX, is_only_shown};

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
    drawn: Drawn,
}

impl Grid {
    /// A grid with these columns, without rows.
    pub fn new<'a>(columns: impl IntoIterator<Item = (&'a str, Align)>) -> Self {
        let mut drawn = Drawn::new();
        drawn.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        let (names, aligned): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        drawn.set_header(names);
        let last = aligned.len().saturating_sub(1);
        for (at, (column, align)) in drawn.column_iter_mut().zip(aligned).enumerate() {
            column.set_padding((0, if at == last { 0 } else { 2 }));
            if align == Align::Right {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        Self { drawn }
    }

    /// Adds a row. What would break the table, or the terminal, becomes a space.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.drawn.add_row(cells.into_iter().map(|text| {
            text.chars().map(|c| if is_only_shown(c) { c } else { ' ' }).collect::<String>()
        }));
    }

    /// Writes the header and all rows, a line each.
    ///
    /// # Errors
    /// When writing fails.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        for line in self.drawn.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
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
        self.rows.push(Line { source: source.to_string(), cells: kept });
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

    fn grid(&self) -> Grid {
        let align = |column: &Column| if column.numbers { Align::Right } else { Align::Left };
        let columns = self.columns.iter().map(|column| (column.name.as_str(), align(column)));
        let more = self.has_more.then_some((MORE, Align::Left));
        let mut grid = Grid::new(columns.chain(more).chain([("source", Align::Left)]));
        for line in &self.rows {
            let mut cells = vec![text(None); self.columns.len()];
            for (at, cell) in &line.cells {
                if let Some(shown) = cells.get_mut(*at) {
                    shown.clone_from(cell);
                }
            }
            let more = self.has_more.then(|| MORE.to_string());
            grid.row(cells.into_iter().chain(more).chain([line.source.clone()]));
        }
        grid
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
        Ok(())
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
        self.grid().write(out)
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
        table.grid().write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
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

//! Results as aligned columns: a column for each key where results are flat JSON objects, else one for the result.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table as Grid, presets};
use serde_json::{Map, Value as Json};

use super::format::{Formatter, Row, Total};
use super::value::Value;

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
}

struct Column {
    name: String,
    numbers: bool,
}

struct Line {
    source: String,
    cells: Map<String, Json>,
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
        for (name, cell) in &cells {
            let number = cell.is_number();
            match self.columns.iter_mut().find(|column| &column.name == name) {
                Some(column) => column.numbers &= number,
                None => self.columns.push(Column { name: name.clone(), numbers: number }),
            }
        }
        self.rows.push(Line { source: source.to_string(), cells });
    }

    fn grid(&self) -> Grid {
        let mut grid = Grid::new();
        grid.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        let names = self.columns.iter().map(|column| column.name.as_str());
        grid.set_header(names.chain(["source"]));
        for line in &self.rows {
            let cells = self.columns.iter().map(|column| text(line.cells.get(&column.name)));
            grid.add_row(cells.chain([line.source.clone()]));
        }
        for (at, column) in self.columns.iter().enumerate() {
            if let Some(drawn) = grid.column_mut(at) {
                if column.numbers {
                    drawn.set_cell_alignment(CellAlignment::Right);
                }
                drawn.set_padding((0, 2));
            }
        }
        if let Some(last) = grid.column_mut(self.columns.len()) {
            last.set_padding((0, 0));
        }
        grid
    }
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
        for line in self.grid().lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// What a cell shows; control characters would break the table, or the terminal.
fn text(cell: Option<&Json>) -> String {
    let text = match cell {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

//! Results as aligned columns: a column for each key where they are flat JSON objects, else one for
//! the result. A list of such objects has a row for each. What a plugin gives is bounded here: so
//! many columns, and so much of a cell; where there is more, there is a `…`.

use std::io::{self, Write};

use super::cells::{self, Cell};
use super::format::{Formatter, Row, Total};
use super::grid::{Align, Column, Lines, shown};
use super::value::Value;
use crate::settings::limits::{CELL_BYTES_MAX, COLUMNS_MAX, TABLE_BYTES_MAX};

/// The column of results that are not objects.
const RESULT: &str = "result";

/// The column that says which of several plugins a result is from.
const PLUGIN: &str = "plugin";

/// Holds rows back to the end, when the widths of the columns are known. Failed sources have no
/// row: they are on standard error.
#[derive(Default)]
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<Line>,
    /// Whether there are more columns than are kept.
    has_more: bool,
    /// Whether a result was a list of records.
    has_records: bool,
    /// What the rows take.
    held_bytes: u64,
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

impl Table {
    /// Adds a result: a row, or one for each record of a list. An empty list has a row, too, which
    /// names its source.
    fn add(&mut self, source: &str, plugin: Option<&str>, value: &Value) -> io::Result<()> {
        let raw = value.raw();
        if !value.is_json() {
            return self.add_row(source, plugin, |table, kept| table.put_text(kept, raw));
        }
        if !cells::are_records(raw) {
            return self.add_row(source, plugin, |table, kept| table.put_json(kept, raw));
        }
        self.has_records = true;
        let (before, mut added) = (self.rows.len(), Ok(()));
        cells::each_record(raw, |record| {
            added = self.add_row(source, plugin, |table, kept| table.put_json(kept, record));
            added.is_ok()
        });
        if self.rows.len() == before && added.is_ok() {
            return self.add_row(source, plugin, |_, _| {});
        }
        added
    }

    fn add_row(
        &mut self,
        source: &str,
        plugin: Option<&str>,
        put: impl FnOnce(&mut Self, &mut Vec<(usize, String)>),
    ) -> io::Result<()> {
        let mut kept = Vec::new();
        put(self, &mut kept);
        if let Some(plugin) = plugin {
            self.put(&mut kept, PLUGIN.into(), Cell::of(plugin));
        }
        kept.shrink_to_fit();
        let row = Line { source: shown(source.to_string()), cells: kept };
        self.held_bytes += row.held_bytes();
        self.rows.push(row);
        if self.held_bytes <= TABLE_BYTES_MAX {
            return Ok(());
        }
        let rows = self.rows.len();
        let footer = format!(
            "a table is laid out when all rows are known, and {rows} rows take more than {TABLE_BYTES_MAX} bytes of memory; ⟦format⟧ jsonl writes each as it comes"
        );
        Err(io::Error::other(footer))
    }

    /// Puts the cells of a JSON document, or its text where it has a key that is none.
    fn put_json(&mut self, kept: &mut Vec<(usize, String)>, json: &[u8]) {
        let put = |key: Option<String>, cell| {
            self.put(kept, key.unwrap_or_else(|| RESULT.into()), cell);
        };
        if cells::each(json, put).is_err() {
            kept.clear();
            self.put_text(kept, json);
        }
    }

    fn put_text(&mut self, kept: &mut Vec<(usize, String)>, raw: &[u8]) {
        let raw = raw.get(..=CELL_BYTES_MAX).unwrap_or(raw);
        self.put(kept, RESULT.into(), Cell::of(String::from_utf8_lossy(raw)));
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

    /// Adds what stands at the end, and says whether the rows have to name their sources. Of one
    /// source, the total of a list is the same list: it is shown once.
    fn add_totals(&mut self, total: &Total<'_>) -> io::Result<bool> {
        let rows = self.rows.len();
        for shown in total.results {
            if let Ok(value) = shown.result {
                self.add("total", shown.plugin, value)?;
            }
        }
        let is_one = total.sources == 1 && rows > 0;
        if let Some((of_source, of_total)) = self.rows.split_at_checked(rows)
            && self.has_records
            && is_one
            && of_source.iter().map(|row| &row.cells).eq(of_total.iter().map(|row| &row.cells))
        {
            self.rows.truncate(rows);
        }
        let is_of_one = rows == 0 || (is_one && self.rows.len() == rows);
        let has_empty = self.rows.iter().any(|row| row.cells.is_empty());
        Ok(!self.has_records || !is_of_one || has_empty)
    }

    fn draw(&self, out: &mut dyn Write, names_sources: bool) -> io::Result<()> {
        let mut columns = self.columns.clone();
        columns.extend(self.has_more.then(|| Column::new(MORE, Align::Left)));
        columns.extend(names_sources.then(|| Column::new("source", Align::Left)));
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
            cells.extend(names_sources.then_some(&*line.source));
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
        row.result.as_ref().map_or(Ok(()), |value| self.add(row.source, row.plugin, value))
    }

    fn held_bytes(&self) -> u64 {
        self.held_bytes
    }

    fn end(&mut self, out: &mut dyn Write, total: Option<&Total<'_>>) -> io::Result<()> {
        let names_sources = total.map_or(Ok(true), |total| self.add_totals(total))?;
        if self.rows.is_empty() {
            return Ok(());
        }
        self.draw(out, names_sources)
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
            table.add("a", None, &value).unwrap();
        }
        let mut out = Vec::new();
        table.draw(&mut out, true).unwrap();
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
    #[test]
    fn a_list_that_takes_too_much_is_refused_before_it_is_held() {
        let mut table = Table { held_bytes: TABLE_BYTES_MAX - 1000, ..Table::default() };
        let list = format!("[{}{{}}]", "{},".repeat(100_000)).into_bytes();
        let value =
            Value::new(OutputType::of("application/json"), Held::within(&Arc::default(), list));
        let refused = table.add("a", None, &value).unwrap_err().to_string();
        assert!(refused.contains("⟦format⟧ jsonl"), "{refused}");
        assert!(table.rows.len() < 100, "{}", table.rows.len());
    }

    #[test]
    fn only_lists_of_objects_are_rows() {
        let list = r#"[{"word":"a","n":1},{"word":"b","n":20}]"#.to_string();
        assert_eq!(
            drawn(&[list, "[]".into()]),
            "word   n  source\na      1  a\nb     20  a\n          a\n"
        );
        assert_eq!(drawn(&["[1,{}]".into()]), "result  source\n[1,{}]  a\n");
    }
}

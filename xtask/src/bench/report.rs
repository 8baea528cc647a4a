//! The table, the commands behind it, and the same as JSON.

use std::collections::BTreeSet;
use std::fs;
use std::thread;

use anyhow::Result;
use serde_json::{Value, json};

use super::Bench;
use super::row::Row;

/// Prints the rows with aligned columns, then every command once.
pub(super) fn print(bench: &Bench, rows: &[Row]) {
    println!("{}, medians of {} runs, inputs warm", machine(), bench.runs);
    println!("load of the machine before the first run: {}", bench.load);
    println!("ratio = baseline time / our time: above 1 ours is faster\n");
    let mut lines = vec![["what", "goal", "measured", "met", "detail"].map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    for line in &lines {
        println!("{}", aligned(line, &widths(&lines)));
    }
    println!("\nthe commands:");
    for command in rows.iter().flat_map(|row| &row.commands).collect::<BTreeSet<_>>() {
        println!("  {}", in_root(bench, command));
    }
}

/// The rows and the machine, for a program to read.
pub(super) fn json(bench: &Bench, rows: &[Row]) -> Result<String> {
    let rows: Vec<Value> = rows.iter().map(|row| row.json(|text| in_root(bench, text))).collect();
    let date = bench.project.shell.cmd("date").args(["--utc", "+%F"]).quiet().read()?;
    let report = json!({
        "machine": machine(),
        "date": date,
        "load": bench.load,
        "runs": bench.runs,
        "rows": rows,
    });
    Ok(serde_json::to_string_pretty(&report)? + "\n")
}

/// A command as one types it in the root of the workspace.
fn in_root(bench: &Bench, command: &str) -> String {
    let target = bench.project.target.display().to_string();
    command.replace(&target, "target")
}

/// Processes that run or wait for a processor, on average over the last minute.
pub(super) fn load() -> String {
    let averages = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    averages.split_whitespace().next().unwrap_or("unknown").to_owned()
}

fn cells(row: &Row) -> [String; 5] {
    let met = match row.is_met() {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "-",
    };
    [row.name.clone(), row.goal.text(), row.figure(), met.to_owned(), row.detail.clone()]
}

fn widths<const N: usize>(lines: &[[String; N]]) -> [usize; N] {
    let mut widths = [0; N];
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    widths
}

fn aligned<const N: usize>(line: &[String; N], widths: &[usize; N]) -> String {
    let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// Processor and number of threads it runs at once.
fn machine() -> String {
    let facts = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = facts.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, {}", super::threads_word(threads))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_longest_cell() {
        let lines = [["a", "bb"], ["ccc", "d"]].map(|line| line.map(str::to_owned));
        let lines: Vec<_> = lines.iter().map(|line| aligned(line, &widths(&lines))).collect();
        assert_eq!(lines, ["a    bb", "ccc  d"]);
    }
}

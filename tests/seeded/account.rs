//! The account of memory over small jobs at random: framings, headers, names of members, archives
//! in archives, tables, lists.
//!
//! What a process takes is compared with what it was charged for, as in [`crate::account`]; the
//! numbers are made such that what is held and not charged stands out.

use std::fs::File;
use std::io::{Cursor, Write};
use std::path::PathBuf;

use serde_json::{Map, Value};

use super::MIB;
use crate::account::{base, check, taken, tar};
use crate::support::guest::Guest;
use crate::support::pack;
use crate::support::plugins::plugin;
use crate::support::search::{Random, Search};
use crate::support::tree::Tree;

/// A job: what is said on the command line after the plugin, and what to call it.
struct Job {
    message: String,
    plugin: PathBuf,
    args: Vec<String>,
}

const FRAMINGS: [&str; 8] = [
    "lines",
    "csv",
    "bytes",
    "whole",
    "delimited:0x00",
    "prefixed:u32be",
    "fixed:1000",
    "fixed:1048576",
];

/// A plugin that asks for so many records as a header, over one file.
fn header(tree: &Tree, random: &mut Random) -> Job {
    let framing = *random.pick(&FRAMINGS);
    let header_records = *random.pick(&[1, 10, 1000, 100_000, u32::MAX]);
    let world = *random.pick(&["aggregator", "transformer"]);
    let guest = Guest { framing, header_records, world, ..Guest::default() };
    let bytes = random.below(32 << 20);
    let file = File::create(tree.path().join("a")).unwrap();
    if random.one_in(2) {
        file.set_len(bytes as u64).unwrap();
    } else {
        let record = 1 + random.below(2000);
        let line = [&b"r".repeat(record)[..], b"\n"].concat();
        (&file).write_all(&line.repeat(bytes / (record + 1) + 1)).unwrap();
    }
    let args = vec!["a".to_string()];
    let message = format!("{framing}, {header_records} records, {world}, {bytes} bytes");
    Job { message, plugin: guest.file(tree), args }
}

/// Directories that a case makes on the disk: a busy one makes a thousand of them in a second.
const DIRECTORIES_MAX: usize = 10_000;

fn names(random: &mut Random) -> (usize, Vec<String>) {
    let length = 1 + random.below(4000);
    let count = 1 + random.below((6 << 20) / (length + 60));
    let part = 1 + random.below(200);
    let is_behind = random.one_in(2);
    let tail: String =
        (0..length).map(|at| if at % part == part - 1 { '/' } else { 'd' }).collect();
    let name = |number| {
        if is_behind { format!("{tail}{number:06}") } else { format!("{number:06}/{tail}f") }
    };
    (length, (0..count).map(name).collect())
}

fn zip(names: &[String]) -> Vec<u8> {
    let mut all = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for name in names {
        all.start_file(name.as_str(), stored).unwrap();
        all.write_all(b"a line\n").unwrap();
    }
    all.finish().unwrap().into_inner()
}

/// What is done with members and names.
fn outcome(random: &mut Random) -> &'static [&'static str] {
    random.pick::<&[&str]>(&[
        &["--total"],
        &["--dry-run"],
        &["--per-source", "--format", "json"],
        &["--per-source", "--format", "table"],
        &["--ledger", "ledger"],
        &[],
    ])
}

/// Archives of many names, or of one within the other.
fn members(tree: &Tree, random: &mut Random) -> Job {
    let (length, mut names) = names(random);
    let is_output = random.one_in(3);
    let is_dry = is_output && random.one_in(2);
    if is_output && !is_dry {
        let each = names.first().map_or(0, |name| name.matches('/').count());
        names.truncate(1 + DIRECTORIES_MAX / (each + 1));
    }
    let (kind, archive) = match random.below(4) {
        0 => ("a.zip", zip(&names)),
        1 => ("a.tar", tar(names.iter().cloned())),
        2 => ("a.tar.gz", pack::gzip(&tar(names.iter().cloned()))),
        _ => ("a.tar.gz.zst", pack::zstd(&pack::gzip(&tar(names.iter().cloned())))),
    };
    tree.file(kind, archive);
    let mut args = vec![kind.to_string()];
    let mut name = "wordcount";
    if is_output {
        name = "upcase";
        args.extend(["--out", "out/", "--durable", "fast"].map(String::from));
        args.extend(is_dry.then(|| "--dry-run".to_string()));
    } else {
        args.extend(outcome(random).iter().map(ToString::to_string));
    }
    let message = format!("{} members of {length} bytes, {args:?}", names.len());
    Job { message, plugin: plugin(name), args }
}

/// Results of many columns, or of large cells.
fn table(tree: &Tree, random: &mut Random) -> Job {
    let guest = Guest { framing: "whole", output_type: "application/json", ..Guest::default() };
    let columns_max = *random.pick(&[10, 1000, 20_000]);
    let columns = 1 + random.below(columns_max);
    let cell = random.below(1 + (200 << 10) / columns);
    let rows = 1 + random.below((8 << 20) / (columns * (cell + 20)) + 1).min(500);
    for row in 0..rows {
        let own = if random.one_in(2) { 0 } else { row * columns };
        let pairs =
            (0..columns).map(|at| (format!("key{}", own + at), Value::from("v".repeat(cell))));
        tree.file(
            &format!("rows/{row:04}"),
            serde_json::to_vec(&pairs.collect::<Map<_, _>>()).unwrap(),
        );
    }
    let format = *random.pick(&["table", "json", "jsonl", "csv"]);
    let args = ["rows", "--per-source", "--format", format].map(String::from).to_vec();
    let message = format!("{rows} rows of {columns} columns of {cell} bytes, {format}");
    Job { message, plugin: guest.file(tree), args }
}

/// A list of names that are there, or are not.
fn list(tree: &Tree, random: &mut Random) -> Job {
    let length = 1 + random.below(3000);
    let count = 1 + random.below((12 << 20) / length);
    let name = |n: usize| {
        format!("{n:08}/{}", "d".repeat(length % 200)).chars().take(length.max(9)).collect()
    };
    let names: Vec<String> = (0..count).map(name).collect();
    tree.file("list", names.join("\n"));
    let mut args = ["--files-from", "list"].map(String::from).to_vec();
    args.extend(outcome(random).iter().map(ToString::to_string));
    Job {
        message: format!("{count} names of {length} bytes, {args:?}"),
        plugin: plugin("wordcount"),
        args,
    }
}

/// What the largest of the plugins takes for next to nothing.
fn bases() -> u64 {
    let tree = Tree::new();
    let guest = Guest::default().file(&tree);
    [plugin("wordcount"), plugin("upcase"), guest].iter().map(|it| base(&tree, it)).max().unwrap()
}

#[test]
fn small_jobs_take_no_more_than_is_charged() {
    let search = Search {
        module: module_path!(),
        test: "small_jobs_take_no_more_than_is_charged",
        cases: 50,
        // Of the process that makes the cases, and of each that it starts.
        memory_bytes_max: 2048 * MIB,
    };
    let mut known = None;
    search.run(|random| {
        let base = *known.get_or_insert_with(bases);
        let tree = Tree::new();
        let make = *random.pick(&[header, members, table, list]);
        let job = make(&tree, random);
        let args: Vec<_> = job.args.iter().map(String::as_str).collect();
        // Without a report there is no figure to compare with: a dry run, or one that was refused.
        let Ok(taken) = taken(&tree, &job.plugin, &args) else { return };
        check(&job.message, base, taken);
    });
}

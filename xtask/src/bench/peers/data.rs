//! The inputs: generated once, kept in TARGET/bench, each plain and as one gzip member.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::bench::Bench;
use crate::bench::corpus::write_whole;
use crate::generate::{self, Kind};

/// Sizes of the text, before compression.
const CSV_BYTES: u64 = 230_000_000;
const JSON_BYTES: u64 = 340_000_000;
const LOG_BYTES: u64 = 230_000_000;

/// A text, and the same in gzip.
pub(super) struct Text {
    pub(super) plain: PathBuf,
    pub(super) gzip: PathBuf,
}

/// Every input.
pub(super) struct Data {
    pub(super) csv: Text,
    pub(super) json: Text,
    pub(super) log: Text,
}

impl Data {
    /// Generates what is not there yet.
    pub(super) fn make(bench: &Bench) -> Result<Self> {
        let directory = bench.directory().join("peers");
        Ok(Self {
            csv: text(&directory, "people.csv", Kind::Csv, CSV_BYTES)?,
            json: text(&directory, "events.jsonl", Kind::JsonLines, JSON_BYTES)?,
            log: text(&directory, "api.log", Kind::Log, LOG_BYTES)?,
        })
    }
}

fn text(directory: &Path, name: &str, kind: Kind, bytes: u64) -> Result<Text> {
    let text = Text { plain: directory.join(name), gzip: directory.join(format!("{name}.gz")) };
    let seed = 1;
    if !text.plain.is_file() {
        write_whole(&text.plain, |file| {
            let mut file = BufWriter::new(file);
            generate::write(kind, bytes, seed, &mut file)?;
            Ok(file.flush()?)
        })?;
    }
    if !text.gzip.is_file() {
        eprintln!("bench: packing {}", text.plain.display());
        write_whole(&text.gzip, |file| {
            let mut gzip = GzEncoder::new(BufWriter::new(file), Compression::default());
            generate::write(kind, bytes, seed, &mut gzip)?;
            Ok(gzip.finish()?.flush()?)
        })?;
    }
    Ok(text)
}

//! Words of 100,000 small files: beside a native loop of open, read, close, and beside `wc`.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::MOST_MIB;
use crate::bench::corpus::{self, Input};
use crate::bench::measure::{check_agreement, pairs};
use crate::bench::program::Program;
use crate::bench::row::{Goal, Row};
use crate::bench::{Bench, THREADS};

/// How many small files there are, and where.
#[derive(Clone, Copy)]
struct Shape {
    directories: usize,
    /// In each directory.
    files: usize,
    /// In each file.
    bytes: usize,
}

const SHAPE: Shape = Shape { directories: 100, files: 1000, bytes: 4096 };

/// Takes the directory as `$1`. Two processes, as the host has two threads.
const WC: &str = r#"find "$1" -type f -print0 | xargs -0 -P2 wc -lw"#;

/// Both comparisons, then the memory of the host.
pub(super) fn rows(bench: &Bench) -> Result<Vec<Row>> {
    let directory = tree(bench)?;
    let list = bench.directory().join("small.txt");
    corpus::write_list(&directory, &list)?;
    let input = Input::List(list.clone());
    let host = bench.host("wordcount", THREADS).arg("--total").arg("--files-from").arg(&list);

    let native = bench.native("files", THREADS).arg(&list);
    check_agreement(&host, &native)?;
    let to_native = pairs(&host, &native, &input, bench.runs)?;
    let beside_native = Row::ratio(
        "words of 100,000 small files, vs native",
        Goal::RatioAtLeast(0.8),
        [&host, &native],
        &to_native,
    );

    let wc = Program::new("wc", "sh").env("LC_ALL", "C").args(["-c", WC, "sh"]).arg(&directory);
    let wc = wc.silenced();
    let to_wc = pairs(&host, &wc, &input, bench.runs)?;
    let beside_wc = Row::ratio(
        "words of 100,000 small files, vs find | xargs wc",
        Goal::RatioAtLeast(5.0),
        [&host, &wc],
        &to_wc,
    );

    let mut runs = to_native.into_our_runs();
    runs.extend(to_wc.into_our_runs());
    let memory = Row::memory("words of 100,000 small files, memory", MOST_MIB, &host, &runs);
    Ok(vec![beside_native, beside_wc, memory])
}

/// The directory with the small files; made when it is not there.
fn tree(bench: &Bench) -> Result<PathBuf> {
    let tree = bench.directory().join("small");
    if tree.is_dir() {
        return Ok(tree);
    }
    let text = File::open(corpus::text(bench)?)?;
    eprintln!("bench: making {}", tree.display());
    // It gets its name when it is whole. What a stopped run left is written over.
    let partial = tree.with_extension("partial");
    write_tree(&partial, text, SHAPE).with_context(|| partial.display().to_string())?;
    fs::rename(&partial, &tree)?;
    Ok(tree)
}

/// Writes successive pieces of `text` to files 000/000.txt, 000/001.txt and so on.
fn write_tree(tree: &Path, mut text: impl Read, shape: Shape) -> Result<()> {
    let mut piece = vec![0; shape.bytes];
    for directory in 0..shape.directories {
        let directory = tree.join(format!("{directory:03}"));
        fs::create_dir_all(&directory)?;
        for file in 0..shape.files {
            text.read_exact(&mut piece).context("too little text")?;
            fs::write(directory.join(format!("{file:03}.txt")), &piece)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_holds_the_next_piece() {
        let tree = tempfile::tempdir().unwrap();
        let shape = Shape { directories: 2, files: 2, bytes: 3 };
        write_tree(tree.path(), b"aaabbbcccddd-".as_slice(), shape).unwrap();
        let read = |path| fs::read_to_string(tree.path().join(path)).unwrap();
        assert_eq!((read("000/000.txt"), read("000/001.txt")), ("aaa".into(), "bbb".into()));
        assert_eq!((read("001/000.txt"), read("001/001.txt")), ("ccc".into(), "ddd".into()));
        assert!(write_tree(tree.path(), b"aaa".as_slice(), shape).is_err());
    }
}

//! The same input through all paths. Invariant 1: output bytes depend neither on the number of
//! threads nor on the size of chunks nor on how files are read. Invariant 2: the chunks of a
//! source, joined, are the source.

use std::path::{Path, PathBuf};

use gristmill::output::Format;
use gristmill::plugin::{Engine, Plugin};
use gristmill::settings::{Io, Run};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::guest::Guest;
use crate::support::job::{self, Task};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// Every plugin of the project, and guests that give back what they were given: by chunk, by
/// source, and only as long as there is no `!` in it.
fn all_plugins(engine: &Engine) -> Vec<(&'static str, Plugin)> {
    let tree = Tree::new();
    let guest = |guest: Guest| job::load(engine, &guest.file(&tree), &[]);
    let longest = [("chars", "true"), ("longest", "true")];
    vec![
        ("wordcount", job::load(engine, &plugin("wordcount"), &longest)),
        ("topwords", job::load(engine, &plugin("topwords"), &[("n", "50")])),
        ("checksum", job::load(engine, &plugin("checksum"), &[])),
        ("echo of chunks", guest(Guest::default())),
        ("echo of sources", guest(Guest { scope: 1, ..Guest::default() })),
        ("picky echo", guest(Guest::picky())),
    ]
}

/// What a job writes, and what it says of the sources that failed.
fn output(plugin: &Plugin, paths: &[PathBuf], settings: &Run, format: Format) -> (Vec<u8>, String) {
    let framing = &plugin.manifest().framing;
    let ran = job::run(Task { processor: plugin, framing, format }, paths, settings);
    // What else is known of a failure, at which chunk it was, depends on the way.
    let failures = ran
        .failures
        .into_iter()
        .map(|(source, failure)| (source, failure.kind, failure.message, failure.hint));
    let message = format!("{:?} {:?}", ran.ended.unwrap(), failures.collect::<Vec<_>>());
    (ran.out, message)
}

/// One thread, one chunk.
fn plain() -> Run {
    Run { threads: 1, chunk_bytes: WHOLE, io: Io::Read, ..Run::default() }
}

/// Larger than any file here.
const WHOLE: u64 = 1 << 30;

const CHUNK_SIZES: [u64; 6] = [16, 1 << 10, 4 << 10, 64 << 10, 256 << 10, WHOLE];

/// The ways that are gone for one input: all chunk sizes, both kinds of reading, and these numbers
/// of threads.
fn ways(threads: &[usize]) -> impl Iterator<Item = Run> {
    CHUNK_SIZES.iter().flat_map(move |&chunk_bytes| {
        [Io::Read, Io::Mmap].into_iter().flat_map(move |io| {
            threads.iter().map(move |&threads| Run { threads, chunk_bytes, io, ..Run::default() })
        })
    })
}

fn way(settings: &Run) -> String {
    let Run { threads, chunk_bytes, io, .. } = settings;
    format!("{threads} threads, chunks of {chunk_bytes}, {io:?}")
}

/// Texts of up to some hundred KiB: lines of all lengths, of words that come again, with what is
/// not UTF-8.
fn a_text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => "[a-d]{1,6} ".prop_map(String::into_bytes),
        4 => Just(b"\n".to_vec()),
        1 => Just(b"\r\n".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => "\\PC{0,20}".prop_map(String::into_bytes),
    ];
    let block = prop::collection::vec(piece, 0..120).prop_map(|pieces| pieces.concat());
    // One in four is repeated until it is longer than a chunk of the usual size.
    (block, prop_oneof![3 => 1..4usize, 1 => 300..500usize])
        .prop_map(|(block, times)| block.repeat(times))
}

#[test]
fn generated_texts_give_the_same_whatever_the_way() {
    let engine = Engine::new().unwrap();
    let plugins = all_plugins(&engine);
    let texts = prop::collection::vec(a_text(), 1..5);
    let mut runner =
        TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let tested = runner.run(&(texts, 1..=8usize), |(texts, threads)| {
        let tree = Tree::new();
        for (index, text) in texts.iter().enumerate() {
            tree.file(&index.to_string(), text);
        }
        let paths = [tree.path().to_path_buf()];
        for (name, plugin) in &plugins {
            let expected = output(plugin, &paths, &plain(), Format::Jsonl);
            for settings in ways(&[threads]) {
                let found = output(plugin, &paths, &settings, Format::Jsonl);
                prop_assert!(found == expected, "{name}: {}", way(&settings));
            }
        }
        let whole = texts.concat();
        for (name, plugin) in plugins.iter().filter(|(name, _)| name.starts_with("echo")) {
            for settings in ways(&[threads]) {
                // Each source, and then all of them as the total.
                let (found, _) = output(plugin, &paths, &settings, Format::Raw);
                prop_assert!(found == whole.repeat(2), "{name}: {}", way(&settings));
            }
        }
        Ok(())
    });
    tested.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn real_files_give_the_same_whatever_the_way() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut paths = ["host/src", "plugins", "tests", "wit"].map(|name| project.join(name)).to_vec();
    // One that is many chunks long whatever their size, but for the largest.
    let tree = Tree::new();
    let lock = std::fs::read(project.join("Cargo.lock")).unwrap();
    paths.insert(1, tree.file("large", lock.repeat(20)));
    let engine = Engine::new().unwrap();
    for (name, plugin) in all_plugins(&engine) {
        let expected = output(&plugin, &paths, &plain(), Format::Jsonl);
        assert!(!expected.0.is_empty());
        let threads: Vec<_> = (1..=8).collect();
        // The smallest chunks are for the generated texts.
        for settings in ways(&threads).filter(|settings| settings.chunk_bytes >= 1 << 10) {
            let found = output(&plugin, &paths, &settings, Format::Jsonl);
            assert!(found == expected, "{name}: {}", way(&settings));
        }
    }
}

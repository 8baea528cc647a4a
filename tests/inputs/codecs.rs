//! One text in every compressed form, through every way: its results are those of the plain file,
//! byte for byte. Invariants 1 and 2.

use gristmill::output::Format;
use gristmill::plugin::Engine;
use gristmill::settings::Run;

use super::{rows, run_over};
use crate::support::job::{self, Task, load};
use crate::support::pack::{forms, text};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// The text as it is, and in every form.
fn compressed(plain: &[u8]) -> Tree {
    let tree = Tree::with(&forms(plain));
    tree.file("plain", plain);
    tree
}

#[track_caller]
fn assert_all_alike(tree: &Tree, name: &str, settings: &[&str]) {
    let forms = std::fs::read_dir(tree.path()).unwrap().count();
    let mut expected = None;
    for chunk_size in ["1KiB", "64KiB", "4MiB"] {
        for threads in ["1", "2", "4"] {
            let way = ["--threads", threads, "--chunk-size", chunk_size];
            let ended = run_over(&plugin(name), tree, &[&way[..], settings].concat()).exits(0);
            let rows = rows(&ended);
            assert_eq!(rows.len(), forms);
            let plain = rows.iter().find(|(name, _)| name == "plain").unwrap().1.clone();
            let expected = expected.get_or_insert(plain);
            for (form, said) in &rows {
                assert_eq!(said, expected, "{name} of {form}: {way:?}");
            }
        }
    }
}

#[test]
fn wordcount_is_the_same_of_every_form() {
    let settings = ["--set", "chars=true", "--set", "longest=true"];
    assert_all_alike(&compressed(&text(900_000)), "wordcount", &settings);
    assert_all_alike(&compressed(&[&text(200_000)[..], b"\n"].concat()), "wordcount", &settings);
}

#[test]
fn checksum_is_the_same_of_every_form() {
    assert_all_alike(&compressed(&text(900_000)), "checksum", &[]);
}

/// The edges of a size: nothing, a byte, and a line feed.
#[test]
fn small_texts_are_the_same_in_every_form() {
    for plain in [&b""[..], b"x", b"\n", b"two\nlines\n"] {
        let tree = compressed(plain);
        if plain.is_empty() {
            // Here nothing at all was written, which is an empty file and no stream.
            for name in ["framed.sz", "frames.lz4", "frames.zst"] {
                let path = tree.path().join(name);
                assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
                std::fs::remove_file(path).unwrap();
            }
        }
        for threads in ["1", "2"] {
            let ended = run_over(&plugin("wordcount"), &tree, &["--threads", threads]).exits(0);
            let rows = rows(&ended);
            assert!(rows.iter().all(|(_, said)| *said == rows[0].1), "{ended}");
        }
    }
}

/// What a progress bar shows: it stands at the end when all is done.
#[test]
fn bytes_are_counted_as_they_are_stored() {
    let tree = compressed(&text(900_000));
    let engine = Engine::new().unwrap();
    let processor = load(&engine, &plugin("wordcount"), &[]);
    let task = Task { processor: &processor, framing: "lines", format: Format::Jsonl };
    for entry in std::fs::read_dir(tree.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::metadata(&path).unwrap().len();
        for (threads, encoding) in [(1, "none"), (3, "none"), (2, "auto")] {
            let encoding = encoding.to_string();
            let settings = Run { threads, chunk_bytes: 10_000, encoding, ..Run::default() };
            let ran = job::run(task, std::slice::from_ref(&path), &settings);
            assert_eq!(ran.ended.unwrap().failed, 0);
            assert_eq!(ran.stored, bytes, "{}, {threads} threads", path.display());
        }
    }
}

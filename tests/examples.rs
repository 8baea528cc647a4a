//! The examples of the library do what they say, on the files of `host sample`.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use gristmill::spec::JobSpec;

use crate::support::plugins::plugin;
use crate::support::tree::Tree;

#[allow(dead_code, reason = "`main` is for the command line")]
#[path = "../host/examples/own_processor.rs"]
mod own_processor;
#[allow(dead_code, reason = "`main` is for the command line")]
#[path = "../host/examples/run_once.rs"]
mod run_once;
#[allow(dead_code, reason = "`main` is for the command line")]
#[path = "../host/examples/tenants.rs"]
mod tenants;

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn samples() -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample");
    ["logs/app.log", "people.csv", "events.jsonl"]
        .map(|name| directory.join(name).to_str().unwrap().to_string())
        .to_vec()
}

/// The bytes of a file, as `wc` counts them.
fn wc(file: &str) -> u64 {
    let message = Command::new("wc").args(["-c", file]).output().unwrap();
    let message = String::from_utf8(message.stdout).unwrap();
    message.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn own_processor_writes_what_tr_writes() {
    let (files, written) = (samples(), Shared::default());
    let summary = own_processor::run(&files, Box::new(written.clone())).unwrap();
    assert_eq!((summary.sources, summary.failed), (3, 0));
    let script = "cat \"$@\" | LC_ALL=C tr a-z A-Z";
    let message = Command::new("sh").args(["-c", script, "sh"]).args(&files).output().unwrap();
    assert!(!message.stdout.is_empty() && *written.0.lock().unwrap() == message.stdout);
}

#[test]
fn run_once_reads_all_bytes_and_goes_on_after_a_file_that_is_missing() {
    let tree = Tree::new();
    let mut files = samples();
    let bytes: u64 = files.iter().map(|file| wc(file)).sum();
    files.push(tree.path().join("missing").to_str().unwrap().into());
    let mut spec = JobSpec::of(plugin("wordcount"), files.into_iter().map(Into::into).collect());
    spec.output.out = tree.path().join("counts.jsonl");
    let summary = run_once::run(&spec).unwrap();
    assert_eq!((summary.sources, summary.failed, summary.bytes), (4, 1, bytes));
}

#[test]
fn tenants_read_and_write_in_their_own_directories() {
    let tree = Tree::new();
    let files = samples();
    for (name, file) in ["acme", "globex"].iter().zip(&files) {
        tree.file(&format!("{name}/in/data"), std::fs::read(file).unwrap());
    }
    let bytes = tenants::run(&plugin("wordcount"), tree.path()).unwrap();
    assert_eq!(bytes, [wc(&files[0]), wc(&files[1])]);
    for name in ["acme", "globex"] {
        let rows = std::fs::read_to_string(tree.path().join(name).join("out/results.jsonl"));
        assert!(rows.unwrap().contains("words"), "{name}");
    }
}

#[test]
fn the_page_of_the_library_shows_the_examples_as_they_are() {
    let host = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(host.join("docs/library.md")).unwrap();
    for name in ["run_once", "tenants", "own_processor"] {
        let source = std::fs::read_to_string(host.join(format!("examples/{name}.rs"))).unwrap();
        assert!(source.lines().count() <= 80, "{name}");
        assert!(page.contains(&format!("\n```rust\n{source}```\n")), "{name}");
    }
}

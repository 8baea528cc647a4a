//! The host's code keeps its map: who may use whom, where each outside crate lives, and what a file
//! looks like. Invariant 10 is kept here, too: what is async has a home, and no other.

mod circles;
mod tokens;
mod words;

use std::fs;
use std::path::Path;

use tokens::Tokens;
use words::front_end_words;

/// What all others may use.
const COMMON: [&str; 4] = ["settings", "name", "slices", "platform"];

/// Folders and files of `host/src`, and what each may use beside [`COMMON`].
const ARROWS: [(&str, &[&str]); 24] = [
    (
        "cli",
        &[
            "serve", "cluster", "watch", "kit", "tenant", "metrics", "prepare", "spec", "job",
            "pipeline", "work", "plugin", "output", "input", "source", "ledger", "stats",
            "process", "jail",
        ],
    ),
    ("serve", &["tenant", "spec", "ledger", "metrics", "stats"]),
    ("watch", &["spec", "prepare", "ledger", "metrics", "source", "job", "process", "stats"]),
    ("cluster", &["spec", "prepare", "ledger", "metrics", "job"]),
    ("kit", &["plugin", "process", "input", "spec"]),
    (
        "tenant",
        &["spec", "prepare", "job", "work", "plugin", "output", "source", "stats", "process"],
    ),
    ("metrics", &["stats"]),
    (
        "prepare",
        &[
            "spec", "job", "pipeline", "work", "plugin", "output", "input", "source", "ledger",
            "stats", "process", "jail",
        ],
    ),
    ("spec", &[]),
    ("job", &["source", "input", "work", "output", "stats", "process"]),
    ("pipeline", &["input", "process"]),
    ("work", &["input", "source", "process", "stats"]),
    ("plugin", &["process", "stats", "jail", "search"]),
    ("output", &["remote", "stats"]),
    ("input", &["source", "remote", "stats"]),
    ("remote", &["source", "stats"]),
    ("source", &[]),
    ("ledger", &["stats"]),
    ("stats", &[]),
    ("process", &["stats"]),
    ("jail", &[]),
    ("name", &["settings", "slices"]),
    ("slices", &[]),
    ("platform", &[]),
];

/// Outside crates, and the only places that know them.
const HOMES: [(&str, &[&str]); 41] = [
    ("async_nats", &["cluster/nats.rs"]),
    ("async_trait", &["remote/http.rs", "remote/patience.rs", "remote/redirects.rs"]),
    ("axum", &["serve/"]),
    ("blake3", &["plugin/cache.rs", "ledger/", "output/digest.rs", "process/branches.rs"]),
    ("brotli_decompressor", &["input/decode/"]),
    ("bytes", &["remote/answers.rs"]),
    ("bzip2", &["input/decode/"]),
    ("clap", &["cli/"]),
    ("clap_complete", &["cli/"]),
    ("unicode_width", &["output/grid.rs"]),
    ("crc32c", &["input/decode/"]),
    ("ctrlc", &["cli/"]),
    ("data_encoding", &["output/rejects.rs"]),
    ("flate2", &["input/decode/", "output/pack/"]),
    ("futures_util", &["input/remote.rs", "remote/answers.rs", "remote/outlet.rs"]),
    ("deflate64", &["input/decode/inflate64.rs"]),
    ("globset", &["source/globs.rs"]),
    ("indicatif", &["cli/progress.rs"]),
    ("landlock", &["jail/files.rs"]),
    ("libc", &["cli/allocator.rs", "input/", "jail/calls/", "plugin/cache.rs", "plugin/replay.rs"]),
    ("liblzma", &["input/decode/"]),
    ("lz4_flex", &["input/decode/", "output/pack/"]),
    ("memmap2", &["input/mapped.rs"]),
    ("notify", &["watch/"]),
    ("object_store", &["input/remote", "remote/"]),
    ("rayon", &["work/threads.rs"]),
    ("reqwest", &["remote/redirects.rs"]),
    ("rusqlite", &["ledger/"]),
    ("rustc_demangle", &["plugin/fault.rs"]),
    ("rustls", &["remote/clients.rs"]),
    ("seccompiler", &["jail/calls/"]),
    ("sha2", &["plugin/repro.rs"]),
    ("snap", &["input/decode/"]),
    ("strsim", &["spec/document.rs"]),
    ("tar", &["input/archive/"]),
    ("tokio", &["serve/", "cluster/", "input/remote", "remote/"]),
    ("toml", &["spec/document.rs"]),
    ("twox_hash", &["input/decode/"]),
    ("wasmtime", &["plugin/"]),
    ("wit_component", &["plugin/wrap.rs", "plugin/seeded.rs"]),
    ("zstd_safe", &["input/decode/", "output/pack/"]),
];

/// The mapped input, the fill of a guest's memory, the load of compiled code, what is looked at
/// before `main`, and the settings of the allocator.
const UNSAFE: [&str; 5] = [
    "input/mapped.rs",
    "plugin/guest_write.rs",
    "plugin/code.rs",
    "cli/closed.rs",
    "cli/allocator.rs",
];

/// Where code may be async: there, in the one bridge to object stores, and where objects are read
/// over it.
const ASYNC: [&str; 4] = ["serve/", "cluster/", "input/remote.rs", "remote/"];

/// They panic where the other end of a pipe is gone: what is printed is written to a handle, in
/// `cli/`.
const PRINTS: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];

const LINES_MAX: usize = 400;

/// Characters of a line of comment.
const COMMENT_MAX: usize = 100;

#[test]
fn the_host_keeps_its_code_map() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut files = 0;
    walk(&root, &mut |path| {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
        found.extend(complaints(name, &fs::read_to_string(path).unwrap()));
        files += 1;
    });
    assert!(files > 40, "only {files} files in {}", root.display());
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

fn walk(dir: &Path, visit: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, visit);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            visit(&path);
        }
    }
}

/// Whether a file is one of these, or in one of these folders (`plugin/`: also `plugin.rs`).
fn is_in(name: &str, homes: &[&str]) -> bool {
    let module = name.strip_suffix(".rs").unwrap_or(name);
    homes.iter().any(|home| name.starts_with(home) || home.strip_suffix('/') == Some(module))
}

/// What is wrong with one file, by its path below `host/src`.
fn complaints(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut complain = |line: usize, what: String| found.push(format!("{name}:{line}: {what}"));
    if !text.starts_with("//! ") {
        complain(1, "does not begin with what it owns (`//! …`)".into());
    }
    let lines = text.lines().count();
    if lines > LINES_MAX {
        complain(lines, format!("more than {LINES_MAX} lines: split it by duty"));
    }
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("//") && line.chars().count() > COMMENT_MAX {
            complain(at + 1, format!("a comment of more than {COMMENT_MAX} characters a line"));
        }
    }
    let tokens = Tokens::of(text);
    for (at, word) in tokens.words() {
        let line = tokens.line(at);
        if matches!(word, "unsafe" | "unsafe_code") && !UNSAFE.contains(&name) {
            complain(line, "unsafe outside the four files that may".into());
        }
        if matches!(word, "async" | "await") && !is_in(name, &ASYNC) {
            complain(line, "async outside serve/, cluster/ and the bridge to object stores".into());
        }
        if word == "PoisonError" {
            complain(line, "a lock that can be poisoned: take parking_lot's".into());
        }
        if PRINTS.contains(&word) && tokens.is(at + 1, "!") {
            complain(line, format!("`{word}!`: say it through cli/"));
        }
        if let Some((_, homes)) = HOMES.iter().find(|(outside, _)| *outside == word)
            && tokens.begins_path(at)
            && !is_in(name, homes)
        {
            complain(line, format!("{word} is only known to {}", homes.join(", ")));
        }
    }
    let Some(own) = layer(name) else { return found };
    if own != "cli" && !name.contains("tests") {
        for (line, what) in front_end_words(text) {
            found.push(format!("{name}:{line}: {what}"));
        }
    }
    for (line, used) in tokens.used(name) {
        match ARROWS.iter().find(|(from, _)| *from == own) {
            _ if used == own || (COMMON.contains(&used.as_str()) && !COMMON.contains(&own)) => {}
            Some((_, allowed)) if allowed.contains(&used.as_str()) => {}
            _ => found
                .push(format!("{name}:{line}: an arrow {own} -> {used}, which is not on the map")),
        }
    }
    found
}

/// The folder or file directly below `src` that a file belongs to; none for the roots.
fn layer(name: &str) -> Option<&str> {
    let first = name.split('/').next().unwrap();
    let layer = first.strip_suffix(".rs").unwrap_or(first);
    (!matches!(layer, "lib" | "main")).then_some(layer)
}

/// What is complained of in a file with this body.
fn message(name: &str, body: &str) -> Vec<String> {
    complaints(name, &format!("//! A file.\n{body}"))
}

#[test]
fn a_file_that_keeps_the_rules_is_let_through() {
    let body = "use crate::process::Failure;\nuse crate::{stats::Stats, settings::limits};\n\
        use super::error::{LoadError, Refusal};\nuse wasmtime::Store;\n\
        // unsafe println! crate::work::run\nconst TEXT: &str = \"crate::work unsafe
        // println!()\";\n\
        mod tests { use super::super::error; }\n";
    assert_eq!(message("plugin/load.rs", body), Vec::<String>::new());
    assert_eq!(message("plugin.rs", "use super::stats::Stats;"), Vec::<String>::new());
}

#[test]
fn a_forbidden_arrow_is_reported_however_it_is_written() {
    for body in [
        "use crate::work::Cancel;",
        "use crate::{process::ChunkReader, work};",
        "use crate::{\n    process::{ChunkReader, Order},\n    work::{self, Cancel},\n};",
        "use super::super::work::Cancel;",
        "fn run() { crate::work::run() }",
        "mod tests { use super::super::super::work::Cancel; }",
        "macro_rules! run { () => { crate::work::run() } }",
    ] {
        let found = message("plugin/load.rs", body);
        assert_eq!(found.len(), 1, "{body}: {found:?}");
        assert!(found[0].contains("an arrow plugin -> work,"), "{found:?}");
    }
    for (name, body) in [
        ("settings/run.rs", "use crate::stats::Stats;"),
        ("unheard_of.rs", "use crate::stats::Stats;"),
        ("plugin.rs", "use super::work::Cancel;"),
        ("plugin.rs", "use super::*;"),
    ] {
        assert_eq!(message(name, body).len(), 1, "{name}: {body}");
    }
}

#[test]
fn every_other_rule_can_be_broken() {
    let broken = |name, body, what: &str| {
        let found = message(name, body);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with(&format!("{name}:2: ")) && found[0].contains(what),
            "{found:?}"
        );
    };
    broken("work/feed.rs", "fn f() { unsafe { g() } }", "unsafe");
    broken("work/feed.rs", "#![allow(unsafe_code)]", "unsafe");
    broken("work/feed.rs", "fn f() { println!(\"x\") }", "`println!`");
    broken("cli/say.rs", "fn f() { eprintln!(\"x\") }", "`eprintln!`");
    broken("work/feed.rs", "async fn f() {}", "async");
    broken("work/feed.rs", "use rayon::prelude::*;", "rayon is only known to work/threads.rs");
    broken("job.rs", "fn f() -> wasmtime::Store<()> { g() }", "wasmtime is only known to plugin/");
    broken("cli/run.rs", "use ::libc::c_int;", "libc");
    broken("work/feed.rs", "use std::sync::PoisonError;", "parking_lot");

    broken("job.rs", "const HINT: &str = \"raise --memory\";", "names a flag");
    broken("job.rs", "const HINT: &str = \"raise ⟦memori⟧\";", "that no spec has: memori");

    assert_eq!(complaints("job.rs", "// No header.\n").len(), 1);
    assert_eq!(message("job.rs", &"\n".repeat(LINES_MAX)).len(), 1);
}

//! Sources that somebody changes while they are read. What they become is never a mix: it is the
//! result of the bytes that were there when the source was opened, or the named failure `changed`;
//! and no other source suffers (invariants 3 and 7).
//!
//! The change is made inside the call that hands over a chunk, before the chunk is read: so it is
//! there at that moment, whatever the timing.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use gristmill::output::Format;
use gristmill::plugin::Engine;
use gristmill::process::{Failure, FailureKind};
use gristmill::settings::{Io, Run, Show};

use crate::support::guest::Guest;
use crate::support::job::{self, Ran, Task};
use crate::support::meddle::Meddled;
use crate::support::tree::Tree;

const CHUNK_BYTES: u64 = 64 << 10;
const CHUNKS: u64 = 8;

fn text(line: &str) -> String {
    line.repeat(usize::try_from(CHUNKS * CHUNK_BYTES).unwrap() / line.len())
}

/// Three sources that were last written long ago, so that any write shows.
fn sources() -> (Tree, Vec<PathBuf>) {
    let tree = Tree::new();
    let paths = [("1-before", "before\n\n"), ("2-victim", "victim\n\n"), ("3-after", "after.\n\n")]
        .map(|(name, line)| {
            let path = tree.file(name, text(line));
            let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 30);
            File::options().write(true).open(&path).unwrap().set_modified(long_ago).unwrap();
            path
        });
    (tree, paths.to_vec())
}

/// Runs an echo over the sources, on one thread, while `meddle` happens at a chunk of the second.
fn run_meddled(io: Io, at: u64, meddle: &(dyn Fn(&Path) + Sync)) -> Ran {
    let (tree, paths) = sources();
    let plugins = Tree::new();
    let engine = Engine::new().unwrap();
    let plugin = job::load(&engine, &Guest::default().file(&plugins), &[]);
    let victim = &paths[1];
    let meddle = || meddle(victim);
    let processor = Meddled { inner: &plugin, victim: "2-victim", at, meddle: &meddle };
    let task = Task { processor: &processor, framing: "lines", format: Format::Raw };
    let settings = Run {
        io,
        chunk_bytes: CHUNK_BYTES,
        show: Show { per_source: true, total: false, failures: true },
        ..Run::default()
    };
    let ran = job::run(task, &[tree.path().to_path_buf()], &settings);
    drop(tree);
    ran
}

#[track_caller]
fn assert_changed(ran: &Ran, what: &str) {
    let [(name, failure)] = &ran.failures[..] else { panic!("{:?}", ran.failures) };
    assert!(name.ends_with("2-victim"), "{name}");
    assert_eq!(failure.kind, FailureKind::Changed);
    assert_eq!(failure.message, format!("changed while it was read: {what}"));
    assert_eq!(failure.hint.as_deref(), Some("run again when nobody writes to it"));
    assert!(ran.out == [text("before\n\n"), text("after.\n\n")].concat().into_bytes());
    assert_eq!(ran.ended.as_ref().unwrap().failed, 1);
}

#[track_caller]
fn assert_unharmed(ran: &Ran) {
    assert_eq!(ran.failures, []);
    let whole = [text("before\n\n"), text("victim\n\n"), text("after.\n\n")].concat();
    assert!(ran.out == whole.into_bytes());
}

fn truncate(path: &Path, bytes: u64) {
    File::options().write(true).open(path).unwrap().set_len(bytes).unwrap();
}

const BYTES: u64 = CHUNKS * CHUNK_BYTES;

#[test]
fn a_source_truncated_before_its_first_chunk_is_read_has_changed() {
    let message = format!("it had {BYTES} bytes when it was opened and is shorter now");
    assert_changed(&run_meddled(Io::Read, 0, &|path| truncate(path, 0)), &message);
    assert_changed(&run_meddled(Io::Mmap, 0, &|path| truncate(path, 0)), "it was truncated");
}

#[test]
fn a_source_truncated_halfway_has_changed() {
    let halfway = |path: &Path| truncate(path, BYTES / 2 + 10);
    let message = format!("it had {BYTES} bytes when it was opened and is shorter now");
    assert_changed(&run_meddled(Io::Read, CHUNKS / 2, &halfway), &message);
    assert_changed(&run_meddled(Io::Mmap, CHUNKS / 2, &halfway), "it was truncated");
}

/// All bytes that are still to be read are there: only the size shows the change. In a mapping the
/// last page is still there.
#[test]
fn a_source_truncated_behind_the_reader_has_changed() {
    for io in [Io::Read, Io::Mmap] {
        let ran = run_meddled(io, CHUNKS - 1, &|path| {
            truncate(path, 10);
            fs::write(path, text("victim\n\n") + "more").unwrap();
        });
        assert_changed(&ran, &format!("it had {BYTES} bytes and has {} now", BYTES + 4));
    }
}

/// The rest of a mapped page reads as zeros, without a signal: only the size shows the change.
#[test]
fn a_source_cut_within_its_last_page_has_changed() {
    let cut = |path: &Path| truncate(path, BYTES - 10);
    let shorter = format!("it had {BYTES} bytes when it was opened and is shorter now");
    assert_changed(&run_meddled(Io::Read, 0, &cut), &shorter);
    let size = format!("it had {BYTES} bytes and has {} now", BYTES - 10);
    assert_changed(&run_meddled(Io::Mmap, 0, &cut), &size);
}

#[test]
fn a_source_that_grows_has_changed() {
    for io in [Io::Read, Io::Mmap] {
        let ran = run_meddled(io, 1, &|path| {
            let mut file = OpenOptions::new().append(true).open(path).unwrap();
            file.write_all(b"more\n").unwrap();
        });
        assert_changed(&ran, &format!("it had {BYTES} bytes and has {} now", BYTES + 5));
    }
}

#[test]
fn a_source_that_is_rewritten_has_changed() {
    for io in [Io::Read, Io::Mmap] {
        let ran = run_meddled(io, 1, &|path| {
            fs::write(path, text("newer!\n\n")).unwrap();
        });
        assert_changed(&ran, "it was written to");
    }
}

/// An open file outlives its name: what log rotation does is no harm.
#[test]
fn a_source_that_is_deleted_renamed_or_replaced_is_read_to_its_end() {
    for io in [Io::Read, Io::Mmap] {
        assert_unharmed(&run_meddled(io, 1, &|path| fs::remove_file(path).unwrap()));
        assert_unharmed(&run_meddled(io, 1, &|path| {
            fs::rename(path, path.with_extension("1")).unwrap();
            fs::write(path, "a new log\n").unwrap();
        }));
        assert_unharmed(&run_meddled(io, 1, &|path| {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o400);
            fs::set_permissions(path, mode).unwrap();
        }));
    }
}

/// What happens between the listing and the open, while an earlier source is read.
fn run_replaced(replace: &(dyn Fn(&Path) + Sync)) -> Failure {
    let (tree, paths) = sources();
    let plugins = Tree::new();
    let engine = Engine::new().unwrap();
    let plugin = job::load(&engine, &Guest::default().file(&plugins), &[]);
    let meddle = || {
        fs::remove_file(&paths[1]).unwrap();
        replace(&paths[1]);
    };
    let processor = Meddled { inner: &plugin, victim: "1-before", at: 0, meddle: &meddle };
    let task = Task { processor: &processor, framing: "lines", format: Format::Raw };
    let show = Show { per_source: true, total: false, failures: true };
    let settings = Run { chunk_bytes: CHUNK_BYTES, show, ..Run::default() };
    let mut ran = job::run(task, &[tree.path().to_path_buf()], &settings);
    assert!(ran.out == [text("before\n\n"), text("after.\n\n")].concat().into_bytes());
    assert_eq!(ran.failures.len(), 1);
    ran.failures.remove(0).1
}

#[test]
fn a_source_that_is_gone_when_its_turn_comes_is_named() {
    assert_eq!(run_replaced(&|_| {}).kind, FailureKind::NotFound);
}

/// Opening a FIFO for reading waits for a writer: here it must not.
#[test]
fn a_source_that_became_a_fifo_is_refused() {
    let failure = run_replaced(&|path| {
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    });
    let expected = Failure::new(FailureKind::NotRegular, "is a FIFO, not a regular file");
    assert_eq!(failure, expected.hint("⟦stream⟧ reads FIFOs that are named, to their end"));
}

#[test]
fn a_source_that_became_a_directory_is_refused() {
    let failure = run_replaced(&|path| fs::create_dir(path).unwrap());
    let expected = Failure::new(FailureKind::NotRegular, "is a directory, not a regular file");
    assert_eq!(failure, expected.hint("a list is of files: name a directory beside it"));
}

//! A compressed file that is changed while it is read: the failure `changed`, or `decode` of what
//! is left, never a result.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use gristmill::output::Format;
use gristmill::plugin::{Engine, Plugin};
use gristmill::process::FailureKind;
use gristmill::settings::{Io, Run};

use crate::support::guest::Guest;
use crate::support::job::{self, Task};
use crate::support::meddle::Meddled;
use crate::support::pack::{forms, text};
use crate::support::tree::Tree;

/// Runs an echo over a compressed file, while `meddle` happens at its first chunk.
#[track_caller]
fn assert_no_result(
    plugin: &Plugin,
    (name, packed): (&str, &[u8]),
    meddle: &(dyn Fn(&Path) + Sync),
) {
    for (threads, io) in [(1, Io::Read), (2, Io::Read), (2, Io::Mmap)] {
        let tree = Tree::new();
        let path = tree.file(name, packed);
        // Last written long ago, so that any write shows.
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 30);
        File::options().write(true).open(&path).unwrap().set_modified(long_ago).unwrap();
        let meddle = || meddle(&path);
        let processor = Meddled { inner: plugin, victim: name, at: 0, meddle: &meddle };
        let task = Task { processor: &processor, framing: "lines", format: Format::Raw };
        let settings = Run { threads, io, chunk_bytes: 4 << 10, ..Run::default() };
        let ran = job::run(task, &[tree.path().to_path_buf()], &settings);
        let [(_, failure)] = &ran.failures[..] else { panic!("{name}: {threads}, {io:?}") };
        assert!(
            matches!(failure.kind, FailureKind::Changed | FailureKind::Decode),
            "{name}: {threads}, {io:?}: {failure:?}"
        );
        assert_eq!(ran.out, b"", "{name}");
    }
}

fn assert_none_of_the_forms_has_a_result(meddle: &(dyn Fn(&Path) + Sync)) {
    let (plugins, engine) = (Tree::new(), Engine::new().unwrap());
    let plugin = job::load(&engine, &Guest::default().file(&plugins), &[]);
    for (name, packed) in forms(&text(800_000)) {
        assert_no_result(&plugin, (name, &packed), meddle);
    }
}

fn cut(path: &Path, part: u64) {
    let bytes = fs::metadata(path).unwrap().len();
    File::options().write(true).open(path).unwrap().set_len(bytes * part / 10).unwrap();
}

#[test]
fn a_compressed_file_that_is_truncated_has_no_result() {
    assert_none_of_the_forms_has_a_result(&|path| cut(path, 0));
    assert_none_of_the_forms_has_a_result(&|path| cut(path, 5));
}

#[test]
fn a_compressed_file_that_is_written_anew_has_no_result() {
    assert_none_of_the_forms_has_a_result(&|path| {
        let mut bytes = fs::read(path).unwrap();
        bytes.reverse();
        fs::write(path, bytes).unwrap();
    });
}

/// The same bytes, written again: nobody can tell that they were the same all the time.
#[test]
fn a_compressed_file_that_is_touched_has_no_result() {
    assert_none_of_the_forms_has_a_result(&|path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, bytes).unwrap();
    });
}

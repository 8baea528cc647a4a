//! Files against what goes wrong: each call to the kernel that fails, in turn; links that come up;
//! runs that were killed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rustix::io::Errno;
use tempfile::TempDir;

use super::calls::{Call, Calls};
use super::*;
use crate::settings::{Durable, Exists};

type Verdict = dyn Fn(usize, Call) -> Option<Errno> + Send + Sync;

/// Which calls fail, and which there were.
pub(super) struct Script {
    made: Mutex<Vec<Call>>,
    verdict: Box<Verdict>,
    pub(super) write_bytes_max: usize,
}

impl Script {
    pub(super) fn before(&self, call: Call) -> Result<(), Errno> {
        let mut made = self.made.lock();
        made.push(call);
        (self.verdict)(made.len() - 1, call).map_or(Ok(()), Err)
    }
}

impl Default for Script {
    fn default() -> Self {
        Self { made: Mutex::default(), verdict: Box::new(|_, _| None), write_bytes_max: usize::MAX }
    }
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script").field("made", &self.made).finish_non_exhaustive()
    }
}

fn calls(verdict: impl Fn(usize, Call) -> Option<Errno> + Send + Sync + 'static) -> Calls {
    let script = Script { verdict: Box::new(verdict), ..Script::default() };
    Calls { script: Arc::new(script) }
}

fn pending(root: &Root, relative: &str, exists: Exists) -> Pending {
    match Pending::create(root, Path::new(relative), exists).unwrap() {
        Created::Pending(pending) => pending,
        Created::Skipped => panic!("{relative} was skipped"),
    }
}

/// All files below a directory, with what is in them; directories count only by what is in them.
fn files(dir: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![dir.to_path_buf()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                waiting.push(entry.path());
            } else {
                let relative = entry.path().strip_prefix(dir).unwrap().to_path_buf();
                found.insert(relative, fs::read_to_string(entry.path()).unwrap_or_default());
            }
        }
    }
    found
}

fn one(path: &str, text: &str) -> BTreeMap<PathBuf, String> {
    BTreeMap::from([(path.into(), text.into())])
}

/// Told when a test is over, however it ends: a thread that goes on until then would keep a failed
/// one from ending.
#[derive(Default)]
struct Done(Arc<AtomicBool>);

impl Done {
    fn watch(&self) -> impl Fn() -> bool + use<> {
        let done = Arc::clone(&self.0);
        move || done.load(Ordering::Relaxed)
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn scratch() -> TempDir {
    tempfile::tempdir().unwrap()
}

mod confined;
mod failing;
mod leftovers;
mod targets;

#[test]
fn a_file_is_seen_when_it_is_whole() {
    let dir = scratch();
    for durable in Durable::ALL.iter().copied() {
        let name = format!("a/b/{}.txt", durable.word());
        let root = Root::open(&dir.path().join("new/out"), durable).unwrap();
        let file = pending(&root, &name, Exists::Fail);
        file.write_at(b"world", 6).unwrap();
        file.write_at(b"hello ", 0).unwrap();
        file.write_at(b"!!", 11).unwrap();
        file.truncate(12).unwrap();
        let path = dir.path().join("new/out").join(&name);
        assert_eq!(file.path(), path);
        assert!(!path.exists());
        assert_eq!(file.commit().unwrap(), Committed::Visible);
        assert_eq!(fs::read_to_string(&path).unwrap(), "hello world!");
        assert_eq!(fs::metadata(&path).unwrap().nlink(), 1);
    }
    assert_eq!(files(dir.path()).len(), 2, "no temporary is left");
}

#[test]
fn permissions_are_those_of_any_new_file() {
    let dir = scratch();
    let root = Root::open(dir.path(), Durable::Fast).unwrap();
    assert_eq!(pending(&root, "x/ours", Exists::Fail).commit().unwrap(), Committed::Visible);
    fs::create_dir(dir.path().join("y")).unwrap();
    fs::write(dir.path().join("y/theirs"), "").unwrap();
    let mode = |name: &str| fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
    assert_eq!(mode("x/ours"), mode("y/theirs"));
    assert_eq!(mode("x"), mode("y"));
}

#[test]
fn many_threads_write_one_file() {
    let dir = scratch();
    let root = Root::open(dir.path(), Durable::Fast).unwrap();
    let file = pending(&root, "a", Exists::Fail);
    std::thread::scope(|scope| {
        for part in 0..8_u8 {
            let file = &file;
            scope.spawn(move || {
                for at in 0..100 {
                    let offset = (at * 8 + u64::from(part)) * 1000;
                    file.write_at(&[b'a' + part; 1000], offset).unwrap();
                }
            });
        }
    });
    assert_eq!(file.commit().unwrap(), Committed::Visible);
    let text = fs::read_to_string(dir.path().join("a")).unwrap();
    let expected: String = (0..100).flat_map(|_| 'a'..='h').flat_map(|c| [c; 1000]).collect();
    assert!(text == expected.as_str());
}

#[test]
fn short_writes_are_gone_on_with() {
    let dir = scratch();
    let script = Script { write_bytes_max: 3, ..Script::default() };
    let root = Root::open_by(Calls { script: Arc::new(script) }, dir.path(), Durable::Fast);
    let root = root.unwrap();
    let file = pending(&root, "a", Exists::Fail);
    file.write_at(b"0123456789", 0).unwrap();
    assert_eq!(file.commit().unwrap(), Committed::Visible);
    assert_eq!(files(dir.path()), one("a", "0123456789"));

    let script = Script { write_bytes_max: 0, ..Script::default() };
    let root = Root::open_by(Calls { script: Arc::new(script) }, dir.path(), Durable::Fast);
    let error = pending(&root.unwrap(), "b", Exists::Fail).write_at(b"x", 7).unwrap_err();
    assert!(error.to_string().contains("/b: cannot write at byte 7: "), "{error}");
}

#[test]
fn a_file_that_exists_fails_is_skipped_or_is_replaced() {
    let dir = scratch();
    let root = Root::open(dir.path(), Durable::Synced).unwrap();
    fs::write(dir.path().join("a"), "old").unwrap();
    let error = Pending::create(&root, Path::new("a"), Exists::Fail).unwrap_err();
    assert_eq!(error.to_string(), format!("{}: exists already", dir.path().join("a").display()));
    assert!(error.hint().unwrap().contains("⟦exists⟧ replace"));
    let skipped = Pending::create(&root, Path::new("a"), Exists::Skip).unwrap();
    assert!(matches!(skipped, Created::Skipped));

    let file = pending(&root, "a", Exists::Replace);
    file.write_at(b"new", 0).unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("a")).unwrap(), "old");
    assert_eq!(file.commit().unwrap(), Committed::Visible);
    assert_eq!(files(dir.path()), one("a", "new"));

    fs::create_dir(dir.path().join("b")).unwrap();
    for exists in Exists::ALL.iter().copied() {
        let error = Pending::create(&root, Path::new("b"), exists).unwrap_err();
        assert!(matches!(error, FileError::IsDirectory(_)), "{error}");
    }
}

#[test]
fn a_file_that_comes_up_during_the_run_is_not_overwritten_unasked() {
    // Where the rename that replaces nothing is not known, a link does the same.
    for missing in [None, Some(Errno::INVAL), Some(Errno::NOSYS)] {
        let dir = scratch();
        let calls = calls(move |_, call| missing.filter(|_| call == Call::Rename));
        let root = Root::open_by(calls, dir.path(), Durable::Synced).unwrap();
        let (fail, skip) = (pending(&root, "a", Exists::Fail), pending(&root, "a", Exists::Skip));
        fs::write(dir.path().join("a"), "theirs").unwrap();
        assert!(matches!(fail.commit().unwrap_err(), FileError::Exists(_)));
        assert_eq!(skip.commit().unwrap(), Committed::Skipped);
        assert_eq!(files(dir.path()), one("a", "theirs"));

        let file = pending(&root, "b", Exists::Fail);
        file.write_at(b"ours", 0).unwrap();
        assert_eq!(file.commit().unwrap(), Committed::Visible);
        fs::remove_file(dir.path().join("a")).unwrap();
        assert_eq!(files(dir.path()), one("b", "ours"));
        assert_eq!(fs::metadata(dir.path().join("b")).unwrap().nlink(), 1);
    }
}

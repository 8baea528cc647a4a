//! Compiled code that somebody has changed on disk: it is never run, but compiled again, and the
//! result is right.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gristmill::output::Format;
use gristmill::plugin::{Cache, Options, Plugin};
use gristmill::settings::{Run, Sandbox};

use super::attack::{FILES, engine};
use crate::support::guest::Guest;
use crate::support::job::{self, Task};
use crate::support::tree::Tree;

/// The MAC, and the header of the code behind it.
const HEADER_BYTES: usize = 32 + 64;

/// A plugin, and its entry in a cache.
struct Entry {
    tree: Tree,
    plugin: PathBuf,
    cache: Cache,
    path: PathBuf,
    whole: Vec<u8>,
}

impl Entry {
    fn new() -> Self {
        let tree = Tree::with(&FILES);
        let plugin = Guest::default().file(&tree);
        let dir = tree.path().join("cache");
        let cache = Cache::open(&dir).unwrap();
        load(&plugin, &cache);
        let mut paths = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path());
        let path = paths.find(|path| path.extension().is_some_and(|end| end == "code")).unwrap();
        let whole = fs::read(&path).unwrap();
        Self { tree, plugin, cache, path, whole }
    }

    /// Puts other bytes in the place of the entry, and runs the plugin.
    #[track_caller]
    fn assert_compiled_again(&self, bytes: &[u8]) {
        fs::write(&self.path, bytes).unwrap();
        let plugin = load(&self.plugin, &self.cache);
        let task = Task { processor: &plugin, framing: "lines", format: Format::Raw };
        let settings = Run {
            show: gristmill::settings::Show { per_source: false, total: true, failures: true },
            ..Run::default()
        };
        let ran = job::run(task, &FILES.map(|(name, _)| self.tree.path().join(name)), &settings);
        assert_eq!(String::from_utf8_lossy(&ran.out), "one\n!two\nthree\n");
        assert!(fs::read(&self.path).unwrap() == self.whole, "what was compiled again is kept");
    }
}

fn load(plugin: &Path, cache: &Cache) -> Plugin {
    let sandbox =
        Sandbox { memory_bytes: 8 << 20, timeout: Duration::from_secs(5), ..Sandbox::default() };
    let options = Options { sandbox, ..Options::default() };
    Plugin::load(engine(), plugin, options, Some(cache)).unwrap()
}

fn flipped(whole: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    bytes[at] ^= 1 << (at % 8);
    bytes
}

#[test]
fn each_byte_of_the_header_of_compiled_code() {
    let entry = Entry::new();
    for at in 0..HEADER_BYTES {
        entry.assert_compiled_again(&flipped(&entry.whole, at));
    }
}

#[test]
fn a_thousand_bytes_of_compiled_code() {
    let entry = Entry::new();
    let stride = entry.whole.len() / 1000;
    for at in (0..1000).map(|at| at * stride + at % stride) {
        entry.assert_compiled_again(&flipped(&entry.whole, at));
    }
}

#[test]
fn compiled_code_that_is_cut_emptied_or_replaced() {
    let entry = Entry::new();
    let whole = &entry.whole;
    for cut in [0, 1, 31, 32, 33, whole.len() / 2, whole.len() - 1] {
        entry.assert_compiled_again(&whole[..cut]);
    }
    entry.assert_compiled_again(&[&whole[..], b"x"].concat());
    entry.assert_compiled_again(&vec![0; whole.len()]);
    // Code under an unkeyed hash, as an attacker without the key would make it.
    entry.assert_compiled_again(&[&[0xa5; 32][..], &whole[32..]].concat());
}

#[test]
fn compiled_code_of_another_plugin() {
    let entry = Entry::new();
    let other = Guest { finish: "unreachable", ..Guest::default() };
    let dir = entry.path.parent().unwrap();
    load(&entry.tree.file("other.wasm", other.module()), &entry.cache);
    let mut paths = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let other = paths
        .find(|path| path.extension().is_some_and(|end| end == "code") && *path != entry.path)
        .unwrap();
    entry.assert_compiled_again(&fs::read(other).unwrap());
}

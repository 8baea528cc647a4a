//! Disks that are full, directories that may not be written, and trees that change under the run.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gristmill::job::{Out, TreeOut};
use gristmill::output::{Format, Root};
use gristmill::plugin::Engine;
use gristmill::settings::{Durable, Exists, Run};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{files, report, visible};
use crate::support::host::{Ended, Host, shared_cache};
use crate::support::job::{self, Task};
use crate::support::meddle::Meddled;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// `host run` of upcase where no file may be longer than so many KiB: what a full disk is for a
/// writer.
fn limited(tree: &Tree, kib: u32, args: &[&str]) -> Ended {
    // What is compiled is in the cache before.
    Host::run(&plugin("upcase")).args(["-"]).ended().exits(0);
    let mut shell = Command::new("bash");
    shell.args(["-c", &format!("trap '' XFSZ; ulimit -f {kib}; exec \"$@\""), "bash"]);
    shell.arg(env!("CARGO_BIN_EXE_host"));
    let host = Host::through(shell).within(tree.path()).args(["run", "--plugin"]);
    let host = host.arg(plugin("upcase")).arg("--cache").arg(shared_cache());
    host.args(["--chunk-size", "16KiB"]).args(args).ended()
}

fn sources() -> Tree {
    let long = "a line\n".repeat(30_000);
    Tree::with(&[
        ("in/a", "a\n"),
        ("in/b", &*long),
        ("in/c", "c\n"),
        ("in/d", &*long),
        ("in/e", "e\n"),
    ])
}

#[test]
fn a_full_disk_fails_the_sources_that_it_has_no_room_for() {
    for threads in ["1", "4"] {
        let tree = sources();
        let args = ["-j", threads, "--out", "out/", "--report", "report.json", "in/"];
        let ended = limited(&tree, 100, &args).exits(1);
        for source in ["in/b", "in/d"] {
            let message = format!("{source}: out/{}: cannot write at byte ", &source[3..]);
            assert!(ended.stderr.contains(&message), "{ended}");
        }
        assert!(ended.stderr.ends_with("2 of 5 sources failed\n"), "{ended}");
        let out = tree.path().join("out");
        assert!(files(&out).keys().eq(["a", "c", "e"]), "what is whole, and nothing temporary");
        let message = report(&tree);
        assert_eq!((&message["files"], &message["failed"]), (&5.into(), &2.into()));
        assert_eq!(message["errors"]["write"], 2);
    }
}

#[test]
fn a_full_disk_ends_a_run_into_one_file_and_leaves_what_was_there() {
    for (threads, plugins) in [("1", "upcase"), ("4", "upcase")] {
        let tree = sources();
        tree.file("file", "old");
        let args = ["-j", threads, "--out", "file", "--exists", "replace", "in/"];
        let ended = limited(&tree, 100, &args).exits(1);
        assert!(
            ended.stderr.starts_with("error: ./file: cannot write at byte "),
            "{plugins} {ended}"
        );
        assert_eq!(tree.read("file"), b"old");
        assert_eq!(files(tree.path()).len(), 6, "nothing temporary is left");
    }
}

#[test]
fn a_full_disk_behind_standard_output_is_reported() {
    let tree = sources();
    let mut shell = Command::new("bash");
    shell.args(["-c", "exec \"$@\" > /dev/full", "bash", env!("CARGO_BIN_EXE_host")]);
    let host = Host::through(shell).within(tree.path()).args(["run", "--plugin"]);
    let ended = host.arg(plugin("upcase")).arg("--cache").arg(shared_cache()).arg("in").ended();
    insta::assert_snapshot!(ended, @"
    exit: 1
    --- stdout
    --- stderr
    error: cannot write results: No space left on device (os error 28)
    ");
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_directory_that_may_not_be_written_is_reported() {
    let tree =
        Tree::with(&[("in/a", "a\n"), ("in/sub/b", "b\n"), ("in/sub/c", "c\n"), ("out/sub/x", "")]);
    fs::copy(plugin("upcase"), tree.path().join("upcase.wasm")).unwrap();
    mode(&tree.path().join("out"), 0o777);
    mode(&tree.path().join("out/sub"), 0o555);
    fs::create_dir(tree.path().join("closed")).unwrap();
    mode(&tree.path().join("closed"), 0o555);
    let run = |out: &str| {
        let host = Host::unprivileged(tree.path()).within(tree.path());
        let host = host.args(["run", "--no-cache", "--plugin", "upcase.wasm"]);
        host.args(["--out", out, "in/"]).ended()
    };
    insta::assert_snapshot!(run("out/"), @"
    exit: 1
    --- stdout
    --- stderr
    in/sub/b: out/sub/b: cannot create a temporary file beside it: Permission denied (os error 13)
    in/sub/c: out/sub/c: cannot create a temporary file beside it: Permission denied (os error 13)
    2 of 3 sources failed
    ");
    assert!(visible(&tree.path().join("out")).keys().eq(["a", "sub/x"]));
    insta::assert_snapshot!(run("closed/file"), @"
    exit: 2
    --- stdout
    --- stderr
    error: closed/file: cannot create a temporary file beside it: Permission denied (os error 13)
    ");
    insta::assert_snapshot!(run("closed/new/"), @"
    exit: 2
    --- stdout
    --- stderr
    error: closed/new/: cannot make the directory: Permission denied (os error 13)
    ");
}

#[test]
fn a_directory_that_becomes_a_link_during_the_run_leads_nothing_out() {
    let (tree, elsewhere) = (sources(), Tree::new());
    tree.file("in/sub/x", "x\n");
    tree.file("in/sub/y", "y\n".repeat(10_000));
    tree.file("in/sub/z", "z\n");
    let engine = Engine::new().unwrap();
    let upcase = job::load(&engine, &plugin("upcase"), &[]);
    for at in [0, 2] {
        let out = Tree::new();
        fs::create_dir(out.path().join("sub")).unwrap();
        let root = Root::open(out.path(), Durable::Fast).unwrap();
        let (inside, moved) = (out.path().join("sub"), out.path().join("moved"));
        let done = Mutex::new(0);
        let swap = || {
            *done.lock().unwrap() += 1;
            fs::rename(&inside, &moved).unwrap();
            symlink(elsewhere.path(), &inside).unwrap();
        };
        let meddled = Meddled { inner: &upcase, victim: "sub/y", at, meddle: &swap };
        let names = ["sub/x", "sub/y", "sub/z"];
        let paths = names.map(|name| tree.path().join("in").join(name));
        let place = |index: usize, _: Option<&Path>| Ok(names[index].into());
        let into = TreeOut { root: &root, exists: Exists::Fail, place: &place };
        let settings = Run { threads: 1, chunk_bytes: 4096, ..Run::default() };
        let task = Task { processor: &meddled, framing: "bytes", format: Format::Raw };
        let ran = job::run_into(task, &paths, &settings, Out::Tree(into));
        assert_eq!(*done.lock().unwrap(), 1);
        assert!(files(elsewhere.path()).is_empty(), "nothing is where the link leads");
        let failed: Vec<_> = ran
            .failures
            .iter()
            .map(|(name, why)| {
                assert!(why.message.contains("is a link or a file where a directory"), "{why}");
                name.rsplit('/').next().unwrap()
            })
            .collect();
        // One that was begun is written where its directory has gone; one that was not cannot be.
        match at {
            0 => assert_eq!(failed, ["y", "z"]),
            _ => assert_eq!(failed, ["z"]),
        }
        let seen = visible(&moved);
        assert_eq!(seen.len(), 3 - failed.len());
        assert_eq!(seen["x"], b"X\n");
    }
}

/// Swaps of a directory and a link, each at any moment of what the other thread does.
const SWAPS: usize = 100_000;

/// Jobs that have to run meanwhile, however slow they are.
const JOBS: usize = 30;

#[test]
fn a_directory_swapped_with_a_link_all_the_time_leads_nothing_out() {
    let (tree, elsewhere, out) = (sources(), Tree::with(&[("a", "mine")]), Tree::new());
    let (inside, link) = (out.path().join("sub"), out.path().join("link"));
    fs::create_dir(&inside).unwrap();
    symlink(elsewhere.path(), &link).unwrap();
    let root = Root::open(out.path(), Durable::Fast).unwrap();
    let engine = Engine::new().unwrap();
    let upcase = job::load(&engine, &plugin("upcase"), &[]);
    let names = ["sub/a", "sub/c", "sub/e"];
    let paths = ["a", "c", "e"].map(|name| tree.path().join("in").join(name));
    let place = |index: usize, _: Option<&Path>| Ok(names[index].into());
    let (jobs, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let swap_all = || {
        let mut swaps = 0;
        while swaps < SWAPS || jobs.load(Ordering::Relaxed) < JOBS {
            renameat_with(CWD, &inside, CWD, &link, RenameFlags::EXCHANGE).unwrap();
            swaps += 1;
        }
        done.store(true, Ordering::Relaxed);
        swaps
    };
    let (swaps, written) = std::thread::scope(|scope| {
        let swapper = scope.spawn(swap_all);
        let mut written = [0, 0]; // those that were, and those that could not be
        while !done.load(Ordering::Relaxed) {
            let into = TreeOut { root: &root, exists: Exists::Replace, place: &place };
            let task = Task { processor: &upcase, framing: "bytes", format: Format::Raw };
            let ran = job::run_into(task, &paths, &Run::default(), Out::Tree(into));
            for (name, why) in &ran.failures {
                let message = why.message.contains("is a link or a file where a directory");
                assert!(message, "{name}: {why}");
            }
            written[0] += names.len() - ran.failures.len();
            written[1] += ran.failures.len();
            jobs.fetch_add(1, Ordering::Relaxed);
        }
        (swapper.join().unwrap(), written)
    });
    assert!(swaps >= SWAPS && written.iter().all(|count| *count > 0), "{swaps} {written:?}");
    let outside = files(elsewhere.path());
    assert!(outside.keys().eq(["a"]) && outside["a"] == b"mine", "{:?}", outside.keys());
}

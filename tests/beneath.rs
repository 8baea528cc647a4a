//! `--beneath`: files below the directory are read as without it, and no others, whatever names say
//! and while others move files.
//!
//! Races are run against a control without roots, which has to be led astray: else nothing would
//! have been tried.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use gristmill::input::{Access, Error, Expansion, Input, Opener, expand};
use gristmill::jail;
use gristmill::source::{self, Request, Roots, Source, Way};
use rustix::fs::{CWD, Mode, RenameFlags, mkfifoat, renameat_with};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

use crate::support::host::{Ended, Host};
use crate::support::pack;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// Tries of each race.
const TRIES: usize = 20_000;

/// How long a test waits for something that is sure to happen soon.
const PATIENCE: Duration = Duration::from_mins(2);

/// The inputs are in `in`, and what nobody shall read is in `outside`.
fn tree() -> Tree {
    let tree = Tree::with(&[
        ("in/a.log", &b"one two\n"[..]),
        ("in/sub/deep/b.log", b"three\n"),
        ("in/sub/c.txt", b"four\n"),
        ("in/d.gz", &pack::gzip(b"five six\n")),
        ("names", b"in/a.log\nin/sub/c.txt\n"),
        ("in/names", b"in/a.log\nin/sub/c.txt\n"),
        ("outside/secret", b"secret\n"),
        ("outside/deep/secret", b"secret\n"),
    ]);
    let python = "import zipfile, tarfile\n\
        with zipfile.ZipFile('in/e.zip', 'w') as z: z.writestr('x/a', 'seven eight')\n\
        with tarfile.open('in/f.tar', 'w') as t: t.add('in/sub', 'y')\n\
        with tarfile.open('outside/g.tar', 'w') as t: t.add('outside/secret')\n";
    let mut made = Command::new("python3");
    assert!(made.args(["-c", python]).current_dir(tree.path()).status().unwrap().success());
    for (to, name) in [
        ("a.log", "in/stays"),
        ("../in", "in/out-and-in"),
        ("../outside/secret", "in/leads-out"),
        ("../outside", "in/leads-out-to-all"),
        ("../outside/g.tar", "in/g.tar"),
        ("/proc/self/cwd/outside/secret", "in/by-the-kernel"),
    ] {
        symlink(to, tree.path().join(name)).unwrap();
    }
    symlink(tree.path().join("in/a.log"), tree.path().join("in/absolute")).unwrap();
    tree
}

fn wordcount(tree: &Tree, args: &[&str]) -> Ended {
    Host::run(&plugin("wordcount")).within(tree.path()).args(args).ended()
}

#[test]
fn files_beneath_are_read_as_without_it() {
    let tree = tree();
    let deep = tree.path().join("in/sub/deep/b.log");
    for args in [
        &["in"][..],
        &["in/", "-j", "3", "--io", "mmap", "--chunk-size", "64"],
        &["in", "--include", "*.log", "--include", "*.tar", "--exclude", "deep"],
        &["in", "--no-archives", "--total", "--format", "table"],
        &["in/sub/../a.log", "in/stays", "./in/./d.gz", "in/e.zip", "in/f.tar", "in/none"],
        &["in/a.log", deep.to_str().unwrap(), "-"],
        &["--files-from", "in/names", "-j", "2"],
        &["in", "--dry-run"],
    ] {
        let free = wordcount(&tree, args);
        assert!(free.text().lines().count() > 1, "{free}");
        let held = wordcount(&tree, &[args, &["--beneath", "in"]].concat());
        assert_eq!(held.to_string(), free.to_string(), "{args:?}");
        if jail::probe().check().is_ok() {
            let jailed = wordcount(&tree, &[args, &["--jail", "--beneath", "in"]].concat());
            assert_eq!(jailed.to_string(), free.to_string(), "{args:?}");
        }
    }
    // Of several, each is enough.
    let roots = ["--beneath", "outside/deep", "--beneath", "in/sub", "--beneath", "in"];
    let ended = wordcount(&tree, &[&["in/a.log", "outside/deep"], &roots[..]].concat());
    assert_eq!(ended.exits(0).lines().len(), 3);
}

#[test]
fn a_path_that_leads_out_is_refused_and_reveals_nothing() {
    let tree = tree();
    let absolute = tree.path().join("outside/secret");
    let names = [
        "outside/secret",
        "outside",
        absolute.to_str().unwrap(),
        "in/../outside/secret",
        "in/sub/../../outside/secret",
        "in/leads-out",
        "in/leads-out-to-all",
        "in/leads-out-to-all/secret",
        "in/out-and-in/a.log",
        "in/absolute",
        "in/g.tar",
        "in/leads-out-to-all/g.tar",
        "outside/not-there",
        "in/by-the-kernel",
    ];
    tree.file("in/list", names.join("\n"));
    let given = wordcount(&tree, &[&names[..], &["--beneath", "in", "in/a.log"]].concat());
    let listed = wordcount(&tree, &["--files-from", "in/list", "--beneath", "in", "in/a.log"]);
    for ended in [given.exits(1), listed.exits(1)] {
        let message = &ended.stderr;
        let refused = message.matches("is not beneath a directory that inputs may be in").count();
        assert_eq!(refused, names.len(), "{message}");
        assert_eq!(message.matches("hint: --beneath says which").count(), names.len(), "{message}");
        let (message, known) = (ended.to_string(), ["secret\"}", "No such file", "is a directory"]);
        assert!(!known.iter().any(|known| message.contains(known)), "{message}");
        let lines = ended.lines();
        assert_eq!(lines.iter().filter(|line| !line["result"].is_null()).count(), 1);
        assert_eq!(lines.last().unwrap()["total"]["words"], 2, "{message}");
    }
    let ended = wordcount(&tree, &["--files-from", "names", "--beneath", "in"]).exits(2);
    insta::assert_snapshot!(ended.stderr, @"
    error: names: is not beneath a directory that inputs may be in
    hint: --beneath says which; `..` and links must stay in one, absolute links never do
    ");
    let ended = wordcount(&tree, &["in", "--beneath", "in/a.log"]).exits(2);
    insta::assert_snapshot!(ended.stderr, @"error: --beneath: in/a.log: Not a directory (os error 20)");
}

#[test]
fn only_files_are_read_and_fifos_that_are_asked_for() {
    let tree = Tree::with(&[("in/a", "one\n"), ("outside/a", "secret\n")]);
    let _socket = UnixListener::bind(tree.path().join("in/socket")).unwrap();
    let fifo = tree.path().join("in/fifo");
    mkfifoat(CWD, &fifo, Mode::from_raw_mode(0o600)).unwrap();
    mkfifoat(CWD, tree.path().join("outside/fifo"), Mode::from_raw_mode(0o600)).unwrap();
    symlink("../outside/fifo", tree.path().join("in/leads-out")).unwrap();
    let ended = wordcount(&tree, &["in/socket", "in/fifo", "in/a", "in", "--beneath", "in"]);
    insta::assert_snapshot!(ended.exits(1).stderr, @"
    in/socket: is a socket, not a regular file
    in/fifo: is a FIFO, not a regular file
    hint: --stream reads FIFOs that are named, to their end
    3 entries that are no regular files were skipped
    2 of 4 sources failed
    ");
    let ended = wordcount(&tree, &["/dev/null", "/dev/zero", "--stream", "--beneath", "/dev"]);
    insta::assert_snapshot!(ended.exits(1).stderr, @"
    /dev/null: is a character device, not a regular file
    /dev/zero: is a character device, not a regular file
    2 of 2 sources failed
    ");
    let host = Host::run(&plugin("wordcount")).within(tree.path());
    let host = host.args(["--stream", "--beneath", "in", "in/fifo", "in/leads-out"]).start();
    // Opens when somebody reads.
    File::options().write(true).open(&fifo).unwrap().write_all(b"one two three\n").unwrap();
    let output = host.wait_with_output().unwrap();
    let message = String::from_utf8(output.stdout).unwrap();
    assert!(message.contains("\"words\":3"), "{message}");
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("in/leads-out: is not beneath"), "{message}");
}

#[test]
fn a_ledger_and_a_pipeline_file_keep_to_it() {
    let tree = tree();
    let pipeline = format!(
        "[[stage]]\nplugin = {:?}\n[inputs]\nfiles = [\"../in/sub\", \"../outside\"]\nbeneath = [\"../in\"]\n\
        [output]\nledger = \"ledger\"\n",
        plugin("wordcount")
    );
    tree.file("job/p.toml", pipeline);
    let cache = crate::support::host::shared_cache();
    let run = || {
        let host = Host::new().within(tree.path()).args(["run", "--pipeline", "job/p.toml"]);
        host.arg("--cache").arg(cache).ended().exits(1)
    };
    let (first, again) = (run(), run());
    assert_eq!(first.text(), again.text());
    assert!(first.stderr.contains("outside: is not beneath"), "{first}");
    assert!(!first.stderr.contains("done already"), "{first}");
    assert!(again.stderr.contains("2 sources are done already"), "{again}");
}

/// Swaps `in/d` with the link `in/link`, which leads to `outside`, until what `race` does is done.
fn swapping<T>(tree: &Tree, race: impl FnOnce() -> T) -> T {
    let [directory, link] = ["in/d", "in/link"].map(|name| tree.path().join(name));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                renameat_with(CWD, &directory, CWD, &link, RenameFlags::EXCHANGE).unwrap();
            }
        });
        let raced = race();
        done.store(true, Ordering::Relaxed);
        raced
    })
}

/// `in/d` and `outside` look the same, but for what is in their files, and how those of archives
/// are called.
fn twins() -> Tree {
    let tree = Tree::with(&[
        ("in/d/f", "inside"),
        ("in/d/deep/inside", "inside"),
        ("outside/f", "outside"),
        ("outside/deep/outside", "outside"),
        ("inside", ""),
        ("outside-member", ""),
    ]);
    let python = "import tarfile\n\
        with tarfile.open('in/d/a.tar', 'w') as t: t.add('inside')\n\
        with tarfile.open('outside/a.tar', 'w') as t: t.add('outside-member')\n";
    let mut made = Command::new("python3");
    assert!(made.args(["-c", python]).current_dir(tree.path()).status().unwrap().success());
    symlink("../outside", tree.path().join("in/link")).unwrap();
    tree
}

/// How often tries ended how, after many, and one more of each that has to be.
fn tally(
    has_to_be: &[&'static str],
    mut one: impl FnMut(usize) -> &'static str,
) -> BTreeMap<&'static str, usize> {
    let mut tally = BTreeMap::new();
    let mut tries = 0;
    while tries < TRIES || has_to_be.iter().any(|outcome| !tally.contains_key(outcome)) {
        *tally.entry(one(tries)).or_default() += 1;
        tries += 1;
        assert!(tries < 100 * TRIES, "after so many tries there is only {tally:?}");
    }
    tally
}

fn access(roots: &Roots) -> Access {
    Access { roots: roots.clone(), ..Access::default() }
}

fn file(path: PathBuf) -> Source {
    Source { path: path.into(), listed: Ok(None), way: Way::File }
}

/// What is in a file, or that it was refused.
fn content(opener: &mut Opener, path: PathBuf, roots: &Roots) -> &'static str {
    match Input::open(opener, &file(path), &access(roots)) {
        Ok(input) => {
            let mut bytes = vec![0; usize::try_from(input.bytes()).unwrap()];
            input.read_at(&mut bytes, 0).unwrap();
            if bytes == b"inside" { "inside" } else { "outside" }
        }
        Err(Error::Open(error)) if source::hint(&error).is_some() => "refused",
        // Each rename anywhere takes a `..` back to its start.
        Err(Error::Open(error)) if error.kind() == std::io::ErrorKind::WouldBlock => "refused",
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_directory_swapped_with_a_link_all_the_time_leads_no_reader_out() {
    let tree = twins();
    let names = ["in/d/f", "in/d/deep/../f", "in/./d/f"].map(|name| tree.path().join(name));
    let roots = Roots::open(&[tree.path().join("in")]).unwrap();
    let raced = |roots: &Roots, has_to_be: &[&'static str]| {
        let mut opener = Opener::default();
        swapping(&tree, || {
            tally(has_to_be, |at| content(&mut opener, names[at % names.len()].clone(), roots))
        })
    };
    let astray = raced(&Roots::default(), &["inside", "outside"]);
    assert!(astray["outside"] > 0, "{astray:?}");
    let held = raced(&roots, &["inside", "refused"]);
    assert!(!held.contains_key("outside"), "{held:?}");
}

#[test]
fn a_directory_swapped_with_a_link_all_the_time_leads_no_walk_out() {
    let tree = twins();
    let roots = Roots::open(&[tree.path().join("in")]).unwrap();
    let stop = AtomicBool::new(false);
    let raced = |roots: &Roots, has_to_be: &[&'static str]| {
        let request = Request {
            paths: vec![tree.path().join("in/d"), tree.path().join("in")],
            roots: roots.clone(),
            threads: 1,
            ..Request::default()
        };
        let one = |_| {
            let mut listing = source::list(&request).unwrap();
            expand(&mut listing, &Expansion::new(10, 1, &stop)).unwrap();
            let ends = |end: &str| {
                listing.sources.iter().any(|source| source.path.to_path().ends_with(end))
            };
            if ends("deep/outside") || ends("outside-member") {
                "outside"
            } else if ends("deep/inside") && ends("a.tar!/inside") {
                "inside"
            } else {
                "less"
            }
        };
        swapping(&tree, || tally(has_to_be, one))
    };
    raced(&Roots::default(), &["inside", "outside"]);
    let held = raced(&roots, &["inside", "less"]);
    assert!(!held.contains_key("outside"), "{held:?}");
}

#[test]
fn a_directory_swapped_with_a_link_all_the_time_leads_no_run_out() {
    let tree = twins();
    tree.file("in/names", "in/d/f\n".repeat(TRIES));
    tree.file("in/d/f", "one");
    tree.file("outside/f", "two words");
    let (mut read, mut refused) = (0, 0);
    while read == 0 || refused == 0 {
        let args = ["--beneath", "in", "--files-from", "in/names", "-j", "2", "--per-source"];
        let ended = swapping(&tree, || wordcount(&tree, &args));
        let lines = ended.lines();
        let results: Vec<_> = lines.iter().filter(|line| !line["result"].is_null()).collect();
        assert!(results.iter().all(|line| line["result"]["words"] == 1), "something else was read");
        let outside = "cannot open: is not beneath a directory that inputs may be in";
        let message = lines.iter().filter(|line| line["error"]["message"] == outside).count();
        assert_eq!(results.len() + message, TRIES, "{}", ended.stderr.lines().last().unwrap());
        (read, refused) = (read + results.len(), refused + message);
    }
}

#[test]
fn a_fifo_in_the_place_of_a_file_blocks_nothing() {
    let tree = Tree::with(&[("in/f", "inside")]);
    let [path, fifo] = ["in/f", "in/fifo"].map(|name| tree.path().join(name));
    mkfifoat(CWD, &fifo, Mode::from_raw_mode(0o600)).unwrap();
    let roots = Roots::open(&[tree.path().join("in")]).unwrap();
    let (tell, message) = mpsc::channel();
    // Left to itself if it hangs.
    thread::spawn(move || {
        let mut opener = Opener::default();
        let one = |at: usize| {
            if at.is_multiple_of(3) {
                renameat_with(CWD, &path, CWD, &fifo, RenameFlags::EXCHANGE).unwrap();
            }
            match Input::open(&mut opener, &file(path.clone()), &access(&roots)) {
                Ok(input) => {
                    assert_eq!(input.bytes(), 6);
                    "inside"
                }
                Err(Error::Refused(refusal)) => {
                    assert_eq!(refusal.to_string(), "is a FIFO, not a regular file");
                    "refused"
                }
                Err(error) => panic!("{error}"),
            }
        };
        tell.send(tally(&["inside", "refused"], one)).unwrap();
    });
    message.recv_timeout(PATIENCE).expect("nobody waits for a FIFO");
}

/// Says to the process that this is called in that it is one of whose kernel has no openat2, and
/// what runs then.
const OLD_KERNEL: &str = "GRISTMILL_TEST_OLD_KERNEL";

#[test]
fn a_kernel_without_openat2_is_refused_and_nothing_else_is_tried() {
    if let Some(tree) = std::env::var_os(OLD_KERNEL) {
        let calls = BTreeMap::from([(libc::SYS_openat2, Vec::new())]);
        let no = SeccompAction::Errno(u32::try_from(libc::ENOSYS).unwrap());
        let machine = std::env::consts::ARCH.try_into().unwrap();
        let filter = SeccompFilter::new(calls, SeccompAction::Allow, no, machine).unwrap();
        let program: BpfProgram = filter.try_into().unwrap();
        apply_filter(&program).unwrap();
        let mut host = Command::new(env!("CARGO_BIN_EXE_host"));
        host.arg("run").arg("--plugin").arg(plugin("wordcount")).current_dir(Path::new(&tree));
        let error = host.args(["--no-cache", "--beneath", "in", "--report", "report", "in"]).exec();
        panic!("{error}");
    }
    let tree = tree();
    let mut own = Command::new(std::env::current_exe().unwrap());
    own.args(["--exact", "beneath::a_kernel_without_openat2_is_refused_and_nothing_else_is_tried"]);
    let host = Host::through(own).args(["--nocapture"]).env(OLD_KERNEL, tree.path());
    let ended = host.ended().exits(2);
    insta::assert_snapshot!(ended.stderr, @"
    error: --beneath: this takes the system call openat2, of Linux 5.6: Function not implemented (os error 38)
    hint: a newer kernel has it; in a container its seccomp profile has to allow it
    ");
    assert!(!ended.text().contains("words"), "{ended}");
    assert!(fs::metadata(tree.path().join("report")).is_err());
}

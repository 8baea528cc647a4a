//! `host run --jail`: the same results, and nothing else to be had.
//!
//! What is denied is tried from inside: the test calls itself once more, as a process of its own
//! that goes into the jail and prints what the kernel answered to each attempt. Where the kernel
//! has no jail, the run has to refuse, and the test says so.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;

use gristmill::jail::{Jail, Sockets, probe};
use serde_json::Value;

use crate::support::host::{Ended, Host};
use crate::support::pack;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;
use crate::support::web::{Page, Web};

/// Whether there is a jail to go into; where there is none, that `--jail` says so before it does
/// anything.
fn there_is_a_jail() -> bool {
    let Err(error) = probe().check() else { return true };
    eprintln!("this kernel has no jail ({error}): only the refusal is tested");
    let tree = Tree::with(&[("in", "a\n")]);
    let host = Host::run(&plugin("upcase")).within(tree.path());
    let ended = host.args(["--jail", "--out", "out/", "in"]).ended().exits(2);
    assert_eq!(ended.stderr, format!("error: --jail: {error}\nhint: {}\n", error.hint()));
    assert!(!tree.path().join("out").exists());
    false
}

fn tree() -> Tree {
    let text = pack::text(300_000);
    let tree = Tree::with(&[
        ("in/a.log", &text[..]),
        ("in/sub/b.log", b"one,two\na,b\nragged\n"),
        ("in/c.gz", &pack::gzip(&text)),
        ("in/d.zst", &pack::zstd(&text)),
        ("names", b"in/a.log\nin/sub/b.log\nnot-there\n"),
    ]);
    symlink("in/sub/b.log", tree.path().join("link")).unwrap();
    let python = "import zipfile, tarfile\n\
        with zipfile.ZipFile('in/e.zip', 'w', zipfile.ZIP_DEFLATED) as z: z.write('in/a.log', 'x/a')\n\
        with tarfile.open('in/f.tar', 'w') as t: t.add('in/sub')\n\
        with tarfile.open('in/g.tar.gz', 'w:gz') as t: t.add('in/sub')\n";
    let mut made = Command::new("python3");
    assert!(made.args(["-c", python]).current_dir(tree.path()).status().unwrap().success());
    tree
}

/// A run with and without a jail.
fn both(tree: &Tree, name: &str, args: &[&str]) -> [Ended; 2] {
    let run =
        |more: &[&str]| Host::run(&plugin(name)).within(tree.path()).args(args).args(more).ended();
    [run(&[]), run(&["--jail"])]
}

#[test]
fn a_jailed_run_reads_as_a_free_one() {
    if !there_is_a_jail() {
        return;
    }
    let tree = tree();
    for args in [
        &["in", "link"][..],
        &["in", "-j", "3", "--io", "mmap", "--chunk-size", "4KiB"],
        &["in/c.gz", "in/d.zst", "in/e.zip", "in/f.tar", "in/g.tar.gz", "not-there"],
        &["--files-from", "names", "-j", "2"],
        &["in", "--framing", "csv", "--no-archives"],
    ] {
        let [free, jailed] = both(&tree, "wordcount", args);
        assert!(free.text().lines().count() > 1, "{free}");
        assert_eq!(jailed.to_string(), free.to_string(), "{args:?}");
    }
    let uncached =
        Host::new().within(tree.path()).args(["run", "--jail", "--no-cache", "--plugin"]);
    uncached.arg(plugin("wordcount")).arg("in/a.log").ended().exits(0);
    let host = Host::run(&plugin("wordcount")).within(tree.path()).args(["--jail", "-"]);
    assert_eq!(host.stdin("a b\n").ended().exits(0).lines()[0]["result"]["words"], 2);
}

/// What is too much to be held until it is checked goes to a temporary file, which is opened in the
/// jail.
#[test]
fn a_jailed_run_keeps_what_comes_but_once_in_a_temporary_file() {
    if !there_is_a_jail() {
        return;
    }
    let tree = Tree::with(&[("d/large", b"a line of text\n".repeat(3_000_000))]);
    let dir = tree.path().to_str().unwrap();
    let packed = Command::new("tar").args(["-C", dir, "-czf", "-", "d"]).output();
    let packed = packed.unwrap().stdout;
    let run = |more: &[&str]| {
        let host = Host::run(&plugin("wordcount")).env("TMPDIR", tree.path()).args(more);
        host.stdin(packed.clone()).args(["--per-source", "-"]).ended().exits(0).to_string()
    };
    let free = run(&[]);
    assert!(free.contains("\"lines\":3000000"), "{free}");
    assert_eq!(run(&["--jail"]), free);
    assert_eq!(tree.path().read_dir().unwrap().count(), 1, "it has no name");
}

#[test]
fn a_jailed_run_writes_as_a_free_one() {
    if !there_is_a_jail() {
        return;
    }
    let tree = tree();
    fs::remove_file(tree.path().join("in/c.gz")).unwrap();
    let made = |name: &str| tree.path().join(name);
    for (to, flags) in [("free", &[][..]), ("jailed", &["--jail"][..])] {
        let [out, ledger, report, rejects, file] =
            ["out/new/", "ledger/l.db", "report", "rejects", "one/file"]
                .map(|name| format!("{to}/{name}"));
        fs::create_dir_all(made(&format!("{to}/ledger"))).unwrap();
        fs::create_dir_all(made(&format!("{to}/one"))).unwrap();
        let host =
            Host::run(&plugin("csv2jsonl")).within(tree.path()).args(flags).args(["-j", "2"]);
        let host = host.args(["--out", &out, "--ledger", &ledger, "--report", &report]);
        host.args(["--rejects", &rejects, "in/"]).ended().exits(0);
        let host = Host::run(&plugin("csv2jsonl")).within(tree.path()).args(flags);
        let host = host.args(["--out", &out, "--ledger", &ledger, "in/"]);
        let host = host.args(["--max-rejects", "100%"]);
        assert!(host.ended().exits(0).stderr.contains("sources are done already"));
        // With a ledger they are in the order in which the sources ended.
        let text = String::from_utf8(tree.read(&rejects)).unwrap();
        let mut lines: Vec<_> = text.split_inclusive('\n').collect();
        lines.sort_unstable();
        tree.file(&rejects, lines.concat());
        let host = Host::run(&plugin("upcase")).within(tree.path()).args(flags);
        host.args(["--out", &file, "--compress", "zstd", "in/a.log"]).ended().exits(0);
    }
    let same = Command::new("diff")
        .args(["-r", "--exclude=ledger", "--exclude=report", "free", "jailed"])
        .current_dir(tree.path())
        .output()
        .unwrap();
    assert!(same.status.success(), "{}", String::from_utf8_lossy(&same.stdout));
    let report: Value = serde_json::from_slice(&tree.read("jailed/report")).unwrap();
    assert!(report["peak_rss_bytes"].as_u64().unwrap() > 0);
    assert!(!tree.read("jailed/rejects").is_empty());
}

#[test]
fn compiled_code_is_made_before_the_jail_and_only_read_in_it() {
    if !there_is_a_jail() {
        return;
    }
    let tree = tree();
    let run = || {
        let host = Host::new().within(tree.path()).args(["run", "--jail", "--cache", "cache"]);
        host.arg("--plugin").arg(plugin("upcase")).arg("in/sub/b.log").ended().exits(0)
    };
    let kept = || {
        let mut names: Vec<_> = fs::read_dir(tree.path().join("cache"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    assert_eq!(run().stderr, "");
    let first = kept();
    assert_eq!(first.len(), 2, "a key and the code: {first:?}");
    assert_eq!(run().stderr, "");
    assert_eq!(kept(), first);
}

#[test]
fn remote_inputs_are_read_and_it_is_said_that_connections_stay_allowed() {
    if !there_is_a_jail() {
        return;
    }
    let web = Web::of("/a.txt", Page::new("one two\n"));
    let tree = Tree::new();
    let host = Host::run(&plugin("wordcount")).within(tree.path()).args(["--jail", "--per-source"]);
    let ended = host.arg(web.url("/a.txt")).ended().exits(0);
    assert_eq!(ended.lines()[0]["result"]["words"], 2);
    assert_eq!(ended.stderr, "--jail: not all is on this machine, so connections stay allowed\n");
}

#[test]
fn a_place_that_may_be_written_has_nothing_that_is_read_or_run() {
    if !there_is_a_jail() {
        return;
    }
    let tree = Tree::with(&[("in/a", "a\n"), ("own/keep", "")]);
    fs::copy(plugin("upcase"), tree.path().join("own/p.wasm")).unwrap();
    let cases: [(&[&str], &str, &str); 5] = [
        (&["--plugin", "own/p.wasm", "--out", "own/", "in"], "--out", "--plugin own/p.wasm"),
        (&["--plugin", "own/p.wasm", "--out", "in/out", "in/a"], "--out", "the input in/a"),
        (&["--plugin", "own/p.wasm", "--ledger", "in/l", "in/"], "--ledger", "the input in/"),
        (&["--plugin", "own/p.wasm", "--repro", "own", "in/"], "--repro", "--plugin own/p.wasm"),
        (
            &["--plugin", "own/p.wasm", "--cache", "o/cache", "--out", "o/x", "in/"],
            "--out",
            "--cache o/cache",
        ),
    ];
    fs::create_dir_all(tree.path().join("o/cache")).unwrap();
    for (args, flag, kept) in cases {
        let host = Host::new().within(tree.path()).args(["run", "--jail"]);
        let host = if args.contains(&"--cache") { host } else { host.arg("--no-cache") };
        let message = host.args(args).ended().exits(2).stderr;
        let begins = format!("error: --jail: {flag} makes ");
        assert!(message.contains(&begins) && message.contains(kept), "{message}");
        assert!(message.contains("hint: give what is written a directory of its own"), "{message}");
    }
    assert_eq!(fs::read_dir(tree.path().join("own")).unwrap().count(), 2, "nothing was made");
}

#[test]
fn a_place_that_may_be_written_has_no_other_name_of_what_is_read_or_run() {
    if !there_is_a_jail() {
        return;
    }
    let tree = Tree::with(&[("in/sub/a", "a\n"), ("out/linked", "a\n"), ("cache/code", "")]);
    let at = |name: &str| tree.path().join(name);
    fs::copy(plugin("upcase"), at("p.wasm")).unwrap();
    fs::hard_link(at("out/linked"), at("out/again")).unwrap();
    let run = |to: &str| {
        let host = Host::new().within(tree.path()).args(["run", "--jail", "--cache", "cache"]);
        host.args(["--plugin", "p.wasm", "--exists", "replace", "--out", to, "in"]).ended()
    };
    run("out/").exits(0); // links among outputs harm nobody
    for kept in ["p.wasm", "in/sub/a", "cache/code"] {
        fs::hard_link(at(kept), at("out/link")).unwrap();
        for to in ["out/", "out/one"] {
            let message = run(to).exits(2).stderr;
            assert!(message.contains("error: --jail: --out makes "), "{message}");
            assert!(message.contains("out/link writable, which is a hard link of "), "{message}");
            assert!(
                message.contains(&format!(" {kept}\nhint: remove that link, or ")),
                "{message}"
            );
        }
        fs::remove_file(at("out/link")).unwrap();
    }
    run("out/").exits(0);
}

#[test]
fn a_dry_run_says_whether_there_is_a_jail_and_makes_nothing() {
    if !there_is_a_jail() {
        return;
    }
    let tree = tree();
    let host = Host::run(&plugin("upcase")).within(tree.path());
    host.args(["--jail", "--dry-run", "--out", "out/", "in/sub"]).ended().exits(0);
    assert!(!tree.path().join("out").exists());
}

#[test]
fn the_doctor_goes_into_the_jail_and_tells_what_holds() {
    if !there_is_a_jail() {
        return;
    }
    let message = Host::new().args(["doctor", "--jail", "--format", "json"]).ended().exits(0);
    let message: Value = serde_json::from_slice(&message.stdout).unwrap();
    let walls: Vec<_> = message["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["name"] == "jail")
        .collect();
    assert!(walls.len() > 15, "{message}");
    for wall in walls {
        assert_eq!(wall["state"], "ok", "{wall}");
        assert!(wall["found"].as_str().unwrap().starts_with("cannot "), "{wall}");
    }
}

/// Of all calls of jailed runs, none is denied that a run makes in earnest: what a library tries
/// first and can do without is listed here.
#[test]
fn no_call_of_a_harmless_run_is_denied() {
    if !there_is_a_jail() || Command::new("strace").arg("-V").output().is_err() {
        return eprintln!("without strace the calls of a jailed run are not looked at");
    }
    let tree = tree();
    fs::create_dir(tree.path().join("out")).unwrap();
    // No system call filter can distinguish threads from processes by flags in memory, so the C
    // library is sent to the older `clone`; SQLite gives its log to the owner of the database where
    // that is another; the size of a page is asked for by PR_GET_AUXV first, which older kernels
    // lack, too.
    let expected = ["clone3(", "fchown(", "prctl(0x41555856 ", "prctl(PR_GET_AUXV"];
    let runs: [(&str, &[&str]); 6] = [
        ("wordcount", &["in/"]),
        ("wordcount", &["--io", "mmap", "--format", "table", "in/"]),
        ("upcase", &["--out", "out/plain/", "in/"]),
        ("upcase", &["--out", "out/packed/", "--compress", "zstd", "in/"]),
        ("csv2jsonl", &["--out", "out/one", "--rejects", "out/rejects", "in/"]),
        ("topwords", &["--ledger", "out/ledger", "--report", "out/report", "in/"]),
    ];
    for (name, args) in runs {
        let calls = tree.path().join("calls");
        let mut traced = Command::new("strace");
        traced.args(["-f", "-qq", "-o"]).arg(&calls).arg(env!("CARGO_BIN_EXE_host"));
        traced.args(["run", "--jail", "--no-cache", "--plugin"]).arg(plugin(name));
        let ended = traced.args(args).current_dir(tree.path()).output().unwrap();
        let message = String::from_utf8_lossy(&ended.stderr);
        if message.contains("PTRACE") {
            return eprintln!("strace may not trace here: {message}");
        }
        assert_ne!(ended.status.code(), Some(2), "{name} {args:?}: {message}");
        let calls = fs::read_to_string(calls).unwrap();
        let (_, jailed) = calls.rsplit_once("SECCOMP_SET_MODE_FILTER").expect("it is jailed");
        let denied = whole_calls(jailed).into_iter().filter(|call| {
            (call.contains(" EPERM ") || call.contains(" ENOSYS "))
                && !expected.iter().any(|known| call.contains(known))
        });
        assert_eq!(denied.collect::<Vec<_>>(), Vec::<String>::new(), "{name} {args:?}");
        assert!(jailed.lines().count() > 100, "{name} {args:?}: hardly anything was traced");
    }
}

/// The calls of a trace, each on a line: of one that another thread's came in between, there are
/// two parts.
fn whole_calls(trace: &str) -> Vec<String> {
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut calls = Vec::new();
    for line in trace.lines() {
        let Some((thread, call)) = line.trim_start().split_once(' ') else { continue };
        if let Some((first, _)) = call.split_once(" <unfinished ...>") {
            begun.insert(thread, first);
        } else if let Some((_, rest)) = call.split_once(" resumed>") {
            calls.push(format!("{}{rest}", begun.remove(thread).unwrap_or_default()));
        } else {
            calls.push(call.to_string());
        }
    }
    calls
}

const INSIDE: &str = "GRISTMILL_TEST_JAIL";

/// What the kernel says to each attempt: `ok`, or the number of the error.
fn attempts(dir: &Path) -> Vec<(&'static str, i32)> {
    let code = |result: io::Result<()>| match result {
        Ok(()) => 0,
        Err(error) => error.raw_os_error().expect("it is the kernel's"),
    };
    let at = |name: &str| dir.join(name);
    let written = |name: &str| fs::write(at(name), "new");
    let mut message = vec![
        ("read an input", code(File::open(at("read/file")).map(drop))),
        ("list inputs", code(fs::read_dir(at("read")).map(drop))),
        ("write an input", code(written("read/file"))),
        ("remove an input", code(fs::remove_file(at("read/file")))),
        ("make a file beside inputs", code(written("read/new"))),
        ("read outside", code(File::open(at("outside/file")).map(drop))),
        ("read outside by a link", code(File::open(at("read/link")).map(drop))),
        ("list outside", code(fs::read_dir(at("outside")).map(drop))),
        ("write outside", code(written("outside/file"))),
        ("empty outside", code(truncated(&at("outside/file")))),
        ("move outside", code(fs::rename(at("outside/file"), at("write/stolen")))),
        ("link outside", code(fs::hard_link(at("outside/file"), at("write/link")))),
        ("read the passwords", code(File::open("/etc/passwd").map(drop))),
        ("write an output", code(written("write/new"))),
        ("rename an output", code(fs::rename(at("write/new"), at("write/newer")))),
        ("make a directory of outputs", code(fs::create_dir(at("write/sub")))),
        (
            "write a file that is named",
            code(File::options().write(true).open(at("named")).map(drop)),
        ),
        ("make a FIFO outside", code(fifo(&at("outside/fifo")))),
        ("run a program", code(Command::new("/bin/true").status().map(drop))),
        ("listen", code(TcpListener::bind("127.0.0.1:0").map(drop))),
        ("connect", code(TcpStream::connect("127.0.0.1:9").map(drop))),
        ("make a local socket", code(UnixDatagram::unbound().map(drop))),
        ("start a thread", code(std::thread::Builder::new().spawn(|| {}).map(drop))),
    ];
    message.extend(CALLS.iter().map(|(name, number)| (*name, code(called(*number)))));
    let from_thread =
        std::thread::spawn(move || code(Command::new("/bin/true").status().map(drop)));
    message.push(("run a program from a thread", from_thread.join().unwrap()));
    message
}

fn truncated(path: &Path) -> io::Result<()> {
    Ok(rustix::fs::ftruncate(
        File::options().write(true).custom_flags(libc::O_TRUNC).open(path)?,
        0,
    )?)
}

fn fifo(path: &Path) -> io::Result<()> {
    let made = rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::from_raw_mode(0o600));
    Ok(made?)
}

/// Calls by number, with arguments that none of them can do anything with.
const CALLS: [(&str, libc::c_long); 40] = [
    ("fchmod", libc::SYS_fchmod),
    ("fchown", libc::SYS_fchown),
    ("fsetxattr", libc::SYS_fsetxattr),
    ("fremovexattr", libc::SYS_fremovexattr),
    ("utimensat", libc::SYS_utimensat),
    ("setxattrat", 463),
    ("removexattrat", 466),
    ("file_setattr", 469),
    ("shmat", libc::SYS_shmat),
    ("msgctl", libc::SYS_msgctl),
    ("mq_open", libc::SYS_mq_open),
    ("inotify_init1", libc::SYS_inotify_init1),
    ("prlimit64", libc::SYS_prlimit64),
    ("setpriority", libc::SYS_setpriority),
    ("sched_setaffinity", libc::SYS_sched_setaffinity),
    ("tkill", libc::SYS_tkill),
    ("ptrace", libc::SYS_ptrace),
    ("mount", libc::SYS_mount),
    ("umount2", libc::SYS_umount2),
    ("move_mount", libc::SYS_move_mount),
    ("open_tree", libc::SYS_open_tree),
    ("bpf", libc::SYS_bpf),
    ("perf_event_open", libc::SYS_perf_event_open),
    ("userfaultfd", libc::SYS_userfaultfd),
    ("io_uring_setup", libc::SYS_io_uring_setup),
    ("kexec_load", libc::SYS_kexec_load),
    ("init_module", libc::SYS_init_module),
    ("finit_module", libc::SYS_finit_module),
    ("keyctl", libc::SYS_keyctl),
    ("add_key", libc::SYS_add_key),
    ("setns", libc::SYS_setns),
    ("unshare", libc::SYS_unshare),
    ("process_vm_readv", libc::SYS_process_vm_readv),
    ("process_vm_writev", libc::SYS_process_vm_writev),
    ("pidfd_open", libc::SYS_pidfd_open),
    ("open_by_handle_at", libc::SYS_open_by_handle_at),
    ("chroot", libc::SYS_chroot),
    ("fchmodat", libc::SYS_fchmodat),
    ("fchownat", libc::SYS_fchownat),
    ("execveat", libc::SYS_execveat),
];

fn called(number: libc::c_long) -> io::Result<()> {
    let none: libc::c_long = -1;
    // SAFETY: descriptors, processes and addresses of -1 are none: no call does anything to or for
    // this process with them.
    let result = unsafe { libc::syscall(number, none, none, none, none, none, none) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Not a test of its own: the other side of the one below, which has nothing to do elsewhere.
#[test]
fn inside() {
    let Some(dir) = std::env::var_os(INSIDE).map(PathBuf::from) else { return };
    let before: Vec<_> =
        CALLS.iter().map(|(_, number)| called(*number).map_err(|e| e.raw_os_error())).collect();
    let jail = Jail {
        read: vec![dir.join("read"), dir.join("not-there")],
        write: vec![dir.join("write"), dir.join("named")],
        sockets: Sockets::Denied,
    };
    // What is written inside is open before: the jail is for what is opened in it.
    let mut message = File::create(dir.join("told")).unwrap();
    let noticed = before.iter().filter(|said| **said != Err(Some(libc::EPERM))).count();
    jail.enter().unwrap();
    let said: Vec<_> = attempts(&dir);
    serde_json::to_writer(&mut message, &(noticed, said)).unwrap();
}

#[test]
fn nothing_else_is_to_be_had_inside() {
    if !there_is_a_jail() {
        return;
    }
    let tree = Tree::with(&[
        ("read/file", "in"),
        ("outside/file", "secret"),
        ("named", ""),
        ("write/old", ""),
    ]);
    symlink(tree.path().join("outside/file"), tree.path().join("read/link")).unwrap();
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "jail::inside", "--nocapture"]).env(INSIDE, tree.path());
    let ended = again.output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let (noticed, message): (usize, Vec<(String, i32)>) =
        serde_json::from_slice(&tree.read("told")).unwrap();
    // Where the test may do little, the kernel itself says no to some: not to so many that the
    // filter would not be missed.
    assert!(noticed > CALLS.len() / 3, "{noticed}");
    let allowed = [
        "read an input",
        "list inputs",
        "write an output",
        "rename an output",
        "make a directory of outputs",
        "write a file that is named",
        "start a thread",
    ];
    assert_eq!(message.len(), 24 + CALLS.len());
    for (attempt, said) in message {
        let calls = ["run a", "listen", "connect", "make a local", "make a FIFO"];
        let wanted = if allowed.contains(&attempt.as_str()) {
            &[0][..]
        } else if calls.iter().any(|call| attempt.starts_with(call))
            || CALLS.iter().any(|(name, _)| *name == attempt)
        {
            &[libc::EPERM][..]
        } else {
            &[libc::EACCES, libc::EXDEV][..] // a link across what is allowed and what is not is one across devices
        };
        assert!(wanted.contains(&said), "{attempt}: {said}, not one of {wanted:?}");
    }
    assert_eq!(tree.read("outside/file"), b"secret");
    assert_eq!(tree.read("read/file"), b"in");
}

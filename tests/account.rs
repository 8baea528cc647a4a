//! One account of memory: what a run holds because of an input is charged to it, so the process
//! takes no more than that beside what it takes for an empty job.
//!
//! Memory is measured as the kernel counts it, by the largest sum of anonymous and shared pages
//! that was seen while the process ran: pages of mapped files are the page cache's.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::support::guest::Guest;
use crate::support::pack;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

const MIB: u64 = 1 << 20;

/// What a run may take beyond what is charged: of allocators, stacks, and buffers of a few KiB.
const BESIDE_BYTES: u64 = 16 * MIB;

/// How long it is between two looks at a process: what is held for less may not be seen.
const LOOK: Duration = Duration::from_millis(1);

/// What a run was charged for at most, and what it took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) charged: u64,
    pub(crate) used: u64,
}

/// Runs a plugin over what `args` say, in `tree`; what it took alone, where it ended without a
/// report.
pub(crate) fn taken(tree: &Tree, plugin: &Path, args: &[&str]) -> Result<Taken, u64> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_host"));
    command.args(["run", "--plugin"]).arg(plugin).args(args);
    command.args(["-q", "-j2", "--report", "report.json"]).current_dir(tree.path());
    let mut host = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let used = watched(&mut host);
    let path = tree.path().join("report.json");
    let report = fs::read(&path).unwrap_or_default();
    let _removed = fs::remove_file(path);
    let report: Value = serde_json::from_slice(&report).map_err(|_| used)?;
    Ok(Taken { charged: report["memory_bytes_peak"].as_u64().unwrap(), used })
}

/// The most memory of its own that the process was seen with.
fn watched(host: &mut Child) -> u64 {
    let status = format!("/proc/{}/status", host.id());
    let mut most = 0;
    while host.try_wait().unwrap().is_none() {
        most = most.max(own_bytes(Path::new(&status)));
        thread::sleep(LOOK);
    }
    most
}

/// `RssAnon` and `RssShmem` (`proc_pid_status(5)`).
fn own_bytes(status: &Path) -> u64 {
    let Ok(text) = fs::read_to_string(status) else { return 0 };
    let kib = |line: &str| line.split_whitespace().nth(1)?.parse::<u64>().ok();
    let own =
        text.lines().filter(|line| line.starts_with("RssAnon:") || line.starts_with("RssShmem:"));
    own.filter_map(kib).sum::<u64>() * 1024
}

/// What the process takes for next to nothing, beside what is charged.
pub(crate) fn base(tree: &Tree, plugin: &Path) -> u64 {
    tree.file("empty.txt", "");
    taken(tree, plugin, &["empty.txt"]).unwrap(); // compiles it
    let Taken { charged, used } = taken(tree, plugin, &["empty.txt"]).unwrap();
    used.saturating_sub(charged)
}

pub(crate) fn check(message: &str, base: u64, taken: Taken) {
    let Taken { charged, used } = taken;
    let may = base + charged + BESIDE_BYTES;
    assert!(used <= may, "{message}: {charged} charged beside {base}, {used} used");
}

/// A tar file with a member for each name, made by hand: USTAR has no room for long names, so they
/// are GNU's (`L`).
pub(crate) fn tar(names: impl Iterator<Item = String>) -> Vec<u8> {
    let mut all = Vec::new();
    let mut entry = |name: &[u8], kind: u8, data: &[u8]| {
        let mut block = [0_u8; 512];
        let cut = name.len().min(100);
        block[..cut].copy_from_slice(&name[..cut]);
        block[100..108].copy_from_slice(b"0000644\0");
        block[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
        block[148..156].fill(b' ');
        block[156] = kind;
        block[257..265].copy_from_slice(b"ustar  \0");
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        all.extend_from_slice(&block);
        all.extend_from_slice(data);
        all.resize(all.len().next_multiple_of(512), 0);
    };
    for name in names {
        entry(b"././@LongLink", b'L', format!("{name}\0").as_bytes());
        entry(name.as_bytes(), b'0', b"a line\n");
    }
    all.resize(all.len() + 1024, 0);
    all
}

#[test]
fn a_run_takes_no_more_than_is_charged() {
    let tree = Tree::new();
    let text = pack::text(48 << 20);
    tree.file("plain.txt", &text);
    tree.file("one.gz", pack::gzip(&text));
    tree.file("one.xz", pack::xz(&text, text.len()));
    let deep = "d".repeat(14) + "/";
    let names = |count: usize| (0..count).map(|n| format!("{}{n:06}", deep.repeat(200)));
    tree.file("deep.tar", tar(names(8_000)));
    tree.file("deep.tar.gz", pack::gzip(&tar(names(4_000))));
    let each: Vec<_> = (0..200_000).map(|n| format!("no/such/file/{n:07}.txt")).collect();
    tree.file("list.txt", each.join("\n"));
    for n in 0..3_000 {
        tree.file(&format!("many/{n:05}.txt"), format!("line {n}\n"));
    }
    let jobs: [(&str, &str, &[&str]); 12] = [
        ("mapped", "wordcount", &["plain.txt"]),
        ("read", "wordcount", &["plain.txt", "--io", "read"]),
        ("gzip", "wordcount", &["one.gz"]),
        ("xz", "wordcount", &["one.xz"]),
        ("members", "wordcount", &["deep.tar", "--total"]),
        ("members of a stream", "wordcount", &["deep.tar.gz", "--total"]),
        ("outputs for members", "upcase", &["deep.tar", "--out", "o/", "--name", "{name}"]),
        ("names of a list", "wordcount", &["--files-from", "list.txt", "--total"]),
        ("a table", "topwords", &["many", "--per-source", "--format", "table"]),
        ("zstd", "upcase", &["plain.txt", "--out", "a", "--compress", "zstd:9"]),
        ("gzip out", "upcase", &["plain.txt", "--out", "b", "--compress", "gzip:9"]),
        ("files", "upcase", &["many", "--out", "p/"]),
    ];
    let bases = ["wordcount", "upcase", "topwords"].map(|name| base(&tree, &plugin(name)));
    let base = bases.into_iter().max().unwrap();
    for (message, name, args) in jobs {
        let taken = taken(&tree, &plugin(name), args).unwrap();
        eprintln!("{message}: {taken:?}");
        check(message, base, taken);
    }
}

/// What plugins are given and give is held as seldom as can be, and charged each time.
#[test]
fn what_plugins_give_and_are_opened_with_is_charged() {
    let tree = Tree::new();
    tree.file("zeros", vec![0; 11 << 20]);
    let record = [&b"r".repeat(22_000)[..], b"\n"].concat();
    tree.file("records", record.repeat(1000));
    tree.file("lines", b"some words in a line\n".repeat(500_000));
    let jobs: [(&str, &str, u32, &[&str]); 9] = [
        ("a result", "aggregator", 0, &["zeros"]),
        ("a total", "aggregator", 0, &["lines", "--total"]),
        ("states of runs", "aggregator", 0, &["lines", "--chunk-size", "64KiB"]),
        ("totals of sources", "aggregator", 0, &["lines", "records", "zeros", "--total"]),
        ("a result that is kept", "aggregator", 0, &["records", "--ledger", "ledger"]),
        ("a result that is recalled", "aggregator", 0, &["records", "--ledger", "ledger"]),
        ("a header and a result", "aggregator", 1000, &["records"]),
        ("a header for each chunk", "transformer", 1000, &["records"]),
        ("outputs", "transformer", 0, &["lines", "records", "--chunk-size", "8MiB"]),
    ];
    for (message, world, header_records, args) in jobs {
        let guest = Guest { header_records, world, ..Guest::default() }.file(&tree);
        let base = base(&tree, &guest);
        let taken = taken(&tree, &guest, args).unwrap();
        eprintln!("{message}: {taken:?}");
        check(message, base, taken);
    }
}

/// A guest that sets records aside holds little of each, and all of them are charged.
#[test]
fn records_in_a_guests_hand_are_charged() {
    let tree = Tree::new();
    tree.file("lines", b"some words in a line\n".repeat(50_000));
    let push = "(loop $again
        (call $reject (i64.const 0) (global.get $why) (global.get $why_len)
          (local.get $data) (local.get $len))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $at) (i32.const 900))))";
    let texts = &[("why", "no such month")];
    let run = |total: &str| {
        let guest = Guest { push, texts, world: "transformer", ..Guest::default() }.file(&tree);
        let base = base(&tree, &guest);
        // In one chunk, so by one call.
        let args = ["lines", "--rejects", total, "--max-rejects", "100%", "--chunk-size", "2MiB"];
        let more = ["--memory", "8MiB", "--memory-total", total];
        let taken = taken(&tree, &guest, &[&args[..], &more].concat()).unwrap();
        eprintln!("within {total}: {taken:?}");
        check(total, base, taken);
        taken.charged
    };
    let all = 900 * (64 << 10);
    let charged = run("400MiB");
    assert!((all..all + 16 * MIB).contains(&charged), "each is held once: {charged} for {all}");
    assert!(run("60MiB") <= 60 * MIB);
}

/// A source decides how large its windows and records are, but not how much memory a run may take.
#[test]
fn what_a_source_takes_to_be_read_is_charged_as_it_comes_and_has_an_end() {
    let tree = Tree::new();
    let lines = b"a line of some words\n".repeat(5 << 20);
    for n in 0..4 {
        tree.file(&format!("{n}.zst"), pack::zstd_long(&lines));
    }
    tree.file("long.gz", pack::gzip(&vec![b'a'; 96 << 20]));
    let base = base(&tree, &plugin("wordcount"));
    let rest = ["--total", "--max-ratio", "1000000", "--memory", "4MiB", "--memory-total"];
    let run = |files: &[&str], total: &str| {
        let args = [files, &rest, &[total]].concat();
        let taken = taken(&tree, &plugin("wordcount"), &args).unwrap();
        eprintln!("{files:?} within {total}: {taken:?}");
        check(&format!("{files:?}"), base, taken);
        taken.charged
    };
    assert!(run(&["0.zst", "1.zst", "2.zst", "3.zst"], "130MiB") <= 130 * MIB);
    assert!(run(&["0.zst"], "80MiB") <= 80 * MIB);
    assert!(run(&["0.zst"], "400MiB") > 100 * MIB);
    assert!(run(&["long.gz"], "80MiB") <= 80 * MIB);
    assert!(run(&["long.gz"], "400MiB") >= 64 * MIB);
    let message = |total: &str| {
        let mut host = Command::new(env!("CARGO_BIN_EXE_host"));
        host.args(["run", "--plugin"]).arg(plugin("wordcount")).current_dir(tree.path());
        let ended = host.arg("0.zst").args(rest).arg(total).output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    };
    assert_eq!(message("400MiB"), (Some(0), String::new()));
    let (code, message) = message("80MiB");
    assert_eq!(code, Some(1), "{message}");
    assert!(message.starts_with("0.zst: reading it takes "), "{message}");
    assert!(message.contains("of the whole run in use\nhint: raise --memory-total"), "{message}");
}

#[test]
fn a_list_that_takes_too_much_is_refused_with_figures() {
    let tree = Tree::new();
    base(&tree, &plugin("wordcount")); // so little is not enough to compile it
    let names: Vec<_> = (0..20_000).map(|n| format!("{n}-{}", "a".repeat(200))).collect();
    tree.file("list.txt", names.join("\n"));
    let refused = |args: &[&str]| {
        let mut host = Command::new(env!("CARGO_BIN_EXE_host"));
        host.args(["run", "--plugin"]).arg(plugin("wordcount")).current_dir(tree.path());
        let ended = host.args(args).output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    };
    let (code, message) =
        refused(&["--dry-run", "--files-from", "list.txt", "--memory-total", "3MB"]);
    assert_eq!(code, Some(2), "{message}");
    let begins = "error: --memory-total: the list of sources takes ";
    assert!(message.starts_with(begins) && message.contains(", more than 3000000\n"), "{message}");
    assert!(message.contains("hint: raise --memory-total"), "{message}");
    let (code, message) =
        refused(&["--dry-run", "--files-from", "list.txt", "--memory-total", "30MB"]);
    assert_eq!(code, Some(1), "none of them is there: {message}");
    tree.file("a.tar", tar((0..20_000).map(|n| format!("{n}"))));
    let (code, message) = refused(&["--dry-run", "a.tar", "--memory-total", "3MB"]);
    assert_eq!(code, Some(2), "{message}");
    assert!(message.starts_with(begins), "{message}");
}

#[test]
fn a_list_that_a_jail_reads_first_is_bounded_as_well() {
    let tree = Tree::with(&[("in.txt", "a line\n")]);
    let names: Vec<_> = (0..40_000).map(|n| format!("{n}-{}", "a".repeat(2000))).collect();
    tree.file("list.txt", names.join("\n"));
    if gristmill::jail::probe().check().is_err() {
        return; // tests/jail.rs says so
    }
    let mut host = Command::new(env!("CARGO_BIN_EXE_host"));
    host.args(["run", "--plugin"]).arg(plugin("wordcount")).current_dir(tree.path());
    host.args(["--jail", "--files-from", "list.txt", "--memory-total", "60MB", "--memory", "4MB"]);
    let ended = host.output().unwrap();
    let message = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2), "{message}");
    assert!(message.starts_with("error: --memory-total: the list of sources takes "), "{message}");
    let sources: u64 =
        message.split(" with ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!((20_000..40_000).contains(&sources), "it was read to its end: {message}");
}

#[test]
fn too_little_address_space_for_a_sandbox_is_reported() {
    let tree = Tree::new();
    tree.file("a.txt", "line\n");
    let mut limited = Command::new("bash");
    limited.args(["-c", "ulimit -v 3000000; exec \"$@\"", "bash", env!("CARGO_BIN_EXE_host")]);
    limited.args(["run", "--plugin"]).arg(plugin("wordcount")).arg("a.txt");
    let ended = limited.current_dir(tree.path()).output().unwrap();
    let message = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2), "{message}");
    assert!(message.contains("the process may have no more address space"), "{message}");
    assert!(message.contains("hint: raise the limit on virtual memory (ulimit -v)"), "{message}");
}

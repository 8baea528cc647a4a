//! Aggregators with a ledger: a run that knows most of its sources already prints what one that
//! knows none prints, and reads only what it has to. The figures of the report say what was read.

mod damage;
mod killed;
mod versions;

use std::path::Path;

use serde_json::Value;

use crate::support::host::{Ended, Host};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

const SOURCES: usize = 60;

/// Small files, and some of several chunks, below `in/`.
fn sources() -> Tree {
    let tree = Tree::new();
    for n in 0..SOURCES {
        let lines = if n % 20 == 0 { 3_000 } else { 1 + n % 40 };
        tree.file(&format!("in/{}/{n}.txt", n % 7), format!("word of {n}\n").repeat(lines));
    }
    tree
}

/// `host run` with plugins over one scan, each a chain of built plugins or of files, within `tree`.
fn host(tree: &Tree, chains: &[&str]) -> Host {
    let path = |name: &str| {
        let own = Path::new(name.trim());
        let path = if own.is_absolute() { own.to_path_buf() } else { plugin(name.trim()) };
        path.display().to_string()
    };
    let spec = |chain: &&str| chain.split('|').map(path).collect::<Vec<_>>().join("|");
    let specs: Vec<_> = chains.iter().map(spec).collect();
    let first = Host::run(Path::new(&specs[0])).within(tree.path()).args(["--chunk-size", "4KiB"]);
    specs[1..].iter().fold(first, |host, spec| host.arg("--plugin").arg(spec))
}

/// The same with the ledger `done`, to its end; and its report.
fn remembering(tree: &Tree, chains: &[&str], args: &[&str]) -> (Ended, Value) {
    let host = host(tree, chains).args(["--ledger", "done", "--report", "report.json"]);
    let ended = host.args(args).ended();
    let report = serde_json::from_slice(&tree.read("report.json")).unwrap();
    (ended, report)
}

/// Sources that were read, and that were skipped.
#[track_caller]
fn assert_read(report: &Value, read: usize, skipped: usize) {
    assert_eq!((&report["files"], &report["skipped"]), (&read.into(), &skipped.into()));
    if read == 0 {
        assert_eq!(report["bytes"], 0);
    }
}

#[track_caller]
fn assert_same(found: &Ended, expected: &Ended) {
    assert_eq!(found.code, expected.code, "{found}");
    assert!(found.stdout == expected.stdout, "{found}\n--- expected\n{expected}");
}

/// One that takes chunks in any order, those whose order matters, one of a whole source, a chain,
/// and several over one scan.
const PLUGINS: [&[&str]; 4] =
    [&["topwords"], &["checksum"], &["upcase | wordcount"], &["wordcount", "topwords", "checksum"]];

#[test]
fn a_second_run_reads_nothing_and_prints_the_same() {
    let tree = sources();
    for (number, chains) in PLUGINS.iter().enumerate() {
        for show in [&[][..], &["--total"], &["--per-source"]] {
            let of_job = format!("done{number}{}", show.len());
            let args = |more: &[&'static str]| [&["in/"], show, more].concat();
            let ledger =
                |more: &[&'static str]| remembering_in(&of_job, &tree, chains, &args(more));
            let (first, report) = ledger(&["-j2", "--format", "jsonl"]);
            assert_read(&report, SOURCES, 0);
            assert_same(
                &first,
                &host(&tree, chains).args(args(&["--format", "jsonl"])).ended().exits(0),
            );
            assert_eq!(first.stderr, "");
            for format in ["table", "jsonl", "json", "raw"] {
                let expected =
                    host(&tree, chains).args(args(&["--format", format])).ended().exits(0);
                for threads in ["-j1", "-j2"] {
                    let (again, report) = ledger(&[threads, "--format", format]);
                    assert_read(&report, 0, SOURCES);
                    assert_same(&again, &expected);
                    let message = format!("{SOURCES} sources are done already, and were skipped\n");
                    assert_eq!(again.stderr, message);
                }
            }
        }
    }
}

fn remembering_in(ledger: &str, tree: &Tree, chains: &[&str], args: &[&str]) -> (Ended, Value) {
    let host = host(tree, chains).args(["--ledger", ledger, "--report", "report.json"]);
    let ended = host.args(args).ended();
    (ended, serde_json::from_slice(&tree.read("report.json")).unwrap())
}

#[test]
fn an_output_file_is_replaced_by_one_that_is_whole() {
    let tree = sources();
    let run = |args: &[&str]| {
        remembering(&tree, &["wordcount"], &[&["in/", "--out", "all"], args].concat())
    };
    run(&[]).0.exits(0);
    let expected = tree.read("all");
    assert_eq!(expected, host(&tree, &["wordcount"]).arg("in/").ended().exits(0).stdout);
    tree.file("in/new.txt", "one more\n");
    let (ended, report) = run(&[]);
    ended.exits(0);
    assert_read(&report, 1, SOURCES);
    assert_eq!(tree.read("all"), host(&tree, &["wordcount"]).arg("in/").ended().exits(0).stdout);
    // What is to be left is left, and what is to fail fails, as without a ledger.
    run(&["--exists", "fail"]).0.exits(2);
    run(&["--exists", "skip"]).0.exits(0);
}

#[test]
fn what_fails_is_read_again_until_it_does_not() {
    let tree = sources();
    tree.file("in/3/3.txt", "not a number\n");
    tree.file("in/bad.gz", b"\x1f\x8b\x08\0 this is no gzip file");
    let (first, report) = remembering(&tree, &["wordcount"], &["in/", "in/none"]);
    let undisturbed = host(&tree, &["wordcount"]).args(["in/", "in/none"]).ended().exits(1);
    assert_same(&first, &undisturbed);
    assert_eq!((&report["files"], &report["failed"]), (&(SOURCES + 2).into(), &2.into()));
    let (again, report) = remembering(&tree, &["wordcount"], &["in/", "in/none"]);
    assert_same(&again, &undisturbed);
    assert_read(&report, 2, SOURCES);
    tree.file("in/bad.gz", crate::support::pack::gzip(b"now it is text\n"));
    tree.file("in/none", "here\n");
    let (again, report) = remembering(&tree, &["wordcount"], &["in/", "in/none"]);
    assert_same(&again, &host(&tree, &["wordcount"]).args(["in/", "in/none"]).ended().exits(0));
    // The one that was not there is in the directory now, too: it is read for both places.
    assert_read(&report, 3, SOURCES);
}

#[test]
fn a_source_where_one_of_several_plugins_failed_is_read_again() {
    let tree = sources();
    let guest = crate::support::guest::Guest::picky().file(&tree);
    let chains = ["wordcount", guest.to_str().unwrap()];
    tree.file("in/2/2.txt", "a month!\n");
    for show in [&["in/"][..], &["in/", "--per-source"], &["in/", "--total"]] {
        let of_job = format!("done{}", show.len() + show.join("").len());
        let undisturbed = host(&tree, &chains).args(show).ended().exits(1);
        for (read, skipped) in [(SOURCES, 0), (1, SOURCES - 1), (1, SOURCES - 1)] {
            let (ended, report) = remembering_in(&of_job, &tree, &chains, show);
            assert_same(&ended, &undisturbed);
            assert_read(&report, read, skipped);
        }
    }
}

#[test]
fn what_was_set_aside_is_had_again_where_it_is_wanted() {
    let tree = Tree::new();
    for n in 0..20 {
        let bad = if n % 5 == 0 { "no json\n" } else { "" };
        tree.file(&format!("in/{n:02}"), format!("{{\"a\":{n}}}\n{bad}"));
    }
    let run = |more: &[&str]| {
        let chains = ["jsonfilter|wordcount"];
        let args = [&["--set", "jsonfilter.field=a", "in/"], more].concat();
        let expected = host(&tree, &chains).args(&args).ended();
        let rejects = more.contains(&"rejects").then(|| tree.read("rejects"));
        let (ended, report) = remembering(&tree, &chains, &args);
        assert_same(&ended, &expected);
        assert_eq!(rejects, more.contains(&"rejects").then(|| tree.read("rejects")));
        report
    };
    // Each run reports the loss.
    assert_read(&run(&[]), 20, 0);
    assert_read(&run(&[]), 4, 16);
    let report = run(&["--rejects", "rejects", "--exists", "replace"]);
    assert_read(&report, 4, 16);
    assert_eq!(report["rejected"], 4);
    assert_read(&run(&["--max-rejects", "1"]), 0, 20);
    let report = run(&["--max-rejects", "0"]);
    assert_eq!((&report["failed"], &report["skipped"]), (&4.into(), &16.into()));
    assert_read(&run(&["--max-rejects", "90%"]), 4, 16);
}

#[test]
fn what_can_be_told_from_no_other_version_is_always_read() {
    let tree = sources();
    let run = |stdin: &str| {
        let host = host(&tree, &["wordcount"]).stdin(stdin);
        host.args(["--ledger", "done", "in/", "-"]).ended().exits(0)
    };
    let undisturbed =
        |stdin: &str| host(&tree, &["wordcount"]).stdin(stdin).args(["in/", "-"]).ended().exits(0);
    for stdin in ["one\n", "one\n", "one two\n"] {
        assert_same(&run(stdin), &undisturbed(stdin));
    }
    assert_eq!(run("").stderr, format!("{SOURCES} sources are done already, and were skipped\n"));
}

#[test]
fn members_of_archives_are_passed_over_where_they_are_listed() {
    let tree = Tree::new();
    let made = std::process::Command::new("python3")
        .current_dir(tree.path())
        .args([
            "-c",
            "
import io, tarfile, warnings, zipfile
warnings.simplefilter('ignore')
texts = [('a', b'a\\n'), ('b', b'b b\\n'), ('a', b'a a a\\n'), ('c', b'c\\n' * 5000)]
for name, mode, first in [('all.tar', 'w', 0), ('all.tar.gz', 'w:gz', 1)]:
    with tarfile.open(name, mode) as tar:
        for member, text in texts[first:]:
            info = tarfile.TarInfo(member)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text))
with zipfile.ZipFile('all.zip', 'w', zipfile.ZIP_DEFLATED) as zip:
    for member, text in texts[1:]:
        zip.writestr(member, text)
",
        ])
        .status()
        .unwrap();
    assert!(made.success());
    let args = ["all.tar", "all.zip", "all.tar.gz"];
    let undisturbed = host(&tree, &["wordcount", "checksum"]).args(args).ended().exits(0);
    assert_eq!(undisturbed.lines().len(), 2 * (3 + 3 + 3) + 1);
    let run = || {
        let (ended, report) = remembering(&tree, &["wordcount", "checksum"], &args);
        assert_same(&ended, &undisturbed);
        report
    };
    assert_read(&run(), 3 + 3 + 3, 0);
    for _ in 0..2 {
        // Those of a compressed tar file are not known before they are read.
        assert_read(&run(), 3, 3 + 3);
    }
    // As the files that they are they are another job.
    let args = [&args[..], &["--no-archives"]].concat();
    let (ended, report) = remembering(&tree, &["wordcount", "checksum"], &args);
    assert_same(&ended, &host(&tree, &["wordcount", "checksum"]).args(&args).ended().exits(0));
    assert_read(&report, 3, 0);
    assert_read(&remembering(&tree, &["wordcount", "checksum"], &args).1, 0, 3);
}

#[test]
fn the_ledger_is_no_source_and_no_output() {
    let tree = sources();
    let undisturbed = host(&tree, &["wordcount"]).arg("in/").ended().exits(0);
    for skipped in [0, SOURCES] {
        let (ended, report) = remembering_in("in/done", &tree, &["wordcount"], &["in/"]);
        assert_same(&ended, &undisturbed);
        assert_read(&report, SOURCES - skipped, skipped);
    }
    for flag in ["--out", "--rejects", "--report"] {
        let args = ["--ledger", "in/done", flag, "in/done", "in/1"];
        let ended = host(&tree, &["wordcount"]).args(args).ended().exits(2);
        assert!(
            ended.stderr.starts_with(&format!("error: --ledger and {flag} name one file: in/done")),
            "{ended}"
        );
    }
    let (_, report) = remembering_in("in/done", &tree, &["wordcount"], &["in/"]);
    assert_read(&report, 0, SOURCES);
}

#[test]
fn a_dry_run_tells_what_would_be_read() {
    let tree = sources();
    remembering(&tree, &["wordcount"], &["in/"]).0.exits(0);
    tree.file("in/3/3.txt", "changed\n");
    let planned = |args: &[&str]| -> Value {
        let host =
            host(&tree, &["wordcount"]).args(["--ledger", "done", "--dry-run", "--format=json"]);
        serde_json::from_slice(&host.args(args).ended().exits(0).stdout).unwrap()
    };
    let sources = planned(&["in/"])["sources"].take();
    assert_eq!((&sources["skipped"], &sources["count"]), (&(SOURCES - 1).into(), &1.into()));
    assert_eq!(sources["first"], serde_json::json!(["in/3/3.txt"]));
    assert_eq!(planned(&["in/", "--set", "chars=true"])["sources"]["skipped"], 0);
    // It has remembered nothing.
    assert_read(&remembering(&tree, &["wordcount"], &["in/"]).1, 1, SOURCES - 1);
}

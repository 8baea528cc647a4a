//! What is another version, another job, or less than what is wanted now, is read again; and
//! nothing else.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;

use gristmill::ledger::{Kept, Ledger};
use gristmill::process::branches::BranchResults;

use super::{SOURCES, assert_read, assert_same, host, remembering, sources};
use crate::support::tree::Tree;

/// A changed file is read, whatever the change is; the others are not, though all of them go into
/// the total.
#[test]
fn only_what_changed_is_read() {
    let tree = sources();
    let run = || {
        let (ended, report) = remembering(&tree, &["wordcount", "checksum"], &["in/", "-j2"]);
        assert_same(&ended, &host(&tree, &["wordcount", "checksum"]).arg("in/").ended().exits(0));
        report
    };
    assert_read(&run(), SOURCES, 0);
    tree.file("in/0/0.txt", "shorter\n");
    let report = run();
    assert_read(&report, 1, SOURCES - 1);
    assert_eq!(report["bytes"], 8);
    // As long as before, and written at the same time: another file of the same name.
    let place = tree.path().join("in/0/0.txt");
    let before = fs::metadata(&place).unwrap();
    let other = tree.file("other", "SHORTER\n");
    File::options()
        .write(true)
        .open(&other)
        .unwrap()
        .set_modified(before.modified().unwrap())
        .unwrap();
    fs::rename(&other, &place).unwrap();
    assert_ne!(fs::metadata(&place).unwrap().ino(), before.ino());
    assert_read(&run(), 1, SOURCES - 1);
    // One that is gone counts no more; one that is new does.
    fs::rename(tree.path().join("in/1/1.txt"), tree.path().join("in/1/one.txt")).unwrap();
    assert_read(&run(), 1, SOURCES - 1);
    assert_read(&run(), 0, SOURCES);
}

/// What is skipped is not opened: it need not even be readable.
#[test]
fn what_is_passed_over_is_not_opened() {
    use crate::support::host::Host;
    use crate::support::plugins::plugin;
    use std::os::unix::fs::PermissionsExt;

    let tree = sources();
    let wordcount = tree.path().join("wordcount.wasm");
    fs::copy(plugin("wordcount"), &wordcount).unwrap();
    fs::create_dir(tree.path().join("state")).unwrap();
    fs::set_permissions(tree.path().join("state"), fs::Permissions::from_mode(0o777)).unwrap();
    let run = || {
        let host = Host::unprivileged(tree.path()).within(tree.path());
        let plugin = ["run", "--no-cache", "--plugin", "wordcount.wasm"];
        host.args(plugin).args(["--ledger", "state/done", "in/"]).ended()
    };
    let first = run().exits(0);
    for n in 0..SOURCES {
        let path = tree.path().join(format!("in/{}/{n}.txt", n % 7));
        fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
    }
    assert_same(&run().exits(0), &first);
    let undisturbed = Host::unprivileged(tree.path()).within(tree.path());
    undisturbed.args(["run", "--no-cache", "--plugin", "wordcount.wasm", "in/"]).ended().exits(1);
}

#[test]
fn another_plugin_setting_or_framing_is_another_job() {
    let tree = sources();
    let run = |chains: &[&str], args: &[&str], skipped: usize| {
        let args = [&["in/"], args].concat();
        let (ended, report) = remembering(&tree, chains, &args);
        assert_same(&ended, &host(&tree, chains).args(&args).ended().exits(0));
        assert_read(&report, SOURCES - skipped, skipped);
    };
    let jobs: [(&[&str], &[&str]); 7] = [
        (&["wordcount"], &[]),
        (&["topwords"], &[]),
        (&["wordcount"], &["--set", "chars=true"]),
        (&["upcase|wordcount"], &[]),
        (&["wordcount", "checksum"], &[]),
        (&["checksum", "wordcount"], &[]),
        (&["wordcount"], &["--framing", "whole", "--decompress", "none"]),
    ];
    for skipped in [0, SOURCES] {
        for (chains, args) in jobs {
            run(chains, args, skipped);
        }
    }
    // How results are shown, and how work is shared, makes no other job.
    run(&["wordcount"], &["--format=json", "-j3", "--io=mmap"], SOURCES);
}

#[test]
fn what_was_not_asked_for_before_is_read_for() {
    let tree = sources();
    let run = |show: &[&str], skipped: usize| {
        let args = [&["in/"], show].concat();
        let (ended, report) = remembering(&tree, &["topwords"], &args);
        assert_same(&ended, &host(&tree, &["topwords"]).args(&args).ended().exits(0));
        assert_read(&report, SOURCES - skipped, skipped);
    };
    run(&["--per-source"], 0);
    run(&["--per-source"], SOURCES);
    run(&["--total"], 0); // there are no states
    run(&["--total"], SOURCES);
    run(&[], 0); // there are states, and no rows
    run(&[], SOURCES);
    run(&["--per-source"], SOURCES);
    run(&["--total"], SOURCES);
}

#[test]
fn a_source_that_is_named_twice_counts_twice() {
    let tree = Tree::with(&[("a", "one\n"), ("b", "two three\n")]);
    let args = ["a", "b", "a", "./a"];
    let undisturbed = host(&tree, &["wordcount"]).args(args).ended().exits(0);
    for skipped in [0, 4] {
        let (ended, report) = remembering(&tree, &["wordcount"], &args);
        assert_same(&ended, &undisturbed);
        assert_read(&report, 4 - skipped, skipped);
    }
}

/// Older ledgers identify rows of several plugins by their tags alone. Such sources are read again,
/// once, with a note.
#[test]
fn rows_in_the_form_of_another_version_are_read_again_and_told_once() {
    let tree = sources();
    let chains = ["wordcount", "checksum"];
    let undisturbed = host(&tree, &chains).arg("in/").ended().exits(0);
    remembering(&tree, &chains, &["in/"]).0.exits(0);
    let rewritten = [&b"in/3/3.txt"[..], b"in/3/10.txt"];
    let ledger = Ledger::open(&tree.path().join("done")).unwrap();
    let reader = ledger.reader().unwrap();
    let job = reader.jobs().unwrap()[0].id;
    for source in rewritten {
        let (entry, kept) = reader.recall(job, source).unwrap().unwrap();
        let older = |kept: Vec<u8>| {
            let rows = BranchResults::decode(&kept, chains.len()).unwrap();
            let row = |row: Result<&[u8], _>| {
                let bytes = row.unwrap();
                [&[0], &(bytes.len() as u64).to_le_bytes()[..], bytes].concat()
            };
            rows.into_iter().flat_map(row).collect()
        };
        let saved = Some(older(kept.saved.unwrap()));
        let result = kept.result.map(older);
        ledger.commit(job, entry, Kept { result, saved, ..Kept::default() }).unwrap();
    }
    drop(reader);
    ledger.close().unwrap();
    let (again, report) = remembering(&tree, &chains, &["in/"]);
    assert_same(&again, &undisturbed);
    assert_read(&report, 2, SOURCES - 2);
    let why = "results of several plugins in form 0, where this host reads form 2";
    assert_eq!(again.stderr.matches(why).count(), 1, "{again}");
    let message = "in the form of another version: 2 sources were read again\n";
    assert!(again.stderr.contains(message), "{again}");
    assert_read(&remembering(&tree, &chains, &["in/"]).1, 0, SOURCES);
}

//! With a ledger, an output is its source's in its job: whatever is not exactly that is made anew
//! or refused, and never lost.

use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::host::{Ended, Host};
use crate::support::oracle::oracle;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

fn run(tree: &Tree, name: &str, args: &[&str]) -> Ended {
    let host = Host::run(&plugin(name)).within(tree.path());
    host.args(["--ledger", "done", "--durable", "fast"]).args(args).ended()
}

fn check(tree: &Tree, args: &[&str]) -> Ended {
    Host::new().within(tree.path()).args(["ledger", "check", "done"]).args(args).ended()
}

#[test]
fn an_output_that_is_not_as_it_was_left_is_made_anew() {
    let tree = Tree::with(&[("in/a", "a\n"), ("in/b", "b\n")]);
    let again = || run(&tree, "upcase", &["in/", "--out", "out/"]).exits(0);
    again();
    let out = tree.path().join("out/a");
    let spoil: [&dyn Fn(); 4] = [
        &|| fs::write(&out, "").unwrap(),
        &|| fs::write(&out, "B\n").unwrap(),
        &|| {
            fs::remove_file(&out).unwrap();
            symlink("nowhere", &out).unwrap();
        },
        &|| fs::remove_file(&out).unwrap(),
    ];
    for spoil in spoil {
        spoil();
        let message = again().stderr;
        assert!(
            message.ends_with("done again: 1 with an output that is not as this job left it\n"),
            "{message}"
        );
        assert_eq!(tree.read("out/a"), b"A\n");
        assert_eq!(again().stderr, "2 sources are done already, and were skipped\n");
    }
    fs::remove_file(&out).unwrap();
    fs::create_dir(&out).unwrap();
    let message = run(&tree, "upcase", &["in/", "--out", "out/"]).exits(1).stderr;
    assert!(message.contains("out/a: is a directory"), "{message}");
}

#[test]
fn what_another_job_wrote_is_made_anew() {
    let tree = Tree::with(&[("in/a", "bob@example.org from 192.0.2.55\n")]);
    let all = || run(&tree, "redact", &["in/", "--out", "out/"]).exits(0);
    all();
    let masked = tree.read("out/a");
    run(&tree, "redact", &["--set", "kinds=email", "in/", "--out", "out/"]).exits(0);
    assert!(tree.read("out/a").ends_with(b"192.0.2.55\n"));
    all();
    assert_eq!(tree.read("out/a"), masked);
}

#[test]
fn an_output_is_not_lost_to_another_source() {
    let tree = Tree::with(&[("mon/app.log", "monday\n"), ("tue/app.log", "tuesday\n")]);
    run(&tree, "upcase", &["mon/", "--out", "out/"]).exits(0);
    let message = run(&tree, "upcase", &["tue/", "--out", "out/"]).exits(1).stderr;
    assert!(
        message.starts_with("tue/app.log: its output is that of mon/app.log, too: "),
        "{message}"
    );
    assert_eq!(tree.read("out/app.log"), b"MONDAY\n");
    // Asked for, it is taken; and taken back where the first is done again.
    run(&tree, "upcase", &["tue/", "--out", "out/", "--exists", "replace"]).exits(0);
    assert_eq!(tree.read("out/app.log"), b"TUESDAY\n");
    run(&tree, "upcase", &["mon/", "--out", "out/", "--exists", "replace"]).exits(0);
    assert_eq!(tree.read("out/app.log"), b"MONDAY\n");
    // Of a source that is gone it is free.
    fs::remove_dir_all(tree.path().join("mon")).unwrap();
    run(&tree, "upcase", &["tue/", "--out", "out/"]).exits(0);
    assert_eq!(tree.read("out/app.log"), b"TUESDAY\n");
}

#[test]
fn the_output_of_a_source_that_fails_now_goes() {
    let tree = Tree::with(&[("in/a.csv", "a,b\n1,2\n"), ("in/b.csv", "a\n1\n")]);
    run(&tree, "csv2jsonl", &["in/", "--out", "out/"]).exits(0);
    tree.file("in/a.csv", "a,a\n3,4\n");
    let message = run(&tree, "csv2jsonl", &["in/", "--out", "out/"]).exits(1).stderr;
    assert!(message.contains("1 output of a source that fails now was removed"), "{message}");
    assert!(!tree.path().join("out/a.csv.jsonl").exists());
    assert!(tree.path().join("out/b.csv.jsonl").exists());
}

#[test]
fn outputs_below_their_inputs_are_no_sources() {
    let tree = Tree::with(&[("in/a", "x\n")]);
    for _ in 0..3 {
        run(&tree, "upcase", &["in/", "--out", "in/out/"]).exits(0);
    }
    assert!(!tree.path().join("in/out/out").exists());
    // Beside their sources neither.
    for _ in 0..3 {
        run(&tree, "upcase", &["in/", "--out", "in/", "--name", "{dir}/{name}.up"]).exits(0);
    }
    assert!(!tree.path().join("in/a.up.up").exists());
}

#[test]
fn outputs_of_sources_that_are_gone_go_where_that_is_asked_for() {
    let tree = Tree::with(&[("in/a", "a\n"), ("in/b", "b\n"), ("in/c", "c\n")]);
    let again = |more: &[&str]| run(&tree, "upcase", &[&["in/", "--out", "out/"], more].concat());
    again(&[]).exits(0);
    fs::remove_file(tree.path().join("in/a")).unwrap();
    fs::remove_file(tree.path().join("in/b")).unwrap();
    tree.file("out/b", "somebody else's\n");
    again(&[]).exits(0);
    assert!(tree.path().join("out/a").exists());
    let message = again(&["--delete-vanished"]).exits(0).stderr;
    assert!(message.contains("1 output of a source that is gone was removed"), "{message}");
    assert!(
        message.contains("1 output of a source that is gone was not as it was left"),
        "{message}"
    );
    assert!(!tree.path().join("out/a").exists());
    assert_eq!(tree.read("out/b"), b"somebody else's\n");
    assert_eq!(tree.read("out/c"), b"C\n");
}

/// A disk that is not mounted, and a directory that may not be looked into, say nothing of what was
/// there.
#[test]
fn no_output_goes_for_a_source_that_is_only_out_of_sight() {
    let tree = Tree::with(&[("in/a", "a\n"), ("in/sub/b", "b\n")]);
    fs::copy(plugin("upcase"), tree.path().join("upcase.wasm")).unwrap();
    let again = |name: &str| {
        let args = ["in/", "--out", "out/", "--delete-vanished"];
        let host = Host::unprivileged(tree.path()).within(tree.path());
        // Who may not look has to be able to write.
        fs::set_permissions(tree.path(), Permissions::from_mode(0o777)).unwrap();
        let host = host.args(["run", "--plugin", "upcase.wasm"]);
        let host = host.args(["--ledger", name, "--durable", "fast", "--no-cache"]);
        host.args(args).ended()
    };
    again("done").exits(0);
    let sub = tree.path().join("in/sub");
    fs::set_permissions(&sub, Permissions::from_mode(0o000)).unwrap();
    let message = again("done").stderr;
    fs::set_permissions(&sub, Permissions::from_mode(0o755)).unwrap();
    assert_eq!(tree.read("out/sub/b"), b"B\n", "{message}");
    fs::rename(tree.path().join("in"), tree.path().join("away")).unwrap();
    fs::create_dir(tree.path().join("in")).unwrap();
    let message = again("done").exits(0).stderr;
    assert!(message.contains("in: nothing is there, so no output of it is removed"), "{message}");
    assert_eq!(tree.read("out/a"), b"A\n");
}

#[test]
fn an_emptied_directory_takes_no_outputs_along_and_a_removed_one_does() {
    let tree = Tree::with(&[("in/a", "a\n"), ("in/disk/b", "b\n"), ("in/disk/sub/c", "c\n")]);
    let again = || run(&tree, "upcase", &["in/", "--out", "out/", "--delete-vanished"]).exits(0);
    again();
    fs::remove_dir_all(tree.path().join("in/disk")).unwrap();
    fs::create_dir(tree.path().join("in/disk")).unwrap();
    let message = again().stderr;
    assert!(
        message.contains("in/disk: nothing is there, so no output of it is removed"),
        "{message}"
    );
    assert_eq!(tree.read("out/disk/b"), b"B\n");
    assert_eq!(tree.read("out/disk/sub/c"), b"C\n");
    fs::remove_dir(tree.path().join("in/disk")).unwrap();
    let message = again().stderr;
    assert!(message.contains("2 outputs of sources that are gone were removed"), "{message}");
    assert!(!tree.path().join("out/disk/b").exists());
}

/// Of an archive that is listed whole, each member is known; of another one, none is taken for
/// gone.
#[test]
fn a_member_that_its_archive_has_no_more_takes_its_output_along() {
    let tree = Tree::with(&[("a", "a\n"), ("b", "b\n"), ("c", "c\n")]);
    let dir = tree.path().to_str().unwrap();
    let pack = |names: &[&str]| {
        let tar = oracle("tar", &[&["-c", "-C", dir][..], names].concat(), b"");
        fs::create_dir_all(tree.path().join("in")).unwrap();
        tree.file("in/t.tar", tar)
    };
    let again = |more: &[&str]| {
        let args = ["in/", "--out", "out/", "--delete-vanished"];
        run(&tree, "upcase", &[&args[..], more].concat())
    };
    let left = || {
        let found = fs::read_dir(tree.path().join("out/t.tar")).unwrap();
        let mut names: Vec<_> = found.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    pack(&["a", "b", "c"]);
    again(&[]).exits(0);
    // One that is not asked for is not gone, and one behind damage may be there.
    again(&["--include-members", "a"]).exits(0);
    assert_eq!(left(), ["a", "b", "c"]);
    let whole = tree.read("in/t.tar");
    tree.file("in/t.tar", &whole[..1100]);
    again(&[]).exits(1);
    assert_eq!(left(), ["a", "b", "c"]);
    pack(&["a", "c"]);
    let message = again(&[]).exits(0).stderr;
    assert!(message.contains("1 output of a source that is gone was removed"), "{message}");
    assert_eq!(left(), ["a", "c"]);
}

#[test]
fn an_output_that_was_edited_stays_when_its_source_fails_and_that_is_reported() {
    let tree = Tree::with(&[("in/a.csv", "a,b\n1,2\n"), ("in/b.csv", "a\n1\n")]);
    run(&tree, "csv2jsonl", &["in/", "--out", "out/"]).exits(0);
    tree.file("in/a.csv", "a,a\n3,4\n");
    tree.file("out/a.csv.jsonl", "mine\n");
    let message = run(&tree, "csv2jsonl", &["in/", "--out", "out/"]).exits(1).stderr;
    let expected = "1 output of a source that fails now was not as it was left, and stays";
    assert!(message.contains(expected), "{message}");
    assert_eq!(tree.read("out/a.csv.jsonl"), b"mine\n");
}

#[test]
fn no_output_takes_the_place_of_a_file_that_a_flag_names() {
    let tree = Tree::with(&[("in/a", "a\n"), ("in/b", "b\n")]);
    fs::create_dir(tree.path().join("out")).unwrap();
    for flag in ["--rejects", "--report", "--ledger"] {
        let args = ["in/", "--out", "out/", "--exists", "replace", flag, "out/b"];
        let message = Host::run(&plugin("upcase")).within(tree.path()).args(args).ended().exits(2);
        assert!(
            message.stderr.starts_with(&format!("error: {flag} and --out name one file: out/b\n")),
            "{message}"
        );
    }
}

#[test]
fn a_check_compares_sizes_and_what_is_in_outputs() {
    let tree = Tree::with(&[("in/a", "a\n"), ("in/b", &*"b\n".repeat(300_000))]);
    run(&tree, "upcase", &["in/", "--out", "out/", "-j2"]).exits(0);
    check(&tree, &["--digest"]).exits(0);
    let mut bytes = tree.read("out/b");
    bytes[300_000] ^= 1;
    tree.file("out/b", bytes);
    check(&tree, &[]).exits(0);
    let message = check(&tree, &["--digest"]).exits(1).stderr;
    assert!(message.ends_with("out/b: has other bytes than were written\n"), "{message}");
    tree.file("out/a", "");
    let message = check(&tree, &[]).exits(1).stderr;
    assert!(message.ends_with("out/a: has 0 bytes, and had 2\n"), "{message}");
}

#[test]
fn outputs_with_names_that_are_no_text_are_distinguished() {
    let tree = Tree::with(&[(r"in/caf\xe9", "x\n")]);
    let in_latin_1 = tree.path().join(std::ffi::OsStr::from_bytes(b"in/caf\xe9"));
    fs::write(in_latin_1, "x\n").unwrap();
    run(&tree, "upcase", &["in/", "--out", "out/"]).exits(0);
    let export = Host::new().within(tree.path()).args(["ledger", "export", "done"]).ended();
    let rows = export.exits(0).lines();
    let outputs: Vec<_> = rows.iter().map(|row| row["output"].as_str().unwrap()).collect();
    // As sources are: a byte that is no text is \xNN, and so is a backslash before such digits.
    assert_eq!(outputs, [r"caf\x5cxe9", r"caf\xe9"]);
}

#[test]
fn two_sources_of_one_run_never_take_turns_with_one_output() {
    let tree = Tree::with(&[("in/a/x", "first\n"), ("in/b/x", "second\n")]);
    let args = ["in", "--out", "out/", "--name", "{name}", "--exists", "replace"];
    for _ in 0..3 {
        let message = run(&tree, "upcase", &args).exits(1).stderr;
        assert!(message.contains("in/b/x: its output is that of in/a/x, too: x"), "{message}");
        assert_eq!(tree.read("out/x"), b"FIRST\n");
    }
}

#[test]
fn a_source_is_done_only_where_its_output_would_go_now() {
    let tree = Tree::with(&[("in/a", "one\n")]);
    run(&tree, "upcase", &["in/", "--out", "out/"]).exits(0);
    run(&tree, "upcase", &["in", "--out", "out/"]).exits(0);
    assert_eq!((tree.read("out/a"), tree.read("out/in/a")), (b"ONE\n".to_vec(), b"ONE\n".to_vec()));
    let again = run(&tree, "upcase", &["in", "--out", "out/"]).exits(0).stderr;
    assert_eq!(again, "1 source is done already, and was skipped\n");
}

#[test]
fn one_file_by_two_names_is_no_rival_of_itself() {
    let tree = Tree::with(&[("in/a", "one\n")]);
    for input in ["in/", "./in/", "in/"] {
        run(&tree, "upcase", &[input, "--out", "out/"]).exits(0);
        assert_eq!(tree.read("out/a"), b"ONE\n");
    }
}

/// What is compressed goes to its name as it is stored where the plain name is another's, also one
/// that is done, and that nobody asks any more.
#[test]
fn a_compressed_source_that_comes_later_leaves_the_plain_name_alone() {
    let tree = Tree::with(&[("in/a", "one\n")]);
    let args = ["in/", "--out", "out/", "--exists", "replace"];
    run(&tree, "upcase", &args).exits(0);
    tree.file("in/a.gz", oracle("gzip", &["-c"], b"two\n"));
    for _ in 0..2 {
        run(&tree, "upcase", &args).exits(0);
        assert_eq!(
            (tree.read("out/a"), tree.read("out/a.gz")),
            (b"ONE\n".to_vec(), b"TWO\n".to_vec())
        );
    }
}

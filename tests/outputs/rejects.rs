//! Records that are set aside: counted, written with where they were, and too many of them.

use std::collections::BTreeMap;
use std::path::Path;

use gristmill::job::{Out, TreeOut};
use gristmill::output::{Format, Root};
use gristmill::plugin::Engine;
use gristmill::settings::limits::{REJECT_LINE_BYTES_MAX, WINDOW_BYTES};
use gristmill::settings::{Durable, Exists, Run};
use serde_json::{Value, json};

use super::{report, visible};
use crate::support::host::{Ended, Host};
use crate::support::job::{self, Task};
use crate::support::oracle::oracle;
use crate::support::pack;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// Lines of which each seventh is no JSON: a text, or bytes that are none.
fn lines(count: usize) -> Vec<u8> {
    let mut text = Vec::new();
    for n in 0..count {
        match n % 14 {
            6 => text.extend(format!("{{\"n\":{n}\n").into_bytes()),
            13 => text.extend([format!("[{n} ").as_bytes(), b"\xff]\n"].concat()),
            _ => text.extend(format!("{{\"n\":{n}}}\n").into_bytes()),
        }
    }
    text
}

fn sources() -> Tree {
    Tree::with(&[
        ("in/a", lines(10_000)),
        ("in/b", b"{\"n\":1}\n".to_vec()),
        ("in/c.gz", pack::gzip(&lines(5_000))),
        ("in/d", b"{\n".to_vec()),
    ])
}

fn filter(tree: &Tree, args: &[&str]) -> Ended {
    let host = Host::run(&plugin("jsonfilter")).within(tree.path()).args(["--set", "field=n"]);
    host.args(args).ended()
}

fn rejects(tree: &Tree) -> Vec<Value> {
    let text = String::from_utf8(tree.read("rejects")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Every rejected line is in its source where it is said to be.
#[track_caller]
fn are_where_they_say(rejects: &[Value], texts: &BTreeMap<&str, Vec<u8>>) {
    for reject in rejects {
        let text = &texts[reject["source"].as_str().unwrap()];
        let at = usize::try_from(reject["offset"].as_u64().unwrap()).unwrap();
        let length = usize::try_from(reject["bytes"].as_u64().unwrap()).unwrap();
        let data = match (&reject["text"], &reject["base64"]) {
            (Value::String(text), Value::Null) => text.clone().into_bytes(),
            (Value::Null, Value::String(packed)) => {
                let packed = packed.clone().into_bytes();
                oracle("base64", &["-d"], &packed)
            }
            _ => panic!("{reject}"),
        };
        assert_eq!(data, text[at..at + length], "{reject}");
        assert!(reject["reason"].as_str().unwrap().len() > 5, "{reject}");
    }
}

#[test]
fn they_are_the_same_over_workers_chunks_and_sinks() {
    let tree = sources();
    let texts = [("in/a", lines(10_000)), ("in/c.gz", lines(5_000)), ("in/d", b"{\n".to_vec())];
    let mut first: Option<Vec<u8>> = None;
    for threads in ["1", "2", "4"] {
        for chunk in ["4KiB", "64KiB", "512KiB"] {
            for out in ["-", "file", "out/"] {
                let args = ["-j", threads, "--chunk-size", chunk, "--out", out, "--exists=replace"];
                let more = ["--rejects", "rejects", "--max-rejects", "100%"];
                let more = [&more[..], &["--report", "report.json", "in"]].concat();
                let ended = filter(&tree, &[&args[..], &more].concat()).exits(0);
                let message = "2143 records of 3 sources were set aside (first: in/a:7: ";
                assert!(ended.stderr.starts_with(message), "{ended}");
                assert!(ended.stderr.ends_with("hint: they are in rejects\n"), "{ended}");
                assert_eq!(report(&tree)["rejected"], 1428 + 714 + 1);
                let written = tree.read("rejects");
                assert!(*first.get_or_insert_with(|| written.clone()) == written, "{args:?}");
            }
        }
    }
    let found = rejects(&tree);
    assert_eq!(found.len(), 1428 + 714 + 1);
    // A few of each kind are enough to look for.
    let some: Vec<_> = found.iter().step_by(131).chain(found.last()).cloned().collect();
    are_where_they_say(&some, &texts.into_iter().collect());
}

#[test]
fn without_a_file_for_them_they_are_counted() {
    let tree = sources();
    let ended = filter(&tree, &["--report", "report.json", "in"]).exits(1);
    assert!(
        ended.stderr.ends_with("hint: --rejects FILE keeps them\n1 of 4 sources failed\n"),
        "{ended}"
    );
    let message = report(&tree);
    assert_eq!(message["rejected"], 1428 + 714 + 1);
    assert_eq!(
        (&message["set_aside"]["records"], &message["set_aside"]["sources"]),
        (&json!(2143), &json!(3))
    );
    let first = &message["set_aside"]["first"];
    assert_eq!((&first["source"], &first["line"]), (&json!("in/a"), &json!(7)));
    // More than 1,000 of them, and 1 % of its bytes, are too many.
    assert_eq!((&message["failed"], &message["files"]), (&json!(1), &json!(4)));
    // Few are no failure of their source; that they are lost unasked is one of the run.
    filter(&tree, &["in/d"]).exits(1);
    filter(&tree, &["--max-rejects", "100%", "in"]).exits(0);
}

#[test]
fn too_many_fail_their_source_alone() {
    let tree = sources();
    for (max, failed) in [("1428", 0), ("1427", 1), ("1", 2), ("0", 3), ("20%", 1), ("5%", 3)] {
        for args in [
            ["-j1", "--chunk-size=512KiB"],
            ["-j1", "--chunk-size=4KiB"],
            ["-j4", "--chunk-size=4KiB"],
        ] {
            let more = ["--max-rejects", max, "--out", "out/", "--exists=replace", "--report"];
            let ended = filter(&tree, &[&args[..], &more, &["report.json", "in/"]].concat());
            let ended = ended.exits(i32::from(failed > 0));
            assert_eq!(
                ended.stderr.matches(" were set aside by the plugin").count(),
                failed,
                "{ended}"
            );
            let message = report(&tree);
            assert_eq!(message["failed"], failed, "--max-rejects {max} {args:?}");
            assert_eq!(message["files"], 4, "--max-rejects {max} {args:?}");
            let out = tree.path().join("out");
            assert_eq!(visible(&out).len(), 4 - failed, "--max-rejects {max} {args:?}");
            std::fs::remove_dir_all(out).unwrap();
        }
    }
}

#[test]
fn those_of_a_source_that_fails_for_them_are_written_too() {
    let tree = sources();
    let texts = [("in/a", lines(10_000)), ("in/c.gz", lines(5_000)), ("in/d", b"{\n".to_vec())];
    let texts = texts.into_iter().collect();
    for args in
        [["-j1", "--chunk-size=512KiB"], ["-j1", "--chunk-size=4KiB"], ["-j4", "--chunk-size=4KiB"]]
    {
        for out in ["-", "file", "out/"] {
            let more = ["--max-rejects=100", "--rejects=rejects", "--exists=replace", "--out", out];
            filter(&tree, &[&args[..], &more, &["in"]].concat()).exits(1);
            let found = rejects(&tree);
            for source in ["in/a", "in/c.gz"] {
                let own = found.iter().filter(|reject| reject["source"] == json!(source)).count();
                assert!(own > 100, "{source}: {own} are written, {args:?} to {out}");
            }
            assert_eq!(found.last().unwrap()["source"], "in/d");
            let some: Vec<_> = found.into_iter().step_by(97).collect();
            are_where_they_say(&some, &texts);
        }
    }
    let more = ["--max-rejects=1%", "--rejects=rejects", "--exists=replace", "in/d"];
    filter(&tree, &more).exits(1);
    assert_eq!(rejects(&tree).len(), 1, "of a source of one chunk");
}

#[test]
fn a_chain_says_which_plugin_set_them_aside() {
    let tree = Tree::with(&[("a.csv", "n\n1\n2,3\n4\n")]);
    let chained =
        [plugin("csv2jsonl"), plugin("jsonfilter")].map(|path| path.display().to_string());
    let host = Host::run(Path::new(&chained.join("|"))).within(tree.path());
    let ended = host.args(["--set", "jsonfilter.field=n", "--rejects", "rejects", "a.csv"]).ended();
    assert_eq!(ended.exits(0).text(), "{\"n\":\"1\"}\n{\"n\":\"4\"}\n");
    let [only] = &rejects(&tree)[..] else { panic!("one") };
    assert_eq!((&only["stage"], &only["line"]), (&json!("csv2jsonl"), &json!(3)));
    assert_eq!(only["reason"], "has 2 fields, and the header 1 name");
    assert_eq!((&only["offset"], &only["text"]), (&json!(4), &json!("2,3")));
}

/// A byte order mark is no part of the text, and a part of the source.
#[test]
fn offsets_behind_a_byte_order_mark_are_those_in_the_source() {
    let plain = [b"\xef\xbb\xbf", &lines(3000)[..]].concat();
    let tree = Tree::with(&[("in/a", &plain), ("in/c.gz", &pack::gzip(&plain))]);
    let tar = "tar -C \"$0/in\" -czf - --transform s,a,m, a";
    let tar = oracle("bash", &["-c", tar, tree.path().to_str().unwrap()], b"");
    tree.file("in/t.tgz", tar);
    let names = ["in/a", "in/c.gz", "in/t.tgz!/m"];
    let texts: BTreeMap<_, _> = names.map(|name| (name, plain.clone())).into();
    for args in [&["--threads", "1"][..], &["--threads", "3", "--chunk-size", "2KiB"]] {
        let all = ["--rejects", "rejects", "--exists", "replace", "--max-rejects", "100%", "in"];
        filter(&tree, &[&all[..], args].concat()).exits(0);
        let found = rejects(&tree);
        let expected = plain.split_inclusive(|&byte| byte == b'\n').count() / 7;
        assert_eq!(found.len(), 3 * expected);
        are_where_they_say(&found, &texts);
    }
}

/// A run that goes on where the last one stopped; the sources and texts of its rejects, in the
/// order of their names.
fn went_on(tree: &Tree, inputs: &[&str], code: i32) -> Vec<(String, String)> {
    let args = ["--ledger", "done", "--out", "out/", "--rejects", "rejects", "--max-rejects", "2"];
    filter(tree, &[&args[..], inputs].concat()).exits(code);
    let text = |value: &Value| value.as_str().unwrap().to_string();
    let found = rejects(tree);
    let mut found: Vec<_> =
        found.iter().map(|reject| (text(&reject["source"]), text(&reject["text"]))).collect();
    found.sort();
    found
}

#[test]
fn with_a_ledger_those_of_sources_that_are_done_stay_and_the_others_come_once() {
    let bad = ["in/bad", "in/bad", "in/bad"];
    let tree = Tree::with(&[("in/a", "{a\n{}\n"), ("in/b", "{b\n"), ("in/bad", "{1\n{2\n{3\n")]);
    tree.file("m", "{m\n");
    tree.file("n", "{n\n{o\n");
    let dir = tree.path().to_str().unwrap();
    let packed = oracle("tar", &["-cz", "-C", dir, "--remove-files", "m", "n"], b"");
    tree.file("packed.tar.gz", packed);
    let sources = |found: &[(String, String)]| {
        found.iter().map(|(source, _)| source.clone()).collect::<Vec<_>>()
    };
    let members = ["packed.tar.gz!/m", "packed.tar.gz!/n", "packed.tar.gz!/n"];
    let all = [&["in/a", "in/b"][..], &bad, &members].concat();
    let inputs = ["in", "packed.tar.gz"];
    let first = went_on(&tree, &inputs, 1);
    assert_eq!(sources(&first), all);
    // What failed is done again, and so is an archive that is read from its front.
    assert_eq!(went_on(&tree, &inputs, 1), first);
    // A kill has left half a line behind those that are whole, of a source that it had not come to
    // the end of.
    let half =
        b"{\"source\":\"in/b\",\"offset\":0,\"reason\":\"x\",\"bytes\":2,\"text\":\"{x\"}\n{\"sou";
    tree.file("rejects", [&tree.read("rejects")[..], half].concat());
    tree.file("in/b", "{other\n");
    let found = went_on(&tree, &["in/a", "in/b"], 0);
    assert_eq!(sources(&found), all);
    let of_b: Vec<_> = found.iter().filter(|(source, _)| source == "in/b").collect();
    assert_eq!(of_b, [&("in/b".to_string(), "{other".to_string())]);
    // Sources that are gone keep theirs; without a ledger, the file is one run's.
    std::fs::remove_file(tree.path().join("in/a")).unwrap();
    assert_eq!(went_on(&tree, &["in", "packed.tar.gz"], 1), found);
    let message = filter(&tree, &["--rejects", "rejects", "in/b"]).exits(2).stderr;
    assert!(message.starts_with("error: --rejects rejects: exists already\n"), "{message}");
    filter(&tree, &["--rejects", "rejects", "--exists", "replace", "in/b"]).exits(0);
    assert_eq!(rejects(&tree).len(), 1);
}

#[test]
fn with_a_ledger_a_file_of_something_else_is_left() {
    let tree = Tree::with(&[("in/a", "{a\n"), ("rejects", "no json\n")]);
    let args = ["--ledger", "done", "--out", "out/", "--rejects", "rejects", "in"];
    filter(&tree, &args).exits(0);
    let text = String::from_utf8(tree.read("rejects")).unwrap();
    assert!(text.starts_with("no json\n{\"source\":\"in/a\","), "{text}");
    let long = vec![b'x'; usize::try_from(REJECT_LINE_BYTES_MAX).unwrap()];
    tree.file("rejects", &long);
    std::fs::remove_file(tree.path().join("done")).unwrap();
    let ended = filter(&tree, &args).exits(2);
    let message = "error: --rejects rejects: a line is longer than 16777216 bytes: no rejects\n";
    assert_eq!(ended.stderr, message);
    assert!(tree.read("rejects") == long);
}

#[test]
fn they_are_the_same_however_few_may_wait_for_their_turn() {
    let tree = Tree::with(&[("in/00", lines(20_000))]);
    for n in 1..40 {
        tree.file(&format!("in/{n:02}"), lines(n * 31));
    }
    let engine = Engine::new().unwrap();
    let filter = job::load(&engine, &plugin("jsonfilter"), &[("field", "n")]);
    let task = Task { processor: &filter, framing: "lines", format: Format::Raw };
    let mut first: Option<Vec<u8>> = None;
    for (threads, window_bytes) in [(1, 0), (2, 0), (4, 0), (4, 3000), (4, WINDOW_BYTES)] {
        let settings = Run { threads, window_bytes, chunk_bytes: 4096, ..Run::default() };
        let out = Tree::new();
        let root = Root::open(out.path(), Durable::Fast).unwrap();
        let place = |index: usize, _: Option<&Path>| Ok(format!("{index}").into());
        let into = TreeOut { root: &root, exists: Exists::Fail, place: &place };
        let ran = job::run_into(task, &[tree.path().join("in")], &settings, Out::Tree(into));
        assert_eq!(ran.ended.unwrap().sources, 40);
        assert_eq!(visible(out.path()).len(), 40);
        let rejects = first.get_or_insert_with(|| ran.rejects.clone());
        assert!(*rejects == ran.rejects, "{threads} threads, {window_bytes} bytes");
        assert!(rejects.len() > 3000 * 10, "far more than may wait");
    }
}

#[test]
fn a_file_for_each_source_is_in_its_order_whatever_is_said_of_the_order_of_all() {
    let tree = sources();
    let args = ["--unordered", "-j4", "--chunk-size=4KiB", "--out", "out/"];
    let more = ["--max-rejects", "3", "--report", "report.json", "in/"];
    let ended = filter(&tree, &[args, more].concat()).exits(1);
    assert_eq!(ended.stderr.matches("more than 3 records were set aside").count(), 2, "{ended}");
    let message = report(&tree);
    assert_eq!((&message["files"], &message["failed"]), (&json!(4), &json!(2)));
    assert_eq!(visible(&tree.path().join("out")).len(), 2);
}

#[test]
fn with_a_ledger_a_loss_is_reported_until_it_is_kept_or_allowed() {
    let tree = Tree::with(&[("in/a", "{a\n{}\n{b\n"), ("in/b", "{}\n")]);
    let run = |args: &[&str]| {
        let to = ["--ledger", "done", "--out", "out/", "in/"];
        filter(&tree, &[&to[..], args].concat())
    };
    let lost = "2 records of 1 source were set aside (first: in/a:1: ";
    let again = "done again: 1 with records set aside that are in no --rejects file\n";
    assert!(run(&[]).exits(1).stderr.starts_with(lost));
    for _ in 0..2 {
        let message = run(&[]).exits(1).stderr;
        assert!(message.contains(again) && message.contains(lost), "{message}");
    }
    // More than the maximum fail the source, even if an earlier run accepted them.
    for (max, code) in [("2", 0), ("1", 1), ("2", 0), ("100%", 0)] {
        run(&["--max-rejects", max]).exits(code);
    }
    // A file that does not hold them gets them; one that does is left alone.
    let text = |name: &str| String::from_utf8(tree.read(name)).unwrap();
    for name in ["one", "two"] {
        assert!(run(&["--rejects", name]).exits(0).stderr.contains(again));
        let lines = oracle("jq", &["-r", ".text"], &tree.read(name));
        assert_eq!(lines, b"{a\n{b\n");
        let kept = text(name);
        let message = run(&["--rejects", name]).exits(0).stderr;
        assert_eq!(message, "2 sources are done already, and were skipped\n");
        assert_eq!(text(name), kept);
    }
    // One line went: both come anew, once.
    let first = text("one").lines().next().unwrap().to_string() + "\n";
    tree.file("one", first);
    run(&["--rejects", "one"]).exits(0);
    assert_eq!(text("one"), text("two"));
}

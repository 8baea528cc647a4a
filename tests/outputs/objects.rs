//! Output in object stores: what a file or directory would have, seen when it is whole, and nothing
//! of what was given up.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::files;
use crate::support::between::{Act, Asked, Between};
use crate::support::host::Host;
use crate::support::moto::{Callers, Moto};
use crate::support::pack::{gzip, text};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

const MIB: usize = 1 << 20;

/// `host run` with what it needs to write to a store.
fn writing(endpoint: &str, name: &str, tree: &Tree, args: &[&str]) -> Host {
    Host::run(&plugin(name))
        .within(tree.path())
        .env("NO_PROXY", "127.0.0.1")
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
        .env("AWS_SECRET_ACCESS_KEY", "topsecret")
        .args(args)
}

fn upcase(endpoint: &str, tree: &Tree, args: &[&str]) -> Host {
    writing(endpoint, "upcase", tree, args)
}

/// A store with an empty bucket `out`.
fn store() -> Option<Moto> {
    let moto = Moto::start(Callers::Anybody)?;
    moto.bucket("out");
    Some(moto)
}

/// That there is nothing in the bucket, seen or not.
#[track_caller]
fn assert_nothing_in(moto: &Moto) {
    assert_eq!(moto.keys("out"), [""; 0]);
    assert_eq!(moto.uploads("out"), 0);
}

/// Lines that gzip makes small, and of which the last part of a stream is missing.
fn broken(bytes: usize) -> Vec<u8> {
    let mut packed = gzip(&text(bytes));
    packed.truncate(packed.len() * 19 / 20);
    packed
}

#[test]
fn an_object_is_what_a_file_is_and_large_ones_come_in_parts() {
    let Some(moto) = store() else { return };
    let plain = text(20 * MIB);
    let tree = Tree::with(&[("large", &plain[..]), ("small", b"a line\n")]);
    let expected = [&plain[..], b"a line\n"].concat().to_ascii_uppercase();
    for threads in ["1", "4"] {
        let between = Between::new(&moto.endpoint(), |_| Act::Pass);
        let args = ["-j", threads, "--out", "s3://out/to/one", "large", "small"];
        upcase(&between.endpoint(), &tree, &args).args(["--exists", "replace"]).ended().exits(0);
        assert!(moto.get("/out/to/one").unwrap() == expected, "other bytes");
        let mut kinds = between.kinds();
        kinds[2..5].sort(); // parts come in any order
        let parts = ["PUT partNumber"; 3];
        assert_eq!(kinds, [&["GET", "POST uploads"], &parts[..], &["POST uploadId"]].concat());
        let mut sizes: Vec<_> = between
            .asked()
            .iter()
            .filter(|asked| asked.is_part())
            .map(|asked| asked.body.len())
            .collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [expected.len() - 16 * MIB, 8 * MIB, 8 * MIB]);
        assert!(moto.head("/out/to/one").contains("content-type: application/octet-stream"));
    }
    // Of as many bytes as a part has, it is put at once; of none, too.
    let tree = Tree::with(&[("part", &plain[..8 * MIB]), ("none", b"")]);
    for name in ["part", "none"] {
        let between = Between::new(&moto.endpoint(), |_| Act::Pass);
        let out = format!("s3://out/{name}");
        upcase(&between.endpoint(), &tree, &["--out", &out, name]).ended().exits(0);
        assert_eq!(between.kinds(), ["GET", "PUT"]);
        let expected = tree.read(name).to_ascii_uppercase();
        assert!(moto.get(&format!("/out/{name}")).unwrap() == expected, "other bytes in {name}");
    }
    assert_eq!(moto.uploads("out"), 0);
}

#[test]
fn a_prefix_has_what_a_directory_has() {
    let Some(moto) = store() else { return };
    let large = text(10 * MIB);
    let sources = [
        ("in/a.txt", &b"a\n"[..]),
        ("in/deep/er/b.log", b"b\n"),
        ("in/deep/large.txt", &large),
        ("in/none", b""),
        ("in/\u{fc} ?#%41", b"odd\n"),
    ];
    for (compress, name) in [("none", "{dir}/{name}"), ("gzip", "{dir}/{stem}.{plugin}{ext}")] {
        let tree = Tree::with(&sources);
        let args = ["--compress", compress, "--name", name];
        let to = |out| upcase(&moto.endpoint(), &tree, &args).args(["--out", out, "in/"]).ended();
        to("files/").exits(0);
        to(&format!("s3://out/{compress}/")).exits(0);
        let found = files(&tree.path().join("files"));
        let prefix = format!("{compress}/");
        let keys: Vec<_> =
            moto.keys("out").into_iter().filter(|key| key.starts_with(&prefix)).collect();
        let expected: Vec<_> = found.keys().map(|name| format!("{prefix}{name}")).collect();
        assert_eq!(keys, expected);
        for (name, bytes) in &found {
            let encoded: String = name.bytes().map(encode).collect();
            let there = moto.get(&format!("/out/{compress}/{encoded}"));
            assert!(there.as_ref() == Some(bytes), "{name}");
        }
    }
    assert!(moto.head("/out/gzip/a.upcase.txt").contains("content-type: application/gzip"));
    assert_eq!(moto.uploads("out"), 0);
}

fn encode(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    }
}

#[test]
fn results_are_an_object_too() {
    let Some(moto) = store() else { return };
    let tree = Tree::with(&[("a", "one two\n"), ("b", "three\n")]);
    let args = ["--format", "json", "a", "b"];
    let run = || writing(&moto.endpoint(), "wordcount", &tree, &args);
    run().args(["--out", "s3://out/result.json"]).ended().exits(0);
    assert_eq!(moto.get("/out/result.json").unwrap(), run().ended().exits(0).stdout);
    assert!(moto.head("/out/result.json").contains("content-type: application/json"));

    let ended = run().args(["--out", "s3://none/result.json"]).ended().exits(2);
    assert!(ended.stderr.contains("there is no bucket none"), "{ended}");
}

#[test]
fn what_came_of_a_source_that_fails_halfway_is_taken_back() {
    let Some(moto) = store() else { return };
    let (before, after) = (text(9 * MIB), text(5 * MIB));
    let broken = broken(30 * MIB);
    let tree = Tree::with(&[("a", &before), ("bad.gz", &broken), ("c", &after), ("d.gz", &broken)]);
    let sources = ["a", "bad.gz", "c", "d.gz"];
    for threads in ["1", "3"] {
        let between = Between::new(&moto.endpoint(), |_| Act::Pass);
        let args = ["-j", threads, "--exists", "replace", "--out", "s3://out/one"];
        let ended = upcase(&between.endpoint(), &tree, &args).args(sources).ended().exits(1);
        assert!(ended.stderr.ends_with("2 of 4 sources failed\n"), "{ended}");
        let expected = [&before[..], &after[..]].concat().to_ascii_uppercase();
        assert!(moto.get("/out/one").unwrap() == expected, "other bytes");
        let parts = between.asked().iter().filter(|asked| asked.is_part()).count();
        assert!(parts > 4, "only {parts} parts: nothing was taken back");
    }
    // Of a prefix, each object by itself.
    let between = Between::new(&moto.endpoint(), |_| Act::Pass);
    let to = upcase(&between.endpoint(), &tree, &["--out", "s3://out/each/"]).args(sources);
    let ended = to.ended().exits(1);
    assert!(ended.stderr.ends_with("2 of 4 sources failed\n"), "{ended}");
    assert_eq!(moto.keys("out"), ["each/a", "each/c", "one"]);
    // Where its connection is lost, a request is made again.
    let asked = between.asked();
    let given_up = asked.iter().filter(|asked| asked.kind() == "DELETE uploadId");
    assert_eq!(given_up.map(|asked| &asked.path).collect::<BTreeSet<_>>().len(), 2);
    assert_eq!(moto.uploads("out"), 0);
}

#[test]
fn a_run_that_ends_early_leaves_nothing() {
    let Some(moto) = store() else { return };
    let tree = Tree::with(&[("bad.gz", broken(30 * MIB))]);
    for out in ["s3://out/one", "s3://out/each/"] {
        let between = Between::new(&moto.endpoint(), |_| Act::Pass);
        let args = ["--fail-fast", "--out", out, "bad.gz"];
        upcase(&between.endpoint(), &tree, &args).ended().exits(1);
        assert!(between.kinds().contains(&"DELETE uploadId".to_string()), "nothing was begun");
        assert_nothing_in(&moto);
    }
}

#[test]
fn an_interrupted_run_leaves_nothing() {
    let Some(moto) = store() else { return };
    let tree = Tree::with(&[("a", text(40 * MIB))]);
    for (signal, out) in [
        (Signal::INT, "s3://out/one"),
        (Signal::TERM, "s3://out/one"),
        (Signal::INT, "s3://out/each/"),
    ] {
        // The first part is there, the others are on their way.
        let between = Between::new(&moto.endpoint(), |asked: &Asked| {
            let later = asked.is_part() && !asked.path.contains("partNumber=1&");
            if later { Act::Hold } else { Act::Pass }
        });
        let mut child = upcase(&between.endpoint(), &tree, &["--out", out, "a"]).start();
        between.wait_until_held(2);
        let begun = Instant::now();
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert!(between.kinds().contains(&"DELETE uploadId".to_string()), "nothing was begun");
        assert_nothing_in(&moto);
    }
}

#[test]
fn parts_that_are_on_their_way_are_bounded() {
    let Some(moto) = store() else { return };
    let tree = Tree::with(&[("0", text(9 * MIB))]);
    let bytes = tree.read("0").len();
    for link in 1..14 {
        fs::hard_link(tree.path().join("0"), tree.path().join(link.to_string())).unwrap();
    }
    let between =
        Between::new(&moto.endpoint(), |asked| if asked.is_part() { Act::Hold } else { Act::Pass });
    let mut child =
        upcase(&between.endpoint(), &tree, &["-j2", "--out", "s3://out/one", "."]).start();
    between.wait_until_held(8);
    between.release();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(between.parts_at_once_max(), 8);
    assert_eq!(moto.get("/out/one").unwrap().len(), 14 * bytes);
}

/// That of the parts, the first tries go wrong in this way.
fn once(act: Act) -> impl Fn(&Asked) -> Act + Send + Sync {
    let times = AtomicUsize::new(0);
    move |asked| {
        let again = !asked.is_part() || times.fetch_add(1, Ordering::Relaxed) > 0;
        if again { Act::Pass } else { act.clone() }
    }
}

#[test]
fn what_goes_wrong_once_is_tried_again() {
    let Some(moto) = store() else { return };
    let plain = text(20 * MIB);
    let tree = Tree::with(&[("a", &plain)]);
    let busy = "<Error><Code>SlowDown</Code></Error>";
    for act in [Act::Answer("503 Slow Down", busy), Act::Break] {
        let between = Between::new(&moto.endpoint(), once(act));
        let args = ["--exists", "replace", "--out", "s3://out/one", "a"];
        upcase(&between.endpoint(), &tree, &args).ended().exits(0);
        assert!(moto.get("/out/one").unwrap() == plain.to_ascii_uppercase(), "other bytes");
        assert_eq!(between.asked().iter().filter(|asked| asked.is_part()).count(), 4);
    }
    assert_eq!(moto.uploads("out"), 0);
}

#[test]
fn what_a_store_refuses_ends_the_run_or_fails_the_source() {
    let Some(moto) = store() else { return };
    let tree = Tree::with(&[("a", &text(20 * MIB)[..]), ("b", b"b\n")]);
    let quota = "<Error><Code>QuotaExceeded</Code><StringToSign>topsecret</StringToSign></Error>";
    let refuses = move |asked: &Asked| {
        if asked.is_part() { Act::Answer("400 Bad Request", quota) } else { Act::Pass }
    };
    let between = Between::new(&moto.endpoint(), refuses);
    let run = |out| upcase(&between.endpoint(), &tree, &["--out", out, "a", "b"]).ended().exits(1);
    insta::assert_snapshot!(run("s3://out/one"), @r"
    exit: 1
    --- stdout
    --- stderr
    error: s3://out/one: cannot write: the store answered 400 Bad Request (QuotaExceeded)
    ");
    assert_nothing_in(&moto);
    insta::assert_snapshot!(run("s3://out/each/"), @r"
    exit: 1
    --- stdout
    --- stderr
    a: s3://out/each/a: cannot write: the store answered 400 Bad Request (QuotaExceeded)
    1 of 2 sources failed
    ");
    assert_eq!(moto.keys("out"), ["each/b"]);
    assert_eq!(moto.uploads("out"), 0);
}

#[test]
fn what_is_there_is_left_or_replaced_as_was_said() {
    let Some(moto) = store() else { return };
    let large = text(10 * MIB);
    let tree = Tree::with(&[("large", &large[..]), ("small", b"new\n")]);
    let begin =
        || ["one", "each/large", "each/small"].map(|key| moto.put(&format!("/out/{key}"), b"old"));
    let run =
        |args: &[&str]| upcase(&moto.endpoint(), &tree, args).args(["large", "small"]).ended();
    let there = |key: &str| moto.get(&format!("/out/{key}")).unwrap();
    let all_old = || ["one", "each/large", "each/small"].iter().all(|key| there(key) == b"old");

    begin();
    insta::assert_snapshot!(run(&["--out", "s3://out/one"]), @r"
    exit: 2
    --- stdout
    --- stderr
    error: s3://out/one: exists already
    hint: --exists skip leaves it, --exists replace overwrites it
    ");
    insta::assert_snapshot!(run(&["--out", "s3://out/each/"]), @r"
    exit: 1
    --- stdout
    --- stderr
    large: s3://out/each/large: exists already
    hint: --exists skip leaves it, --exists replace overwrites it
    small: s3://out/each/small: exists already
    hint: --exists skip leaves it, --exists replace overwrites it
    2 of 2 sources failed
    ");
    insta::assert_snapshot!(run(&["--exists", "skip", "--out", "s3://out/one"]), @r"
    exit: 0
    --- stdout
    --- stderr
    s3://out/one is there already, and is left
    ");
    insta::assert_snapshot!(run(&["--exists", "skip", "--out", "s3://out/each/"]), @r"
    exit: 0
    --- stdout
    --- stderr
    ");
    assert!(all_old());
    run(&["--exists", "replace", "--out", "s3://out/one"]).exits(0);
    run(&["--exists", "replace", "--out", "s3://out/each/"]).exits(0);
    assert!(there("one") == [&large[..], b"new\n"].concat().to_ascii_uppercase(), "other bytes");
    assert!(there("each/large") == large.to_ascii_uppercase(), "other bytes");
    assert_eq!(there("each/small"), b"NEW\n");
    assert_eq!(moto.uploads("out"), 0);
}

#[test]
fn what_comes_to_be_there_meanwhile_is_not_replaced() {
    let Some(moto) = store() else { return };
    let tree = Tree::with(&[("large", &text(10 * MIB)[..]), ("small", b"new\n")]);
    for key in ["large", "small"] {
        moto.put(&format!("/out/{key}"), b"old");
        // Looks find nothing. Who puts parts together is told by us, as moto does not heed the
        // condition there.
        let between = Between::new(&moto.endpoint(), |asked| match asked.kind().as_str() {
            "GET" => Act::Answer("404 Not Found", "<Error><Code>NoSuchKey</Code></Error>"),
            "POST uploadId" => {
                assert_eq!(asked.headers["if-none-match"], "*");
                Act::Answer("412 Precondition Failed", "")
            }
            _ => Act::Pass,
        });
        let out = format!("s3://out/{key}");
        for (exists, code) in [("fail", 1), ("skip", 0)] {
            let args = ["--exists", exists, "--out", &out, key];
            let ended = upcase(&between.endpoint(), &tree, &args).ended().exits(code);
            assert_eq!(ended.stderr.contains("exists already"), code == 1, "{ended}");
        }
        assert_eq!(moto.get(&format!("/out/{key}")).unwrap(), b"old");
    }
    assert_eq!(moto.uploads("out"), 0);
    // A store that is said to have no conditions is looked at.
    let between = Between::new(&moto.endpoint(), |_| Act::Pass);
    for key in ["large", "small"] {
        let out = format!("s3://out/new/{key}");
        let host = upcase(&between.endpoint(), &tree, &["--out", &out, key]);
        host.env("AWS_CONDITIONAL_PUT", "disabled").ended().exits(0);
    }
    assert!(between.asked().iter().all(|asked| !asked.headers.contains_key("if-none-match")));
    let looks = between.kinds().iter().filter(|kind| *kind == "GET").count();
    assert_eq!(looks, 5, "before the run, before the first part, and last of all");
}

#[test]
fn who_may_only_write_writes() {
    let Some(moto) = store() else { return };
    let tree = Tree::with(&[("large", &text(10 * MIB)[..]), ("small", b"new\n")]);
    let between = Between::new(&moto.endpoint(), |asked| match asked.method.as_str() {
        "GET" => Act::Answer("403 Forbidden", "<Error><Code>AccessDenied</Code></Error>"),
        _ => Act::Pass,
    });
    let run = |out, conditions| {
        let host = upcase(&between.endpoint(), &tree, &["--out", out, "large", "small"]);
        host.env("AWS_CONDITIONAL_PUT", conditions).ended()
    };
    run("s3://out/one", "etag").exits(0);
    run("s3://out/each/", "etag").exits(0);
    assert_eq!(moto.keys("out"), ["each/large", "each/small", "one"]);
    let ended = run("s3://out/two", "disabled").exits(1);
    insta::assert_snapshot!(ended, @r"
    exit: 1
    --- stdout
    --- stderr
    error: s3://out/two: cannot write: it cannot be seen whether there is one
    hint: --exists replace does not look; looking takes the permission to read
    ");
    assert_eq!(moto.uploads("out"), 0);
}

#[test]
fn what_cannot_be_written_to_is_reported_before_anything_is_read() {
    let Some(moto) = store() else { return };
    let tree = Tree::with(&[("a", "a\n")]);
    let message = |args: &[&str]| {
        let ended = upcase(&moto.endpoint(), &tree, args).arg("a").ended().exits(2);
        assert!(!ended.stderr.contains("topsecret"), "{ended}");
        ended.stderr
    };
    let all = [
        message(&["--out", "s3://nowhere/key"]),
        message(&["--out", "s3://nowhere/prefix/"]),
        message(&["--out", "s3://nowhere", "--exists", "replace"]),
        message(&["--out", "https://user:topsecret@example.org/key?topsecret"]),
        message(&["--out", "s3://out/../key"]),
        message(&["--out", "s3://out/each/", "--ledger", "done"]),
        message(&["--out", "s3://out/one", "--ledger", "done"]),
        message(&["--out", "s3://out/one", "--name", "{name}"]),
    ];
    insta::assert_snapshot!(all.concat(), @r#"
    error: s3://nowhere/key: cannot write: there is no bucket nowhere (the store answered 404 Not Found (NoSuchBucket))
    hint: buckets are not made here; is it the right name, and AWS_ENDPOINT_URL the right store?
    error: s3://nowhere/prefix/: cannot write: there is no bucket nowhere (the store answered 404 Not Found (NoSuchBucket))
    hint: buckets are not made here; is it the right name, and AWS_ENDPOINT_URL the right store?
    error: s3://nowhere: cannot write: there is no bucket nowhere (the store answered 404 Not Found (NoSuchBucket))
    hint: buckets are not made here; is it the right name, and AWS_ENDPOINT_URL the right store?
    error: --out: example.org is a web server, which takes no output
    hint: s3://, gs:// and az:// do; or write a file, and upload that
    error: s3://out/../key: cannot write: Error parsing Path "../key": Encountered illegal character sequence ".." whilst parsing path segment ".."
    error: --ledger: what is in an object store is not remembered
    hint: with --out DIR/ it is; without --ledger, --exists skip leaves the objects that are there
    error: --ledger: what is in an object store is not remembered
    hint: with --out DIR/ it is; without --ledger, --exists skip leaves the objects that are there
    error: --name: only output files below a directory are named by it
    "#);
    let host = writing(&moto.endpoint(), "wordcount", &tree, &["--out", "s3://out/each/", "a"]);
    insta::assert_snapshot!(host.ended().exits(2).stderr, @r"
    error: --out s3://out/each/: the plugin gives results
    hint: they go to one file, or to standard output
    ");
    assert_nothing_in(&moto);

    let Some(moto) = Moto::start(Callers::Known) else { return };
    let ended = upcase(&moto.endpoint(), &tree, &["--out", "s3://out/key", "a"]).ended().exits(2);
    insta::assert_snapshot!(ended.stderr, @r"
    error: s3://out/key: cannot write: the store answered 403 Forbidden (InvalidAccessKeyId)
    hint: credentials are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; AWS_SKIP_SIGNATURE=true reads what is public
    ");
}

#[test]
fn no_source_is_overwritten() {
    let Some(moto) = store() else { return };
    moto.put("/out/in/a", b"a\n");
    let tree = Tree::new();
    for args in
        [["--out", "s3://out/in/a", "s3://out/in/a"], ["--out", "s3a://out/in/", "s3://out/in/"]]
    {
        let ended =
            upcase(&moto.endpoint(), &tree, &args).args(["--exists", "replace"]).ended().exits(2);
        assert!(
            ended.stderr.contains("/out/in/a is a source, and would be overwritten"),
            "{ended}"
        );
    }
    // From one store to another place in it.
    let args = ["--out", "s3://out/to/", "s3://out/in/"];
    upcase(&moto.endpoint(), &tree, &args).ended().exits(0);
    assert_eq!(moto.get("/out/to/a").unwrap(), b"A\n");
}

#[test]
fn a_dry_run_names_objects() {
    let Some(moto) = store() else { return };
    let tree = Tree::with(&[("in/a", "a\n"), ("in/b", "b\n")]);
    moto.put("/out/each/a", b"old");
    let output = |args: &[&str]| {
        let host =
            upcase(&moto.endpoint(), &tree, args).args(["--dry-run", "--format", "json", "in/"]);
        let plan: serde_json::Value =
            serde_json::from_slice(&host.ended().exits(0).stdout).unwrap();
        let output = &plan["output"];
        (output["to"].clone(), output["there"].clone(), output["first"].clone())
    };
    let named =
        serde_json::json!([{"source": "in/a", "output": "a"}, {"source": "in/b", "output": "b"}]);
    assert_eq!(output(&["--out", "s3://out/each/"]), ("objects".into(), 1.into(), named));
    let none = serde_json::json!([]);
    assert_eq!(output(&["--out", "s3://out/one"]), ("object".into(), 0.into(), none.clone()));
    let there = output(&["--out", "s3://out/each/a", "--exists", "replace"]);
    assert_eq!(there, ("object".into(), 1.into(), none.clone()));
    let left = output(&["--out", "s3://out/each/a", "--exists", "skip"]);
    assert_eq!(left, ("left".into(), 1.into(), none));
    let args = ["--dry-run", "--out", "s3://out/each/", "in/"];
    let text = upcase(&moto.endpoint(), &tree, &args).ended().exits(0);
    let message = "output       an object for each source below s3://out/each/, exists fail\n";
    assert!(text.text().contains(message), "{text}");
    assert_eq!(moto.keys("out"), ["each/a"]);
}

#[test]
fn other_stores_are_written_to_by_their_own_protocols() {
    let tree = Tree::with(&[("large", &text(20 * MIB)[..]), ("small", b"a\n")]);
    let between = Between::new("http://127.0.0.1:9", |asked| match asked.kind().as_str() {
        "GET" => Act::Answer("404 Not Found", "<Error><Code>NoSuchKey</Code></Error>"),
        "POST uploads" => Act::Answer(
            "200 OK",
            "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>",
        ),
        "POST uploadId" => Act::Answer(
            "200 OK",
            "<CompleteMultipartUploadResult><ETag>2</ETag></CompleteMultipartUploadResult>",
        ),
        _ => Act::Answer("201 Created", ""),
    });
    let run = |out: &str| {
        upcase("", &tree, &["-j1", "--out", out, "large", "small"])
            .env("GOOGLE_BASE_URL", between.endpoint())
            .env("GOOGLE_BEARER_TOKEN", "topsecret")
            .env("AZURE_STORAGE_ENDPOINT", format!("{}/account", between.endpoint()))
            .env("AZURE_STORAGE_ACCOUNT_NAME", "account")
            .env("AZURE_SKIP_SIGNATURE", "true")
            .ended()
            .exits(0)
    };
    let brought = |of: &str| {
        let all = between.asked();
        let parts = all.iter().filter(|asked| asked.is_part() && asked.path.contains(of));
        parts.map(|asked| asked.body.len()).sum::<usize>()
    };
    run("gs://bucket/each/");
    run("az://container/each/");
    let bytes = tree.read("large").len();
    assert_eq!((brought("/bucket/"), brought("/container/")), (bytes, bytes));
    let asked = between.asked();
    let small = |of: &str| {
        let is = |asked: &&Asked| asked.path.contains(of) && asked.path.contains("small");
        asked.iter().find(is).unwrap_or_else(|| panic!("none of {of}")).clone()
    };
    assert_eq!(small("/bucket/").headers["x-goog-if-generation-match"], "0");
    assert_eq!(small("/container/").headers["if-none-match"], "*");
    let list = asked.iter().find(|asked| asked.path.contains("comp=blocklist")).unwrap();
    assert_eq!(String::from_utf8_lossy(&list.body).matches("<Uncommitted>").count(), 3);
}

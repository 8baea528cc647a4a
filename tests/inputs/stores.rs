//! Sources in object stores: found by key or by prefix, with the credentials that the environment
//! has.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::remote::{remote, said};
use crate::support::host::Host;
use crate::support::moto::{Callers, Moto};
use crate::support::pack::{bgzf, gzip, text, xz};
use crate::support::tree::Tree;
use crate::support::web::{Fault, Page, Web};

/// `host run` over objects, without settings of stores but those for an endpoint.
fn stored(endpoint: &str, name: &str, args: &[&str], urls: &[String]) -> Host {
    remote(name, args, urls)
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
        .env("AWS_SECRET_ACCESS_KEY", "topsecret")
}

/// Names of the sources of a run, and how many words each has.
fn words(host: Host) -> Vec<(String, u64)> {
    let ended = host.ended().exits(0);
    let mut lines = ended.lines();
    lines.pop();
    let row = |line: &serde_json::Value| {
        let name = line["source"].as_str().unwrap().to_string();
        (name, line["result"]["words"].as_u64().unwrap())
    };
    lines.iter().map(row).collect()
}

#[test]
fn objects_give_what_files_give_whatever_the_way() {
    let Some(moto) = Moto::start(Callers::Anybody) else { return };
    let plain = text(9_500_000);
    let files = [
        ("empty", Vec::new()),
        ("large.bgz", bgzf(&plain)),
        ("large.gz", gzip(&plain)),
        ("large.xz", xz(&plain, 1 << 20)),
        ("packed", gzip(&plain[..100_000])),
        ("plain.txt", plain),
        ("small", b"two words\n".to_vec()),
    ];
    let tree = Tree::with(&files);
    moto.bucket("files");
    for (name, bytes) in &files {
        moto.put(&format!("/files/in/{name}"), bytes);
    }
    let path = |(name, _): &(&str, _)| tree.path().join(name).display().to_string();
    let paths: Vec<_> = files.iter().map(path).collect();
    let prefix = ["s3://files/in/".to_string()];
    for name in ["wordcount", "checksum"] {
        let expected = said(&remote(name, &[], &paths).ended().exits(0));
        for threads in ["1", "2", "5"] {
            for chunk_size in ["60KiB", "512KiB"] {
                let args = ["--threads", threads, "--chunk-size", chunk_size];
                let ended = stored(&moto.endpoint(), name, &args, &prefix).ended().exits(0);
                assert_eq!(said(&ended), expected, "{name} {args:?}");
            }
        }
    }
}

#[test]
fn a_prefix_stands_for_the_objects_below_it_in_the_order_of_their_keys() {
    let Some(moto) = Moto::start(Callers::Anybody) else { return };
    moto.bucket("many");
    // More than one page of a listing, and what is not below the prefix.
    let name = |index: usize| format!("logs/{:02}/{index:04}.log", index % 7);
    for index in 0..1203 {
        moto.put(&format!("/many/{}", name(index)), "word ".repeat(index % 3).as_bytes());
    }
    for other in ["logs.txt", "logs2/a.log", "logs/notes.txt", "top"] {
        moto.put(&format!("/many/{other}"), b"a b c d");
    }
    // As consoles make directories.
    moto.put("/many/logs/marked/", b"");
    moto.put("/many/logs/", b"");
    let list = |args: &[&str], url: &str| {
        words(stored(&moto.endpoint(), "wordcount", args, &[url.to_string()]))
    };
    let mut expected: Vec<_> = (0..1203)
        .map(|index| (format!("s3://many/{}", name(index)), (index % 3) as u64))
        .chain([("s3://many/logs/notes.txt".to_string(), 4)])
        .collect();
    expected.sort();
    assert_eq!(list(&[], "s3://many/logs/"), expected);
    // Without a prefix, all of the bucket.
    let few = ["--include", "*.txt", "--include", "top"];
    let all = ["logs.txt", "logs/notes.txt", "top"].map(|key| (format!("s3://many/{key}"), 4));
    assert_eq!(list(&few, "s3://many"), all);
    assert_eq!(list(&few, "s3://many/"), all);
    let below = [all[1].clone()];
    assert_eq!(list(&few, "s3://many/logs"), below);

    let chosen = list(&["--include", "11*.log", "--exclude", "03"], "s3://many/logs/");
    let wanted = |(name, _): &&(String, u64)| name.contains("/11") && !name.contains("/03/");
    assert_eq!(chosen, expected.iter().filter(wanted).cloned().collect::<Vec<_>>());
    assert_eq!(list(&["--include", "none"], "s3://many/logs/"), []);
}

#[test]
fn keys_are_taken_as_they_stand() {
    let Some(moto) = Moto::start(Callers::Anybody) else { return };
    moto.bucket("odd");
    moto.put("/odd/a%20b/%C3%BC%3F%23%2541.txt", b"one two");
    let key = "s3://odd/a b/\u{fc}?#%41.txt".to_string();
    let found = vec![(key.clone(), 2)];
    for name in [key.as_str(), "s3://odd/a b/"] {
        let host = stored(&moto.endpoint(), "wordcount", &[], &[name.to_string()]);
        assert_eq!(words(host), found, "{name}");
    }
    // In a list each name is one object, but for one that ends with a slash.
    let host = stored(&moto.endpoint(), "wordcount", &["--files-from", "-"], &[]);
    let twice = [found.clone(), found].concat();
    assert_eq!(words(host.stdin(format!("{key}\ns3://odd/a b/\n"))), twice);
}

#[test]
fn what_is_not_there_is_named() {
    let Some(moto) = Moto::start(Callers::Anybody) else { return };
    moto.bucket("here");
    let names = ["s3://here/none", "s3://here/none/", "s3://nowhere/a", "s3://nowhere/"];
    let urls = names.map(String::from);
    let host = stored(&moto.endpoint(), "wordcount", &[], &urls);
    let address = moto.endpoint();
    let message = host.ended().exits(1).to_string().replace(&address, "[endpoint]");
    insta::assert_snapshot!(message, @r#"
    exit: 1
    --- stdout
    {"source":"s3://here/none","error":{"kind":"not-found","message":"cannot open: the store answered 404 Not Found (NoSuchKey)"}}
    {"source":"s3://here/none/","error":{"kind":"not-found","message":"there are no objects below it"}}
    {"source":"s3://nowhere/a","error":{"kind":"not-found","message":"the store answered 404 Not Found (NoSuchBucket)"}}
    {"source":"s3://nowhere/","error":{"kind":"not-found","message":"the store answered 404 Not Found (NoSuchBucket)"}}
    {"sources":4,"failed":4,"bytes":0}
    --- stderr
    s3://here/none: cannot open: the store answered 404 Not Found (NoSuchKey)
    s3://here/none/: there are no objects below it
    s3://nowhere/a: the store answered 404 Not Found (NoSuchBucket)
    s3://nowhere/: the store answered 404 Not Found (NoSuchBucket)
    4 of 4 sources failed
    "#);
}

#[test]
fn who_may_not_read_is_reported_what_is_looked_at() {
    let Some(moto) = Moto::start(Callers::Known) else { return };
    let urls = ["s3://here/key".to_string(), "s3://here/prefix/".to_string()];
    let message = stored(&moto.endpoint(), "wordcount", &[], &urls).ended().exits(1).to_string();
    assert!(!message.contains("topsecret"), "{message}");
    insta::assert_snapshot!(message, @r#"
    exit: 1
    --- stdout
    {"source":"s3://here/key","error":{"kind":"permission-denied","message":"cannot open: the store answered 403 Forbidden (InvalidAccessKeyId)"}}
    {"source":"s3://here/prefix/","error":{"kind":"permission-denied","message":"the store answered 403 Forbidden (InvalidAccessKeyId)"}}
    {"sources":2,"failed":2,"bytes":0}
    --- stderr
    s3://here/key: cannot open: the store answered 403 Forbidden (InvalidAccessKeyId)
    hint: credentials are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; AWS_SKIP_SIGNATURE=true reads what is public
    s3://here/prefix/: the store answered 403 Forbidden (InvalidAccessKeyId)
    hint: credentials are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; AWS_SKIP_SIGNATURE=true reads what is public
    2 of 2 sources failed
    "#);
}

#[test]
fn who_has_no_credentials_is_reported_what_is_looked_at() {
    let web = Web::of("/public/key", Page::new("one two three"));
    let url = ["s3://public/key".to_string()];
    let host = || remote("wordcount", &[], &url).env("AWS_ENDPOINT_URL", web.url(""));
    let none = host().env("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9").ended().exits(1);
    insta::assert_snapshot!(none, @r#"
    exit: 1
    --- stdout
    {"source":"s3://public/key","error":{"kind":"permission-denied","message":"cannot open: no credentials were found (Connection refused (os error 111))"}}
    {"sources":1,"failed":1,"bytes":0}
    --- stderr
    s3://public/key: cannot open: no credentials were found (Connection refused (os error 111))
    hint: credentials are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; AWS_SKIP_SIGNATURE=true reads what is public
    1 of 1 source failed
    "#);
    let skipped = host().env("AWS_SKIP_SIGNATURE", "true");
    assert_eq!(words(skipped), [(url[0].clone(), 3)]);
}

/// The server at such an address may answer as much as it likes.
#[test]
fn a_server_of_credentials_is_not_heard_without_end() {
    let role = "/latest/meta-data/iam/security-credentials/";
    let web = Web::new([
        ("/latest/api/token".to_string(), Page::new("token")),
        (role.to_string(), Page::new(vec![b'r'; 17 << 20])),
    ]);
    let url = ["s3://private/key".to_string()];
    let host = remote("wordcount", &[], &url).env("AWS_METADATA_ENDPOINT", web.url(""));
    let ended = host.env("AWS_ENDPOINT_URL", web.url("")).ended().exits(1);
    let message =
        "no credentials were found (a list, a receipt or credentials of more than 16777216 bytes)";
    assert!(ended.stderr.contains(message), "{ended}");
}

#[test]
fn other_stores_are_asked_by_their_own_variables() {
    let web = Web::new([
        ("/logs/a%2Fkey".to_string(), Page::new("one two")),
        ("/account/logs/a/key".to_string(), Page::new("one two three")),
    ]);
    let urls = ["gs://logs/a/key", "az://logs/a/key", "abfs://logs/a/key"].map(String::from);
    let host = remote("wordcount", &[], &urls)
        .env("GOOGLE_BASE_URL", web.url(""))
        .env("GOOGLE_SKIP_SIGNATURE", "true")
        .env("AZURE_STORAGE_ENDPOINT", web.url("/account"))
        .env("AZURE_STORAGE_ACCOUNT_NAME", "account")
        .env("AZURE_SKIP_SIGNATURE", "true");
    let counts: Vec<_> = words(host).into_iter().map(|(_, words)| words).collect();
    assert_eq!(counts, [2, 3, 3]);
}

#[test]
fn names_that_are_none_are_reported() {
    let urls = ["s3://", "s3://a bucket/key", "s3://bucket/../key", "s3://b/a//b", "az://c/key"];
    let ended = remote("wordcount", &[], &urls.map(String::from)).ended().exits(1);
    insta::assert_snapshot!(ended.stderr, @r#"
    s3://: "" is no name of a bucket
    s3://a bucket/key: "a bucket" is no name of a bucket
    s3://bucket/../key: Error parsing Path "../key": Encountered illegal character sequence ".." whilst parsing path segment ".."
    s3://b/a//b: Path "a//b" contained empty path segment
    az://c/key: Account must be specified
    hint: credentials are AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_KEY; AZURE_SKIP_SIGNATURE=true reads what is public
    5 of 5 sources failed
    "#);
}

#[test]
fn an_interrupted_listing_waits_for_no_store() {
    let page = Page::new("").fault(Fault::Hangs { after: 0, answers: false });
    let web = Web::of("/bucket", page);
    let url = ["s3://bucket/prefix/".to_string()];
    let mut child = stored(&web.url(""), "wordcount", &[], &url).start();
    web.wait_until_hanging(1);
    let begun = Instant::now();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(1));
}

/// One that the clients of the stores cannot take does not make the others unreadable.
#[test]
fn a_key_with_an_empty_part_or_dots_fails_alone() {
    let Some(moto) = Moto::start(Callers::Anybody) else { return };
    moto.bucket("odd");
    for key in ["in/a", "in//b", "in/c"] {
        moto.put(&format!("/odd/{key}"), b"one word");
    }
    let prefix = ["s3://odd/in/".to_string()];
    let ended = stored(&moto.endpoint(), "wordcount", &[], &prefix).ended().exits(1);
    let rows = ended.lines();
    let failed: Vec<_> = rows.iter().filter(|row| row["error"].is_object()).collect();
    assert_eq!(failed.len(), 1, "{ended}");
    assert_eq!(failed[0]["source"], "s3://odd/in//b");
    assert_eq!(rows.iter().filter(|row| row["result"]["words"] == 2).count(), 2, "{ended}");
}

/// A server may go on for ever.
#[test]
fn a_listing_without_end_ends_where_memory_for_it_does() {
    let key = |n: usize| {
        format!(
            "<Contents><Key>in/{n:04}-{}</Key><Size>1</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>",
            "k".repeat(900)
        )
    };
    let keys: String = (0..1000).map(key).collect();
    let page = format!(
        "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>true</IsTruncated>\
         <NextContinuationToken>more</NextContinuationToken>{keys}</ListBucketResult>"
    );
    let web = Web::of("/files", Page { tag: None, date: None, ..Page::new(page) });
    let urls = ["s3://files/in/".to_string()];
    let args = ["--dry-run", "--memory-total", "20MB"];
    let ended = stored(&web.url(""), "wordcount", &args, &urls).ended().exits(2);
    let begins = "error: --memory-total: the list of sources takes ";
    assert!(ended.stderr.starts_with(begins), "{ended}");
    // As many pages as there is memory for, and a few that were on their way.
    let asked = web.asked().len();
    assert!((10..40).contains(&asked), "{asked} pages were asked for");
}

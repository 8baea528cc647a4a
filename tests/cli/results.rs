//! What results look like, and where they go.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{wordcount, words};
use crate::support::host::Host;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

#[test]
fn formats_say_the_same_in_their_own_way() {
    let among = |format| wordcount(&["--format", format, "one.txt", "none.txt", "sub"]);
    insta::assert_snapshot!(among("jsonl"), @r#"
    exit: 1
    --- stdout
    {"source":"one.txt","bytes":17,"result":{"lines":2,"words":3,"bytes":17}}
    {"source":"none.txt","error":{"kind":"not-found","message":"No such file or directory (os error 2)"}}
    {"source":"sub/deep/four.txt","bytes":0,"result":{"lines":0,"words":0,"bytes":0}}
    {"source":"sub/three.txt","bytes":6,"result":{"lines":1,"words":3,"bytes":6}}
    {"total":{"lines":3,"words":6,"bytes":23},"sources":4,"failed":1,"bytes":23}
    --- stderr
    none.txt: No such file or directory (os error 2)
    1 of 4 sources failed
    "#);
    insta::assert_snapshot!(among("json"), @r#"
    exit: 1
    --- stdout
    {"results":[
    {"source":"one.txt","bytes":17,"result":{"lines":2,"words":3,"bytes":17}},
    {"source":"none.txt","error":{"kind":"not-found","message":"No such file or directory (os error 2)"}},
    {"source":"sub/deep/four.txt","bytes":0,"result":{"lines":0,"words":0,"bytes":0}},
    {"source":"sub/three.txt","bytes":6,"result":{"lines":1,"words":3,"bytes":6}}
    ],
    "total":{"lines":3,"words":6,"bytes":23},"sources":4,"failed":1,"bytes":23}
    --- stderr
    none.txt: No such file or directory (os error 2)
    1 of 4 sources failed
    "#);
    insta::assert_snapshot!(among("raw"), @r#"
    exit: 1
    --- stdout
    {"lines":2,"words":3,"bytes":17}{"lines":0,"words":0,"bytes":0}{"lines":1,"words":3,"bytes":6}{"lines":3,"words":6,"bytes":23}--- stderr
    none.txt: No such file or directory (os error 2)
    1 of 4 sources failed
    "#);
    insta::assert_snapshot!(among("table"), @"
    exit: 1
    --- stdout
    lines  words  bytes  source
        2      3     17  one.txt
        0      0      0  sub/deep/four.txt
        1      3      6  sub/three.txt
        3      6     23  total
    --- stderr
    none.txt: No such file or directory (os error 2)
    1 of 4 sources failed
    ");
    let document: Value = serde_json::from_slice(&among("json").stdout).unwrap();
    assert_eq!(document["results"][0]["result"]["words"], 3);
}

#[test]
fn a_table_has_a_column_for_each_key() {
    let args = ["--format", "table", "--set", "longest=true", "--set", "chars=true", "."];
    insta::assert_snapshot!(wordcount(&args), @"
    exit: 0
    --- stdout
    lines  words  bytes  chars  longest  source
        2      3     17     17       10  ./one.txt
        0      0      0      0        0  ./sub/deep/four.txt
        1      3      6      6        5  ./sub/three.txt
        0      3     16     16       16  ./two.log
        3      9     39     39       16  total
    --- stderr
    ");
}

#[test]
fn rows_the_total_or_both() {
    insta::assert_snapshot!(wordcount(&["--per-source", "one.txt", "two.log"]), @r#"
    exit: 0
    --- stdout
    {"source":"one.txt","bytes":17,"result":{"lines":2,"words":3,"bytes":17}}
    {"source":"two.log","bytes":16,"result":{"lines":0,"words":3,"bytes":16}}
    {"sources":2,"failed":0,"bytes":33}
    --- stderr
    "#);
    insta::assert_snapshot!(wordcount(&["--total", "one.txt", "two.log"]), @r#"
    exit: 0
    --- stdout
    {"total":{"lines":2,"words":6,"bytes":33},"sources":2,"failed":0,"bytes":33}
    --- stderr
    "#);
    let both = wordcount(&["--per-source", "--total", "one.txt", "two.log"]).exits(0);
    assert_eq!(both.stdout, wordcount(&["one.txt", "two.log"]).stdout);
}

#[test]
fn a_document_of_a_total_lists_failures_instead_of_results() {
    let document = |args: &[&str]| -> Value {
        let args = [&["--format", "json"], args].concat();
        serde_json::from_slice(&wordcount(&args).stdout).unwrap()
    };
    let whole = document(&["--total", "one.txt", "two.log"]);
    assert_eq!(whole.get("results"), None);
    assert_eq!(whole["failures"], Value::Array(Vec::new()));
    let broken = document(&["--total", "one.txt", "none.txt"]);
    assert_eq!(broken.get("results"), None);
    assert_eq!(broken["failures"][0]["source"], "none.txt");
    assert_eq!(broken["failures"][0]["error"]["kind"], "not-found");
    assert_eq!((&broken["sources"], &broken["failed"]), (&2.into(), &1.into()));
    assert_eq!(document(&["one.txt", "two.log"]).get("failures"), None);
}

#[test]
fn a_list_of_records_is_a_table_of_them() {
    let tree = Tree::new();
    tree.file("a.txt", "to be or not to be be\n");
    tree.file("b.txt", "not to\n");
    tree.file("empty.txt", "");
    let top = |args: &[&str]| {
        let host = Host::run(&plugin("topwords")).within(tree.path());
        let ended = host.args(["--format", "table", "--set", "n=2"]).args(args).ended().exits(0);
        String::from_utf8(ended.stdout).unwrap()
    };
    assert_eq!(top(&["a.txt"]), "word  count\nbe        3\nto        2\n");
    assert_eq!(top(&["--total", "a.txt", "b.txt"]), "word  count\nbe        3\nto        3\n");
    let rows = [
        "word  count  source",
        "be        3  a.txt",
        "to        2  a.txt",
        "not       1  b.txt",
        "to        1  b.txt",
        "             empty.txt",
        "be        3  total",
        "to        3  total",
    ];
    assert_eq!(top(&["a.txt", "b.txt", "empty.txt"]).lines().collect::<Vec<_>>(), rows);
    assert_eq!(top(&["empty.txt"]), "source\nempty.txt\n");
}

#[test]
fn a_table_of_records_is_what_other_tools_count() {
    let message = Host::run(&plugin("topwords"))
        .args(["--format", "table", "--set", "n=100000", "-"])
        .stdin(TEXT)
        .ended()
        .exits(0);
    let mut rows: Vec<Vec<String>> = String::from_utf8(message.stdout)
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().map(str::to_string).collect())
        .collect();
    let script = "tr -s '[:space:]' '\\n' | sort | uniq -c | awk '{ print $2, $1 }'";
    let mut counted: Vec<Vec<String>> = piped(script, TEXT)
        .lines()
        .map(|line| line.split(' ').map(str::to_string).collect())
        .collect();
    rows.sort();
    counted.sort();
    assert!(rows.len() > 5);
    assert_eq!(rows, counted);
}

const TEXT: &str = "the cat and the dog and the bird saw a cat and a dog\n";

/// What a shell script prints of a text.
fn piped(script: &str, text: &str) -> String {
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).env("LC_ALL", "C");
    let mut shell = shell.spawn().unwrap();
    shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(shell.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn a_report_has_the_figures_of_the_run() {
    let tree = words();
    let report = tree.path().join("report.json");
    Host::run(&plugin("wordcount"))
        .within(tree.path())
        .args(["one.txt", "none.txt", "-j3", "--report", "report.json"])
        .ended()
        .exits(1);
    let mut report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    let figures = report.as_object_mut().unwrap();
    for measured in [
        "seconds",
        "mb_per_second",
        "peak_rss_bytes",
        "memory_bytes_peak",
        "instances",
        "instance_us",
    ] {
        let figure = figures.insert(measured.into(), "more than 0".into()).unwrap();
        assert!(figure.as_f64().unwrap() > 0.0, "{measured}: {figure}");
    }
    for seconds in figures["thread_seconds"].as_object_mut().unwrap().values_mut() {
        assert!(seconds.take().is_f64());
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&report).unwrap(), @r#"
    {
      "files": 2,
      "failed": 1,
      "bytes": 17,
      "seconds": "more than 0",
      "mb_per_second": "more than 0",
      "peak_rss_bytes": "more than 0",
      "memory_bytes_peak": "more than 0",
      "threads": 3,
      "instances": "more than 0",
      "instance_us": "more than 0",
      "retries": 0,
      "rejected": 0,
      "replaced": 0,
      "set_aside": {
        "records": 0,
        "sources": 0
      },
      "non_regular": 0,
      "skipped": 0,
      "errors": {
        "not-found": 1
      },
      "encodings": {},
      "unopened_archives": {
        "sources": 0
      },
      "counters": {},
      "failures": [
        {
          "source": "none.txt",
          "kind": "not-found",
          "message": "No such file or directory (os error 2)"
        }
      ],
      "thread_seconds": {
        "read": null,
        "guest": null,
        "merge": null,
        "write": null
      }
    }
    "#);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    // More than a pipe holds, so that the host is still writing when the reader goes.
    let tree = Tree::new();
    for index in 0..2000 {
        tree.file(&format!("{index:0100}"), "x\n");
    }
    let mut child = Host::run(&plugin("wordcount")).within(tree.path()).arg(".").start();
    let mut line = String::new();
    BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("{\"source\":\"./0000"), "{line}");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

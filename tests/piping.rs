//! A chain is what its plugins are in a pipe of the shell, and a pipe that comes in pieces is what
//! all of it at once is.

use std::path::Path;

use crate::support::host::{Ended, Host, shared_cache};
use crate::support::oracle::oracle;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

fn run(tree: &Tree, plugins: &[&str], args: &[&str]) -> Ended {
    let paths: Vec<_> = plugins.iter().map(|name| plugin(name).display().to_string()).collect();
    Host::run(Path::new(&paths.join(" | "))).within(tree.path()).args(args).ended()
}

/// Python's, of a CSV file with a header.
const PYTHON_ROWS: &str = "
import csv, io, json, sys
text = io.TextIOWrapper(sys.stdin.buffer, 'utf-8', newline='')
for row in csv.DictReader(text):
    print(json.dumps(row, separators=(',', ':'), ensure_ascii=False))
";

/// Rows whose first are wrong, or are dropped by a filter for `plain`: 2 MB.
fn late_rows() -> String {
    let row = |at: usize| match at {
        0..30 => format!("{at},first\n"),
        _ if at.is_multiple_of(9) => format!("{at},\"two\nlines, {at}\",x\n"),
        _ => format!("{at},plain,{}\n", "y".repeat(at % 40)),
    };
    let rows: String = (0..75_000).map(row).collect();
    format!("id,note,more\n{rows}")
}

/// As when each stage is piped into the next.
#[test]
fn a_later_stage_finds_its_header_in_what_comes_out_of_the_one_before() {
    let tree = Tree::with(&[("a.csv", late_rows()), ("none.csv", "id,note\n".into())]);
    let loose = ["--max-rejects", "100%"];
    let made = |name: &str, plugins: &[&str], set: &[&str], from: &str| {
        run(&tree, plugins, &[set, &loose, &["--out", name, "--exists", "replace", from]].concat())
            .exits(0);
        tree.read(name)
    };
    let filter = ["--set", "jsonfilter.field=more", "--set", "jsonfilter.equals=yyyy"];
    let chains: [(&[&str], &[&str]); 4] = [
        (&["csv2jsonl", "jsonl2csv"], &[]),
        (&["csv2jsonl", "jsonfilter", "jsonl2csv"], &filter),
        (&["upcase", "csv2jsonl", "jsonl2csv"], &[]),
        (&["csv2jsonl", "jsonl2csv", "csv2jsonl"], &[]),
    ];
    for (from, bytes_min) in [("a.csv", 20_000), ("none.csv", 0)] {
        for (plugins, set) in chains {
            let mut given = from.to_string();
            let mut expected = Vec::new();
            for (at, stage) in plugins.iter().enumerate() {
                let set: Vec<_> = set.iter().map(|word| word.replace("jsonfilter.", "")).collect();
                let set: Vec<_> = set.iter().map(String::as_str).collect();
                let set = if *stage == "jsonfilter" { &set[..] } else { &[] };
                let name = format!("step{at}");
                expected = made(&name, &[stage], set, &given);
                given = name;
            }
            assert!(expected.len() >= bytes_min, "{plugins:?} {from}");
            for chunk in ["64B", "4KiB", "16MiB"] {
                for threads in ["1", "3"] {
                    let args = ["--chunk-size", chunk, "-j", threads, from];
                    let ended = run(&tree, plugins, &[set, &loose, &args].concat()).exits(0);
                    assert!(ended.stdout == expected, "{plugins:?} {chunk} {threads} {from}");
                }
            }
        }
    }
}

/// The last record that lacks its end may begin in a chunk behind which there is another, of
/// nothing.
#[test]
fn a_last_line_without_its_end_is_whole_for_a_later_stage_whatever_the_chunks() {
    let text = "a line of text\n".repeat(300) + &"the end".repeat(40);
    let expected = oracle("grep", &["-n", "e"], text.as_bytes());
    let tree = Tree::with(&[("a", &text)]);
    let set = ["--set", "grepcontext.pattern=e"];
    for pair in [&["grepcontext", "redact"][..], &["redact", "grepcontext", "redact"]] {
        for chunk in ["64B", "997B", "16KiB", "1MiB"] {
            for threads in ["1", "3"] {
                let args = ["--join", "none", "--chunk-size", chunk, "-j", threads, "a"];
                let ended = run(&tree, pair, &[&set[..], &args].concat()).exits(0);
                assert_eq!(ended.text().trim_end(), String::from_utf8_lossy(&expected).trim_end());
            }
        }
    }
}

/// As when all of it is there: a header is waited for, however small chunks are.
#[test]
fn a_header_that_comes_in_pieces_is_one() {
    let wide: Vec<_> = (0..40).map(|at| format!("column{at}")).collect();
    let text = format!("title\n{}\n{}1\n", wide.join(","), "1,".repeat(39));
    let expected =
        oracle("python3", &["-c", PYTHON_ROWS], text.trim_start_matches("title\n").as_bytes());
    for linger in ["0ms", "200ms"] {
        let args = ["--set", "header=skip:1", "--linger", linger, "--chunk-size", "64B", "-"];
        let mut child = Host::run(&plugin("csv2jsonl")).args(args).start();
        let mut stdin = child.stdin.take().unwrap();
        for piece in text.as_bytes().chunks(11) {
            std::io::Write::write_all(&mut stdin, piece).unwrap();
            std::thread::yield_now();
        }
        drop(stdin);
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        assert!(ended.stdout == expected, "{}", String::from_utf8_lossy(&ended.stdout));
    }
}

/// As `cat` does. What the caller opens to discard is another matter, whichever way: Python's
/// `DEVNULL` is open for reading, too.
#[test]
fn a_closed_standard_output_is_reported() {
    let tree = Tree::with(&[("a.csv", "a,b\n1\n")]);
    let ended = |plugin_name: &str, args: &str| {
        let mut command = std::process::Command::new("bash");
        let script = format!("exec \"$0\" \"$@\" {args}");
        command.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_host"));
        let host = Host::through(command).within(tree.path()).args(["run", "--cache"]);
        host.arg(shared_cache()).arg("--plugin").arg(plugin(plugin_name)).ended()
    };
    for (name, args, flag) in [
        ("redact", "a.csv >&-", "--out"),
        ("wordcount", "a.csv >&-", "--out"),
        ("csv2jsonl", "a.csv --out o --exists replace --rejects - >&-", "--rejects"),
        ("wordcount", "a.csv --out o --exists replace --report - >&-", "--report"),
    ] {
        let message = format!("error: {flag}: standard output is closed\n");
        assert!(ended(name, args).exits(2).stderr.starts_with(&message), "{name} {args}");
    }
    for to in [">/dev/null", "1<>/dev/null", "--out o --exists replace >&-", "| cat"] {
        ended("redact", &format!("a.csv {to}")).exits(0);
    }
}

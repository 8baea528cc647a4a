//! Data that is lost is reported with its place and decides the exit status; cutting, joining and
//! reframing lose nothing.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::host::{Ended, Host};
use crate::support::oracle::oracle;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

fn chain(plugins: &[&str]) -> String {
    let paths = plugins.iter().map(|name| plugin(name).display().to_string());
    paths.collect::<Vec<_>>().join(" | ")
}

fn run(tree: &Tree, plugins: &[&str], args: &[&str]) -> Ended {
    Host::run(Path::new(&chain(plugins))).within(tree.path()).args(args).ended()
}

fn rejects(tree: &Tree) -> Vec<Value> {
    let text = String::from_utf8(tree.read("rejects")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Chunk sizes from one record to all.
const CHUNKS: [&str; 4] = ["64B", "997B", "16KiB", "1MiB"];

/// Rows with quotes of all kinds: around line feeds, doubled, and where none may be.
fn rows() -> String {
    let row = |at: usize| match at % 9 {
        0 => format!("{at},\"two\nlines, {at}\",x\n"),
        3 => format!("{at},\"a \"\"quoted\"\" word\",\n"),
        5 => format!("{at},\"\",\"\"\"\"\n"),
        _ => format!("{at},plain,{}\n", "y".repeat(at % 40)),
    };
    let rows: String = (0..2000).map(row).collect();
    format!("id,note,more\n{rows}")
}

/// Python's, of a CSV file with a header.
const PYTHON_ROWS: &str = "
import csv, io, json, sys
text = io.TextIOWrapper(sys.stdin.buffer, 'utf-8', newline='')
for row in csv.DictReader(text):
    print(json.dumps(row, separators=(',', ':'), ensure_ascii=False))
";

#[test]
fn csv_is_cut_between_records_whatever_its_quotes() {
    let rows = rows();
    let expected = oracle("python3", &["-c", PYTHON_ROWS], rows.as_bytes());
    let tree = Tree::with(&[("a.csv", rows)]);
    for chunk in CHUNKS {
        for threads in ["1", "4"] {
            let ended =
                run(&tree, &["csv2jsonl"], &["--chunk-size", chunk, "-j", threads, "a.csv"]);
            assert!(ended.exits(0).stdout == expected, "{chunk} {threads}");
        }
    }
}

#[test]
fn a_stray_quote_costs_its_own_record() {
    let stray = |at: usize| at.is_multiple_of(500);
    let row = |at: usize| {
        if stray(at) { format!("{at},5\" pipe\n") } else { format!("{at},\"a, b\"\n") }
    };
    let text: String = (1..=3000).map(row).collect();
    let tree = Tree::with(&[("a.csv", format!("id,size\n{text}"))]);
    for chunk in CHUNKS {
        let args = ["--rejects", "rejects", "--exists", "replace", "--chunk-size", chunk, "a.csv"];
        let ended = run(&tree, &["csv2jsonl"], &args).exits(0);
        assert_eq!(ended.lines().len(), 2994, "{chunk}");
        let lines: Vec<_> = rejects(&tree).iter().map(|reject| reject["line"].clone()).collect();
        assert_eq!(lines, (1..=6).map(|n| json!(n * 500 + 1)).collect::<Vec<_>>(), "{chunk}");
    }
    // What keeps them nowhere says so.
    let ended = run(&tree, &["csv2jsonl"], &["-q", "a.csv"]).exits(1);
    let message = "6 records of 1 source were set aside (first: a.csv:501: has a quote";
    assert!(ended.stderr.starts_with(message), "{ended}");
}

/// As when the one is piped into the other.
#[test]
fn a_stage_of_other_records_sees_what_a_pipe_would_show_it() {
    let tree = Tree::with(&[("a.csv", rows())]);
    // The last line of records that go over two goes, which leaves their quotes open.
    let drop = ["--set", "pattern=lines, [0-9]*7", "--set", "invert=true"];
    let piped = run(&tree, &["grep"], &[&drop[..], &["--out", "kept.csv", "a.csv"]].concat());
    piped.exits(0);
    let loose = ["--max-rejects", "100%"];
    let expected =
        run(&tree, &["csv2jsonl"], &[&loose[..], &["kept.csv"]].concat()).exits(0).stdout;
    let set = ["--set", "grep.pattern=lines, [0-9]*7", "--set", "grep.invert=true"];
    for chunk in CHUNKS {
        for threads in ["1", "4"] {
            let args = ["--chunk-size", chunk, "-j", threads, "a.csv"];
            let args = [&set[..], &loose, &args].concat();
            let found = run(&tree, &["grep", "csv2jsonl"], &args).exits(0).stdout;
            assert!(found == expected, "{chunk} {threads}");
        }
    }
}

#[test]
fn results_of_pairs_do_not_depend_on_chunks() {
    let tree = Tree::with(&[("a.csv", rows())]);
    let pairs: [&[&str]; 6] = [
        &["redact", "csv2jsonl"],
        &["csv2jsonl", "redact"],
        &["upcase", "csv2jsonl"],
        &["upcase", "redact"],
        &["csv2jsonl", "wordcount"],
        &["redact", "checksum"],
    ];
    for pair in pairs {
        let mut first: Option<(String, Vec<u8>)> = None;
        for chunk in CHUNKS {
            for threads in ["1", "3"] {
                let args = ["--max-rejects", "100%", "--chunk-size", chunk, "-j", threads, "a.csv"];
                let ended = run(&tree, pair, &args).exits(0);
                let found = (ended.stderr.clone(), ended.stdout.clone());
                let expected = first.get_or_insert_with(|| found.clone());
                assert!(*expected == found, "{pair:?} {chunk} {threads}\n{}", ended.stderr);
            }
        }
    }
}

#[test]
fn a_header_that_a_filter_drops_is_refused() {
    let tree = Tree::with(&[("a.csv", "id,note\n1,a\n2,b\n")]);
    let set = ["--set", "grep.pattern=^[0-9]", "a.csv"];
    let ended = run(&tree, &["grep", "csv2jsonl"], &set).exits(1);
    assert!(ended.stderr.contains("csv2jsonl: "), "{ended}");
    assert_eq!(ended.stdout, b"");
}

#[test]
fn records_that_a_later_stage_sets_aside_have_their_places_in_the_source() {
    let lines: String =
        (0..3000)
            .map(|at| {
                if at % 700 == 699 { format!("ERROR {at}\n") } else { format!("{{\"a\":{at}}}\n") }
            })
            .collect();
    let offsets: Vec<_> = lines.match_indices("ERROR").map(|(at, _)| json!(at)).collect();
    let tree = Tree::with(&[("a", lines.clone()), ("b", lines)]);
    // With a last stage that sees a source in order, several workers take the chain in two.
    let chains = [&["grep", "jsonfilter"][..], &["grep", "jsonfilter", "checksum"]];
    for chain in chains {
        for (chunk, threads) in CHUNKS.iter().flat_map(|chunk| [(*chunk, "1"), (*chunk, "4")]) {
            let args = ["--set", "grep.pattern=[0-9]", "--set", "jsonfilter.field=a"];
            let to = ["--rejects", "rejects", "--exists", "replace", "--chunk-size", chunk];
            let args = [&args[..], &to, &["-j", threads, "a", "b"]].concat();
            run(&tree, chain, &args).exits(0);
            let found = rejects(&tree);
            let of = |source: &str, key: &str| {
                let own = found.iter().filter(|reject| reject["source"] == source);
                own.map(|reject| reject[key].clone()).collect::<Vec<_>>()
            };
            assert_eq!(of("a", "offset"), offsets, "{chain:?} {chunk} {threads}");
            assert_eq!(of("b", "offset"), offsets, "{chain:?} {chunk} {threads}");
            assert_eq!(of("a", "line"), [700, 1400, 2100, 2800].map(|line| json!(line)));
            assert!(found.iter().all(|reject| reject["stage"] == "jsonfilter"));
        }
    }
}

#[test]
fn a_chunk_of_which_too_much_comes_out_is_run_in_halves() {
    let header: Vec<_> = (0..40).map(|at| format!("\"{at} {}\"", "long ".repeat(20))).collect();
    let rows = format!(",1{}\n", ",".repeat(38)).repeat(3000);
    let tree = Tree::with(&[("form.csv", format!("{}\n{rows}", header.join(",")))]);
    let small = run(&tree, &["csv2jsonl"], &["--chunk-size", "4KiB", "form.csv"]).exits(0);
    let args = ["--output-per-call", "1MiB", "--report", "report", "form.csv"];
    let large = run(&tree, &["csv2jsonl"], &args).exits(0);
    assert_eq!(large.lines().len(), 3000);
    assert!(large.stdout == small.stdout);
    let report: Value = serde_json::from_slice(&tree.read("report")).unwrap();
    assert!(report["retries"].as_u64().unwrap() > 0, "the case is one of halves");
}

#[test]
fn sources_without_a_last_line_feed_are_not_glued() {
    let tree = Tree::with(&[("a", "one"), ("b", ""), ("c", "two\n"), ("d", "three")]);
    for to in
        [&["--out", "all"][..], &["--out", "all", "-j4"], &["--out", "all", "--unordered", "-j1"]]
    {
        let args =
            [to, &["--exists", "replace", "--set", "pattern=.", "a", "b", "c", "d"]].concat();
        run(&tree, &["grep"], &args).exits(0);
        assert_eq!(tree.read("all"), b"one\ntwo\nthree\n", "{to:?}");
    }
    let as_they_are = ["--set", "pattern=.", "--join", "none", "a", "c", "d"];
    assert_eq!(run(&tree, &["grep"], &as_they_are).exits(0).stdout, b"onetwo\nthree");
    // Compressed, too.
    run(
        &tree,
        &["grep"],
        &["--compress", "gzip", "--out", "all.gz", "--set", "pattern=.", "a", "d"],
    );
    assert_eq!(oracle("gzip", &["-dc"], &tree.read("all.gz")), b"one\nthree\n");
    // Bytes that nobody says are records are left as they are; torn they are not either.
    assert_eq!(run(&tree, &["upcase"], &["a", "d"]).exits(0).stdout, b"ONETHREE");
    run(&tree, &["upcase"], &["--unordered", "a", "d"]).exits(2);
    let lines = ["--unordered", "--framing", "lines", "-j1", "a", "d"];
    assert_eq!(run(&tree, &["upcase"], &lines).exits(0).stdout, b"ONE\nTHREE\n");
}

#[test]
fn a_framing_by_hand_never_cuts_what_the_plugin_reads() {
    let words: Vec<_> = (0..20_000).map(|at: u32| at.to_string()).collect();
    let words = words.join(" ");
    let tree = Tree::with(&[("words", words)]);
    for chunk in CHUNKS {
        let args =
            ["--total", "--format", "jsonl", "--framing", "bytes", "--chunk-size", chunk, "words"];
        let ended = run(&tree, &["wordcount"], &args).exits(0);
        assert_eq!(ended.lines()[0]["total"]["words"], 20_000, "{chunk}");
    }
    let ended = run(&tree, &["wordcount"], &["--framing", "delimited:0x35", "words"]).exits(2);
    assert!(ended.stderr.contains("cuts within the records of `lines`"), "{ended}");
}

#[test]
fn who_leaves_early_does_not_hide_that_a_source_failed() {
    let lines = "a line of text\n".repeat(100_000);
    let tree = Tree::with(&[("a", lines)]);
    let script = format!(
        "'{}' run --plugin '{}' none a | head -1; exit ${{PIPESTATUS[0]}}",
        env!("CARGO_BIN_EXE_host"),
        plugin("upcase").display()
    );
    let ended = std::process::Command::new("bash")
        .args(["-c", &script])
        .current_dir(tree.path())
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(1), "{}", String::from_utf8_lossy(&ended.stderr));
}

/// The same of one whose header stands behind three records.
const PYTHON_BEHIND: &str = "
import csv, io, json, sys
rows = csv.reader(io.TextIOWrapper(sys.stdin.buffer, 'utf-8', newline=''))
_, _, _, names = next(rows), next(rows), next(rows), next(rows)
for row in rows:
    print(json.dumps(dict(zip(names, row)), separators=(',', ':'), ensure_ascii=False))
";

#[test]
fn csv_has_its_header_behind_as_many_records_as_are_skipped() {
    let rows = format!("5\" pipes, 2024\n\n\"of two\nlines, {}\"\n{}", "x".repeat(200), rows());
    let expected = oracle("python3", &["-c", PYTHON_BEHIND], rows.as_bytes());
    let packed = oracle("gzip", &["-c"], rows.as_bytes());
    let tree = Tree::with(&[("a.csv", rows.as_bytes()), ("a.csv.gz", &packed)]);
    let skipped = ["--set", "csv2jsonl.header=skip:3"];
    for (plugins, chunk, source) in [
        (&["csv2jsonl"][..], "64B", "a.csv"),
        (&["csv2jsonl"], "16KiB", "a.csv"),
        (&["csv2jsonl"], "16KiB", "a.csv.gz"),
        (&["csv2jsonl", "redact"], "997B", "a.csv"),
        (&["redact", "csv2jsonl"], "997B", "a.csv"),
    ] {
        let args = [&skipped[..], &["--chunk-size", chunk, source]].concat();
        let ended = run(&tree, plugins, &args).exits(0);
        assert!(ended.stdout == expected, "{plugins:?} {chunk} {source}");
    }
    let piped = Host::run(&plugin("csv2jsonl")).args(["--set", "header=skip:3", "-"]);
    assert!(piped.stdin(rows.as_bytes()).ended().exits(0).stdout == expected);
    let args = ["--set", "csv2jsonl.header=skip:900", "--chunk-size", "64B", "a.csv"];
    assert!(run(&tree, &["csv2jsonl"], &args).exits(0).stdout.starts_with(b"{"));
}

#[test]
fn two_flags_never_name_one_file() {
    let tree = Tree::with(&[("a", "x\n"), ("list", "a\n")]);
    std::os::unix::fs::symlink("o", tree.path().join("dangling")).unwrap();
    for (args, message) in [
        (&["--out", "o", "--rejects", "dangling", "a"][..], "--rejects and --out name one file"),
        (&["--out", "o", "--report", "./o", "a"], "--report and --out name one file"),
        (&["--rejects", "o", "--report", "o", "a"], "--report and --rejects name one file"),
        (&["--files-from", "list", "--report", "list"], "--report and --files-from name one file"),
        (&["--ledger", "o", "--out", "o", "a"], "--ledger and --out name one file"),
    ] {
        let ended = run(&tree, &["wordcount"], args).exits(2);
        assert!(ended.stderr.contains(message), "{ended}");
        assert!(!tree.path().join("o").exists(), "{args:?}");
    }
    assert_eq!(tree.read("list"), b"a\n");
    run(&tree, &["wordcount"], &["--out", "/dev/null", "--report", "/dev/null", "a"]).exits(0);
}

#[test]
fn rejects_that_are_there_are_not_replaced_unasked() {
    let tree = Tree::with(&[("a.csv", "a,b\n1\n"), ("rejects", "kept\n")]);
    let with = |args: &[&str]| {
        run(&tree, &["csv2jsonl"], &[args, &["--rejects", "rejects", "a.csv"]].concat())
    };
    with(&[]).exits(2);
    assert_eq!(tree.read("rejects"), b"kept\n");
    with(&["--exists", "skip"]).exits(0);
    assert!(
        tree.read("rejects").starts_with(b"kept\n{\"source\":\"a.csv\",\"line\":2,\"lines\":1,")
    );
    with(&["--exists", "replace"]).exits(0);
    assert!(tree.read("rejects").starts_with(b"{"));
    let ended =
        run(&tree, &["csv2jsonl"], &["--rejects", "-", "--out", "out.jsonl", "a.csv"]).exits(0);
    assert_eq!(ended.lines()[0]["reason"], "has 1 field, and the header 2 names");
    let both = run(&tree, &["csv2jsonl"], &["--rejects", "-", "a.csv"]).exits(2);
    let message = "error: --rejects and --out are both standard output\nhint: --out FILE, or another --rejects";
    assert!(both.stderr.starts_with(message), "{both}");
}

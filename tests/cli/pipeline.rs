//! A pipeline file can say what flags say, and its errors have a place; a dry run shows what a run
//! would do, and writes nothing.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::host::{Ended, Host, shared_cache};
use crate::support::oracle::oracle;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

const LINES: &str = "ann@example.org logged in\nERROR from 10.0.0.1\nERROR for bob@example.org\n";

/// Logs, and the plugins beside them in `target/plugins`, as the README has them.
fn logs() -> Tree {
    let tree = Tree::with(&[
        ("logs/a.log", LINES),
        ("logs/b.log", "all is well\n"),
        ("logs/notes.txt", "ERROR in a note\n"),
        ("more/c.log", "ERROR again\n"),
    ]);
    fs::create_dir(tree.path().join("target")).unwrap();
    let plugins = plugin("redact");
    symlink(plugins.parent().unwrap(), tree.path().join("target/plugins")).unwrap();
    tree
}

fn host(tree: &Tree, args: &[&str]) -> Ended {
    let cache = shared_cache().to_str().unwrap();
    Host::new()
        .args(["run", "--threads", "2", "--cache", cache])
        .args(args)
        .within(tree.path())
        .ended()
}

/// The error for a file with this content.
fn message(content: &str) -> String {
    let tree = logs();
    fs::write(tree.path().join("p.toml"), content).unwrap();
    let ended = host(&tree, &["--pipeline", "p.toml", "--out", "made/"]).exits(2);
    assert_eq!(ended.text(), "");
    assert!(!tree.path().join("made").exists(), "something was made for {content}");
    ended.stderr
}

/// Every file below a directory with its bytes, in the order of the names.
fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(next) = dirs.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().display().to_string();
                found.push((name, fs::read(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

const CLEAN: &str = r#"
[inputs]
files = ["logs/"]
include = "*.log"
framing = "lines"
max_record = 1_048_576

[[stage]]
plugin = "target/plugins/grep.wasm"
settings = { pattern = "ERROR", ignore-case = false }

[[stage]]
plugin = "target/plugins/redact.wasm"
name = "hide"
[stage.settings]
kinds = "email"

[output]
out = "clean/"
compress = "gzip:1"
name = "{stem}.out{out_ext}"
rejects = "rejects.jsonl"
durable = "fast"

[sandbox]
memory = "128MiB"
timeout = "2s"
"#;

const CLEAN_FLAGS: [&str; 24] = [
    "--plugin",
    "target/plugins/grep.wasm | target/plugins/redact.wasm",
    "--set",
    "grep.pattern=ERROR",
    "--set",
    "grep.ignore-case=false",
    "--set",
    "redact.kinds=email",
    "--include",
    "*.log",
    "--framing",
    "lines",
    "--max-record",
    "1MiB",
    "--compress",
    "gzip:1",
    "--name",
    "{stem}.out{out_ext}",
    "--durable",
    "fast",
    "--memory",
    "128MiB",
    "--timeout",
    "2s",
];

#[test]
fn a_file_makes_the_run_that_its_flags_make() {
    let tree = logs();
    fs::write(tree.path().join("clean.toml"), CLEAN).unwrap();
    let by_file = host(&tree, &["--pipeline", "clean.toml"]).exits(0);
    let by_flags = [&CLEAN_FLAGS[..], &["--out", "flags/", "logs/"]].concat();
    let by_flags = host(&tree, &by_flags).exits(0);
    assert_eq!(by_file.stderr, by_flags.stderr);
    let made = files(&tree.path().join("clean"));
    assert_eq!(made, files(&tree.path().join("flags")));
    let names: Vec<_> = made.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a.out.gz", "b.out.gz"]);
    assert!(tree.path().join("rejects.jsonl").exists());
}

#[test]
fn branches_are_several_plugins_over_one_scan() {
    let tree = logs();
    let file = r#"
        inputs.files = ["logs/"]
        work.fail_fast = true
        output = { total = true, format = "jsonl" }
        [[branch]]
        [[branch.stage]]
        plugin = "target/plugins/upcase.wasm"
        [[branch.stage]]
        plugin = "target/plugins/grepcount.wasm"
        settings.pattern = "ERROR"
        [[branch]]
        stage = [{ plugin = "target/plugins/wordcount.wasm", name = "words" }]
    "#;
    fs::write(tree.path().join("p.toml"), file).unwrap();
    let by_file = host(&tree, &["--pipeline", "p.toml"]).exits(0);
    let by_flags = host(
        &tree,
        &[
            "--plugin=target/plugins/upcase.wasm|target/plugins/grepcount.wasm",
            "--plugin=target/plugins/wordcount.wasm",
            "--set=grepcount.pattern=ERROR",
            "--total",
            "--format=jsonl",
            "logs/",
        ],
    );
    let by_flags = by_flags.exits(0);
    assert_eq!(by_file.text().replace("\"words\":{", "\"wordcount\":{"), by_flags.text());
    assert!(by_file.text().contains("\"words\":{"), "{by_file}");
}

#[test]
fn paths_in_a_file_are_relative_to_it() {
    let tree = logs();
    let deep = tree.path().join("deep");
    fs::create_dir(&deep).unwrap();
    let file = CLEAN.replace("\"target/", "\"../target/").replace("\"logs/\"", "\"../logs/\"");
    fs::write(deep.join("clean.toml"), file).unwrap();
    host(&tree, &["--pipeline", "deep/clean.toml"]).exits(0);
    assert_eq!(files(&deep.join("clean")).len(), 2);
    assert!(deep.join("rejects.jsonl").exists());
}

#[test]
fn flags_win_over_the_file() {
    let tree = logs();
    fs::write(tree.path().join("clean.toml"), CLEAN).unwrap();
    let flags = ["--compress", "none", "--out", "-", "--name", "{name}"];
    let refused = host(&tree, &[&["--pipeline", "clean.toml"], &flags[..]].concat()).exits(2);
    insta::assert_snapshot!(refused.stderr, @"error: --name: only output files below a directory are named by it");

    let file = CLEAN.replace("name = \"{stem}.out{out_ext}\"", "");
    fs::write(tree.path().join("clean.toml"), file).unwrap();
    let run = |args: &[&str]| {
        let ended = host(
            &tree,
            &[&["--pipeline", "clean.toml", "--compress=none", "--out=-"], args].concat(),
        );
        ended.exits(0).text().to_string()
    };
    insta::assert_snapshot!(run(&[]), @r"
    ERROR from 10.0.0.1
    ERROR for ***************
    ");
    insta::assert_snapshot!(run(&["--set", "hide.kinds=ip", "--set", "1.pattern=from"]), @r"
    ERROR from ********
    ");
    // Sources that are named stand in for all of the file's.
    insta::assert_snapshot!(run(&["more"]), @"ERROR again");
    fs::write(tree.path().join("names"), "more/c.log\n").unwrap();
    insta::assert_snapshot!(run(&["--files-from", "names"]), @"ERROR again");
    // So do plugins.
    insta::assert_snapshot!(run(&["--plugin", "target/plugins/upcase.wasm", "logs/b.log"]), @"ALL IS WELL");
}

#[test]
fn the_environment_wins_over_the_file_and_a_conflict_goes_the_way_of_the_flag() {
    let tree = logs();
    let file = "work.threads = 3\nsandbox.no_cache = true\noutput.quiet = true\ninputs.files = 'logs'\n\
        stage = [{ plugin = 'target/plugins/wordcount.wasm' }]";
    fs::write(tree.path().join("p.toml"), file).unwrap();
    let threads = |env: &[(&str, &str)], args: &[&str]| {
        let host = Host::new().args(["run", "--pipeline", "p.toml", "--dry-run", "--format=json"]);
        let host = env.iter().fold(host.args(args), |host, (name, value)| host.env(name, value));
        let plan = host.within(tree.path()).ended().exits(0);
        let plan: serde_json::Value = serde_json::from_str(plan.text()).unwrap();
        plan["threads"].as_u64().unwrap()
    };
    assert_eq!(threads(&[], &[]), 3);
    assert_eq!(threads(&[("GRISTMILL_THREADS", "5")], &[]), 5);
    assert_eq!(threads(&[("GRISTMILL_THREADS", "5")], &["--threads=7", "-v"]), 7);
    assert_eq!(threads(&[], &["--cache", shared_cache().to_str().unwrap()]), 3);
}

#[test]
fn a_flag_gives_a_key_what_it_needs_and_takes_back_what_it_said() {
    let tree = logs();
    let file = "output = { delete_vanished = true, out = 'made/', exists = 'replace' }\n\
        inputs.files = 'logs'\nsandbox.no_cache = true\n\
        stage = [{ plugin = 'target/plugins/upcase.wasm' }]";
    fs::write(tree.path().join("p.toml"), file).unwrap();
    let run = |args: &[&str]| host(&tree, &[&["--pipeline", "p.toml"], args].concat());
    insta::assert_snapshot!(run(&[]).exits(2).stderr, @"error: p.toml:1:30: --delete-vanished says nothing without --ledger");
    run(&["--ledger", "done"]).exits(0);
    run(&["--no-delete-vanished"]).exits(0);
    for key in ["repro", "rejects", "ledger"] {
        let table = if key == "repro" { "sandbox" } else { "output" };
        let message = message(&format!("{table}.{key} = ''\n{STAGE}"));
        assert!(message.contains(&format!("--{key}: the name is empty")), "{message}");
    }
}

const STAGE: &str = "[[stage]]\nplugin = 'target/plugins/wordcount.wasm'\n";

#[test]
fn an_unknown_key_is_reported_with_the_nearest() {
    let keys = [
        "[inputs]\n\n  max_rekord = 3",
        "[inputs]\nmemory = '1GiB'",
        "[input]\nfiles = 'logs'",
        "memory = '1GiB'",
        "[work]\nxyzzy = 1",
        "[inputs]\nplugin = 'a'",
        "[[stage]]\nplugin = 'target/plugins/wordcount.wasm'\nsetting = { a = 1 }",
        "[[branch]]\nstages = []",
        "[[work]]\nthreads = 1",
        "sandbox = ['job', '1MiB']",
        "stage = ['x']",
        "branch = [{ stage = {} }]",
    ];
    insta::assert_snapshot!(keys.map(message).concat(), @"
    error: p.toml:3:3: unknown key `max_rekord` in [inputs]
    hint: did you mean `max_record`?
    error: p.toml:2:1: unknown key `memory` in [inputs]
    hint: `memory` is a key of [sandbox]
    error: p.toml:1:2: unknown key `input`
    hint: did you mean `inputs`?
    error: p.toml:1:1: unknown key `memory`
    hint: `memory` is a key of [sandbox]
    error: p.toml:2:1: unknown key `xyzzy` in [work]
    hint: it has threads, fail_fast
    error: p.toml:2:1: unknown key `plugin` in [inputs]
    hint: it has files, files_from, null, beneath, allow_urls, allow_private, include, exclude, include_members, archive, no_archives, archives, io, stream, linger, decompress, max_decompressed, max_ratio, max_members, encoding, encoding_errors, framing, chunk_size, max_record
    error: p.toml:3:1: unknown key `setting` in a [[stage]]
    hint: did you mean `settings`?
    error: p.toml:2:1: unknown key `stages` in a [[branch]]
    hint: did you mean `stage`?
    error: p.toml:1:1: `work` is a table, got an array
    error: p.toml:1:11: `sandbox` is a table, got an array
    error: p.toml:1:10: `stage` is a table, got a string
    hint: write it as [[stage]]
    error: p.toml:1:21: `stage` is a list of tables, got a table
    hint: write it as [[branch.stage]]
    ");
}

#[test]
fn an_impossible_value_is_reported_with_its_place() {
    let values = [
        "[inputs]\nfiles = 3",
        "[inputs]\ninclude = ['a', 3]",
        "[inputs]\nnull = 'yes'",
        "[inputs]\nmax_record = 'lots'",
        "[inputs]\nchunk_size = 1",
        "[inputs]\ndecompress = 'rar'",
        "[inputs]\nencoding = 'klingon'",
        "[inputs]\nframing = 'words'",
        "[output]\ncompress = 'zstd:99'",
        "[output]\nmax_rejects = '200%'",
        "[output]\nname = '{nome}'",
        "[output]\nverbose = -1",
        "[sandbox]\ntimeout = 5",
        "[sandbox]\ntimeout = '10min'",
        "[work]\nthreads = 2.5",
        "[work]\nthreads = 'all'",
        "work = 1",
        "stage = 'a.wasm'",
        "[[stage]]\nname = 'a'",
        "[[stage]]\nplugin = ['a', 'b']",
        "[[stage]]\nplugin = 'target/plugins/wordcount.wasm'\nsettings = { chars = [true] }",
        "[[branch]]",
        "[[stage]]\nplugin = 'target/plugins/wordcount.wasm'\n[[branch]]\nstage = []",
    ];
    insta::assert_snapshot!(values.map(message).concat(), @r#"
    error: p.toml:2:9: `files` is a string or an array of strings, got an integer
    error: p.toml:2:17: `include` is a string, got an integer
    error: p.toml:2:8: `null` is true or false, got a string
    error: p.toml:2:14: invalid value `lots`: expected a size, as 1048576, 64KiB or 1GiB
    error: p.toml:2:14: --chunk-size 1 B is not within 64 B and 4.0 GiB
    error: p.toml:2:14: invalid value `rar`: expected one of auto, none, gzip, zstd, lz4, bzip2, xz, brotli, snappy, lzip, lzma, zlib
    error: p.toml:2:12: unknown encoding `klingon`: known are auto, bom, none, utf-32le, utf-32be, and the labels of the WHATWG Encoding Standard, as utf-16le
    error: p.toml:2:11: unknown framing `words`: known are bytes, lines, csv, delimited:0xNN, fixed:N, prefixed:u32be, prefixed:u32le, whole
    error: p.toml:2:12: invalid value `zstd:99`: zstd has no level `99`, expected 1 to 22
    error: p.toml:2:15: invalid value `200%`: expected a number, or a percentage up to 100%
    error: p.toml:2:8: invalid value `{nome}`: unknown field `{nome}`, expected one of: dir, name, stored, stem, ext, plugin, out_ext
    error: p.toml:2:11: `verbose` is an integer from 0 to 255
    error: p.toml:2:11: `timeout` is a string, got an integer
    error: p.toml:2:11: --timeout 600s is not within 10ms and 300s
    error: p.toml:2:11: `threads` is an integer, got a float
    error: p.toml:2:11: invalid value `all`: invalid digit found in string
    error: p.toml:1:8: `work` is a table, got an integer
    error: p.toml:1:9: `stage` is a list of tables, got a string
    hint: write it as [[stage]]
    error: p.toml:1:1: a stage has a plugin
    hint: plugin = "PLUGIN.wasm"
    error: p.toml:2:10: `plugin` is a string, got an array
    error: p.toml:3:22: `chars` is a string, number or boolean, got an array
    error: p.toml:1:1: a branch has at least one stage
    hint: each is a [[branch.stage]]
    error: p.toml:3:1: a file has either [[stage]] or [[branch]], not both
    hint: stages before several branches belong into each of them, as [[branch.stage]]
    "#);
}

#[test]
fn invalid_toml_is_reported_with_its_place() {
    let texts = ["[inputs]\nfiles = ", "[inputs\n", "[work]\nthreads = 1\nthreads = 2"];
    insta::assert_snapshot!(texts.map(message).concat(), @"
    error: p.toml:2:9: string values must be quoted, expected literal string
    error: p.toml:1:8: unclosed table, expected `]`
    error: p.toml:3:1: duplicate key
    ");
}

#[test]
fn conflicting_settings_are_reported_at_a_key() {
    let texts = ["inputs.null = true", "[output]\nquiet = true\nverbose = 2"];
    let message = texts.map(|text| message(&format!("{text}\n{STAGE}")));
    insta::assert_snapshot!(message.concat(), @"
    error: p.toml:1:15: --null says nothing without --files-from
    error: p.toml:2:9: --quiet cannot be said together with --verbose
    ");
}

#[test]
fn plugins_that_do_not_fit_are_reported_at_their_stage() {
    let texts = [
        "",
        "[[stage]]\nplugin = 'target/plugins/none.wasm'",
        "[[stage]]\nplugin = 'logs/a.log'",
        "[[stage]]\nplugin = 'target/plugins/wordcount.wasm'\n[[stage]]\nplugin = 'target/plugins/upcase.wasm'",
        "[[branch]]\nstage = [{ plugin = 'target/plugins/wordcount.wasm' }]\n\
         [[branch]]\nstage = [{ plugin = 'target/plugins/upcase.wasm' }]",
        "[[stage]]\nplugin = 'target/plugins/wordcount.wasm'\n[stage.settings]\nchars = true\ncolour = 'red'",
        "[[stage]]\nplugin = 'target/plugins/wordcount.wasm'\n[stage.settings]\nchars = 'perhaps'",
        "[[stage]]\nplugin = 'target/plugins/grep.wasm'",
    ];
    insta::assert_snapshot!(texts.map(|text| message(&format!("inputs.files = 'logs'\n{text}"))).concat(), @"
    error: p.toml: no plugin
    hint: name one in a [[stage]], or with --plugin
    error: p.toml:3:10: target/plugins/none.wasm: No such file or directory (os error 2)
    error: p.toml:3:10: logs/a.log: is not WebAssembly: it lacks the preamble of a module or component
    error: p.toml:3:10: `wordcount` is an aggregator, which gives one result: it can only stand last, but `upcase` comes after it
    error: p.toml:5:21: `upcase` gives bytes, not a result
    hint: several --plugin share one scan where each ends in an aggregator; one after the other is --plugin 'FIRST.wasm | SECOND.wasm'
    error: p.toml:6:1: target/plugins/wordcount.wasm: unknown setting `colour`: wordcount takes `chars`, `longest`
    error: p.toml:5:1: target/plugins/wordcount.wasm: setting `chars` cannot be `perhaps`: provided string was not `true` or `false`
    error: p.toml:3:10: target/plugins/grep.wasm: setting `pattern` is required: What a line has to hold: a regular expression, or one of several, on a line each.
    ");
}

#[test]
fn a_file_that_is_not_there_or_too_long_is_reported() {
    let tree = logs();
    let ended = host(&tree, &["--pipeline", "none.toml", "logs"]).exits(2);
    insta::assert_snapshot!(ended.stderr, @"error: none.toml: No such file or directory (os error 2)");
    fs::write(tree.path().join("long.toml"), "# long\n".repeat(200_000)).unwrap();
    let ended = host(&tree, &["--pipeline", "long.toml", "logs"]).exits(2);
    insta::assert_snapshot!(ended.stderr, @"error: long.toml: longer than 1048576 bytes");
}

#[test]
fn a_dry_run_shows_the_plan_and_makes_nothing() {
    let tree = logs();
    fs::write(tree.path().join("clean.toml"), CLEAN).unwrap();
    let before = files(tree.path());
    insta::assert_snapshot!(host(&tree, &["--pipeline", "clean.toml", "--dry-run", "--ledger=done.ledger"]), @"
    exit: 0
    --- stdout
    sources      2, 84 B
                 logs/a.log
                 logs/b.log
    decompress   auto, encoding auto
    framing      lines
    stage 1      grep (target/plugins/grep.wasm 0.1.0)
                 transformer: bytes of each source; scope chunk, order kept, framing lines
                 fixed = false
                 ignore-case = false
                 invert = false
                 only-matching = false
                 pattern = ERROR
                 unicode = true
    stage 2      hide (target/plugins/redact.wasm 0.1.0)
                 transformer: bytes of each source; scope chunk, order kept, framing lines
                 allow = 
                 format = auto
                 key = 
                 kinds = email
                 mask = *
                 numbers = string
                 pattern = 
                 replace = star
    parallel     sources, and chunks of one source
    work         2 threads, chunks of 512.0 KiB
    limits       memory 128.0 MiB, call 2000 ms, record 1.0 MiB
                 decompressed 1.0 TiB, ratio 1000, members 16777216
                 rejects 1000 and 1%
    output       a file for each source below clean/, fast, exists replace
                 logs/a.log -> a.out.gz
                 logs/b.log -> b.out.gz
    compress     gzip:1
    rejects      rejects.jsonl
    ledger       done.ledger
    --- stderr
    ");
    assert!(files(tree.path()) == before, "a dry run has made something");
    assert!(!tree.path().join("clean").exists());
    let same =
        [&CLEAN_FLAGS[..], &["--out", "clean/", "logs/", "--dry-run", "--format=json"]].concat();
    let by_flags = host(&tree, &same).exits(0).text().to_string();
    let by_file = host(&tree, &["--pipeline", "clean.toml", "--dry-run", "--format=json"]).exits(0);
    let mut by_file: serde_json::Value = serde_json::from_str(by_file.text()).unwrap();
    let mut by_flags: serde_json::Value = serde_json::from_str(&by_flags).unwrap();
    assert_eq!(by_file["branches"][0][1]["name"].take(), "hide");
    assert_eq!(by_flags["branches"][0][1]["name"].take(), "redact");
    assert_eq!(by_file["output"]["rejects"].take(), "rejects.jsonl");
    assert!(by_flags["output"]["rejects"].is_null());
    assert_eq!(by_file, by_flags);
}

#[test]
fn a_plan_shows_no_secret() {
    let tree = Tree::with(&[("a", "x\n")]);
    let host = Host::run(&plugin("redact")).within(tree.path());
    let host = host.args(["--dry-run", "--set", "replace=hash", "--set", "key=very secret", "a"]);
    let message = host.ended().exits(0);
    assert!(message.text().contains("key = ***"), "{message}");
    assert!(!message.text().contains("very secret"), "{message}");
}

#[test]
fn a_dry_run_knows_sizes_members_and_what_cannot_be_read() {
    let tree = logs();
    let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1], 'w')
for name in 'mn': z.writestr(name, 'hello')";
    let archive = tree.path().join("logs/z.zip");
    oracle("python3", &["-c", script, archive.to_str().unwrap()], b"");
    let plan = host(
        &tree,
        &[
            "--plugin=target/plugins/wordcount.wasm",
            "--dry-run",
            "--chunk-size=64",
            "logs",
            "none",
            "-",
        ],
    );
    insta::assert_snapshot!(plan, @"
    exit: 1
    --- stdout
    sources      7, 110 B and 1 of unknown size
                 logs/a.log
                 logs/b.log
                 logs/notes.txt
                 logs/z.zip!/m
                 logs/z.zip!/n
                 … 2 more
    archive      logs/z.zip: 2 members
    unreadable   none: No such file or directory (os error 2)
    decompress   auto, encoding auto
    framing      lines
    stage 1      wordcount (target/plugins/wordcount.wasm 0.1.0)
                 aggregator: one result of each source; scope chunk, order any, framing lines
                 chars = false
                 longest = false
    parallel     sources, and chunks of one source
    work         2 threads, chunks of 64 B
    limits       memory 256.0 MiB, call 5000 ms, record 64.0 MiB
                 decompressed 1.0 TiB, ratio 1000, members 16777216
                 rejects 1000 and 1%
    output       standard output
    --- stderr
    ");
}

#[test]
fn a_dry_run_foresees_what_is_done_and_what_is_there() {
    let tree = logs();
    fs::write(tree.path().join("clean.toml"), CLEAN).unwrap();
    let ledger = ["--ledger", "done.ledger", "--out", "clean/"];
    let by_flags = [&CLEAN_FLAGS[..], &ledger, &["logs/"]].concat();
    host(&tree, &by_flags).exits(0);
    fs::write(tree.path().join("logs/new.log"), "ERROR of today\n").unwrap();
    // The job is the same, from a file or from flags.
    let plan = |args: &[&str]| {
        let args = [&["--pipeline", "clean.toml", "--dry-run", "--format=json"], args].concat();
        let plan = host(&tree, &args).exits(0);
        serde_json::from_str::<serde_json::Value>(plan.text()).unwrap()
    };
    let with_ledger = plan(&ledger);
    assert_eq!(with_ledger["sources"]["skipped"], 2);
    assert_eq!(with_ledger["sources"]["first"], serde_json::json!(["logs/new.log"]));
    assert_eq!(with_ledger["output"]["there"], 0);
    let without = plan(&[]);
    assert_eq!(without["sources"]["skipped"], 0);
    assert_eq!(without["output"]["there"], 2);
    let args = [&["--pipeline", "clean.toml"], &ledger[..]].concat();
    insta::assert_snapshot!(host(&tree, &args).exits(0).stderr, @"2 sources are done already, and were skipped");
}

#[test]
fn a_dry_run_says_what_of_a_chain_runs_in_parallel() {
    let tree = logs();
    let parallel = |plugins: &str, args: &[&str]| {
        let args = [&["--plugin", plugins, "--dry-run", "--format=json", "logs"], args].concat();
        let host = Host::new().arg("run").arg("--cache").arg(shared_cache()).within(tree.path());
        let plan = host.args(args).ended().exits(0);
        let plan: serde_json::Value = serde_json::from_str(plan.text()).unwrap();
        plan["parallel"].as_str().unwrap().to_string()
    };
    let chain = "target/plugins/upcase.wasm | target/plugins/checksum.wasm";
    assert_eq!(parallel(chain, &["-j2"]), "head");
    assert_eq!(parallel(chain, &["-j1"]), "nothing");
    assert_eq!(parallel(chain, &["-j2", "--framing=whole"]), "sources");
    assert_eq!(parallel("target/plugins/checksum.wasm", &["-j2"]), "sources");
    assert_eq!(parallel("target/plugins/upcase.wasm", &["-j2"]), "chunks");
}

#[test]
fn a_dry_run_fails_where_the_run_would_not_start() {
    let tree = logs();
    fs::write(tree.path().join("there"), "").unwrap();
    let plan = |args: &[&str]| {
        let args = [&["--plugin=target/plugins/wordcount.wasm", "--dry-run"], args].concat();
        let run: Vec<_> = args.iter().copied().filter(|arg| *arg != "--dry-run").collect();
        let (planned, started) = (host(&tree, &args), host(&tree, &run).exits(2));
        assert_eq!(planned.stderr, started.stderr);
        planned.exits(2).stderr
    };
    let message = [
        plan(&[]),
        plan(&["--out=there", "logs"]),
        plan(&["--out=none/file", "logs"]),
        plan(&["--out=dir/", "logs"]),
        plan(&["--encoding=klingon", "logs"]),
        plan(&["--framing=words", "logs"]),
        plan(&["--include=a[", "logs"]),
        plan(&["--set=colour=red", "logs"]),
    ];
    insta::assert_snapshot!(message.concat(), @"
    error: no input
    hint: name files or directories, or --files-from
    error: ./there: exists already
    hint: --exists skip leaves it, --exists replace overwrites it
    error: none: cannot open the directory: No such file or directory (os error 2)
    error: --out dir/: the plugin gives results
    hint: they go to one file, or to standard output
    error: unknown encoding `klingon`: known are auto, bom, none, utf-32le, utf-32be, and the labels of the WHATWG Encoding Standard, as utf-16le
    error: unknown framing `words`: known are bytes, lines, csv, delimited:0xNN, fixed:N, prefixed:u32be, prefixed:u32le, whole
    error: a[: unclosed character class; missing ']'
    error: target/plugins/wordcount.wasm: unknown setting `colour`: wordcount takes `chars`, `longest`
    ");
}

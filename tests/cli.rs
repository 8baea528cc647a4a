//! The command line as its user meets it: exit code, standard output and standard error of whole calls.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Signal, geteuid, kill_process};
use serde_json::Value;

use crate::support::guest::{Guest, crashing};
use crate::support::host::{Ended, Host};
use crate::support::oracle::oracle;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// Some words, in files and directories.
fn words() -> Tree {
    Tree::with(&[
        ("one.txt", "alpha beta\ngamma\n"),
        ("two.log", "no final newline"),
        ("sub/three.txt", "a b c\n"),
        ("sub/deep/four.txt", ""),
    ])
}

/// `host run --plugin wordcount.wasm ARGS` among those words.
fn wordcount(args: &[&str]) -> Ended {
    let tree = words();
    Host::run(&plugin("wordcount")).within(tree.path()).args(args).ended()
}

#[test]
fn no_arguments_show_what_there_is() {
    insta::assert_snapshot!(Host::new().ended(), @"
    exit: 2
    --- stdout
    --- stderr
    Runs sandboxed `WebAssembly` plugins over files, in parallel, at the speed of native code

    Usage: host <COMMAND>

    Commands:
      run          Run a plugin over files and directories
      plugin       Look at plugins
      completions  Print a completion script for a shell
      man          Print the manual page, or write one for each command
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version
    ");
}

#[test]
fn a_run_without_input_says_how_to_name_some() {
    insta::assert_snapshot!(wordcount(&[]), @"
    exit: 2
    --- stdout
    --- stderr
    error: no input
    hint: name files or directories, or --files-from
    ");
}

#[test]
fn flags_that_are_wrong_are_told() {
    insta::assert_snapshot!(wordcount(&["--frobnicate", "one.txt"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: unexpected argument '--frobnicate' found

      tip: a similar argument exists: '--format'

    Usage: host run --plugin <PLUGIN.wasm> --cache <DIR> --format <FORMAT> [FILES]...

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(wordcount(&["--set", "chars", "one.txt"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: invalid value 'chars' for '--set <KEY=VALUE>': expected KEY=VALUE

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(wordcount(&["--null", "one.txt"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: the following required arguments were not provided:
      --files-from <FILE>

    Usage: host run --plugin <PLUGIN.wasm> --files-from <FILE> --cache <DIR> --null <FILES>...

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(wordcount(&["--include", "a[", "sub"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: a[: error parsing glob 'a[': unclosed character class; missing ']'
    ");
    insta::assert_snapshot!(wordcount(&["--files-from", "none"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: none: No such file or directory (os error 2)
    ");
    insta::assert_snapshot!(Host::new().args(["run", "one.txt"]).ended(), @"
    exit: 2
    --- stdout
    --- stderr
    error: the following required arguments were not provided:
      --plugin <PLUGIN.wasm>

    Usage: host run --plugin <PLUGIN.wasm> <FILES>...

    For more information, try '--help'.
    ");
}

#[test]
fn a_plugin_that_is_not_there_is_named() {
    let ended = Host::new().args(["run", "--no-cache", "--plugin", "none.wasm", "one.txt"]).ended();
    insta::assert_snapshot!(ended, @"
    exit: 2
    --- stdout
    --- stderr
    error: none.wasm: No such file or directory (os error 2)
    ");
}

#[test]
fn settings_that_the_plugin_does_not_take_are_told() {
    insta::assert_snapshot!(wordcount(&["--set", "colour=red", "one.txt"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/wordcount.wasm: unknown setting `colour`: wordcount takes `chars`, `longest`
    ");
    insta::assert_snapshot!(wordcount(&["--set", "chars=perhaps", "one.txt"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/wordcount.wasm: setting `chars` cannot be `perhaps`: provided string was not `true` or `false`
    ");
    insta::assert_snapshot!(
        wordcount(&["--set", "chars=true", "--set", "chars=false", "one.txt"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/wordcount.wasm: setting `chars` is given twice
    ");
}

#[test]
fn figures_out_of_range_are_told_with_the_range() {
    let told = [
        ["--threads", "0"],
        ["--threads", "5000"],
        ["--chunk-size", "1"],
        ["--chunk-size", "1PiB"],
        ["--max-record", "0"],
        ["--memory", "1KiB"],
        ["--timeout", "1ms"],
        ["--timeout", "10min"],
        ["--timeout", "soon"],
    ]
    .map(|[flag, value]| wordcount(&[flag, value, "one.txt"]).exits(2).stderr);
    insta::assert_snapshot!(told.concat(), @"
    error: --threads 0 is not within 1 and 1024
    error: --threads 5000 is not within 1 and 1024
    error: --chunk-size 1 B is not within 64 B and 4.0 GiB
    error: --chunk-size 1.0 PiB is not within 64 B and 4.0 GiB
    error: --max-record 0 B is not within 1 B and 4.0 GiB
    error: --memory 1.0 KiB is not within 64.0 KiB and 4.0 GiB
    error: --timeout 1ms is not within 10ms and 300s
    error: --timeout 600s is not within 10ms and 300s
    error: invalid value 'soon' for '--timeout <TIME>': expected number at 0

    For more information, try '--help'.
    ");
}

#[test]
fn a_missing_file_fails_and_the_others_do_not() {
    insta::assert_snapshot!(wordcount(&["one.txt", "none.txt", "two.log"]), @r#"
    exit: 1
    --- stdout
    {"source":"one.txt","bytes":17,"result":{"lines":2,"words":3,"bytes":17}}
    {"source":"none.txt","error":{"kind":"not-found","message":"No such file or directory (os error 2)"}}
    {"source":"two.log","bytes":16,"result":{"lines":0,"words":3,"bytes":16}}
    {"total":{"lines":2,"words":6,"bytes":33},"sources":3,"failed":1,"bytes":33}
    --- stderr
    none.txt: No such file or directory (os error 2)
    1 of 3 sources failed
    "#);
}

#[test]
fn fail_fast_ends_with_the_first_failure() {
    let ended = wordcount(&["--fail-fast", "-j1", "none.txt", "one.txt", "two.log"]);
    insta::assert_snapshot!(ended, @r#"
    exit: 1
    --- stdout
    {"source":"none.txt","error":{"kind":"not-found","message":"No such file or directory (os error 2)"}}
    --- stderr
    none.txt: No such file or directory (os error 2)
    1 of 3 sources failed
    "#);
}

#[test]
fn a_directory_is_read_with_all_below_it_in_the_order_of_paths() {
    insta::assert_snapshot!(wordcount(&["."]), @r#"
    exit: 0
    --- stdout
    {"source":"./one.txt","bytes":17,"result":{"lines":2,"words":3,"bytes":17}}
    {"source":"./sub/deep/four.txt","bytes":0,"result":{"lines":0,"words":0,"bytes":0}}
    {"source":"./sub/three.txt","bytes":6,"result":{"lines":1,"words":3,"bytes":6}}
    {"source":"./two.log","bytes":16,"result":{"lines":0,"words":3,"bytes":16}}
    {"total":{"lines":3,"words":9,"bytes":39},"sources":4,"failed":0,"bytes":39}
    --- stderr
    "#);
}

#[test]
fn globs_choose_inside_directories_only() {
    insta::assert_snapshot!(wordcount(&["--per-source", "--include", "*.txt", "two.log", "."]), @r#"
    exit: 0
    --- stdout
    {"source":"two.log","bytes":16,"result":{"lines":0,"words":3,"bytes":16}}
    {"source":"./one.txt","bytes":17,"result":{"lines":2,"words":3,"bytes":17}}
    {"source":"./sub/deep/four.txt","bytes":0,"result":{"lines":0,"words":0,"bytes":0}}
    {"source":"./sub/three.txt","bytes":6,"result":{"lines":1,"words":3,"bytes":6}}
    {"sources":4,"failed":0,"bytes":39}
    --- stderr
    "#);
    insta::assert_snapshot!(wordcount(&["--per-source", "--exclude", "deep", "--exclude", "*.log", "."]), @r#"
    exit: 0
    --- stdout
    {"source":"./one.txt","bytes":17,"result":{"lines":2,"words":3,"bytes":17}}
    {"source":"./sub/three.txt","bytes":6,"result":{"lines":1,"words":3,"bytes":6}}
    {"sources":2,"failed":0,"bytes":23}
    --- stderr
    "#);
    insta::assert_snapshot!(wordcount(&["--include", "*.nothing", "."]), @r#"
    exit: 0
    --- stdout
    {"total":{"lines":0,"words":0,"bytes":0},"sources":0,"failed":0,"bytes":0}
    --- stderr
    "#);
}

#[test]
fn an_empty_directory_has_an_empty_total() {
    let tree = Tree::new();
    let ended = Host::run(&plugin("wordcount")).within(tree.path()).arg(".").ended();
    insta::assert_snapshot!(ended, @r#"
    exit: 0
    --- stdout
    {"total":{"lines":0,"words":0,"bytes":0},"sources":0,"failed":0,"bytes":0}
    --- stderr
    "#);
}

#[test]
fn names_are_read_from_a_file_or_standard_input() {
    let tree = words();
    let host = || Host::run(&plugin("wordcount")).within(tree.path()).arg("--per-source");
    let lines = "two.log\n\nsub/three.txt\n";
    let expected = host().args(["one.txt", "two.log", "sub/three.txt"]).ended().exits(0).stdout;

    tree.file("lines", lines);
    let listed = host().args(["one.txt", "--files-from", "lines"]).ended().exits(0);
    assert_eq!(listed.stdout, expected);
    let piped = host().args(["one.txt", "--files-from", "-"]).stdin(lines).ended().exits(0);
    assert_eq!(piped.stdout, expected);

    let zeros = lines.replace('\n', "\0");
    tree.file("zeros", &zeros);
    let listed = host().args(["one.txt", "-0", "--files-from", "zeros"]).ended().exits(0);
    assert_eq!(listed.stdout, expected);
    let piped = host().args(["one.txt", "-0", "--files-from", "-"]).stdin(zeros).ended().exits(0);
    assert_eq!(piped.stdout, expected);
}

#[test]
fn names_need_not_be_utf_8_nor_of_one_line() {
    let tree = Tree::new();
    let names = [&b"caf\xe9"[..], b"two\nlines"];
    for name in names {
        fs::write(tree.path().join(std::ffi::OsStr::from_bytes(name)), "x\n").unwrap();
    }
    let ended = Host::run(&plugin("wordcount"))
        .within(tree.path())
        .args(["-0", "--files-from", "-"])
        .stdin(names.join(&0))
        .ended();
    insta::assert_snapshot!(ended, @r#"
    exit: 0
    --- stdout
    {"source":"caf�","bytes":2,"result":{"lines":1,"words":1,"bytes":2}}
    {"source":"two\nlines","bytes":2,"result":{"lines":1,"words":1,"bytes":2}}
    {"total":{"lines":2,"words":2,"bytes":4},"sources":2,"failed":0,"bytes":4}
    --- stderr
    "#);
}

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
    bytes  lines  words  source
       17      2      3  one.txt
        0      0      0  sub/deep/four.txt
        6      1      3  sub/three.txt
       23      3      6  total
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
    bytes  chars  lines  longest  words  source
       17     17      2       10      3  ./one.txt
        0      0      0        0      0  ./sub/deep/four.txt
        6      6      1        5      3  ./sub/three.txt
       16     16      0       16      3  ./two.log
       39     39      3       16      9  total
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
    for measured in ["seconds", "mb_per_second", "peak_rss_bytes", "instances"] {
        let figure = figures.insert(measured.into(), "more than 0".into()).unwrap();
        assert!(figure.as_f64().unwrap() > 0.0, "{measured}: {figure}");
    }
    for seconds in figures["thread_seconds"].as_object_mut().unwrap().values_mut() {
        assert!(seconds.take().is_f64());
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&report).unwrap(), @r#"
    {
      "bytes": 17,
      "counters": {},
      "errors": {
        "not-found": 1
      },
      "failed": 1,
      "files": 2,
      "instances": "more than 0",
      "mb_per_second": "more than 0",
      "peak_rss_bytes": "more than 0",
      "rejected": 0,
      "seconds": "more than 0",
      "skipped": 0,
      "thread_seconds": {
        "guest": null,
        "merge": null,
        "read": null,
        "write": null
      },
      "threads": 3
    }
    "#);
}

/// A FIFO, a socket, a link to a file, one to a directory, one to nothing, and a file.
fn odd_files() -> (Tree, UnixListener) {
    let tree = Tree::with(&[("dir/file", "x\n"), ("elsewhere/file", "y\n")]);
    let fifo = tree.path().join("dir/fifo");
    assert!(Command::new("mkfifo").arg(fifo).status().unwrap().success());
    let socket = UnixListener::bind(tree.path().join("dir/socket")).unwrap();
    symlink("file", tree.path().join("dir/link")).unwrap();
    symlink("../elsewhere", tree.path().join("dir/linked")).unwrap();
    symlink("nowhere", tree.path().join("dir/broken")).unwrap();
    (tree, socket)
}

#[test]
fn what_is_no_regular_file_is_refused_where_it_is_named() {
    let (tree, _socket) = odd_files();
    let ended = Host::run(&plugin("wordcount"))
        .within(tree.path())
        .args(["dir/fifo", "dir/socket", "/dev/null", "dir/broken", "dir/link", "dir/linked"])
        .ended();
    insta::assert_snapshot!(ended, @r#"
    exit: 1
    --- stdout
    {"source":"dir/fifo","error":{"kind":"not-regular","message":"is a FIFO, not a regular file"}}
    {"source":"dir/socket","error":{"kind":"not-regular","message":"is a socket, not a regular file"}}
    {"source":"/dev/null","error":{"kind":"not-regular","message":"is a character device, not a regular file"}}
    {"source":"dir/broken","error":{"kind":"not-found","message":"No such file or directory (os error 2)"}}
    {"source":"dir/link","bytes":2,"result":{"lines":1,"words":1,"bytes":2}}
    {"source":"dir/linked/file","bytes":2,"result":{"lines":1,"words":1,"bytes":2}}
    {"total":{"lines":2,"words":2,"bytes":4},"sources":6,"failed":4,"bytes":4}
    --- stderr
    dir/fifo: is a FIFO, not a regular file
    dir/socket: is a socket, not a regular file
    /dev/null: is a character device, not a regular file
    dir/broken: No such file or directory (os error 2)
    4 of 6 sources failed
    "#);
}

#[test]
fn what_is_no_regular_file_is_skipped_and_counted_in_directories() {
    let (tree, _socket) = odd_files();
    let ended = Host::run(&plugin("wordcount"))
        .within(tree.path())
        .args(["dir", "--report", "report.json"])
        .ended();
    insta::assert_snapshot!(ended, @r#"
    exit: 0
    --- stdout
    {"source":"dir/file","bytes":2,"result":{"lines":1,"words":1,"bytes":2}}
    {"total":{"lines":1,"words":1,"bytes":2},"sources":1,"failed":0,"bytes":2}
    --- stderr
    5 entries that are no regular files were skipped
    "#);
    let report = fs::read(tree.path().join("report.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&report).unwrap()["skipped"], 5);
}

/// Where nothing is forbidden to us, somebody else is asked: the binary and the plugin go where they can reach them.
fn as_somebody_else(tree: &Tree) -> Host {
    if !geteuid().is_root() {
        return Host::new();
    }
    fs::set_permissions(tree.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let binary = tree.path().join("host");
    fs::copy(env!("CARGO_BIN_EXE_host"), &binary).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"]);
    command.arg(binary);
    Host::through(command)
}

#[test]
fn what_may_not_be_read_fails_and_the_rest_does_not() {
    let tree = Tree::with(&[("in/closed", "x\n"), ("in/locked/file", "x\n"), ("in/open", "y\n")]);
    fs::copy(plugin("wordcount"), tree.path().join("wordcount.wasm")).unwrap();
    let host = as_somebody_else(&tree);
    for closed in ["in/closed", "in/locked"] {
        let mode = fs::Permissions::from_mode(0o000);
        fs::set_permissions(tree.path().join(closed), mode).unwrap();
    }
    let ended = host
        .within(tree.path())
        .args(["run", "--no-cache", "--plugin", "wordcount.wasm", "in"])
        .ended();
    let mode = fs::Permissions::from_mode(0o700);
    fs::set_permissions(tree.path().join("in/locked"), mode).unwrap();
    insta::assert_snapshot!(ended, @r#"
    exit: 1
    --- stdout
    {"source":"in/closed","error":{"kind":"permission-denied","message":"cannot open: Permission denied (os error 13)"}}
    {"source":"in/locked","error":{"kind":"permission-denied","message":"Permission denied (os error 13)"}}
    {"source":"in/open","bytes":2,"result":{"lines":1,"words":1,"bytes":2}}
    {"total":{"lines":1,"words":1,"bytes":2},"sources":3,"failed":2,"bytes":2}
    --- stderr
    in/closed: cannot open: Permission denied (os error 13)
    in/locked: Permission denied (os error 13)
    2 of 3 sources failed
    "#);
}

#[test]
fn completions_are_made_for_each_shell() {
    for (shell, flag) in [("bash", "--plugin"), ("zsh", "--plugin"), ("fish", "-l plugin")] {
        let ended = Host::new().args(["completions", shell]).ended().exits(0);
        assert!(ended.text().contains(flag), "{shell}");
        assert_eq!(ended.stderr, "");
        if shell == "bash" {
            oracle("bash", &["-n"], &ended.stdout);
        }
    }
}

#[test]
fn manual_pages_are_made_for_each_command() {
    let page = Host::new().arg("man").ended().exits(0);
    assert!(page.text().contains("\n.TH host 1 "), "{page}");
    let tree = Tree::new();
    let ended = Host::new().within(tree.path()).args(["man", "--dir", "man/man1"]).ended().exits(0);
    assert_eq!(ended.text(), "");
    let mut pages: Vec<_> = fs::read_dir(tree.path().join("man/man1")).unwrap().collect();
    pages.sort_by_key(|page| page.as_ref().unwrap().file_name());
    let pages = pages.into_iter().map(|page| page.unwrap().path());
    let named = |path: PathBuf| {
        assert!(fs::read_to_string(&path).unwrap().contains("\n.TH "), "{}", path.display());
        path.file_name().unwrap().to_str().unwrap().to_string()
    };
    insta::assert_snapshot!(pages.map(named).collect::<Vec<_>>().join("\n"), @"
    host-completions.1
    host-man.1
    host-plugin-inspect.1
    host-plugin.1
    host-run.1
    host.1
    ");
}

/// What is told of a plugin, without what differs from build to build.
fn inspected(name: &str) -> String {
    let ended = Host::new().args(["plugin", "inspect"]).arg(plugin(name)).ended().exits(0);
    let (built, told): (Vec<_>, Vec<_>) = ended.text().lines().partition(|line| {
        ["size ", "memory ", "tables "].iter().any(|word| line.starts_with(word))
    });
    assert_eq!(built.len(), 3, "{ended}");
    told.join("\n")
}

#[test]
fn inspect_tells_what_a_plugin_is() {
    insta::assert_snapshot!(inspected("wordcount"), @r#"
    kind         aggregator: bytes in, one result out
    name         wordcount 0.1.0
    summary      Counts lines, words and bytes, as wc does.
    framing      lines
    scope        Chunk, order Any
    output       application/json
    setting      chars: Count UTF-8 characters, too. [default "false"]
    setting      longest: Say how many characters the longest line has. [default "false"]
    simd         yes
    imports      gristmill:plugin/types@0.1.0, gristmill:plugin/host@0.1.0
    exports      gristmill:plugin/aggregate@0.1.0, gristmill:plugin/lifecycle@0.1.0
    "#);
    insta::assert_snapshot!(inspected("topwords"), @r#"
    kind         aggregator: bytes in, one result out
    name         topwords 0.1.0
    summary      Finds the most frequent words.
    framing      lines
    scope        Chunk, order Any
    output       application/json
    setting      n: How many words. [default "10"]
    simd         yes
    imports      gristmill:plugin/types@0.1.0, gristmill:plugin/host@0.1.0
    exports      gristmill:plugin/aggregate@0.1.0, gristmill:plugin/lifecycle@0.1.0
    "#);
    insta::assert_snapshot!(inspected("checksum"), @"
    kind         aggregator: bytes in, one result out
    name         checksum 0.1.0
    summary      SHA-256 of a source.
    framing      bytes
    scope        Source, order Kept
    output       application/json
    simd         yes
    imports      gristmill:plugin/types@0.1.0, gristmill:plugin/host@0.1.0
    exports      gristmill:plugin/aggregate@0.1.0, gristmill:plugin/lifecycle@0.1.0
    ");
}

#[test]
fn inspect_tells_it_as_json() {
    for name in ["wordcount", "topwords", "checksum"] {
        let path = plugin(name);
        let ended = Host::new().args(["plugin", "inspect", "--json"]).arg(&path).ended().exits(0);
        let told: Value = serde_json::from_slice(&ended.stdout).unwrap();
        assert_eq!(told["manifest"]["name"], name);
        assert_eq!(told["kind"], "aggregator");
        assert_eq!(told["binary"], "module");
        assert_eq!(
            told["simd"], true,
            "built without SIMD, which cannot be found out when it runs"
        );
        assert_eq!(told["bytes"], fs::metadata(path).unwrap().len());
        assert_eq!(told["trouble"], Value::Null);
    }
}

#[test]
fn inspect_tells_why_a_plugin_would_not_run() {
    let tree = Tree::new();
    let guest = Guest { describe: "unreachable", ..Guest::default() };
    let path = tree.file("guest.wasm", guest.component());
    let ended = Host::new().args(["plugin", "inspect", "--json"]).arg(path).ended().exits(1);
    let told: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(told["binary"], "component");
    assert_eq!(told["simd"], false);
    insta::assert_snapshot!(told["trouble"].as_str().unwrap(), @"the plugin crashed in describe: uncaught exception, failed assertion or out of memory");
    let none = tree.file("none.wasm", "text");
    let ended =
        Host::new().args(["plugin", "inspect"]).arg(none).hide(tree.path(), "[dir]").ended();
    insta::assert_snapshot!(ended, @"
    exit: 2
    --- stdout
    --- stderr
    error: [dir]/none.wasm: is not WebAssembly: it lacks the preamble of a module or component
    ");
}

fn with_cache(cache: &Path, flags: &[&str]) -> Ended {
    let tree = words();
    Host::new()
        .args(["run", "--total", "--plugin"])
        .arg(plugin("wordcount"))
        .arg("--cache")
        .arg(cache)
        .hide(cache, "[cache]")
        .within(tree.path())
        .args(flags)
        .arg("one.txt")
        .ended()
        .exits(0)
}

/// The compiled plugins in a cache.
fn compiled(cache: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "code")).collect()
}

#[test]
fn a_plugin_is_compiled_once() {
    let tree = Tree::new();
    let cache = tree.path().join("made/for/it");
    let first = with_cache(&cache, &[]);
    let [path] = &compiled(&cache)[..] else { panic!("one plugin, one entry") };
    assert_eq!(fs::metadata(&cache).unwrap().mode() & 0o777, 0o700);
    // What is compiled is put in place as a new file.
    let inode = fs::metadata(path).unwrap().ino();
    let second = with_cache(&cache, &[]);
    assert_eq!(fs::metadata(path).unwrap().ino(), inode);
    assert_eq!(compiled(&cache).len(), 1);
    assert_eq!((&first.stdout, &*first.stderr), (&second.stdout, &*second.stderr));
    assert_eq!(second.stderr, "");
}

#[test]
fn compiled_code_that_was_tampered_with_is_not_run() {
    let tree = Tree::new();
    let cache = tree.path().join("cache");
    let clean = with_cache(&cache, &[]);
    let path = compiled(&cache).pop().unwrap();
    let mut code = fs::read(&path).unwrap();
    let middle = code.len() / 2;
    code[middle] ^= 1;
    fs::write(&path, code).unwrap();
    let tampered = with_cache(&cache, &[]);
    let warning = format!(" WARN {}: not what was written: compiling again\n", path.display());
    assert_eq!(tampered.stderr, warning);
    assert_eq!(tampered.stdout, clean.stdout);
    assert_eq!(with_cache(&cache, &[]).stderr, "", "what was compiled again is kept");
}

#[test]
fn a_cache_that_others_can_reach_is_not_used() {
    let tree = Tree::new();
    let cache = tree.path().join("cache");
    fs::create_dir(&cache).unwrap();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o755)).unwrap();
    insta::assert_snapshot!(with_cache(&cache, &[]), @r#"
    exit: 0
    --- stdout
    {"total":{"lines":2,"words":3,"bytes":17},"sources":1,"failed":0,"bytes":17}
    --- stderr
     WARN [cache]: not used: others have access to it; want mode 0700, its key 0600
    "#);
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 0);
}

#[test]
fn the_cache_is_the_users_own_unless_named() {
    let (tree, home) = (words(), Tree::new());
    let host = || {
        let host = Host::new().within(tree.path()).env("XDG_CACHE_HOME", home.path());
        host.args(["run", "--total", "--plugin"]).arg(plugin("wordcount")).arg("one.txt")
    };
    host().arg("--no-cache").ended().exits(0);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    host().ended().exits(0);
    assert_eq!(compiled(&home.path().join("gristmill/code")).len(), 1);
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

/// Interrupts a run once the guest has logged a line; it never returns after that.
fn interrupted(guest: &Guest, sources: &[&str]) -> (String, String) {
    let (plugins, tree) = (Tree::new(), Tree::with(&[("a", "x\n"), ("bad", "!\n"), ("c", "x\n")]));
    let mut child = Host::run(&guest.file(&plugins))
        .within(tree.path())
        .args(["-v", "-j1", "--timeout", "5min"])
        .args(sources)
        .start();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert_eq!(line, " INFO guest: begun\n");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{rest}");
    (String::from_utf8(output.stdout).unwrap(), rest)
}

const BEGUN: &[(&str, &str)] = &[("begun", "begun")];

#[test]
fn an_interrupt_ends_the_run_in_order_wherever_the_guest_is() {
    let hang = "(call $log (i32.const 1) (global.get $begun) (global.get $begun_len))
        (loop $forever (br $forever))";
    for (place, guest) in crashing(hang) {
        let (stdout, stderr) = interrupted(&Guest { texts: BEGUN, ..guest }, &["a", "bad", "c"]);
        assert_eq!(stderr, "interrupted: 1 of 3 sources are done\n", "{place}");
        assert_eq!(stdout, "{\"source\":\"a\",\"bytes\":2,\"result\":\"x\\n\"}\n", "{place}");
    }
}

#[test]
fn an_interrupted_total_is_no_failure() {
    let merge = "(if (call $marked (local.get $data) (local.get $len)) (then
        (call $log (i32.const 1) (global.get $begun) (global.get $begun_len))
        (loop $forever (br $forever))))";
    let (stdout, stderr) =
        interrupted(&Guest { merge, texts: BEGUN, ..Guest::default() }, &["bad"]);
    assert_eq!(stderr, "interrupted: 1 of 1 sources are done\n");
    assert_eq!(stdout, "{\"source\":\"bad\",\"bytes\":2,\"result\":\"!\\n\"}\n");
}

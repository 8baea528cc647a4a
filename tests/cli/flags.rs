//! A wrong command line gets an error that names what is wrong, and nothing starts.

use super::wordcount;
use crate::support::host::Host;
use crate::support::plugins::plugin;

#[test]
fn no_arguments_show_what_there_is() {
    insta::assert_snapshot!(Host::new().ended(), @"
    exit: 2
    --- stdout
    --- stderr
    Runs sandboxed WebAssembly plugins over files, in parallel, at the speed of native code

    Usage: host <COMMAND>

    Commands:
      run          Run a plugin over files and directories
      watch        Run a plugin over files as they arrive in directories, each exactly once
      plugin       Look at plugins
      doctor       Tell whether this machine has what `host run` needs, and how to get what is missing
      ledger       Look at what ledgers say is done, or have it done again
      guide        Show a page of the documentation
      sample       Write a small tree of logs, CSV, JSON lines and archives to try things on
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
fn wrong_flags_are_reported() {
    insta::assert_snapshot!(wordcount(&["--frobnicate", "one.txt"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: unexpected argument '--frobnicate' found

      tip: a similar argument exists: '--format'

    Usage: host run --plugin <PLUGIN> --cache <DIR> --format <FORMAT> [FILES]...

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
    error: --null says nothing without --files-from
    ");
    insta::assert_snapshot!(wordcount(&["--include", "a[", "sub"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: a[: unclosed character class; missing ']'
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
      --plugin <PLUGIN>

    Usage: host run --plugin <PLUGIN> <FILES>...

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
fn a_glob_that_the_shell_left_alone_is_reported() {
    let message = wordcount(&["*.txt"]).exits(1).stderr;
    let expected = "*.txt: No such file or directory (os error 2)\nhint: a shell expands globs that are not quoted";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn settings_that_the_plugin_does_not_take_are_reported() {
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
fn figures_out_of_range_are_reported_with_the_range() {
    let message = [
        ["--threads", "0"],
        ["--threads", "1025"],
        ["--chunk-size", "1"],
        ["--chunk-size", "1PiB"],
        ["--max-record", "0"],
        ["--max-record", "5GiB"],
        ["--memory", "1KiB"],
        ["--memory", "5GiB"],
        ["--timeout", "1ms"],
        ["--timeout", "10min"],
        ["--timeout", "soon"],
    ]
    .map(|[flag, value]| wordcount(&[flag, value, "one.txt"]).exits(2).stderr);
    insta::assert_snapshot!(message.concat(), @"
    error: --threads 0 is not within 1 and 1024
    error: --threads 1025 is not within 1 and 1024
    error: --chunk-size 1 B is not within 64 B and 4.0 GiB
    error: --chunk-size 1.0 PiB is not within 64 B and 4.0 GiB
    error: --max-record 0 B is not within 1 B and 4.0 GiB
    error: --max-record 5.0 GiB is not within 1 B and 4.0 GiB
    error: --memory 1.0 KiB is not within 64.0 KiB and 4.0 GiB
    error: --memory 5.0 GiB is not within 64.0 KiB and 4.0 GiB
    error: --timeout 1ms is not within 10ms and 300s
    error: --timeout 600s is not within 10ms and 300s
    error: invalid value 'soon' for '--timeout <TIME>': expected number at 0

    For more information, try '--help'.
    ");
}

#[test]
fn help_that_cannot_be_written_is_no_success() {
    for args in [&["--help"][..], &["run", "--help"], &["--version"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_host"));
        let ended = command.args(args).stdout(full).output().unwrap();
        assert_eq!(ended.status.code(), Some(2), "{args:?}");
        let message = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(message, "error: No space left on device (os error 28)\n", "{args:?}");
        Host::new().args(args).ended().exits(0);
    }
}

#[test]
fn an_empty_variable_says_nothing() {
    for name in ["GRISTMILL_THREADS", "GRISTMILL_CACHE"] {
        let host = Host::new().env(name, "").arg("run").arg("--plugin").arg(plugin("wordcount"));
        host.args(["--no-cache", "-"]).stdin("a b\n").ended().exits(0);
    }
}

#[test]
fn a_size_that_no_number_has_is_refused() {
    for size in ["99999999999GiB", "16EiB"] {
        let message = wordcount(&["--memory", size, "one.txt"]).exits(2).stderr;
        assert!(message.contains("it is too large: there are no 16 EiB"), "{message}");
    }
    let message = wordcount(&["--memory", "15EiB", "one.txt"]).exits(2).stderr;
    assert!(message.contains("--memory 15.0 EiB is not within"), "{message}");
}

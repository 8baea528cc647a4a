//! Combinations without a meaning are refused before anything is read or created.

use std::fs;

use crate::support::host::Host;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// The error for plugins, `|` between those of a chain, with arguments.
fn message(specs: &[&str], args: &[&str]) -> String {
    let tree = Tree::with(&[("in/a", "a\n")]);
    let path = |name: &str| plugin(name.trim()).display().to_string();
    let directory = plugin("upcase").parent().unwrap().to_path_buf();
    let mut host = Host::new().within(tree.path()).args(["run", "--no-cache"]);
    for spec in specs {
        let chain: Vec<_> = spec.split('|').map(path).collect();
        host = host.arg("--plugin").arg(chain.join(" | "));
    }
    let ended = host.hide(&directory, "[plugins]").args(args).arg("in").ended().exits(2);
    assert_eq!(fs::read_dir(tree.path()).unwrap().count(), 1, "nothing was made");
    assert_eq!(ended.stdout, b"");
    format!("{}\n", ended.stderr.replace(directory.to_str().unwrap(), "[plugins]").trim_end())
}

#[test]
fn plugins_that_do_not_fit_together_are_reported() {
    let message = [
        message(&["wordcount | upcase"], &[]),
        message(&["upcase | wordcount | upcase"], &[]),
        message(&["upcase", "wordcount"], &[]),
        message(&["wordcount", "grep | upcase"], &["--set", "grep.pattern=a"]),
    ];
    insta::assert_snapshot!(message.concat(), @"
    error: `wordcount` is an aggregator, which gives one result: it can only stand last, but `upcase` comes after it
    error: `wordcount` is an aggregator, which gives one result: it can only stand last, but `upcase` comes after it
    error: `upcase` gives bytes, not a result
    hint: several --plugin share one scan where each ends in an aggregator; one after the other is --plugin 'FIRST.wasm | SECOND.wasm'
    error: `upcase` gives bytes, not a result
    hint: several --plugin share one scan where each ends in an aggregator; one after the other is --plugin 'FIRST.wasm | SECOND.wasm'
    ");
}

#[test]
fn settings_that_are_for_no_plugin_are_reported() {
    let message = [
        message(&["upcase | wordcount"], &["--set", "chars=true"]),
        message(&["wordcount", "checksum"], &["--set", "chars=true"]),
        message(&["upcase | wordcount"], &["--set", "words.chars=true"]),
        message(&["upcase | wordcount"], &["--set", "3.chars=true"]),
        message(&["upcase | wordcount"], &["--set", "upcase.chars=true"]),
    ];
    insta::assert_snapshot!(message.concat(), @"
    error: --set chars: there are several plugins
    hint: say which one it is for, as --set upcase.chars=VALUE
    error: --set chars: there are several plugins
    hint: say which one it is for, as --set wordcount.chars=VALUE
    error: --set words.chars: no plugin of this run is called that
    hint: NAME.KEY=VALUE, by file name or position
    error: --set 3.chars: no plugin of this run is called that
    hint: NAME.KEY=VALUE, by file name or position
    error: [plugins]/upcase.wasm: unknown setting `chars`: upcase takes none
    ");
}

#[test]
fn flags_that_say_nothing_of_bytes_are_reported() {
    let message = [
        message(&["upcase"], &["--format", "jsonl"]),
        message(&["upcase"], &["--total"]),
        message(&["upcase"], &["--per-source"]),
        message(&["upcase"], &["--name", "{name}"]),
        message(&["upcase"], &["--ledger", "done"]),
        message(&["upcase"], &["--ledger", "done", "--out", "file"]),
    ];
    insta::assert_snapshot!(message.concat(), @"
    error: --format: the plugin gives bytes, which are written as they are
    error: --per-source and --total: the plugin gives bytes, not results
    error: --per-source and --total: the plugin gives bytes, not results
    error: --name: only output files below a directory are named by it
    error: --ledger: there is nothing to go on with in one stream or file
    hint: with --out DIR/, each source has its own file
    error: --ledger: there is nothing to go on with in one stream or file
    hint: with --out DIR/, each source has its own file
    ");
}

#[test]
fn flags_that_say_nothing_of_results_are_reported() {
    let message = [
        message(&["wordcount"], &["--out", "out/"]),
        message(&["upcase | wordcount"], &["--out", "out/"]),
        message(&["wordcount"], &["--compress", "gzip"]),
        message(&["wordcount"], &["--unordered"]),
        message(&["wordcount"], &["--name", "{name}"]),
    ];
    insta::assert_snapshot!(message.concat(), @"
    error: --out out/: the plugin gives results
    hint: they go to one file, or to standard output
    error: --out out/: the plugin gives results
    hint: they go to one file, or to standard output
    error: --compress: the plugin gives results, which are not compressed
    error: --unordered: the plugin gives results, which are in the order of the sources
    error: --name: only output files below a directory are named by it
    ");
}

#[test]
fn outputs_that_cannot_be_are_reported() {
    let message = [
        message(&["upcase"], &["--out", "none/file"]),
        message(&["upcase"], &["--out", "out/", "--name", "{nome}"]),
        message(&["upcase"], &["--compress", "rar"]),
        message(&["upcase"], &["--compress", "zstd:99"]),
        message(&["upcase"], &["--max-rejects", "101%"]),
        message(&["upcase"], &["--exists", "maybe"]),
        message(&["upcase"], &["--durable", "perhaps"]),
    ];
    insta::assert_snapshot!(message.concat(), @"
    error: none: cannot open the directory: No such file or directory (os error 2)
    error: invalid value '{nome}' for '--name <TEMPLATE>': unknown field `{nome}`, expected one of: dir, name, stored, stem, ext, plugin, out_ext

    For more information, try '--help'.
    error: invalid value 'rar' for '--compress <FORMAT>': unknown compression `rar`, expected one of: none, gzip, zstd, lz4, bgzf

    For more information, try '--help'.
    error: invalid value 'zstd:99' for '--compress <FORMAT>': zstd has no level `99`, expected 1 to 22

    For more information, try '--help'.
    error: invalid value '101%' for '--max-rejects <N|P%>': expected a number, or a percentage up to 100%

    For more information, try '--help'.
    error: invalid value 'maybe' for '--exists <fail|skip|replace>': expected fail, skip or replace

    For more information, try '--help'.
    error: invalid value 'perhaps' for '--durable <synced|fast>': expected synced or fast

    For more information, try '--help'.
    ");
}

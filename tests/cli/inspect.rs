//! Commands that describe plugins and the command line, without a run.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::guest::Guest;
use crate::support::host::Host;
use crate::support::oracle::oracle;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

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
    host-doctor.1
    host-guide.1
    host-ledger-check.1
    host-ledger-explain.1
    host-ledger-export.1
    host-ledger-forget.1
    host-ledger-retry.1
    host-ledger-show.1
    host-ledger.1
    host-man.1
    host-plugin-inspect.1
    host-plugin-repro.1
    host-plugin-wit.1
    host-plugin.1
    host-run.1
    host-sample.1
    host-watch.1
    host.1
    ");
}

/// The description of a plugin, without the parts that differ from build to build.
fn inspected(name: &str) -> String {
    let ended = Host::new().args(["plugin", "inspect"]).arg(plugin(name)).ended().exits(0);
    let (built, message): (Vec<_>, Vec<_>) = ended.text().lines().partition(|line| {
        ["size ", "memory ", "tables "].iter().any(|word| line.starts_with(word))
    });
    assert_eq!(built.len(), 3, "{ended}");
    message.join("\n")
}

#[test]
fn inspect_describes_a_plugin() {
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
    insta::assert_snapshot!(inspected("csv2jsonl"), @r#"
    kind         transformer: bytes in, bytes out
    name         csv2jsonl 0.1.0
    summary      Turns CSV with a header into JSON lines.
    framing      csv
    scope        Chunk, order Kept
    header       1 record
    output       application/x-ndjson
    setting      delimiter: What separates fields: one ASCII character, \t for a tab, or auto: what the header has most of , ; tab and |. [default ","]
    setting      quote: double: quotes open fields at their start. none: they are characters as others. [default "double"]
    setting      stray: Quotes where none may be: reject the record, or keep them as Python does. [default "reject"]
    setting      header: Where names are: first record, skip:N for the one behind N others, or none. [default "first"]
    setting      names: Names to use, as a record of CSV: for header=none, or instead of those that are there. [default ""]
    setting      duplicates: A name that is there twice: fail, or rename to name_2. [default "fail"]
    setting      types: on: numbers, true and false without quotes stay without. [default "off"]
    setting      null: What without quotes becomes null: a text, or empty for nothing at all. [default "off"]
    property     framing-settings = delimiter=delimiter quote=quote
    property     header-setting = header
    simd         yes
    imports      gristmill:plugin/types@0.1.0, gristmill:plugin/host@0.1.0
    exports      gristmill:plugin/lifecycle@0.1.0, gristmill:plugin/transform@0.1.0
    "#);
}

#[test]
fn inspect_describes_a_plugin_as_json() {
    let aggregators = ["wordcount", "topwords", "checksum", "grepcount"].map(|n| (n, "aggregator"));
    let transformers = [
        "upcase",
        "grep",
        "grepcontext",
        "redact",
        "csv2jsonl",
        "jsonl2csv",
        "jsonfilter",
        "parse",
    ]
    .map(|n| (n, "transformer"));
    for (name, kind) in aggregators.into_iter().chain(transformers) {
        let path = plugin(name);
        let ended = Host::new().args(["plugin", "inspect", "--json"]).arg(&path).ended().exits(0);
        let message: Value = serde_json::from_slice(&ended.stdout).unwrap();
        assert_eq!(message["manifest"]["name"], name);
        assert_eq!(message["kind"], kind);
        assert_eq!(message["binary"], "module");
        assert_eq!(
            message["simd"], true,
            "built without SIMD, which cannot be found out when it runs"
        );
        assert_eq!(message["bytes"], fs::metadata(path).unwrap().len());
        assert_eq!(message["trouble"], Value::Null);
    }
}

#[test]
fn inspect_says_why_a_plugin_would_not_run() {
    let tree = Tree::new();
    let guest = Guest { describe: "unreachable", ..Guest::default() };
    let path = tree.file("guest.wasm", guest.component());
    let ended = Host::new().args(["plugin", "inspect", "--json"]).arg(path).ended().exits(1);
    let message: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(message["binary"], "component");
    assert_eq!(message["simd"], false);
    insta::assert_snapshot!(message["trouble"].as_str().unwrap(), @"the plugin crashed in describe without saying why: an uncaught exception, a failed assertion or out of memory");
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

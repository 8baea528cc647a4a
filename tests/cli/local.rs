//! A URL in the place of a file, with a password and a signature in it: refused by the name of the
//! flag, and neither is ever shown.

use crate::support::host::{Ended, Host};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

const URL: &str = "https://user:topsecret@host.invalid/dir/x.wasm?X-Amz-Signature=topsecret";

/// As it is shown.
const SHOWN: &str = "https://host.invalid/dir/x.wasm?X-Amz-Signature=***";

/// Subcommand and flag of all flags that take a path, by the program's own completions for the
/// shell fish, where such a flag completes names of files.
fn flags() -> Vec<(String, String)> {
    let completions = Host::new().args(["completions", "fish"]).ended().exits(0);
    let flag = |line: &str| {
        let takes_path = line.ends_with(" -F") || line.contains("(__fish_complete_directories)");
        let of = line.split_once("__fish_host_using_subcommand ")?.1.split_once('"')?.0;
        let flag = line.split_once(" -l ")?.1.split(' ').next()?;
        (takes_path && !of.contains(';')).then(|| (of.to_string(), format!("--{flag}")))
    };
    completions.text().lines().filter_map(flag).collect()
}

#[track_caller]
fn assert_refused(flag: &str, ended: &Ended) {
    assert!(!ended.to_string().contains("topsecret"), "{flag}: {ended}");
    let message = match flag {
        "--out" => "error: --out: host.invalid is a web server, which takes no output".to_string(),
        _ => format!("error: {flag}: {SHOWN} is a URL, expected a file or directory"),
    };
    assert!(ended.stderr.starts_with(&message), "{flag}: {ended}");
}

#[test]
fn a_url_is_refused_by_each_flag_that_names_a_file_and_no_secret_is_shown() {
    let tree = Tree::with(&[("words", "one two\n")]);
    let flags = flags();
    for known in ["--plugin", "--pipeline", "--ledger", "--beneath", "--cache", "--repro", "--out"]
    {
        assert!(flags.iter().any(|(_, flag)| flag == known), "{known}: {flags:?}");
    }
    for (of, flag) in &flags {
        let host = Host::new().within(tree.path()).arg(of);
        let runs = matches!(of.as_str(), "run" | "watch");
        let host = if runs { host.arg("words") } else { host };
        let host = match flag.as_str() {
            "--plugin" | "--pipeline" => host,
            _ if runs => host.arg("--plugin").arg(plugin("upcase")),
            _ => host,
        };
        assert_refused(flag, &host.args([flag, URL]).ended().exits(2));
    }
}

#[test]
fn a_url_is_refused_in_the_environment_in_a_chain_and_as_an_argument() {
    let tree = Tree::with(&[("words", "one two\n")]);
    let run = |chain: &str| {
        let host = Host::new().within(tree.path()).args(["run", "words", "--plugin"]);
        host.arg(chain)
    };
    let upcase = plugin("upcase");
    let upcase = upcase.to_str().unwrap();
    assert_refused("--plugin", &run(&format!("{upcase} | {URL}")).ended().exits(2));
    assert_refused("--plugin", &run(&format!("{URL} | ")).ended().exits(2));
    let ended = run(upcase).env("GRISTMILL_CACHE", URL).ended().exits(2);
    assert_refused("--cache", &ended);
    for (command, name) in [
        (["plugin", "inspect"], "PLUGIN"),
        (["plugin", "repro"], "DIR"),
        (["ledger", "show"], "LEDGER"),
    ] {
        assert_refused(name, &Host::new().args(command).arg(URL).ended().exits(2));
    }
}

#[test]
fn a_url_in_a_pipeline_file_is_refused_with_its_place() {
    let upcase = plugin("upcase");
    let stage = format!("[[stage]]\nplugin = {:?}\n", upcase.to_str().unwrap());
    let tree = Tree::with(&[
        ("plugin.toml", format!("[[stage]]\nplugin = \"{URL}\"\n")),
        ("ledger.toml", format!("{stage}[output]\nledger = \"{URL}\"\n")),
    ]);
    for (file, message) in [
        ("plugin.toml", format!("error: plugin.toml:2:10: --plugin: {SHOWN} is a URL")),
        ("ledger.toml", format!("error: ledger.toml:4:10: --ledger: {SHOWN} is a URL")),
    ] {
        let host = Host::new().within(tree.path()).args(["run", "words", "--pipeline", file]);
        let ended = host.ended().exits(2);
        assert!(ended.stderr.starts_with(&message), "{ended}");
        assert!(!ended.to_string().contains("topsecret"), "{ended}");
    }
}

//! The program as it is installed: under both names, with plugins that are called by theirs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use crate::support::host::Host;
use crate::support::plugins::directory;
use crate::support::tree::Tree;

/// A copy of the program below a directory that has plugins.
struct Installed {
    tree: Tree,
}

impl Installed {
    fn new() -> Self {
        let tree = Tree::with(&[("a.txt", "one two\nERROR me@example.org\n")]);
        fs::create_dir(tree.path().join("bin")).unwrap();
        fs::create_dir_all(tree.path().join("share/gristmill")).unwrap();
        symlink(directory(), tree.path().join("share/gristmill/plugins")).unwrap();
        // By another process: what we have open for writing cannot be executed.
        let mut copy = Command::new("cp");
        copy.arg(env!("CARGO_BIN_EXE_host")).arg(tree.path().join("bin/host"));
        assert!(copy.status().unwrap().success());
        symlink("host", tree.path().join("bin/gristmill")).unwrap();
        Self { tree }
    }

    fn called(&self, name: &str) -> Host {
        let program: PathBuf = self.tree.path().join("bin").join(name);
        Host::through(Command::new(program)).within(self.tree.path())
    }
}

#[test]
fn plugins_are_found_by_name() {
    let installed = Installed::new();
    let run = |args: &[&str]| {
        let host = installed.called("gristmill").args(["run", "--no-cache", "--plugin"]);
        String::from_utf8(host.args(args).ended().exits(0).stdout).unwrap()
    };
    let words = "{\"total\":{\"lines\":2,\"words\":4,\"bytes\":29},\"sources\":1,\"failed\":0,\"bytes\":29}\n";
    assert_eq!(run(&["wordcount", "--total", "a.txt"]), words);
    assert_eq!(
        run(&["grep | redact", "--set", "grep.pattern=ERROR", "a.txt"]),
        "ERROR **************\n"
    );
    let pipeline = "[[stage]]\nplugin = \"wordcount\"\n[output]\ntotal = true\n";
    installed.tree.file("jobs/words.toml", pipeline);
    let host =
        installed.called("host").args(["run", "--no-cache", "--pipeline", "jobs/words.toml"]);
    assert_eq!(String::from_utf8(host.arg("a.txt").ended().exits(0).stdout).unwrap(), words);
    let inspected = installed.called("host").args(["plugin", "inspect", "redact"]).ended().exits(0);
    assert!(String::from_utf8(inspected.stdout).unwrap().contains("redact"));
}

#[test]
fn an_unknown_plugin_is_reported_with_the_known_ones() {
    let installed = Installed::new();
    let run =
        |args: &[&str]| installed.called("host").arg("run").args(args).ended().exits(2).stderr;
    let message = run(&["--plugin", "wordcont", "a.txt"]);
    assert!(
        message.starts_with("error: there is no plugin `wordcont`, and no file of that name\n")
    );
    assert!(message.contains("hint: plugins by name are checksum, csv2jsonl, grep"), "{message}");
    installed.tree.file("job.toml", "[[stage]]\nplugin = \"wordcont\"\n");
    let message = run(&["--pipeline", "job.toml", "a.txt"]);
    assert!(
        message.starts_with("error: job.toml:2:10: there is no plugin `wordcont`"),
        "{message}"
    );
    // A file of that name is what is meant, whatever it is.
    installed.tree.file("wordcount", "no plugin\n");
    let message = run(&["--plugin", "wordcount", "a.txt"]);
    assert!(message.starts_with("error: wordcount: is not WebAssembly"), "{message}");
}

#[test]
fn help_has_the_name_that_the_program_was_called_by() {
    let installed = Installed::new();
    let message = |name: &str, args: &[&str]| {
        String::from_utf8(installed.called(name).args(args).ended().exits(0).stdout).unwrap()
    };
    for (name, other) in [("gristmill", "host run"), ("host", "gristmill run")] {
        let help = message(name, &["run", "--help"]);
        assert!(help.contains(&format!("Usage: {name} run")), "{help}");
        assert!(help.contains(&format!("{name} run --pipeline clean.toml --dry-run")), "{help}");
        assert!(!help.contains(other), "{help}");
        assert!(message(name, &["--version"]).starts_with(&format!("{name} ")));
        assert!(message(name, &["completions", "bash"]).contains(&format!("complete -F _{name}")));
        assert!(message(name, &["man", "run"]).contains(&format!("{name} run \\-\\-plugin")));
    }
}

#[test]
fn hints_have_the_name_that_the_program_was_called_by() {
    let installed = Installed::new();
    let run = ["run", "--no-cache", "--plugin", "wordcount", "--ledger", "done.ledger", "a.txt"];
    installed.called("host").args(run).ended().exits(0);
    for name in ["gristmill", "host"] {
        let called = |args: &[&str]| installed.called(name).args(args).ended();
        let message = called(&["ledger", "show", "done.ledger", "--job", "0000"]).exits(2).stderr;
        let hint = format!("hint: `{name} ledger show` without --job lists the jobs\n");
        assert!(message.contains(&hint), "{message}");
        let message = called(&["run", "--plugni", "wordcount"]).exits(2).stderr;
        assert!(message.contains(&format!("Usage: {name} run ")), "{message}");
        let doctor = String::from_utf8(called(&["doctor"]).stdout).unwrap();
        assert!(doctor.contains(&format!("\n{name} run has all it needs\n")), "{doctor}");
    }
}

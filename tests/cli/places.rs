//! Each error in a pipeline file has its line and column; errors of the command line have none.

use crate::support::host::Host;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// The error for a pipeline file, in which `PLUGIN` stands for a plugin.
fn message(file: &[u8], args: &[&str]) -> String {
    let tree = Tree::with(&[("a.txt", "a b\n"), ("full.jsonl", "{}\n")]);
    let (before, behind) = match file.windows(6).position(|part| part == b"PLUGIN") {
        Some(at) => (&file[..at], &file[at + 6..]),
        None => (file, &file[..0]),
    };
    let path = plugin("csv2jsonl");
    tree.file("p.toml", [before, path.to_str().unwrap().as_bytes(), behind].concat());
    let ended = Host::new().within(tree.path()).args(["run", "--pipeline", "p.toml"]).args(args);
    ended.ended().exits(2).stderr
}

const STAGE: &str = "[[stage]]\nplugin = \"PLUGIN\"\n";

#[test]
fn each_mistake_has_its_place() {
    let mistakes = [
        ("[output]\nname = \"{dir}/x\"\n", "4:8: --name: only output files below a directory"),
        ("[inputs]\nframing = \"fixed:99999999999999\"\n", "4:11: --framing: framing"),
        ("[inputs]\nfiles_from = \"none.txt\"\n", "4:14: none.txt: No such file"),
        ("[inputs]\ninclude = [\"[\"]\n", "4:11: [: unclosed"),
        ("[inputs]\nexclude = [\"[\"]\n", "4:11: [: unclosed"),
        ("[output]\nout = \"none/x/y\"\n", "4:7: "),
        ("[output]\nrejects = \"none/x\"\n", "4:11: --rejects none/x: No such file"),
        ("[output]\nrejects = \"full.jsonl\"\n", "4:11: --rejects full.jsonl: exists already"),
        ("[output]\nreport = \"none/x\"\n", "4:10: --report none/x: No such file"),
        ("[output]\nout = \"o/\"\nledger = \"none/x\"\n", "5:10: none/x: the directory of the"),
        ("[inputs]\nbeneath = [\"none\"]\n", "4:11: --beneath: none: No such file"),
        (
            "[sandbox]\nmemory = \"99999999999GiB\"\n",
            "4:10: invalid value `99999999999GiB`: it is too",
        ),
        ("[output]\ntotal = true\n", "4:9: --per-source and --total: the plugin gives bytes"),
    ];
    for (mistake, expected) in mistakes {
        let files: &[&str] = if mistake.contains("files_from") { &[] } else { &["a.txt"] };
        let message = message(format!("{STAGE}{mistake}").as_bytes(), files);
        assert!(message.starts_with(&format!("error: p.toml:{expected}")), "{mistake}{message}");
    }
    let version = message(format!("version = 2\n{STAGE}").as_bytes(), &["a.txt"]);
    assert!(version.starts_with("error: p.toml:1:11: version 2 of specs"), "{version}");
    let latin = [STAGE.as_bytes(), b"# \xc3\xa4 \xe4\n"].concat();
    let expected = "error: p.toml:3:5: byte 0xe4 is not UTF-8, which a pipeline file is\n";
    assert_eq!(message(&latin, &["a.txt"]), expected);
}

#[test]
fn errors_of_the_command_line_have_no_place_in_a_file() {
    let file = format!("{STAGE}settings = {{ header = \"none\" }}\n[output]\nname = \"x\"\n");
    for args in [
        &["--set", "nope=1", "--out", "o/"][..],
        &["--set", "header=maybe", "--out", "o/"],
        &["--name", "{dir}/y"],
        &["--framing", "fixed:3", "--out", "o/"],
        &["--rejects", "none/x", "--out", "o/"],
    ] {
        let message = message(file.as_bytes(), &[args, &["a.txt"]].concat());
        assert!(
            message.starts_with("error: ") && !message.contains("p.toml"),
            "{args:?}: {message}"
        );
    }
}

#[test]
fn a_dry_run_ends_as_the_run_would() {
    let tree = Tree::with(&[("a.txt", "a b\n")]);
    let dry = |args: &[&str]| {
        let host = Host::run(&plugin("wordcount")).within(tree.path()).arg("--dry-run");
        host.args(args).ended()
    };
    dry(&["a.txt"]).exits(0);
    let broken = dry(&["a.txt", "none.txt"]).exits(1);
    assert!(String::from_utf8(broken.stdout).unwrap().contains("none.txt"));
    dry(&["a.txt", "none.txt", "--format", "json"]).exits(1);
}

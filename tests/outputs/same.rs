//! The same bytes over workers, chunks, ways to read, codecs and sinks, and those of programs that
//! nobody here wrote.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::visible;
use crate::support::guest::Guest;
use crate::support::host::Host;
use crate::support::oracle::oracle;
use crate::support::pack::{bzip2, gzip, text, zstd};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;
use crate::transformers::OBJECTS;

/// What is asked of a run, and what another program makes of one text.
struct Case<'a> {
    plugins: String,
    settings: &'a [&'a str],
    /// Of the outputs below a directory.
    extension: &'static str,
    expected: &'a dyn Fn(&[u8]) -> Vec<u8>,
}

/// Plugins that take from each other.
fn chain(names: &[&str]) -> String {
    let paths: Vec<_> = names.iter().map(|name| plugin(name).display().to_string()).collect();
    paths.join(" | ")
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    const MAKE: &str = r#"
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as archive:
    for name in sys.argv[2:]:
        archive.write(sys.argv[1] + "." + name, name)
"#;
    let tree = Tree::new();
    for (name, bytes) in members {
        tree.file(&format!("zip.{name}"), bytes);
    }
    let archive = tree.path().join("zip");
    let args = [&["-c", MAKE, archive.to_str().unwrap()][..]].concat();
    let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    oracle("python3", &[args, names].concat(), b"");
    tree.read("zip")
}

/// Texts in all forms, in `in/`; and the names of their outputs, in the order of the sources.
pub(super) fn sources(texts: &[Vec<u8>; 8]) -> (Tree, [&'static str; 8]) {
    let [plain, gz, zst, bz2, tar_a, tar_b, zip_a, empty] = texts;
    let tree = Tree::with(&[
        ("in/a", plain.clone()),
        ("in/b.gz", gzip(gz)),
        ("in/c.zst", zstd(zst)),
        ("in/d.bz2", bzip2(bz2)),
        ("in/e.tar.gz", gzip(&tar(&[("one", tar_a), ("sub/two", tar_b)]))),
        ("in/f.zip", zip(&[("one", zip_a)])),
        ("in/g", empty.clone()),
    ]);
    (tree, ["a", "b", "c", "d", "e.tar.gz/one", "e.tar.gz/sub/two", "f.zip/one", "g"])
}

/// Every run gives what the other program does: of each source, one behind the other, and by
/// itself.
fn compare(case: &Case<'_>, texts: &[Vec<u8>; 8]) {
    let (tree, names) = sources(texts);
    let each: Vec<Vec<u8>> = texts.iter().map(|text| (case.expected)(text)).collect();
    assert!(each[0].len() > 1000, "it is worth comparing");
    let all = each.concat();
    let names = names.iter().map(|name| format!("{name}{}", case.extension));
    let by_name: BTreeMap<_, _> = names.zip(each).collect();
    for threads in ["1", "2", "4"] {
        for (chunk, io) in [("4KiB", "read"), ("64KiB", "mmap"), ("512KiB", "read")] {
            let message = format!("{} -j{threads} --chunk-size {chunk} --io {io}", case.plugins);
            let run = |out: &str| {
                let host = Host::run(Path::new(&case.plugins)).within(tree.path());
                let host = host.args(["-j", threads, "--chunk-size", chunk, "--io", io]);
                let ended = host.args(case.settings).args(["--out", out, "in/"]).ended().exits(0);
                assert_eq!(ended.stderr, "", "{message}");
                ended.stdout
            };
            assert!(run("-") == all, "{message}");
            assert_eq!(run(&format!("file-{threads}-{chunk}")), b"");
            assert!(tree.read(&format!("file-{threads}-{chunk}")) == all, "{message} to a file");
            let dir = format!("dir-{threads}-{chunk}/");
            assert_eq!(run(&dir), b"");
            assert!(visible(&tree.path().join(dir)) == by_name, "{message} to a directory");
        }
    }
    for (name, stdin) in [("plain", texts[0].clone()), ("gzip", gzip(&texts[0]))] {
        let host = Host::run(Path::new(&case.plugins)).args(case.settings);
        let ended = host.args(["--chunk-size", "4KiB", "-"]).stdin(stdin).ended().exits(0);
        assert!(ended.stdout == (case.expected)(&texts[0]), "{} from a {name} pipe", case.plugins);
    }
}

/// Eight texts, each different, the last one empty.
pub(super) fn texts(of: impl Fn(usize) -> Vec<u8>) -> [Vec<u8>; 8] {
    let sizes = [900_000, 70_000, 300_000, 40_000, 200_000, 10, 100_000];
    let mut texts: [Vec<u8>; 8] = Default::default();
    for (text, size) in texts.iter_mut().zip(sizes) {
        *text = of(size);
    }
    texts
}

pub(super) fn lines(bytes: usize) -> Vec<u8> {
    [format!("a text of {bytes} bytes\n").into_bytes(), text(bytes), b"\n".to_vec()].concat()
}

#[test]
fn upcase_is_tr() {
    let case = Case {
        plugins: chain(&["upcase"]),
        settings: &[],
        extension: "",
        expected: &|text| oracle("tr", &["a-z", "A-Z"], text),
    };
    compare(&case, &texts(text));
}

/// The lines that have it, as `grep` finds them; which says by its status that there are none.
fn grep(pattern: &str, text: &[u8]) -> Vec<u8> {
    oracle("sh", &["-c", "grep -aE \"$0\" || test $? = 1", pattern], text)
}

#[test]
fn grep_is_grep() {
    let case = Case {
        plugins: chain(&["grep"]),
        settings: &["--set", "pattern=größer|(ab|cd)[0-9]"],
        extension: "",
        expected: &|text| grep("größer|(ab|cd)[0-9]", text),
    };
    compare(&case, &texts(lines));
}

fn objects(bytes: usize) -> Vec<u8> {
    let mut text = String::new();
    let mut n = bytes as u64;
    while text.len() < bytes {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let status = ["error", "fine", "errors", "er\\\"ror"][(n >> 40) as usize % 4];
        writeln!(text, "{{\"n\":{},\"http\":{{\"status\":\"{status}\"}}}}", n >> 32).unwrap();
    }
    text.into_bytes()
}

const ERRORS: &str = "import json, sys
for line in sys.stdin.buffer:
    if json.loads(line)['http']['status'] == 'error': sys.stdout.buffer.write(line)";

#[test]
fn jsonfilter_is_jq() {
    let jq = Command::new("jq").arg("--version").output().is_ok();
    let select = ["-c", "select(.http.status == \"error\")"];
    let case = Case {
        plugins: chain(&["jsonfilter"]),
        settings: &["--set", "field=http.status", "--set", "equals=error"],
        extension: ".jsonl",
        expected: &|text| {
            if jq { oracle("jq", &select, text) } else { oracle("python3", &["-c", ERRORS], text) }
        },
    };
    compare(&case, &texts(objects));
}

fn table(bytes: usize) -> Vec<u8> {
    let mut text = String::from("id,name,\"a \"\"note\"\"\"\r\n");
    let mut row = bytes;
    while text.len() < bytes {
        row += 1;
        let note = ["plain", "\"quoted, \"\"twice\"\"\"", "\"two\r\nlines\"", ""][row % 4];
        writeln!(text, "{row},Zoë {row:x},{note}").unwrap();
    }
    text.into_bytes()
}

#[test]
fn csv2jsonl_is_what_python_reads() {
    let case = Case {
        plugins: chain(&["csv2jsonl"]),
        settings: &[],
        extension: ".jsonl",
        expected: &|text| oracle("python3", &["-c", OBJECTS], text),
    };
    compare(&case, &texts(table));
}

#[test]
fn a_chain_is_a_pipe() {
    let case = Case {
        plugins: chain(&["grep", "upcase"]),
        settings: &["--set", "grep.pattern=[0-9]a"],
        extension: "",
        expected: &|text| oracle("tr", &["a-z", "A-Z"], &grep("[0-9]a", text)),
    };
    compare(&case, &texts(lines));
    // Records of the first stage span lines, those of the next ones are lines.
    let case = Case {
        plugins: chain(&["csv2jsonl", "grep", "upcase"]),
        settings: &["--set", "2.pattern=lines|twice"],
        extension: "",
        expected: &|text| {
            let found = grep("lines|twice", &oracle("python3", &["-c", OBJECTS], text));
            oracle("tr", &["a-z", "A-Z"], &found)
        },
    };
    compare(&case, &texts(table));
}

#[test]
fn a_chain_in_which_one_sees_a_source_in_order_is_a_pipe() {
    let tree = Tree::new();
    let in_order = Guest { scope: 1, world: "transformer", ..Guest::default() }.file(&tree);
    compare(
        &Case {
            plugins: format!(
                "{} | {} | {}",
                chain(&["grep"]),
                in_order.display(),
                chain(&["upcase"])
            ),
            settings: &["--set", "grep.pattern=a"],
            extension: "",
            expected: &|text| oracle("tr", &["a-z", "A-Z"], &grep("a", text)),
        },
        &texts(lines),
    );
}

#[test]
fn a_chain_may_end_in_a_digest() {
    let (tree, _) = sources(&texts(lines));
    let [a, b, _, _, one, two, ..] = texts(lines);
    let expected: Vec<_> = [a, b, one, two]
        .map(|text| oracle("sha256sum", &[], &oracle("tr", &["a-z", "A-Z"], &text))[..64].to_vec())
        .map(|digest| String::from_utf8(digest).unwrap())
        .into();
    for threads in ["1", "2", "4"] {
        for chunk in ["4KiB", "512KiB"] {
            let host = Host::run(Path::new(&chain(&["upcase", "checksum"]))).within(tree.path());
            let host =
                host.args(["-j", threads, "--chunk-size", chunk, "-f", "jsonl", "--per-source"]);
            let rows = host.args(["in/a", "in/b.gz", "in/e.tar.gz"]).ended().exits(0).lines();
            let digest = |row: &Value| Some(row["result"]["sha256"].as_str()?.to_string());
            let message: Vec<_> = rows.iter().filter_map(digest).collect();
            assert_eq!(message, expected, "-j{threads} --chunk-size {chunk}");
        }
    }
}

#[test]
fn a_chain_may_end_in_a_result() {
    let (tree, _) = sources(&texts(lines));
    let chained = Host::run(Path::new(&chain(&["grep", "wordcount"]))).within(tree.path());
    let chained = chained.args(["--set", "grep.pattern=a", "--chunk-size", "4KiB", "-f", "raw"]);
    let counted = chained.args(["--per-source", "in/a", "in/b.gz", "in/f.zip"]).ended().exits(0);
    let [a, b, _, _, _, _, f, _] = texts(lines);
    let mut expected = String::new();
    for text in [a, b, f] {
        let found = oracle("wc", &["-lwc"], &grep("a", &text));
        let found = String::from_utf8(found).unwrap();
        let [lines, words, bytes] = found.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{found}")
        };
        write!(expected, "{{\"lines\":{lines},\"words\":{words},\"bytes\":{bytes}}}").unwrap();
    }
    assert_eq!(counted.text(), expected);
}

#[test]
fn a_fan_is_as_many_runs() {
    let (tree, _) = sources(&texts(lines));
    let grepped = chain(&["grep", "wordcount"]);
    let plugins: [PathBuf; 4] =
        [plugin("wordcount"), plugin("checksum"), plugin("topwords"), grepped.into()];
    for args in [["-j1", "--chunk-size=4KiB"], ["-j4", "--chunk-size=4KiB"], ["-j2", "--io=mmap"]] {
        let run = |hosts: &[&PathBuf]| {
            let (first, rest) = hosts.split_first().unwrap();
            let mut host = Host::run(first).within(tree.path()).args(args);
            for other in rest {
                host = host.arg("--plugin").arg(other);
            }
            let greps = hosts.iter().any(|path| path.to_str().unwrap().contains('|'));
            let host = if greps { host.args(["--set", "grep.pattern=a"]) } else { host };
            host.args(["--format", "jsonl", "in/"]).ended().exits(0).lines()
        };
        let all = run(&plugins.each_ref());
        for (at, plugin) in plugins.iter().enumerate() {
            let alone = run(&[plugin]);
            let (total, rows) = all.split_last().unwrap();
            let own = rows.iter().skip(at).step_by(plugins.len());
            let [own, single]: [Vec<_>; 2] = [
                own.map(|row| (&row["source"], &row["result"])).collect(),
                alone
                    .iter()
                    .filter(|row| row["source"].is_string())
                    .map(|row| (&row["source"], &row["result"]))
                    .collect(),
            ];
            assert_eq!(own, single, "{}", plugin.display());
            let label = ["wordcount", "checksum", "topwords", "grep|wordcount"][at];
            assert_eq!(total["total"][label], alone.last().unwrap()["total"], "{label}");
        }
    }
}

//! Text in other encodings is counted as the same text in UTF-8 is: as many characters as Python
//! finds.

use serde_json::Value;

use super::{rows, run_over};
use crate::support::host::Host;
use crate::support::oracle::oracle;
use crate::support::pack::gzip;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// Some lines with characters of one to four bytes in UTF-8, long enough for several reads.
const WIDE: &str = "plain ascii\nгрегорианский календарь 日本語 😀\u{200d}😀 e\u{301}\r\n\n";
const WESTERN: &str = "naïve café — “quoted” für 5 €\n";
const JAPANESE: &str = "日本語の文章です。カタカナと ascii と記号※〒\n";

/// Python's bytes of a text.
fn encoded(text: &str, encoding: &str) -> Vec<u8> {
    let script = "import sys; t = sys.stdin.buffer.read().decode(); \
        sys.stdout.buffer.write(t.encode(sys.argv[1]))";
    oracle("python3", &["-c", script, encoding], text.as_bytes())
}

/// How many characters Python finds in bytes, without a mark where `encoding` is one that takes it.
fn python_chars(bytes: &[u8], encoding: &str) -> u64 {
    let script = "import sys; print(len(sys.stdin.buffer.read().decode(sys.argv[1])))";
    let printed = oracle("python3", &["-c", script, encoding], bytes);
    std::str::from_utf8(&printed).unwrap().trim().parse().unwrap()
}

/// Counts a text in an encoding, plain and compressed, by several ways, against the same text in
/// UTF-8.
#[track_caller]
fn assert_counted(text: &str, bytes: &[u8], python: &str, encoding: &str) {
    let (plain, tree) = (Tree::new(), Tree::new());
    plain.file("a", text);
    tree.file("a", bytes);
    tree.file("b.gz", gzip(bytes));
    let settings = ["--set", "chars=true", "--set", "longest=true"];
    let expected = rows(&run_over(&plugin("wordcount"), &plain, &settings).exits(0));
    let row: Value = serde_json::from_str(&format!("{{{}", expected[0].1)).unwrap();
    assert_eq!(row["result"]["chars"], python_chars(bytes, python), "{encoding}");
    for threads in ["1", "2"] {
        for chunk_size in ["64B", "4KiB", "4MiB"] {
            let way = ["--encoding", encoding, "--threads", threads, "--chunk-size", chunk_size];
            let ended = run_over(&plugin("wordcount"), &tree, &[&way[..], &settings].concat());
            for (name, said) in rows(&ended.exits(0)) {
                assert_eq!(said, expected[0].1, "{name}: {way:?}");
            }
        }
    }
}

#[test]
fn utf_16_is_known_by_its_mark() {
    // A mark and an even number of units, and an odd one.
    for text in [WIDE.repeat(700), WIDE.repeat(700) + "x"] {
        for (encoding, mark) in [("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")] {
            let bytes = [&mark[..], &encoded(&text, encoding)].concat();
            assert_counted(&text, &bytes, "utf-16", "auto");
        }
    }
}

#[test]
fn utf_16_without_a_mark_is_what_it_is_said_to_be() {
    let text = WIDE.repeat(700);
    for (python, encoding) in [("utf-16-le", "utf-16le"), ("utf-16-be", "utf-16be")] {
        assert_counted(&text, &encoded(&text, python), python, encoding);
    }
}

#[test]
fn a_mark_before_utf_8_is_no_character() {
    let text = WIDE.repeat(700);
    let bytes = encoded(&text, "utf-8-sig");
    assert_eq!(bytes.len(), text.len() + 3);
    assert_counted(&text, &bytes, "utf-8-sig", "auto");
    assert_counted(&text, &bytes, "utf-8-sig", "utf-8");
}

#[test]
fn without_a_mark_nothing_is_changed() {
    for text in [WIDE.repeat(700), String::new(), "x".into(), "\n".into()] {
        assert_counted(&text, text.as_bytes(), "utf-8", "auto");
    }
    let latin = Tree::with(&[("a", b"caf\xe9\n".repeat(1000))]);
    let plain = run_over(&plugin("checksum"), &latin, &[]).exits(0);
    assert_eq!(run_over(&plugin("checksum"), &latin, &["--encoding", "auto"]).stdout, plain.stdout);
}

#[test]
fn single_and_double_byte_encodings_are_those_of_python() {
    let western = WESTERN.repeat(2500);
    assert_counted(&western, &encoded(&western, "cp1252"), "cp1252", "windows-1252");
    let japanese = JAPANESE.repeat(1500);
    assert_counted(&japanese, &encoded(&japanese, "euc-jp"), "euc-jp", "euc-jp");
    assert_counted(&japanese, &encoded(&japanese, "shift-jis"), "shift-jis", "shift_jis");
}

/// UTF-16 that ends in the middle of a unit or of a pair: an error with its place, or U+FFFD, as
/// the WHATWG Encoding Standard has it.
#[test]
fn text_that_is_cut_off_fails_or_is_replaced() {
    for bytes in [&b"\xff\xfea\0b"[..], b"\xff\xfea\0\x3d\xd8"] {
        let tree = Tree::with(&[("a", bytes)]);
        let args = ["--encoding-errors", "replace", "--set", "chars=true", "--report", "report"];
        let host = Host::run(&plugin("wordcount")).within(tree.path());
        let ended = host.args(["--per-source", "a"]).args(args).ended().exits(0);
        let row = ended.lines().remove(0);
        let report: Value = serde_json::from_slice(&tree.read("report")).unwrap();
        std::fs::remove_file(tree.path().join("report")).unwrap();
        assert_eq!(row["result"]["chars"], 2, "{row}");
        assert_eq!(row["result"]["bytes"], 1 + "\u{fffd}".len());
        assert_eq!(report["replaced"], 1);
        assert!(ended.stderr.contains("1 place in other encodings"), "{ended}");

        let ended = run_over(&plugin("wordcount"), &tree, &[]).exits(1);
        assert!(ended.stderr.contains("a: is not UTF-16LE at byte 4: "), "{ended}");
        assert!(ended.stderr.contains("hint: --encoding-errors replace"), "{ended}");
        run_over(&plugin("checksum"), &tree, &["--encoding", "none"]).exits(0);
    }
}

/// Texts with some bytes changed: those that Python decodes are counted, all others fail at the
/// byte that it names.
#[test]
fn malformed_units_are_found_where_python_finds_them() {
    const SCRIPT: &str = r#"
import json, os, random, sys
draw = random.Random(7)
alphabet = "abc \n\u00e4\u20ac\U0001d11e"
for encoding in ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "iso8859-3", "iso8859-7"]:
    os.mkdir(encoding)
    told = []
    for index in range(60):
        text = "".join(draw.choice(alphabet) for _ in range(draw.randrange(1, 200)))
        raw = bytearray(text.encode(encoding, "ignore"))
        for _ in range(draw.randrange(0, 3)):
            if raw:
                raw[draw.randrange(len(raw))] = draw.choice([0, 0x11, 0xa5, 0xae, 0xd8, 0xdc, 0xff])
        if draw.random() < 0.2:
            raw = raw[:-1]
        with open(f"{encoding}/{index:02}", "wb") as file:
            file.write(raw)
        try:
            told.append(len(raw.decode(encoding)))
        except UnicodeDecodeError as error:
            told.append(f" at byte {error.start}: ")
    print(json.dumps([encoding, told]))
"#;
    let tree = Tree::new();
    let message = oracle_within(tree.path(), SCRIPT);
    for line in message.lines() {
        let (python, message): (String, Vec<Value>) = serde_json::from_str(line).unwrap();
        let label = match python.split_at(python.len() - 3) {
            (unit @ ("utf-16" | "utf-32"), order) => format!("{unit}{}", &order[1..]),
            _ => python.replace("iso8859", "iso-8859"),
        };
        assert!(message.iter().any(Value::is_string), "{python}");
        assert!(message.iter().any(Value::is_u64), "{python}");
        for threads in ["1", "2"] {
            let host = Host::run(&plugin("wordcount")).within(tree.path());
            let args = ["--per-source", "--threads", threads, "--encoding", &label];
            let rows = host.args(args).args(["--set", "chars=true", &python]).ended().exits(1);
            for (row, message) in rows.lines().iter().zip(&message) {
                match message.as_str() {
                    None => assert_eq!(&row["result"]["chars"], message, "{label}: {row}"),
                    Some(place) => {
                        let message = row["error"]["message"].as_str().unwrap_or_default();
                        assert!(message.contains(place), "{label}: {row}, {place}");
                    }
                }
            }
            assert_eq!(rows.lines().len(), message.len() + 1, "and a summary");
        }
    }
}

/// Runs a script of Python in a directory.
fn oracle_within(directory: &std::path::Path, script: &str) -> String {
    let script = format!("import os\nos.chdir({:?})\n{script}", directory.to_str().unwrap());
    String::from_utf8(oracle("python3", &["-c", &script], b"")).unwrap()
}

#[test]
fn an_encoding_that_there_is_not_starts_nothing() {
    let tree = Tree::with(&[("a", "x\n")]);
    let ended = run_over(&plugin("wordcount"), &tree, &["--encoding", "utf-7"]).exits(2);
    assert!(ended.stderr.starts_with("error: unknown encoding `utf-7`: known are auto, bom"));
}

/// A mark is obeyed unasked where records are lines, and never where the bytes are hashed.
#[test]
fn marks_are_obeyed_in_text_and_left_in_other_bytes() {
    let text = WIDE.repeat(700);
    let settings = ["--set", "chars=true", "--report", "report.json"];
    let plain = Tree::with(&[("a", text.as_bytes())]);
    let expected = rows(&run_over(&plugin("wordcount"), &plain, &settings).exits(0)).remove(0).1;
    for encoding in ["utf-8-sig", "utf-16", "utf-32"] {
        let bytes = encoded(&text, encoding);
        for (bytes, small) in [(&bytes, false), (&encoded("a b\nc\n", encoding), true)] {
            let tree = Tree::new();
            let here = tree.path().join("in");
            tree.file("in/a", bytes);
            tree.file("in/b.gz", gzip(bytes));
            for threads in ["1", "2"] {
                let host = Host::run(&plugin("wordcount")).within(&here);
                let host = host.args(["--per-source", "--threads", threads, "."]).args(settings);
                for (name, said) in rows(&host.ended().exits(0)) {
                    let small_said =
                        r#""bytes":6,"result":{"lines":2,"words":3,"bytes":6,"chars":6}}"#;
                    assert_eq!(
                        said,
                        if small { small_said } else { &expected },
                        "{name} {encoding}"
                    );
                }
                let report = std::fs::read(here.join("report.json")).unwrap();
                let report: Value = serde_json::from_slice(&report).unwrap();
                let counted = report["encodings"].as_object().unwrap().values().next().unwrap();
                assert_eq!(counted, 2, "{encoding}");
                std::fs::remove_file(here.join("report.json")).unwrap();
            }
            let sum = |args: &[&str]| {
                run_over(&plugin("checksum"), &tree, &[&["--include", "a"], args].concat()).stdout
            };
            assert_eq!(sum(&[]), sum(&["--encoding", "none"]), "{encoding}");
        }
    }
}

#[test]
fn a_mark_says_more_than_a_label() {
    let big = encoded("\u{feff}a b\nc\n", "utf-16-be");
    let tree = Tree::with(&[("a", big)]);
    for label in ["utf-16", "utf-16le", "windows-1252"] {
        let said = rows(&run_over(&plugin("wordcount"), &tree, &["--encoding", label]).exits(0));
        let expected = r#""bytes":6,"result":{"lines":2,"words":3,"bytes":6}}"#;
        assert_eq!(said[0].1, expected, "{label}");
    }
}

/// Nothing that is counted in the bytes of UTF-16 means anything: it is refused, and read where it
/// is said.
#[test]
fn utf_16_without_a_mark_is_refused_by_plugins_that_read_text() {
    let tree = Tree::with(&[("a", encoded(&"a b\nc\n".repeat(100), "utf-16-le"))]);
    for name in ["wordcount", "topwords"] {
        let ended = run_over(&plugin(name), &tree, &[]).exits(1);
        assert!(ended.stderr.contains("looks like UTF-16"), "{ended}");
        assert!(ended.stderr.contains("use --encoding utf-16le"), "{ended}");
        run_over(&plugin(name), &tree, &["--encoding", "utf-16le"]).exits(0);
    }
}

/// `auto` leaves marks alone where records are bytes, and `bom` does not.
#[test]
fn a_mark_before_bytes_is_obeyed_where_that_is_asked_for() {
    let text = WIDE.repeat(50);
    let plain = Tree::with(&[("a", text.as_bytes())]);
    let marked = Tree::with(&[("a", encoded(&text, "utf-16"))]);
    let sum = |tree: &Tree, args: &[&str]| {
        let row = run_over(&plugin("checksum"), tree, args).exits(0).lines().remove(0);
        row["result"].clone()
    };
    assert_eq!(sum(&marked, &["--encoding", "bom"]), sum(&plain, &[]));
    assert_eq!(sum(&marked, &["--encoding", "auto"]), sum(&marked, &["--encoding", "none"]));
    assert_eq!(sum(&marked, &[]), sum(&marked, &["--encoding", "auto"]));
}

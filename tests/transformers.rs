//! The transformers as they are built: their branches run in a sandbox, chunk by chunk, and what
//! comes out is compared with programs that nobody here wrote; where there is none, with the same
//! plugin without branches.

use std::fmt::Write as _;

use crate::support::host::Host;
use crate::support::oracle::oracle;
use crate::support::plugins::plugin;
use crate::support::sandbox::Compiled;

/// Bytes of a chunk, at most: short, odd, and longer than all texts.
const CHUNKS: [usize; 3] = [257, 4099, 1 << 20];

/// Pieces of text in an order that looks like none, and is the same each time.
fn text(pieces: &[&str], count: usize) -> String {
    let mut state: u32 = 7;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223); // Numerical Recipes, chapter 7.1
        pieces[(state >> 16) as usize % pieces.len()]
    };
    (0..count).map(|_| next()).collect()
}

/// The text in chunks of at most so many bytes that end where `may_end` says, if they can.
fn chunks(text: &[u8], bytes: usize, may_end: impl Fn(&[u8]) -> bool) -> Vec<&[u8]> {
    let mut chunks = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let most = bytes.min(rest.len());
        let ends = (1..=most).rev().chain(most..=rest.len());
        let end = ends.into_iter().find(|&end| end == rest.len() || may_end(&rest[..end])).unwrap();
        let (chunk, next) = rest.split_at(end);
        chunks.push(chunk);
        rest = next;
    }
    chunks
}

fn in_lines(text: &[u8], bytes: usize) -> Vec<&[u8]> {
    chunks(text, bytes, |chunk| chunk.ends_with(b"\n"))
}

fn in_records(text: &[u8], bytes: usize) -> Vec<&[u8]> {
    let even = |chunk: &[u8]| !chunk.iter().fold(false, |odd, &byte| odd ^ (byte == b'"'));
    chunks(text, bytes, |chunk| chunk.ends_with(b"\n") && even(chunk))
}

fn compiled(name: &str) -> Compiled {
    Compiled::new(&plugin(name))
}

fn compare(plugin: &Compiled, settings: &[(&str, &str)], chunks: &[&[u8]], expected: &[u8]) {
    let mut sandbox = plugin.start(settings).unwrap();
    let output = sandbox.transform(&[], chunks).unwrap();
    assert!(output == expected, "{settings:?} in {} chunks", chunks.len());
    assert_eq!(sandbox.asked().rejects, []);
}

const WORDS: [&str; 12] = [
    "fox",
    "Timeout",
    " ",
    " ",
    "\n",
    "\n",
    "\r\n",
    "cache",
    "\u{e9}t\u{e9}",
    "42",
    "a longer piece of text, ",
    "{}",
];

#[test]
fn upcase_is_tr() {
    let text = text(&WORDS, 20_000);
    let all: Vec<u8> = (0..=u8::MAX).chain(text.bytes()).collect();
    let plugin = compiled("upcase");
    let expected = oracle("tr", &["a-z", "A-Z"], &all);
    for bytes in CHUNKS {
        compare(&plugin, &[], &chunks(&all, bytes, |_| true), &expected);
    }
}

#[test]
fn grep_is_grep() {
    let plugin = compiled("grep");
    let text = text(&WORDS, 20_000);
    let text = text.trim_end().as_bytes(); // the last line lacks its line feed, which grep adds
    for (flag, pattern, settings) in [
        ("-F", "Timeout", &[("fixed", "true")][..]),
        ("-Fi", "timeout", &[("fixed", "true"), ("ignore-case", "true")]),
        ("-Fv", "fox", &[("fixed", "true"), ("invert", "true")]),
        ("-E", "fox|cache|42", &[]),
        ("-E", "^[a-z]+ .*[0-9]", &[]),
        ("-Ev", "^$", &[("invert", "true")]),
        ("-E", "\u{e9}.\u{e9}", &[]),
        ("-Ei", "[A-Z]{5}", &[("ignore-case", "true"), ("unicode", "false")]),
    ] {
        let mut expected = oracle("grep", &[flag, pattern], text);
        if expected.ends_with(b"\n")
            && text.ends_with(expected.trim_ascii_end().rsplit(|&b| b == b'\n').next().unwrap())
        {
            expected.pop();
        }
        let settings = [settings, &[("pattern", pattern)]].concat();
        for bytes in CHUNKS {
            compare(&plugin, &settings, &in_lines(text, bytes), &expected);
        }
    }
}

#[test]
fn grep_writes_matches_and_takes_several_patterns_as_grep_does() {
    let plugin = compiled("grep");
    let text = text(&WORDS, 20_000);
    let text = [text.trim_end().as_bytes(), b"\n"].concat();
    for (flags, pattern, settings) in [
        ("-oE", "[0-9]+|o[xn]", &[("only-matching", "true")][..]),
        ("-oF", "Timeout", &[("only-matching", "true"), ("fixed", "true")]),
        ("-oE", "x*", &[("only-matching", "true")]),
        ("-E", "^fox\n42$", &[]),
        ("-F", "{}\n42", &[("fixed", "true")]),
        ("-Fi", "CACHE\ntimeout", &[("fixed", "true"), ("ignore-case", "true")]),
    ] {
        let expected = oracle("grep", &[flags, pattern], &text);
        let settings = [settings, &[("pattern", pattern)]].concat();
        for bytes in CHUNKS {
            compare(&plugin, &settings, &in_lines(&text, bytes), &expected);
        }
    }
}

#[test]
fn grepcontext_is_grep_with_numbers_and_lines_around() {
    let text = text(&WORDS, 20_000);
    let text = [text.trim_end().as_bytes(), b"\n"].concat();
    for (flags, pattern, settings) in [
        (&["-nE"][..], "fox", &[][..]),
        (&["-nE", "-B2"], "Timeout.*42", &[("before", "2")]),
        (&["-nE", "-A3"], "Timeout.*42", &[("after", "3")]),
        (&["-nE", "-B1", "-A1"], "^42", &[("before", "1"), ("after", "1")]),
        (
            &["-E", "-C4"],
            "cachecache",
            &[("before", "4"), ("after", "4"), ("line-numbers", "false")],
        ),
        (&["-nvE", "-C1"], ".", &[("before", "1"), ("after", "1"), ("invert", "true")]),
    ] {
        let expected = oracle("grep", &[flags, &["-e", pattern]].concat(), &text);
        let settings = [settings, &[("pattern", pattern)]].concat();
        let settings: Vec<_> =
            settings.iter().map(|(key, value)| format!("--set={key}={value}")).collect();
        for bytes in ["4KiB", "16KiB", "1MiB"] {
            let host = Host::run(&plugin("grepcontext")).args(&settings).args([
                "--chunk-size",
                bytes,
                "-",
            ]);
            let output = host.stdin(text.clone()).ended().exits(0).stdout;
            assert!(output == expected, "{settings:?} in chunks of {bytes}");
        }
    }
}

#[test]
fn lanes_redact_what_single_bytes_do() {
    let plugin = compiled("redact");
    let pieces = [
        "a",
        "7",
        ".",
        ":",
        "::",
        "@",
        " ",
        "-",
        "\n",
        "bob@example.org",
        "4111 1111 1111 1111",
        "192.0.2.17",
        "2001:db8::1",
        "1:2:3:4:5:6:7:8",
        "2024-01-02 12:34:56",
        "0.4111111111111111",
        "\u{e9}",
        " and some text without any of it ",
    ];
    let text = text(&pieces, 30_000);
    for settings in [
        &[][..],
        &[("mask", "[out]")],
        &[("kinds", "card")],
        &[("kinds", "email,ip"), ("mask", "")],
    ] {
        let native =
            gristmill_sdk::testing::transform::<redact::Redact>(settings, &[text.as_bytes()]);
        let native = native.unwrap();
        assert_ne!(native, text.as_bytes());
        for bytes in CHUNKS {
            compare(&plugin, settings, &in_lines(text.as_bytes(), bytes), &native);
        }
    }
}

pub(crate) const OBJECTS: &str = r#"
import csv, io, json, sys
text = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", newline="")
for row in csv.DictReader(text, strict=True):
    sys.stdout.buffer.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
"#;

#[test]
fn csv2jsonl_is_what_python_reads() {
    let fields = text(
        &[
            "7,",
            "text,",
            "\"quoted \"\"text\"\", with a comma\",",
            "\"two\r\nlines\",",
            "S\u{e3}o\\Paulo\t,",
            ",",
            "a longer piece of text,",
        ],
        9_000,
    );
    let mut table =
        String::from("id,\"a \"\"name\"\"\",text that is longer than a block of sixteen bytes\r\n");
    let mut field = String::new();
    let (mut quotes, mut row) = (0, 0);
    for piece in fields.split_inclusive(',') {
        field += piece;
        quotes += piece.matches('"').count();
        if quotes % 2 == 0 {
            row += 1;
            let field = std::mem::take(&mut field);
            let bare = field.strip_suffix(',').unwrap();
            write!(table, "{bare}{}", if row % 3 == 0 { "\n" } else { "," }).unwrap();
        }
    }
    table.truncate(table.rfind("\n7,").unwrap() + 1); // whole rows, whatever the pieces were
    let expected = oracle("python3", &["-c", OBJECTS], table.as_bytes());
    assert!(expected.len() > 100_000);
    let header = &table.as_bytes()[..=table.find('\n').unwrap()];
    let plugin = compiled("csv2jsonl");
    for bytes in CHUNKS {
        let mut sandbox = plugin.start(&[]).unwrap();
        let output = sandbox.transform(header, &in_records(table.as_bytes(), bytes)).unwrap();
        assert!(output == expected, "chunks of {bytes}");
        assert_eq!(sandbox.asked().rejects, []);
    }
}

/// As Python reads what no standard allows, rows of other lengths left out.
const LENIENT: &str = r#"
import csv, io, json, sys
text = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", newline="")
quoting = csv.QUOTE_NONE if sys.argv[1] == "none" else csv.QUOTE_MINIMAL
rows = csv.reader(text, delimiter=sys.argv[2], quoting=quoting)
names = next(rows)
for row in rows:
    if len(row) == len(names):
        sys.stdout.buffer.write(json.dumps(dict(zip(names, row)), ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
"#;

#[test]
fn csv2jsonl_reads_stray_quotes_as_python_does() {
    let pieces = [
        "5\" pipe",
        ",",
        ",",
        "\"quoted, \"\"twice\"\"\"",
        "\n",
        "\r\n",
        "\r",
        "x",
        "\"a\"b",
        "\"c\"d\"e",
        "",
        "\"two\nlines\"",
        "a\"\"b",
    ];
    // A field ends before the next begins, or quotes would go on.
    let body: String =
        text(&pieces, 20_000).split(',').map(|piece| piece.to_owned() + ",").collect();
    let plugin = compiled("csv2jsonl");
    for (quote, delimiter) in [("double", ","), ("none", ","), ("double", ";")] {
        let header = format!("a{delimiter}b\n");
        let table = header.clone() + &body.replace(',', delimiter);
        let expected = oracle("python3", &["-c", LENIENT, quote, delimiter], table.as_bytes());
        assert!(expected.len() > 10_000);
        let settings = [("stray", "keep"), ("quote", quote), ("delimiter", delimiter)];
        let mut sandbox = plugin.start(&settings).unwrap();
        let output = sandbox.transform(header.as_bytes(), &[table.as_bytes()]).unwrap();
        let (output, expected) =
            (String::from_utf8(output).unwrap(), String::from_utf8(expected).unwrap());
        for (found, expected) in output.lines().zip(expected.lines()) {
            assert_eq!(found, expected, "quote={quote} delimiter={delimiter}");
        }
        assert_eq!(output.len(), expected.len());
    }
}

/// As Python's `csv` reads what was written.
const READ_BACK: &str = r#"
import csv, io, json, sys
text = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", newline="")
for row in csv.DictReader(text, strict=True):
    print(json.dumps(row, ensure_ascii=False, separators=(",", ":")))
"#;

#[test]
fn jsonl2csv_writes_what_python_reads() {
    let lines = [
        "{\"id\":\"1\",\"a note\":\"two\\nlines, \\\"quoted\\\"\",\"z\":\"\"}\n",
        "{\"id\":\"\\u00e9\",\"a note\":\" x \",\"z\":\"\\r\"}\n",
        "{\"id\":\",\",\"a note\":\"\\\"\",\"z\":\"plain\"}\n",
    ];
    let text = text(&lines, 3_000);
    let header = text.lines().next().unwrap().to_owned() + "\n";
    let plugin = compiled("jsonl2csv");
    for bytes in CHUNKS {
        let mut sandbox = plugin.start(&[]).unwrap();
        let csv = sandbox.transform(header.as_bytes(), &in_lines(text.as_bytes(), bytes)).unwrap();
        let back = oracle("python3", &["-c", READ_BACK], &csv);
        let expected = text.replace("\\u00e9", "\u{e9}");
        assert!(String::from_utf8(back).unwrap() == expected, "chunks of {bytes}");
        assert_eq!(sandbox.asked().rejects, []);
    }
}

const ERRORS: &str = r#"
import json, sys
for line in sys.stdin.buffer:
    value = json.loads(line)
    if isinstance(value, dict) and isinstance(value.get("http"), dict) and value["http"].get("status") == "error":
        sys.stdout.buffer.write(line)
"#;

#[test]
fn jsonfilter_is_what_python_keeps() {
    let plugin = compiled("jsonfilter");
    let lines = [
        "{\"http\":{\"status\":\"error\"},\"n\":1}\n",
        "{\"http\":{\"status\":\"\\u0065rror\"}}\n",
        "{\"http\":{\"status\":\"fine\"},\"status\":\"error\"}\n",
        "{\"http\":{\"text\":\"an error, \\\"error\\\"\",\"status\":[\"error\"]}}\n",
        " { \"n\" : [ 1e3 , null ], \"http\" : { \"status\" : \"error\" } } \r\n",
        "[\"error\"]\n",
    ];
    let text = text(&lines, 5_000);
    let expected = oracle("python3", &["-c", ERRORS], text.as_bytes());
    for check in ["all", "needed"] {
        let settings = [("field", "http.status"), ("equals", "error"), ("check", check)];
        for bytes in CHUNKS {
            compare(&plugin, &settings, &in_lines(text.as_bytes(), bytes), &expected);
        }
    }
}

/// Access logs as Python's `re` reads them.
const ACCESS: &str = r#"
import json, re, sys
form = re.compile(r'(?P<host>\S+) (?P<ident>\S+) (?P<user>\S+) \[(?P<time>[^\]]+)\] "(?P<method>[A-Z]+) (?P<path>\S+) (?P<protocol>\S+)" (?P<status>\d+) (?P<bytes>\S+) "(?P<referer>[^"]*)" "(?P<agent>[^"]*)"$')
for line in sys.stdin:
    parts = {name: None if text == "-" else text for name, text in form.match(line).groupdict().items()}
    parts = {**dict.fromkeys(["host", "ident", "user", "time", "method", "path", "protocol", "request"]), **parts}
    parts.update({name: parts[name] and int(parts[name]) for name in ["status", "bytes"]})
    print(json.dumps(parts, ensure_ascii=False, separators=(",", ":")))
"#;

#[test]
fn parse_reads_access_logs_as_python_does() {
    let lines = [
        "192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" 200 2326 \"-\" \"curl/8\"\n",
        "2001:db8::1 - ann [10/Oct/2000:13:55:36 -0700] \"POST /a?b=c HTTP/2.0\" 304 - \"https://example.org/\" \"\u{e9}\"\n",
    ];
    let text = text(&lines, 5_000);
    let expected = oracle("python3", &["-c", ACCESS], text.as_bytes());
    let plugin = compiled("parse");
    for bytes in CHUNKS {
        compare(&plugin, &[("format", "combined")], &in_lines(text.as_bytes(), bytes), &expected);
    }
}

/// A filter and a choice of fields as Python does them.
const SLOW: &str = r#"
import json, sys
for line in sys.stdin:
    value = json.loads(line)
    if value.get("level") == "error" and value["ms"] >= 500:
        print(json.dumps({"user.name": value["user"]["name"], "t": value.get("t")}, ensure_ascii=False, separators=(",", ":")))
"#;

#[test]
fn jsonfilter_chooses_fields_as_python_does() {
    let lines = [
        "{\"level\":\"error\",\"ms\":500,\"user\":{\"name\":\"Zo\u{eb}\"},\"t\":[1,2]}\n",
        "{\"level\":\"error\",\"ms\":499.5,\"user\":{\"name\":\"b\"}}\n",
        "{\"level\":\"info\",\"ms\":5e3,\"user\":{\"name\":\"c\"}}\n",
        "{\"level\":\"error\",\"ms\":1e4,\"user\":{\"name\":\"d\"}}\n",
    ];
    let text = text(&lines, 5_000);
    let expected = oracle("python3", &["-c", SLOW], text.as_bytes());
    let plugin = compiled("jsonfilter");
    let settings = [("where", ".level=error && .ms>=500"), ("fields", ".user.name,.t")];
    for bytes in CHUNKS {
        compare(&plugin, &settings, &in_lines(text.as_bytes(), bytes), &expected);
    }
}

#[test]
fn bad_records_are_handed_to_the_host() {
    let rejects = |name: &str, settings: &[(&str, &str)], header: &[u8], data: &[u8]| {
        let mut sandbox = compiled(name).start(settings).unwrap();
        let output = sandbox.transform(header, &[data]).unwrap();
        (String::from_utf8(output).unwrap(), sandbox.asked().rejects)
    };
    assert_eq!(
        rejects("redact", &[], b"", b"ok\n\xff a@b.org\na@b.org\n"),
        (
            "ok\n*******\n".into(),
            vec![(3, "is not UTF-8 at byte 0 of the line".into(), b"\xff a@b.org".into())]
        )
    );
    assert_eq!(
        rejects("csv2jsonl", &[], b"a,b\n", b"a,b\n1\n1,2\n"),
        (
            "{\"a\":\"1\",\"b\":\"2\"}\n".into(),
            vec![(4, "has 1 field, and the header 2 names".into(), b"1".into())]
        )
    );
    let (output, found) = rejects("jsonfilter", &[("field", "a")], b"", b"{\"a\":1}\n{\n");
    assert_eq!((output.as_str(), found.len()), ("{\"a\":1}\n", 1));
    assert_eq!((found[0].0, &found[0].2[..]), (8, &b"{"[..]));
}

#[test]
fn what_a_plugin_refuses_is_reported() {
    let refused = |name, settings| compiled(name).start(settings).err().unwrap();
    assert!(refused("grep", &[]).starts_with("setting `pattern` is required"));
    assert!(refused("redact", &[("kinds", "name")]).contains("`name` is none of"));
    assert!(refused("csv2jsonl", &[("delimiter", "ab")]).contains("one ASCII character"));
    assert!(refused("jsonfilter", &[("field", "")]).contains("`field` is required"));
}

//! Where records are that are set aside: lines as Python's `csv` counts them, whatever lines end
//! with, and offsets where they are those of the source.

use serde_json::Value;

use crate::support::host::Host;
use crate::support::oracle::oracle;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// Files of CSV in which some records have a field too few; prints in which lines these begin.
const CSV: &str = r#"
import csv, gzip, io, json, os, random
draw = random.Random(5)
told = {}
os.mkdir("in")
for name, end in (("cr", "\r"), ("crlf", "\r\n"), ("lf", "\n")):
    text = "a,b" + end
    for n in range(3000):
        kind = draw.randrange(10)
        text += {0: f"{n}", 1: f'"{n}{end}{end}",2', 2: f'"{n}{end}"'}.get(kind, f"{n},2") + end
    with open(f"in/{name}", "wb") as out:
        out.write(text.encode())
    with gzip.open(f"in/{name}.gz", "wb") as out:
        out.write(text.encode())
    lines, before, rows = [], 0, csv.reader(io.StringIO(text, newline=""))
    for row in rows:
        if len(row) != 2:
            lines.append(before + 1)
        before = rows.line_num
    told[f"in/{name}"] = told[f"in/{name}.gz"] = lines
print(json.dumps(told))
"#;

fn rejects(tree: &Tree, name: &str, args: &[&str]) -> Vec<Value> {
    let host = Host::run(&plugin(name)).within(tree.path()).args(args);
    let host = host.args(["--rejects", "rejects", "--max-rejects", "100%", "--exists", "replace"]);
    host.args(["--out", "out", "in"]).ended().exits(0);
    let message = String::from_utf8(tree.read("rejects")).unwrap();
    message.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn lines_of_csv_are_counted_as_python_counts_them() {
    let tree = Tree::new();
    let script = format!("import os\nos.chdir({:?})\n{CSV}", tree.path().to_str().unwrap());
    let message: Value = serde_json::from_slice(&oracle("python3", &["-c", &script], b"")).unwrap();
    for (threads, chunk_size) in [("1", "1MiB"), ("2", "1KiB"), ("1", "64B")] {
        let args = ["--threads", threads, "--chunk-size", chunk_size];
        let rejects = rejects(&tree, "csv2jsonl", &args);
        for (source, lines) in message.as_object().unwrap() {
            let of_source = rejects.iter().filter(|reject| &reject["source"] == source);
            let found: Vec<_> = of_source.map(|reject| reject["line"].clone()).collect();
            assert_eq!(&Value::Array(found), lines, "{source}: {args:?}");
        }
    }
}

/// Text in another encoding has other offsets than its source; with a byte order mark before UTF-8
/// they are counted on.
#[test]
fn offsets_are_those_of_the_source_or_none() {
    let text = "{\"n\":\"ä\"}\n{\n{\"n\":2}\n[\n".repeat(300);
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let tree = Tree::with(&[
        ("in/marked", ["\u{feff}", &text].concat().into_bytes()),
        ("in/plain", text.clone().into_bytes()),
        ("in/wide", [b"\xff\xfe", &wide[..]].concat()),
    ]);
    for (threads, chunk_size) in [("1", "1MiB"), ("2", "256B")] {
        let args = ["--threads", threads, "--chunk-size", chunk_size, "--set", "field=n"];
        let rejects = rejects(&tree, "jsonfilter", &args);
        assert_eq!(rejects.len(), 3 * 600);
        let of = |name: &'static str| rejects.iter().filter(move |reject| reject["source"] == name);
        let all = of("in/plain").zip(of("in/marked")).zip(of("in/wide"));
        for (index, ((plain, marked), wide)) in all.enumerate() {
            let line = 2 * index + 2;
            for reject in [plain, marked, wide] {
                assert_eq!(reject["line"], line, "{reject}");
            }
            let before: usize = text.lines().take(line - 1).map(|line| line.len() + 1).sum();
            assert_eq!(plain["offset"], before);
            assert_eq!(marked["offset"], before + 3);
            assert_eq!(wide["offset"], Value::Null, "{wide}");
        }
    }
}

//! Programs that nobody here wrote, to compare results with.

use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

/// What a program prints when it is given `stdin`. Fails the test when the program is missing or
/// fails.
pub(crate) fn oracle(program: &str, args: &[&str], stdin: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(args)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("{program}: {error}; this test compares with it: install it")
        });
    let mut pipe = child.stdin.take().unwrap();
    let output = thread::scope(|scope| {
        scope.spawn(move || pipe.write_all(stdin).unwrap());
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{program} {args:?}: {}", output.status);
    output.stdout
}

/// A list of names as `--files-from` with `-0`, `wc --files0-from` and `xargs -0` read it.
pub(crate) fn names(paths: &[PathBuf]) -> Vec<u8> {
    paths.iter().flat_map(|path| [path.as_os_str().as_bytes(), b"\0"]).collect::<Vec<_>>().concat()
}

/// Python's idea of what `wordcount` counts: a word is what `bytes.split` makes, a character what
/// decoding with replacement makes.
const COUNTS: &str = r#"
import json, sys
for name in sys.stdin.buffer.read().split(b"\0")[:-1]:
    data = open(name, "rb").read()
    text = data.decode("utf-8", "replace")
    print(json.dumps({
        "lines": data.count(b"\n"),
        "words": len(data.split()),
        "bytes": len(data),
        "chars": len(text),
        "longest": max(map(len, text.split("\n"))),
    }))
"#;

/// Python's idea of what `topwords` finds.
const TOP: &str = r#"
import collections, json, sys
n, *names = sys.stdin.buffer.read().split(b"\0")[:-1]
counter = collections.Counter()
for name in names:
    counter.update(open(name, "rb").read().split())
top = sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))[:int(n)]
print(json.dumps([{"word": w.decode("utf-8", "replace"), "count": c} for w, c in top]))
"#;

/// Counts of each file, all made by one Python.
pub(crate) fn python_counts(paths: &[PathBuf]) -> Vec<Value> {
    python(COUNTS, &names(paths))
}

/// The `n` most frequent words of all files together.
pub(crate) fn python_top(n: usize, paths: &[PathBuf]) -> Value {
    let given = [format!("{n}\0").into_bytes(), names(paths)].concat();
    python(TOP, &given).remove(0)
}

fn python(script: &str, stdin: &[u8]) -> Vec<Value> {
    let printed = oracle("python3", &["-c", script], stdin);
    let lines = printed.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

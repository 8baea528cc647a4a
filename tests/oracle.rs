//! Results on a real tree are those of programs that nobody here wrote: `wc`, `sha256sum`, `grep`
//! and Python.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::host::Host;
use crate::support::oracle::{names, oracle, python_counts, python_top};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// Every file that is not compressed of a tree that nobody here wrote: the sources of Rust, as
/// Debian ships them, where they are installed; else what this project is built from.
fn corpus() -> &'static [PathBuf] {
    static CORPUS: OnceLock<Vec<PathBuf>> = OnceLock::new();
    CORPUS.get_or_init(|| {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let shipped = fs::read_dir("/usr/src").into_iter().flatten().flatten();
        let mut roots: Vec<_> = shipped
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("rustc-"))
            .map(|entry| entry.path())
            .collect();
        if roots.is_empty() {
            let home = std::env::var_os("HOME").expect("somebody runs this");
            let cargo = std::env::var_os("CARGO_HOME");
            let cargo = cargo.map_or_else(|| Path::new(&home).join(".cargo"), PathBuf::from);
            roots = ["host", "plugin-sdk", "plugins", "tests", "wit", "xtask"]
                .map(|folder| project.join(folder))
                .to_vec();
            roots.push(cargo.join("registry/src"));
        }
        let mut files = Vec::new();
        for root in &roots {
            collect(root, &mut files);
        }
        assert!(files.len() > 1000, "only {} files below {roots:?}", files.len());
        files
    })
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            // What fuzz targets and `host sample` begin with is compressed, in archives, or
            // damaged.
            if entry.file_name() != "seeds" && entry.file_name() != "sample" {
                collect(&entry.path(), files);
            }
        } else if kind.is_file() && !is_compressed(&entry.path()) {
            files.push(entry.path());
        }
    }
}

/// Whether a host may read something else in a file than what `wc` reads: by its name, or its first
/// bytes (gzip, bzip2, xz, zstd, lz4, snappy).
fn is_compressed(path: &Path) -> bool {
    const EXTENSIONS: [&str; 11] =
        ["br", "bz2", "gz", "lz4", "sz", "tbz2", "tgz", "txz", "xz", "zst", "zz"];
    const MAGIC: [&[u8]; 6] = [
        &[0x1f, 0x8b],
        b"BZh",
        &[0xfd, b'7', b'z', b'X', b'Z'],
        &[0x28, 0xb5, 0x2f, 0xfd],
        &[0x04, 0x22, 0x4d, 0x18],
        &[0xff, 0x06, 0, 0, b's'],
    ];
    if path.extension().is_some_and(|extension| EXTENSIONS.iter().any(|one| extension == *one)) {
        return true;
    }
    let mut first = Vec::new();
    File::open(path).unwrap().take(5).read_to_end(&mut first).unwrap();
    MAGIC.iter().any(|magic| first.starts_with(magic))
}

/// Results of a plugin over all files: one for each, and the last line.
fn results(name: &str, args: &[&str], files: &[PathBuf]) -> (Vec<Value>, Value) {
    let ended = Host::run(&plugin(name))
        .args(args)
        .args(["--format", "jsonl", "--encoding", "none", "-0", "--files-from", "-"])
        .stdin(names(files))
        .ended()
        .exits(0);
    let mut lines = ended.lines();
    let total = lines.pop().unwrap();
    for (line, file) in lines.iter().zip(files) {
        assert_eq!(line["source"], file.to_string_lossy().as_ref());
    }
    assert_eq!(lines.len(), files.len());
    (lines.into_iter().map(|mut line| line["result"].take()).collect(), total)
}

#[test]
fn wordcount_is_wc() {
    let files = corpus();
    let (results, total) = results("wordcount", &[], files);
    let printed = oracle("wc", &["-lc", "--files0-from=-"], &names(files));
    let mut rows = printed.split(|&byte| byte == b'\n').map(|row| {
        let mut figures = row.split(u8::is_ascii_whitespace).filter(|figure| !figure.is_empty());
        let mut figure = || std::str::from_utf8(figures.next()?).ok()?.parse::<u64>().ok();
        Some((figure()?, figure()?))
    });
    let figures = |result: &Value| Some((result["lines"].as_u64()?, result["bytes"].as_u64()?));
    for (result, file) in results.iter().zip(files) {
        assert_eq!(figures(result), rows.next().unwrap(), "{}", file.display());
    }
    assert_eq!(figures(&total["total"]), rows.next().unwrap());
    assert_eq!(total["sources"], files.len());
}

#[test]
fn wordcount_is_python_word_for_word_and_character_for_character() {
    let files = corpus();
    let (results, total) = results("wordcount", &["--set=chars=true", "--set=longest=true"], files);
    let counts = python_counts(files);
    assert_eq!(results.len(), counts.len());
    for ((result, count), file) in results.iter().zip(&counts).zip(files) {
        assert_eq!(result, count, "{}", file.display());
    }
    for sum in ["lines", "words", "bytes", "chars"] {
        let all: u64 = counts.iter().map(|count| count[sum].as_u64().unwrap()).sum();
        assert_eq!(total["total"][sum], all, "{sum}");
    }
    let longest = counts.iter().map(|count| count["longest"].as_u64().unwrap()).max().unwrap();
    assert_eq!(total["total"]["longest"], longest);
}

#[test]
fn checksum_is_sha256sum() {
    let files = corpus();
    let (results, _) = results("checksum", &["--per-source"], files);
    let list = names(files);
    let printed = oracle("xargs", &["-0", "sha256sum", "--binary", "--zero"], &list);
    let sums: BTreeMap<_, _> = printed
        .split(|&byte| byte == 0)
        .filter_map(|row| Some((row.get(66..)?, row.get(..64)?)))
        .collect();
    assert_eq!(sums.len(), files.len());
    for (result, file) in results.iter().zip(files) {
        let sum = sums[std::os::unix::ffi::OsStrExt::as_bytes(file.as_os_str())];
        assert_eq!(result["sha256"].as_str().unwrap().as_bytes(), sum, "{}", file.display());
    }
}

#[test]
fn topwords_is_a_counter_with_ties_in_byte_order() {
    let some: Vec<_> = corpus().iter().step_by(7).cloned().collect();
    // As many as make it certain that some are equally frequent.
    let (_, total) = results("topwords", &["--set", "n=5000"], &some);
    let expected = python_top(5000, &some);
    let counts: Vec<_> = expected.as_array().unwrap().iter().map(|word| &word["count"]).collect();
    assert!(counts.windows(2).any(|pair| pair[0] == pair[1]), "no ties");
    assert_eq!(total["total"], expected);
}

#[test]
fn topwords_fits_into_the_memory_that_its_hint_names() {
    let tree = Tree::new();
    let word =
        |number: u64| format!("common w{:016x}\n", number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    tree.file("distinct.txt", (0..100_000).map(word).collect::<String>());
    let run = |memory: &str| {
        let host = Host::run(&plugin("topwords")).args(["--threads", "1", "--memory", memory]);
        host.within(tree.path()).arg("distinct.txt").ended()
    };
    let ended = run("5MiB").exits(1);
    let message = "distinct.txt: too many distinct words for the memory of an instance\nhint: raise --memory to ";
    let (_, hint) = ended.stderr.split_once(message).unwrap_or_else(|| panic!("{ended}"));
    let (memory, _) = hint.split_once(" or more\n").unwrap();
    assert_eq!(memory, "10MiB");
    let expected = python_top(10, &[tree.path().join("distinct.txt")]);
    assert_eq!(run(memory).exits(0).lines()[0]["result"], expected);
}

#[test]
fn topwords_of_each_file_is_that_of_python() {
    let largest = corpus().iter().max_by_key(|file| fs::metadata(file).unwrap().len()).unwrap();
    let (results, _) =
        results("topwords", &["--chunk-size", "4KiB"], std::slice::from_ref(largest));
    assert_eq!(results[0], python_top(10, std::slice::from_ref(largest)));
}

#[test]
fn grepcount_is_grep_file_for_file() {
    let files = corpus();
    for (flag, pattern, setting) in
        [("-F", "unsafe fn", "fixed=true"), ("-E", "^ *pub (fn|struct) [a-z]+", "fixed=false")]
    {
        let set = format!("pattern={pattern}");
        let (results, total) = results("grepcount", &["--set", &set, "--set", setting], files);
        // A file without such a line is no failure here.
        let count = format!("xargs -0 grep -a -c -h {flag} -- '{pattern}' || [ $? = 123 ]");
        let printed = oracle("bash", &["-c", &count], &names(files));
        let counts: Vec<u64> =
            str::from_utf8(&printed).unwrap().lines().map(|row| row.parse().unwrap()).collect();
        assert_eq!(counts.len(), files.len());
        for ((result, count), file) in results.iter().zip(&counts).zip(files) {
            assert_eq!(result["lines"], *count, "{pattern} in {}", file.display());
        }
        let all: u64 = counts.iter().sum();
        assert!(all > 0, "nothing to count");
        assert_eq!(total["total"]["lines"], all);
    }
}

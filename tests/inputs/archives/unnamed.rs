//! Archives whose names do not say that they are some. A named file is what its name says: reading
//! it as text is reported, wherever it is; reading it as bytes is not. What has no name, on
//! standard input or from a FIFO, is looked into.

use serde_json::Value;

use crate::support::host::Host;
use crate::support::oracle::oracle;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;
use crate::support::web::{Page, Web};

const SCRIPT: &str = r"
import io, os, tarfile, zipfile
os.mkdir('in')
text = b'one two three\n' * 500
def tar(name, mode):
    with tarfile.open(name, mode) as out:
        for one in ('a.txt', 'b.txt'):
            info = tarfile.TarInfo(one)
            info.size = len(text)
            out.addfile(info, io.BytesIO(text))
tar('in/c.tar.1', 'w')
tar('in/app.log', 'w')
tar('in/backup.gz', 'w:gz')
tar('in/plain', 'w')
with zipfile.ZipFile('in/report.docx', 'w', zipfile.ZIP_DEFLATED) as out:
    out.writestr('word/document.xml', text)
open('in/z.txt', 'wb').write(text)
with tarfile.open('outer.tar', 'w') as out:
    out.add('in')
with tarfile.open('outer.tgz', 'w:gz') as out:
    out.add('in')
with zipfile.ZipFile('outer.zip', 'w', zipfile.ZIP_DEFLATED) as out:
    for one in sorted(os.listdir('in')):
        out.write('in/' + one)
";

fn tree() -> Tree {
    let tree = Tree::new();
    let directory = tree.path().to_str().unwrap();
    let script = format!("import os\nos.chdir({directory:?})\n{SCRIPT}");
    oracle("python3", &["-c", &script], b"");
    tree
}

#[test]
fn archives_that_are_read_as_text_are_reported_wherever_they_are() {
    let tree = tree();
    for (name, first) in [
        ("in", "in/app.log"),
        ("outer.tar", "outer.tar!/"),
        ("outer.tgz", "outer.tgz!/"),
        ("outer.zip", "outer.zip!/in/app.log"),
    ] {
        for threads in ["1", "2"] {
            for chunk_size in ["64B", "1MiB"] {
                let host = Host::run(&plugin("wordcount")).within(tree.path());
                let args = ["--threads", threads, "--chunk-size", chunk_size, "--total"];
                let host = host.args(args).args(["--report", "report", "--exists", "replace"]);
                let ended = host.arg(name).ended().exits(0);
                let message = "5 sources are archives, and were read as text (first: ";
                assert!(ended.stderr.contains(&format!("{message}{first}")), "{name}: {ended}");
                let report: Value = serde_json::from_slice(&tree.read("report")).unwrap();
                assert_eq!(report["unopened_archives"]["sources"], 5, "{name}");
            }
        }
    }
}

#[test]
fn archives_that_are_to_be_read_as_bytes_are_not_reported() {
    let tree = tree();
    for (name, args) in [("wordcount", &["--no-archives"][..]), ("checksum", &[])] {
        let host = Host::run(&plugin(name)).within(tree.path()).args(args);
        let ended = host.args(["--total", "in"]).ended().exits(0);
        assert!(!ended.stderr.contains("archive"), "{name}: {ended}");
    }
}

#[test]
fn a_page_is_reported_like_a_file() {
    let tree = tree();
    let server = Web::of("/c.tar.1", Page::new(tree.read("in/c.tar.1")));
    let host = Host::run(&plugin("wordcount")).args(["--total", &server.url("/c.tar.1")]);
    let ended = host.ended().exits(0);
    assert!(ended.stderr.contains("1 source is an archive, and was read as text"), "{ended}");
}

#[test]
fn what_has_no_name_is_looked_into() {
    let tree = tree();
    for name in ["c.tar.1", "app.log", "backup.gz", "plain"] {
        let host = Host::run(&plugin("wordcount")).args(["--per-source", "-"]);
        let ended = host.stdin(tree.read(&format!("in/{name}"))).ended().exits(0);
        let names: Vec<_> = ended.lines().iter().map(|row| row["source"].clone()).collect();
        assert_eq!(names[..2], ["-!/a.txt", "-!/b.txt"], "{name}");
        assert!(!ended.stderr.contains("archive"), "{ended}");
    }
    let host = Host::run(&plugin("wordcount")).args(["--per-source", "-"]);
    let ended = host.stdin(tree.read("in/report.docx")).ended().exits(1);
    assert!(ended.stderr.contains("is a zip archive that comes from its front only"), "{ended}");
}

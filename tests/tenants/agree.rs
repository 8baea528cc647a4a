//! A tenant's job is a job: for each thing that a run can be asked, a tenant that asks for it is
//! given the same.

use std::fs;
use std::path::{Path, PathBuf};

use gristmill::settings::{Exists, Format, Pack, RejectsMax};
use gristmill::source::Urls;
use gristmill::spec::{BranchSpec, JobSpec, StageSpec};
use gristmill::tenant::{Limits, Refused};

use super::{host, tenant};
use crate::support::front::{self, Recorder};
use crate::support::oracle::oracle;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;
use crate::support::web::{Page, Web};

/// Every file below a directory but ledgers, with its bytes.
fn written(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(next) = dirs.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if !path.to_string_lossy().contains("ledger") {
                found.push((path.strip_prefix(dir).unwrap().into(), fs::read(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// Two directories with the same inputs, and a server of a page.
struct Sides {
    tree: Tree,
    web: Web,
}

impl Sides {
    fn new() -> Self {
        let tree = Tree::new();
        for side in ["run", "tenant"] {
            tree.file(&format!("{side}/in/logs/a.log"), "ok one\nbad two\nok three\n");
            tree.file(&format!("{side}/in/logs/b.log"), "ok four\n");
            tree.file(&format!("{side}/in/logs/notes.txt"), "ok five\n");
            let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1], 'w')
for name in 'mn': z.writestr(name, 'ok ' + name + chr(10))";
            let archive = tree.path().join(side).join("in/z.zip");
            oracle("python3", &["-c", script, archive.to_str().unwrap()], b"");
            fs::create_dir_all(tree.path().join(side).join("out")).unwrap();
        }
        let web = Web::of("/page.log", Page::new("ok six\n"));
        Self { tree, web }
    }

    /// Runs the job on both sides, with names from the directories of each, and compares what is
    /// written; gives that.
    fn agree(&self, spec: &JobSpec) -> Vec<(PathBuf, Vec<u8>)> {
        let host = host(2);
        let urls = Urls::Of(vec!["127.0.0.1".into()]);
        host.add(tenant(&self.tree, "tenant", Limits { urls, ..Limits::default() })).unwrap();
        let ended = host.submit("tenant", spec.clone()).unwrap().wait();
        let ended = ended.as_ref().as_ref().unwrap();

        let mut own = spec.clone();
        let dir = self.tree.path().join("run");
        let is_local = |name: &&mut PathBuf| !name.to_string_lossy().contains("://");
        for name in own.inputs.files.iter_mut().chain(&mut own.inputs.files_from).filter(is_local) {
            *name = dir.join("in").join(&*name);
        }
        let output = &mut own.output;
        let files = output.rejects.iter_mut().chain(&mut output.ledger).chain(&mut output.report);
        for name in files.chain([&mut output.out]) {
            *name = dir.join("out").join(&*name);
        }
        let named = [dir.join("in/")];
        let ran = front::run(&own.to_json().unwrap(), Some(&named), &Recorder::default()).unwrap();
        let summary = ran.summary.unwrap();
        assert_eq!(
            (summary.sources, summary.failed, summary.bytes),
            (ended.summary.sources, ended.summary.failed, ended.summary.bytes),
            "{:?}",
            ended.failures
        );
        let name = |bytes: Vec<u8>| match String::from_utf8(bytes) {
            Ok(text) => text.replace("/run/in/", "/tenant/in/").into_bytes(),
            Err(packed) => packed.into_bytes(),
        };
        let by_run: Vec<_> = written(&self.tree.path().join("run/out"))
            .into_iter()
            .map(|(path, bytes)| (path, name(bytes)))
            .collect();
        let by_tenant = written(&self.tree.path().join("tenant/out"));
        assert_eq!(by_tenant, by_run);
        by_tenant
    }
}

fn job(name: &str, files: &[&str], out: &str) -> JobSpec {
    let mut spec = JobSpec::of(plugin(name), files.iter().map(PathBuf::from).collect());
    spec.output.out = out.into();
    spec
}

fn names(written: &[(PathBuf, Vec<u8>)]) -> Vec<&str> {
    written.iter().map(|(path, _)| path.to_str().unwrap()).collect()
}

#[test]
fn branches_of_chains_share_a_scan() {
    let mut spec = job("wordcount", &["logs"], "rows.jsonl");
    spec.branches[0].stage[0].name = "words".into();
    let stage = ["upcase", "checksum"].map(|name| StageSpec::of(plugin(name))).to_vec();
    spec.branches.push(BranchSpec { stage });
    spec.output.format = Some(Format::Jsonl);
    let written = Sides::new().agree(&spec);
    let rows = String::from_utf8(written[0].1.clone()).unwrap();
    assert!(rows.contains("words") && rows.contains("checksum"), "{rows}");
}

#[test]
fn files_are_filtered_and_listed_by_a_file() {
    let sides = Sides::new();
    let mut spec = job("upcase", &["logs"], "kept/");
    spec.inputs.include = vec!["*.log".into()];
    spec.inputs.exclude = vec!["b*".into()];
    assert_eq!(names(&sides.agree(&spec)), ["kept/logs/a.log"]);

    for side in ["run", "tenant"] {
        let path = sides.tree.path().join(side).join("in/logs/b.log");
        sides.tree.file(&format!("{side}/in/list"), format!("{}\n", path.display()));
    }
    let mut spec = job("upcase", &[], "listed.txt");
    spec.inputs.files_from = Some("list".into());
    assert_eq!(sides.agree(&spec).last().unwrap().1, b"OK FOUR\n");
}

#[test]
fn members_of_archives_are_sources_of_their_own() {
    let mut spec = job("upcase", &["z.zip"], "made/");
    spec.inputs.include_members = vec!["n".into()];
    spec.output.compress = Pack::Lz4;
    assert_eq!(names(&Sides::new().agree(&spec)), ["made/z.zip/n.lz4"]);
}

#[test]
fn what_is_allowed_of_the_network_can_be_read() {
    let sides = Sides::new();
    let url = sides.web.url("/page.log");
    assert_eq!(sides.agree(&job("upcase", &[&url], "page.txt"))[0].1, b"OK SIX\n");

    let host = host(1);
    host.add(tenant(&sides.tree, "tenant", Limits::default())).unwrap();
    let ended = host.submit("tenant", job("upcase", &[&url], "page.txt")).unwrap().wait();
    assert!(ended.as_ref().as_ref().unwrap_err().to_string().contains("is not in the tenant's"));
}

#[test]
fn records_that_are_set_aside_are_written_and_bounded() {
    let sides = Sides::new();
    for side in ["run", "tenant"] {
        sides.tree.file(&format!("{side}/in/rows.jsonl"), "{\"a\":1}\nnot json\n{\"a\":2}\n");
    }
    let mut spec = job("jsonl2csv", &["rows.jsonl"], "rows.csv");
    spec.output.rejects = Some("rejects.jsonl".into());
    spec.output.report = Some("none/../report-ledger.json".into());
    let refused = host_refuses(&sides, &spec);
    assert!(refused.contains("is not in the tenant's directory"), "{refused}");
    spec.output.report = None;
    let written = sides.agree(&spec);
    assert_eq!(names(&written), ["rejects.jsonl", "rows.csv"]);
    assert!(String::from_utf8_lossy(&written[0].1).contains("not json"), "{written:?}");

    let mut spec = job("jsonl2csv", &["rows.jsonl"], "none.csv");
    spec.output.max_rejects = Some(RejectsMax::Records(0));
    sides.agree(&spec);
}

fn host_refuses(sides: &Sides, spec: &JobSpec) -> String {
    let host = host(1);
    host.add(tenant(&sides.tree, "tenant", Limits::default())).unwrap();
    let ended = host.submit("tenant", spec.clone()).unwrap().wait();
    ended.as_ref().as_ref().unwrap_err().to_string()
}

#[test]
fn a_ledger_goes_on_where_the_last_job_ended_and_outputs_of_what_is_gone_go() {
    let sides = Sides::new();
    let mut spec = job("upcase", &["logs"], "made/");
    spec.output.ledger = Some("done.ledger".into());
    spec.output.delete_vanished = true;
    assert_eq!(sides.agree(&spec).len(), 3);
    for side in ["run", "tenant"] {
        sides.tree.file(&format!("{side}/in/logs/c.log"), "ok seven\n");
        fs::remove_file(sides.tree.path().join(side).join("in/logs/a.log")).unwrap();
    }
    let written = sides.agree(&spec);
    assert_eq!(names(&written), ["made/logs/b.log", "made/logs/c.log", "made/logs/notes.txt"]);
}

#[test]
fn what_is_there_is_left_or_replaced() {
    let sides = Sides::new();
    for side in ["run", "tenant"] {
        sides.tree.file(&format!("{side}/out/made/logs/a.log"), "as it was\n");
    }
    let mut spec = job("upcase", &["logs"], "made/");
    spec.output.exists = Some(Exists::Skip);
    assert_eq!(sides.agree(&spec)[0].1, b"as it was\n");
    spec.output.exists = Some(Exists::Replace);
    assert_eq!(sides.agree(&spec)[0].1, b"OK ONE\nBAD TWO\nOK THREE\n");
    spec.output.exists = None;
    assert_eq!(sides.agree(&spec)[0].1, b"OK ONE\nBAD TWO\nOK THREE\n");
}

#[test]
fn what_all_jobs_of_a_host_share_no_job_can_set() {
    let sides = Sides::new();
    let host = host(1);
    host.add(tenant(&sides.tree, "tenant", Limits::default())).unwrap();
    let refused = |change: fn(&mut JobSpec)| {
        let mut spec = job("upcase", &["logs"], "x");
        change(&mut spec);
        match host.submit("tenant", spec).err() {
            Some(Refused::Shared { setting }) => setting,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(|spec| spec.sandbox.jail = true), "jail");
    assert_eq!(refused(|spec| spec.sandbox.no_cache = true), "cache");
    assert_eq!(refused(|spec| spec.inputs.beneath = vec!["/".into()]), "beneath");
    assert_eq!(refused(|spec| spec.inputs.allow_private = true), "allow_private");
}

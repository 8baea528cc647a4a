//! `cargo xtask bench`: Gristmill beside native programs, on the same bytes, in the same run.
//!
//! A subject is a file here: it names its inputs and programs, and returns rows. Rows carry the
//! goal and say whether it is met; no time ever fails a command. Programs of a pair run in turn (A
//! B A B ...), each after its input was read into the page cache, so a machine that slows down
//! slows both.

mod corpus;
mod fairness;
mod files;
mod inputs;
mod measure;
mod memory;
mod outputs;
mod peers;
mod program;
mod report;
mod row;
mod sandbox;
mod scratch;
mod start;
mod tools;
mod topwords;
mod watch;
mod words;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use crate::flags;
use crate::plugins;
use crate::project::Project;
use program::Program;
use row::Row;

/// Pairs measured where the user says nothing: enough for a median that one slow run does not move.
const RUNS: usize = 7;

/// Threads of a run with more than one: the goals are stated for two cores.
const THREADS: usize = 2;

/// The large text, which `outputs` and `sandbox` take where the user says nothing.
const MEGABYTES_MAX: u64 = 1000;

/// The smallest text whose fourth is many chunks.
const MEGABYTES_MIN: u64 = 20;

/// What every subject is given.
struct Bench<'a> {
    project: &'a Project,
    /// The built plugins.
    plugins: PathBuf,
    /// Measured runs of each program.
    runs: usize,
    /// Whether the 10 GB file may be made.
    big: bool,
    /// The text of `outputs` and `sandbox`, in MB.
    megabytes: u64,
    /// How busy the machine was before anything was measured.
    load: String,
}

/// One thing to measure.
struct Subject {
    name: &'static str,
    rows: fn(&Bench) -> Result<Vec<Row>>,
}

/// Every subject, in the order of the table.
const SUBJECTS: [Subject; 11] = [
    words::SUBJECT,
    files::SUBJECT,
    start::SUBJECT,
    memory::SUBJECT,
    topwords::SUBJECT,
    inputs::SUBJECT,
    outputs::SUBJECT,
    sandbox::SUBJECT,
    fairness::SUBJECT,
    watch::SUBJECT,
    peers::SUBJECT,
];

/// What is measured only when it is asked for: it takes minutes, and programs of others.
const ON_REQUEST: [&str; 6] = [
    inputs::SUBJECT.name,
    outputs::SUBJECT.name,
    sandbox::SUBJECT.name,
    fairness::SUBJECT.name,
    watch::SUBJECT.name,
    peers::SUBJECT.name,
];

/// The name that stands for every subject.
const ALL: &str = "all";

/// Builds what is needed, measures the subjects asked for, prints the table and the commands.
pub(crate) fn run(project: &Project, flags: &flags::Bench) -> Result<()> {
    let subjects = chosen(&flags.subjects)?;
    let mut bench = Bench {
        project,
        plugins: plugins::build(project)?,
        runs: flags.runs.unwrap_or(RUNS).max(1),
        big: flags.big,
        megabytes: megabytes(flags.megabytes)?,
        load: String::new(),
    };
    project.build_programs(&["host", "baseline"])?;
    bench.load = report::load();
    let mut rows = Vec::new();
    for subject in subjects {
        eprintln!("bench: {}", subject.name);
        rows.extend((subject.rows)(&bench).with_context(|| format!("bench {}", subject.name))?);
    }
    report::print(&bench, &rows);
    if let Some(path) = &flags.json {
        fs::write(path, report::json(&bench, &rows)?)
            .with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// The size of the text of `outputs` and `sandbox`: all of the large text where the user says
/// nothing.
fn megabytes(wanted: Option<u64>) -> Result<u64> {
    let megabytes = wanted.unwrap_or(MEGABYTES_MAX);
    ensure!(
        (MEGABYTES_MIN..=MEGABYTES_MAX).contains(&megabytes),
        "--megabytes: got {megabytes}, expected {MEGABYTES_MIN} to {MEGABYTES_MAX}"
    );
    Ok(megabytes)
}

/// The subjects with these names; when there are none, all but those [`ON_REQUEST`].
fn chosen(names: &[String]) -> Result<Vec<&'static Subject>> {
    let known = || SUBJECTS.iter().map(|subject| subject.name).chain([ALL]);
    if let Some(name) = names.iter().find(|name| known().all(|known| known != *name)) {
        bail!("no subject {name:?}\nhint: one of {}", known().collect::<Vec<_>>().join(", "));
    }
    let is_named = |wanted: &str| names.iter().any(|name| name == wanted);
    let is_wanted = |subject: &&Subject| {
        if names.is_empty() { !ON_REQUEST.contains(&subject.name) } else { is_named(subject.name) }
    };
    Ok(SUBJECTS.iter().filter(|subject| is_named(ALL) || is_wanted(subject)).collect())
}

impl Bench<'_> {
    /// The directory for inputs made here. They are kept from run to run.
    fn directory(&self) -> PathBuf {
        self.project.target.join("bench")
    }

    /// `host run` with a plugin of this repository that gives a result.
    fn host(&self, plugin: &str, threads: usize) -> Program {
        self.pipelines(&[&[plugin]], threads).args(["--format", "json"])
    }

    /// `host run` with pipelines of plugins of this repository, all over one scan; in each, one
    /// gives what comes out of it to the next.
    fn pipelines(&self, pipelines: &[&[&str]], threads: usize) -> Program {
        let host = self.project.program("host");
        let mut host = Program::new(format!("host, {}", threads_word(threads)), host).arg("run");
        for plugins in pipelines {
            let files =
                plugins.iter().map(|plugin| self.plugins.join(plugin).with_extension("wasm"));
            let files: Vec<_> = files.map(PathBuf::into_os_string).collect();
            host = host.arg("--plugin").arg(files.join(" | ".as_ref()));
        }
        host.arg("--threads").arg(threads.to_string())
    }

    /// A native program.
    fn native(&self, command: &str, threads: usize) -> Program {
        Program::new(format!("native, {}", threads_word(threads)), self.project.program("baseline"))
            .arg(command)
            .arg("--threads")
            .arg(threads.to_string())
    }
}

fn threads_word(threads: usize) -> String {
    if threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_chosen_by_name() {
        let names = |names: &[&str]| -> Result<Vec<&str>> {
            let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
            Ok(chosen(&names)?.into_iter().map(|subject| subject.name).collect())
        };
        assert_eq!(names(&["start", "files"]).unwrap(), ["files", "start"]);
        assert_eq!(names(&[]).unwrap(), ["words", "files", "start", "memory", "topwords"]);
        assert_eq!(names(&["inputs"]).unwrap(), ["inputs"]);
        assert_eq!(names(&["all"]).unwrap().len(), SUBJECTS.len());
        assert!(names(&["speed"]).is_err());
    }

    #[test]
    fn a_text_has_a_size() {
        assert_eq!(megabytes(None).unwrap(), 1000);
        assert_eq!(megabytes(Some(20)).unwrap(), 20);
        assert!(megabytes(Some(19)).is_err() && megabytes(Some(1001)).is_err());
    }
}

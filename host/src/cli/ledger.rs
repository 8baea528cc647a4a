//! `host ledger`: what a ledger says is done, and having it done again.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::SystemTime;

use humantime::{format_rfc3339_millis, format_rfc3339_seconds};
use serde::Serialize;

use super::Exit;
use super::args::{LedgerCommand, LedgerFormatArg};
use super::called::own;
use super::{arrivals, say};
use crate::ledger::{
    Entries, Entry, Error, JobId, JobSummary, Ledger, Output, Reader, Selection, State,
};
use crate::name::Shown;
use crate::output::{Align, Content, Grid, write_json};
use crate::settings::limits::{LEDGER_SHOWN_MAX, WRITE_BYTES};
use crate::source::name_text;
use crate::spec::Problem;

/// Runs a subcommand of `host ledger`.
pub(super) fn ledger(command: &LedgerCommand) -> Result<Exit, Problem> {
    match command {
        LedgerCommand::Show { ledger, job, failed, format } => {
            let entries = if *failed { Entries::Failed } else { Entries::All };
            let reader = Reader::open(&ledger.path)?;
            let jobs = reader.jobs()?;
            match job.as_ref().map(|prefix| named(&jobs, prefix)).transpose()? {
                None if !failed => show_jobs(&jobs, *format),
                job => show_entries(&reader, &jobs, &Selection { job, entries }, *format),
            }
        }
        LedgerCommand::Explain { file, ledger, format } => {
            arrivals::explain(file, ledger.as_deref(), *format)
        }
        LedgerCommand::Retry { ledger, files, failed: _ } => arrivals::retry(&ledger.path, files),
        LedgerCommand::Export { ledger, job } => export(&ledger.path, job.as_deref()),
        LedgerCommand::Forget { ledger, sources, job, failed, all: _ } => {
            let entries = if *failed { Entries::Failed } else { Entries::All };
            forget(&ledger.path, job.as_deref(), sources, entries)
        }
        LedgerCommand::Check { ledger, digest } => check(&ledger.path, *digest),
    }
}

fn show_jobs(jobs: &[JobSummary], format: LedgerFormatArg) -> Result<Exit, Problem> {
    if format == LedgerFormatArg::Json {
        let mut array = Array::new(out());
        return written(jobs.iter().try_for_each(|job| array.push(&told_job(job))), || array.end());
    }
    let numbers = ["committed", "failed", "bytes in", "bytes out", "rejects"];
    let columns = [("job", Align::Left)].into_iter();
    let columns = columns.chain(numbers.map(|name| (name, Align::Right)));
    let mut grid =
        Grid::new(columns.chain([("latest", Align::Left), ("description", Align::Left)]));
    for job in jobs {
        let counts = [job.committed, job.failed, job.bytes_in, job.bytes_out, job.rejects];
        let cells = [short(job)].into_iter().chain(counts.map(|count| count.to_string()));
        grid.row(cells.chain([seconds(job.latest), job.description.clone()]));
    }
    drawn(&grid)
}

fn show_entries(
    reader: &Reader,
    jobs: &[JobSummary],
    selection: &Selection,
    format: LedgerFormatArg,
) -> Result<Exit, Problem> {
    let jobs: HashMap<_, _> = jobs.iter().map(|job| (job.id, job)).collect();
    if format == LedgerFormatArg::Json {
        let mut array = Array::new(out());
        let ended =
            each(reader, selection, |id, entry| array.push(&entry_shown(&jobs, id, entry)))?;
        return written(ended, || array.end());
    }
    let words = ["job", "state"].map(|name| (name, Align::Left)).into_iter();
    let numbers = ["bytes in", "bytes out", "rejects"].map(|name| (name, Align::Right));
    let more = ["done", "source", "output or failure"].map(|name| (name, Align::Left));
    let mut grid = Grid::new(words.chain(numbers).chain(more));
    let mut shown = 0;
    let ended = reader.each(selection, |id, entry| {
        if shown == LEDGER_SHOWN_MAX {
            return ControlFlow::Break(());
        }
        shown += 1;
        grid.row(cells(jobs.get(&id).map_or(String::new(), |job| short(job)), &entry));
        ControlFlow::Continue(())
    });
    let more = ended?.is_break();
    let exit = drawn(&grid)?;
    if more {
        let all = own("`host ledger export` has all");
        say::line(&format!("only the first {shown} are shown: {all}"));
    }
    Ok(exit)
}

/// A path as text that is unique, also for bytes that are not UTF-8.
fn path_text(path: &Path) -> String {
    name_text(path.as_os_str().as_bytes()).into_owned()
}

fn cells(job: String, entry: &Entry) -> [String; 8] {
    let output = entry.output.as_deref().map(path_text);
    let (state, more) = match &entry.state {
        State::Committed => ("committed", output.unwrap_or_default()),
        State::Failed { kind, message } => ("failed", format!("{kind}: {message}")),
    };
    let [bytes_in, bytes_out, rejects] =
        [entry.bytes_in, entry.bytes_out, entry.rejects].map(|count| count.to_string());
    let source = name_text(&entry.source).into_owned();
    [job, state.into(), bytes_in, bytes_out, rejects, seconds(entry.at), source, more]
}

fn export(path: &Path, job: Option<&str>) -> Result<Exit, Problem> {
    let reader = Reader::open(path)?;
    let jobs = reader.jobs()?;
    let job = job.map(|prefix| named(&jobs, prefix)).transpose()?;
    let jobs: HashMap<_, _> = jobs.iter().map(|job| (job.id, job)).collect();
    let mut out = out();
    let ended = each(&reader, &Selection { job, entries: Entries::All }, |id, entry| {
        write_json(&mut out, &entry_shown(&jobs, id, entry))?;
        out.write_all(b"\n")
    })?;
    written(ended, || out.flush())
}

fn forget(
    path: &Path,
    job: Option<&str>,
    sources: &[OsString],
    entries: Entries,
) -> Result<Exit, Problem> {
    // Asked first: a name that is mistyped must not become an empty ledger.
    fs::metadata(path).map_err(|error| Problem::new(format!("{}: {error}", Shown::of(&path))))?;
    let ledger = Ledger::open(path)?;
    let jobs = ledger.reader().and_then(|reader| reader.jobs())?;
    let job = job.map(|prefix| named(&jobs, prefix)).transpose()?;
    let selections = if sources.is_empty() {
        vec![Selection { job, entries }]
    } else {
        let of = |source: &OsString| Entries::Of(source.as_bytes().to_vec());
        sources.iter().map(|source| Selection { job, entries: of(source) }).collect()
    };
    let removed = ledger.forget(selections)?;
    ledger.close()?;
    let mut exit = Exit::Done;
    for (source, _) in sources.iter().zip(&removed).filter(|(_, removed)| **removed == 0) {
        say::line(&format!("{}: is not in the ledger", Shown::of(&source)));
        exit = Exit::Failed;
    }
    match removed.iter().sum() {
        1 => say::line("1 entry is forgotten"),
        all => say::line(&format!("{all} entries are forgotten")),
    }
    Ok(exit)
}

fn check(path: &Path, digest: bool) -> Result<Exit, Problem> {
    let checked = Reader::open(path).and_then(|reader| {
        let troubles = reader.check()?;
        Ok((troubles, reader))
    });
    let (troubles, reader) = match checked {
        Err(Error::Damaged { detail, .. }) => (vec![detail], None),
        checked => checked.map(|(troubles, reader)| (troubles, Some(reader)))?,
    };
    for trouble in &troubles {
        say::line(&format!("{}: {trouble}", Shown::of(&path)));
    }
    if troubles.is_empty() {
        return reader.map_or(Ok(Exit::Done), |reader| check_outputs(&reader, digest));
    }
    say::hint("remove the file to do everything again");
    Ok(Exit::Failed)
}

/// Compares outputs with what the ledger says of them.
fn check_outputs(reader: &Reader, digest: bool) -> Result<Exit, Problem> {
    let mut exit = Exit::Done;
    let _continued: ControlFlow<()> = reader.outputs(None, |_, _, output| {
        // Where those of older hosts are is not known.
        let wrong = output.path.is_absolute().then(|| difference(&output, digest)).flatten();
        if let Some(wrong) = wrong {
            say::line(&format!("{}: {wrong}", path_text(&output.path)));
            exit = Exit::Failed;
        }
        ControlFlow::Continue(())
    })?;
    Ok(exit)
}

/// How an output is not as it was left.
fn difference(output: &Output, digest: bool) -> Option<String> {
    let found = match fs::symlink_metadata(&output.path) {
        Ok(found) if !found.is_file() => return Some("is no regular file any more".into()),
        Ok(found) => found,
        Err(error) => return Some(error.to_string()),
    };
    if found.len() != output.bytes {
        return Some(format!("has {} bytes, and had {}", found.len(), output.bytes));
    }
    let then = output.digest.filter(|_| digest)?;
    match File::open(&output.path).and_then(Content::of) {
        Ok(now) if now == then => None,
        Ok(_) => Some("has other bytes than were written".into()),
        Err(error) => Some(error.to_string()),
    }
}

/// The one job whose digest begins so.
fn named(jobs: &[JobSummary], prefix: &str) -> Result<JobId, Problem> {
    let prefix = prefix.to_ascii_lowercase();
    let mut found = jobs.iter().filter(|job| job.digest.to_string().starts_with(&prefix));
    match (found.next(), found.count()) {
        (Some(job), 0) => Ok(job.id),
        (Some(_), more) => {
            let message = format!("--job {prefix}: {} jobs begin so", more + 1);
            Err(Problem::new(message).hint(Some("give more of the digest")))
        }
        (None, _) => {
            let message = format!("--job {prefix}: no job begins so");
            Err(Problem::new(message).hint(Some("`host ledger show` without --job lists the jobs")))
        }
    }
}

/// A job, as JSON.
#[derive(Serialize)]
struct ToldJob<'a> {
    job: String,
    description: &'a str,
    committed: u64,
    failed: u64,
    bytes_in: u64,
    bytes_out: u64,
    rejects: u64,
    latest: String,
}

fn told_job(job: &JobSummary) -> ToldJob<'_> {
    ToldJob {
        job: job.digest.to_string(),
        description: &job.description,
        committed: job.committed,
        failed: job.failed,
        bytes_in: job.bytes_in,
        bytes_out: job.bytes_out,
        rejects: job.rejects,
        latest: format_rfc3339_millis(job.latest).to_string(),
    }
}

/// An entry, as JSON.
#[derive(Serialize)]
struct EntryShown<'a> {
    job: String,
    source: String,
    identity: &'a str,
    state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ToldError<'a>>,
    at: String,
    bytes_in: u64,
    bytes_out: u64,
    rejects: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
}

#[derive(Serialize)]
struct ToldError<'a> {
    kind: &'a str,
    message: &'a str,
}

fn entry_shown<'a>(
    jobs: &HashMap<JobId, &JobSummary>,
    id: JobId,
    entry: &'a Entry,
) -> EntryShown<'a> {
    let (state, error) = match &entry.state {
        State::Committed => ("committed", None),
        State::Failed { kind, message } => ("failed", Some(ToldError { kind, message })),
    };
    EntryShown {
        job: jobs.get(&id).map_or(String::new(), |job| job.digest.to_string()),
        source: name_text(&entry.source).into_owned(),
        identity: entry.identity.as_str(),
        state,
        error,
        at: format_rfc3339_millis(entry.at).to_string(),
        bytes_in: entry.bytes_in,
        bytes_out: entry.bytes_out,
        rejects: entry.rejects,
        output: entry.output.as_deref().map(path_text),
    }
}

/// A JSON array with an element a line, written as it comes.
struct Array<W: Write> {
    out: W,
    before: &'static [u8],
}

impl<W: Write> Array<W> {
    fn new(out: W) -> Self {
        Self { out, before: b"[\n" }
    }

    fn push(&mut self, element: &impl Serialize) -> io::Result<()> {
        self.out.write_all(std::mem::replace(&mut self.before, b",\n"))?;
        write_json(&mut self.out, element)
    }

    fn end(&mut self) -> io::Result<()> {
        let end: &[u8] = if self.before == b"[\n" { b"[]\n" } else { b"\n]\n" };
        self.out.write_all(end)?;
        self.out.flush()
    }
}

/// Shows entries to `write` until that fails.
fn each(
    reader: &Reader,
    selection: &Selection,
    mut write: impl FnMut(JobId, &Entry) -> io::Result<()>,
) -> Result<io::Result<()>, Problem> {
    let ended = reader.each(selection, |id, entry| match write(id, &entry) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    });
    Ok(ended?.break_value().map_or(Ok(()), Err))
}

fn drawn(grid: &Grid) -> Result<Exit, Problem> {
    let mut out = out();
    written(grid.write(&mut out), || out.flush())
}

/// How it ends when the rest is written, too. The reader closed the pipe: that is no failure.
fn written(ended: io::Result<()>, rest: impl FnOnce() -> io::Result<()>) -> Result<Exit, Problem> {
    match ended.and_then(|()| rest()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Problem::new(error)),
        _ => Ok(Exit::Done),
    }
}

fn out() -> BufWriter<io::Stdout> {
    BufWriter::with_capacity(WRITE_BYTES, io::stdout())
}

/// The beginning of a digest, long enough for people to distinguish jobs.
fn short(job: &JobSummary) -> String {
    format!("{:.12}", job.digest)
}

fn seconds(at: SystemTime) -> String {
    format_rfc3339_seconds(at).to_string()
}

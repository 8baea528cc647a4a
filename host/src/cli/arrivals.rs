//! `host ledger explain` and `host ledger retry`: what watches know of a file, and having it tried
//! again.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use humantime::{format_duration, format_rfc3339_seconds};
use serde::Serialize;

use super::args::LedgerFormatArg;
use super::{Exit, say, user_dir};
use crate::ledger::{After, Arrival, ArrivalStage, Change, FollowStage, Followed, Ledger, Reader};
use crate::name::{Shown, name_text};
use crate::output::write_json;
use crate::spec::Problem;
use crate::watch;

/// Where watches keep their ledgers unless they are told otherwise.
pub(super) fn directory() -> Option<PathBuf> {
    Some(user_dir("XDG_STATE_HOME", ".local/state")?.join("gristmill").join("watch"))
}

/// What is known of a version of a file, as JSON.
#[derive(Serialize)]
struct Explained {
    ledger: String,
    job: String,
    description: String,
    file: String,
    version: String,
    state: &'static str,
    attempts: u32,
    seen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    /// How far a file is done that is followed, of how much was seen, and what was gone before.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    follows: Option<Follows>,
    /// Whether it is the version that is there now.
    is_current: bool,
}

/// How far a file is done that is followed.
#[derive(Serialize)]
struct Follows {
    #[serde(rename = "done_bytes")]
    done: u64,
    #[serde(rename = "seen_bytes")]
    seen: u64,
    #[serde(rename = "lost_bytes")]
    lost: u64,
}

/// Describes what watches know of a file: those of one ledger, or of all where none is named.
pub(super) fn explain(
    file: &Path,
    ledger: Option<&Path>,
    format: LedgerFormatArg,
) -> Result<Exit, Problem> {
    let path = watch::real(file);
    let mut found = Vec::new();
    for ledger in ledgers(ledger)? {
        let reader = Reader::open(&ledger)?;
        for arrival in reader.arrivals_of(path.as_os_str().as_bytes())? {
            found.push(explained(&ledger, &reader, &path, &arrival)?);
        }
        for row in reader.followed_at(path.as_os_str().as_bytes())? {
            found.push(followed(&ledger, &reader, &path, row)?);
        }
    }
    let now = watch::explain(&path);
    let is_known = !found.is_empty();
    let mut out = io::stdout().lock();
    let written = match format {
        LedgerFormatArg::Json => write_json(&mut out, &found).and_then(|()| out.write_all(b"\n")),
        LedgerFormatArg::Table => {
            found.iter().try_for_each(|explained| show(&mut out, explained)).and_then(|()| {
                let is_there = fs::symlink_metadata(&path).is_ok();
                if found.iter().any(|explained| explained.is_current) || (is_known && !is_there) {
                    return Ok(());
                }
                let known = if is_known { "this version is not taken yet" } else { "is not known" };
                writeln!(out, "{}: {known}: {now}", Shown::of(&path))
            })
        }
    };
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Problem::new(error)),
        _ => Ok(if is_known { Exit::Done } else { Exit::Failed }),
    }
}

/// The ledger that is named, or all that watches of this user have made.
fn ledgers(named: Option<&Path>) -> Result<Vec<PathBuf>, Problem> {
    if let Some(named) = named {
        return Ok(vec![named.to_path_buf()]);
    }
    let none = || {
        let hint = "name the ledger with --ledger, as `host watch` has printed it";
        Problem::new("there is no ledger of a watch").hint(Some(hint))
    };
    let directory = directory().ok_or_else(none)?;
    let entries = match fs::read_dir(&directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(none()),
        entries => entries,
    };
    let problem = |error| Problem::new(format!("{}: {error}", Shown::of(&directory)));
    let paths = entries.map_err(problem)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<_> = paths.collect::<io::Result<_>>().map_err(problem)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "ledger"));
    paths.sort();
    if paths.is_empty() { Err(none()) } else { Ok(paths) }
}

fn explained(
    ledger: &Path,
    reader: &Reader,
    path: &Path,
    it: &Arrival,
) -> Result<Explained, Problem> {
    let (digest, description) = reader.described(it.job)?;
    let entry = reader.entry(it.job, &it.path)?.filter(|entry| entry.identity == it.version);
    let output = entry.and_then(|entry| entry.output);
    Ok(Explained {
        ledger: Shown::of(&ledger).to_string(),
        job: format!("{digest:.12}"),
        description,
        file: name_text(&it.path).into_owned(),
        version: it.version.as_str().to_string(),
        state: it.stage.word(),
        attempts: it.attempts,
        seen: format_rfc3339_seconds(it.seen).to_string(),
        done: it.done.map(|at| format_rfc3339_seconds(at).to_string()),
        why: why(it),
        after: it.after.as_ref().map(After::to_string),
        output: output.map(|path| Shown::of(&path).to_string()),
        follows: None,
        is_current: watch::is_version(path, &it.version),
    })
}

fn followed(
    ledger: &Path,
    reader: &Reader,
    path: &Path,
    row: Followed,
) -> Result<Explained, Problem> {
    let (digest, description) = reader.described(row.job)?;
    let (done, seen, lost) = (row.done_bytes, row.seen_bytes, row.lost_bytes);
    Ok(Explained {
        ledger: Shown::of(&ledger).to_string(),
        job: format!("{digest:.12}"),
        description,
        file: name_text(&row.path).into_owned(),
        version: format!("inode {} device {}", row.inode.number, row.inode.device),
        state: row.stage.word(),
        attempts: row.attempts,
        seen: format_rfc3339_seconds(row.at).to_string(),
        done: None,
        why: row.why,
        after: None,
        output: Some(name_text(&row.output).into_owned()),
        follows: Some(Follows { done, seen, lost }),
        is_current: watch::is_inode(path, row.inode),
    })
}

/// Why it is where it is.
fn why(it: &Arrival) -> Option<String> {
    let wait = it.due.duration_since(SystemTime::now()).ok();
    match (it.stage, &it.why, wait) {
        (ArrivalStage::Queued, Some(why), Some(wait)) => {
            let wait = format_duration(std::time::Duration::from_secs(wait.as_secs().max(1)));
            Some(format!("{why}; tried again in {wait}"))
        }
        (ArrivalStage::Queued, None, _) => Some("waits for its turn".into()),
        (_, why, _) => why.clone(),
    }
}

fn show(out: &mut impl Write, explained: &Explained) -> io::Result<()> {
    let Explained { ledger, job, description, file, version, state, attempts, .. } = explained;
    let current = if explained.is_current { "" } else { ", an earlier version" };
    writeln!(out, "{file}: {state}{current}")?;
    if let Some(why) = &explained.why {
        writeln!(out, "  why       {why}")?;
    }
    writeln!(out, "  job       {job} {description}")?;
    writeln!(out, "  ledger    {ledger}")?;
    writeln!(out, "  version   {version}")?;
    writeln!(out, "  seen      {}", explained.seen)?;
    if let Some(done) = &explained.done {
        writeln!(out, "  done      {done}")?;
    }
    writeln!(out, "  attempts  {attempts}")?;
    if let Some(Follows { done, seen, lost }) = &explained.follows {
        let lost = match lost {
            0 => String::new(),
            lost => format!("; {lost} were gone before they were read"),
        };
        writeln!(out, "  bytes     {done} of {seen} done{lost}")?;
    }
    if let Some(output) = &explained.output {
        writeln!(out, "  output    {output}")?;
    }
    if let Some(after) = &explained.after {
        writeln!(out, "  after     {after}")?;
    }
    Ok(())
}

/// Has failed files tried again: those that are named, or all.
pub(super) fn retry(ledger: &Path, files: &[OsString]) -> Result<Exit, Problem> {
    fs::metadata(ledger)
        .map_err(|error| Problem::new(format!("{}: {error}", Shown::of(&ledger))))?;
    let opened = Ledger::open(ledger)?;
    let reader = opened.reader()?;
    let (failed, stuck) = (reader.failed_arrivals()?, reader.failed_followed()?);
    drop(reader);
    let mut exit = Exit::Done;
    let mut wanted: Vec<_> = failed.iter().map(|it| (&it.path, Change::Retried(it.id))).collect();
    wanted.extend(stuck.iter().map(|it| {
        let again = Followed { stage: FollowStage::Follows, attempts: 0, why: None, ..it.clone() };
        (&it.path, Change::Followed(Box::new(again)))
    }));
    if !files.is_empty() {
        let paths: Vec<_> = files.iter().map(|file| watch::real(Path::new(file))).collect();
        for (file, path) in files.iter().zip(&paths) {
            if !wanted.iter().any(|(it, _)| *it == path.as_os_str().as_bytes()) {
                say::line(&format!("{}: has not failed", Shown::of(&file)));
                exit = Exit::Failed;
            }
        }
        wanted.retain(|(it, _)| paths.iter().any(|path| *it == path.as_os_str().as_bytes()));
    }
    let count = wanted.len();
    opened.change(wanted.into_iter().map(|(_, change)| change).collect())?;
    opened.close()?;
    let files = if count == 1 { "file is" } else { "files are" };
    say::line(&format!("{count} {files} tried again by the next start of the watch"));
    Ok(exit)
}

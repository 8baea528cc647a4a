//! The file for records that plugins set aside.
//!
//! Without a ledger it is one run's, and begins empty; so it is for results, which each run gives
//! anew. With a ledger and output files it goes on where the last run stopped: lines of sources
//! that are skipped stay, and those of sources that are done again, because they failed, changed,
//! or were lost by a kill, go before they come anew. So no line is lost and none is there twice. A
//! file of which lines go is replaced at once and whole, as output files are.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Deserialize;

use super::output::Outlets;
use crate::name::Shown;
use crate::output::{SequentialWriter, Target};
use crate::settings::limits::{REJECT_LINE_BYTES_MAX, WRITE_BYTES};
use crate::settings::{Durable, Exists, RejectsMax};
use crate::source::Source;
use crate::spec::{OutputSpec, Problem};
use crate::stats::MemoryBudget;

/// Where rejects are written.
pub(super) type Sink = Mutex<Box<dyn Write + Send>>;

/// Opens the file, if one is named; `again` are the sources that are to be done, where others that
/// are done stay as they are, as a ledger of the run or whoever started it says.
pub(super) fn open(
    (output, goes_on): (&OutputSpec, bool),
    outlets: &dyn Outlets,
    again: Option<&[Source]>,
    memory: &Arc<MemoryBudget>,
) -> Result<Option<Sink>, Problem> {
    let Some(path) = &output.rejects else { return Ok(None) };
    let _named = memory.hold(named_bytes(again));
    if path.as_os_str() == "-" {
        return Ok(Some(Mutex::new(outlets.stdout("rejects")?)));
    }
    let opened = match (output.ledger.is_some() || goes_on, again) {
        (true, Some(sources)) => go_on(path, output.durable, sources),
        _ if is_full(path) && output.exists() == Exists::Skip => {
            OpenOptions::new().append(true).open(path).map(|file| Box::new(file) as _)
        }
        _ => {
            refuse_full(path, output.exists())?;
            File::create(path).map(|file| Box::new(file) as _)
        }
    };
    let file: Box<dyn Write + Send> =
        opened.map_err(|error| Problem::new(format!("⟦rejects⟧ {}: {error}", Shown::of(&path))))?;
    Ok(Some(Mutex::new(Box::new(BufWriter::new(file)))))
}

/// Refuses to begin a file anew that has something in it, unless that may be replaced.
pub(super) fn refuse_full(path: &Path, exists: Exists) -> Result<(), Problem> {
    if exists != Exists::Fail || !is_full(path) {
        return Ok(());
    }
    let message = format!("⟦rejects⟧ {}: exists already", Shown::of(&path));
    let hint = "⟦exists⟧ replace begins it anew, ⟦exists⟧ skip goes on behind what is there";
    Err(Problem::new(message).hint(Some(hint)))
}

/// Whether there is a file with something in it: an empty one holds nothing that could be lost.
fn is_full(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() > 0)
}

/// Which records may stay as an earlier run with output files has set them aside: those that are
/// allowed, and, where there is a file for them, are in it. A source with others is done again, so
/// that each run reports the loss, not only the first.
pub(super) struct AllowedRejects {
    records_max: u64,
    /// Lines of each source in the file; `None` where no file is asked for.
    lines: Option<HashMap<String, u64>>,
}

impl AllowedRejects {
    /// What the spec of this run says. A share of bytes is not judged again: how many those were is
    /// not known any more.
    pub(super) fn by(output: &OutputSpec) -> Result<Self, Problem> {
        let records_max = match (output.max_rejects, &output.rejects) {
            (Some(RejectsMax::Records(max)), _) => max,
            (Some(_), _) | (None, Some(_)) => u64::MAX,
            (None, None) => 0,
        };
        let mut lines = HashMap::new();
        let Some(path) = &output.rejects else { return Ok(Self { records_max, lines: None }) };
        if output.ledger.is_some() && is_full(path) {
            each_line(path, |line| {
                if let Ok(Line { source }) = serde_json::from_slice(line) {
                    *lines.entry(source.into_owned()).or_default() += 1;
                }
                Ok(())
            })
            .map_err(|error| Problem::new(format!("⟦rejects⟧ {}: {error}", Shown::of(&path))))?;
        }
        Ok(Self { records_max, lines: Some(lines) })
    }

    /// Whether it is so of a source, of which so many records were set aside.
    pub(super) fn has(&self, source: &str, records: u64) -> bool {
        let in_file = |lines: &HashMap<_, u64>| lines.get(source).is_some_and(|&n| n >= records);
        records == 0 || (records <= self.records_max && self.lines.as_ref().is_none_or(in_file))
    }
}

/// Bytes of memory that opening takes for the names of sources that are done again.
fn named_bytes(again: Option<&[Source]>) -> u64 {
    let each = 2 * (size_of::<Cow<'_, str>>() + 1); // a table may be half full
    let names = again.unwrap_or_default().iter();
    names.map(|source| (each + source.name().len()) as u64).sum()
}

fn go_on(path: &Path, durable: Durable, sources: &[Source]) -> io::Result<Box<dyn Write + Send>> {
    // A link stays what it is: what it leads to is what lines go from.
    match fs::canonicalize(path) {
        Ok(path) if path.metadata()?.is_file() => take_out(&path, durable, sources)?,
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let file = OpenOptions::new().append(true).create(true).open(path)?;
    let syncs = durable == Durable::Synced && file.metadata()?.is_file();
    Ok(if syncs { Box::new(Synced(file)) } else { Box::new(file) })
}

/// Takes out the lines of `sources`, and what a kill has left of a line.
fn take_out(path: &Path, durable: Durable, sources: &[Source]) -> io::Result<()> {
    let again: HashSet<Cow<'_, str>> = sources.iter().map(Source::name).collect();
    let mut some_go = false;
    each_line(path, |line| {
        some_go |= !stays(line, &again);
        Ok(())
    })?;
    if !some_go {
        return Ok(());
    }
    let target = Target::open(path, Exists::Replace, durable).map_err(io::Error::other)?;
    let Target::File(file) = target else { return Ok(()) }; // it was one a moment ago
    let mut out = BufWriter::with_capacity(WRITE_BYTES, SequentialWriter::to(&file));
    each_line(path, |line| if stays(line, &again) { out.write_all(line) } else { Ok(()) })?;
    out.flush()?;
    drop(out);
    file.commit().map(|_visible| ()).map_err(io::Error::other)
}

fn each_line(path: &Path, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut lines = BufReader::with_capacity(WRITE_BYTES, File::open(path)?);
    let mut line = Vec::new();
    while lines.by_ref().take(REJECT_LINE_BYTES_MAX).read_until(b'\n', &mut line)? > 0 {
        if line.len() as u64 == REJECT_LINE_BYTES_MAX {
            let message =
                format!("a line is longer than {REJECT_LINE_BYTES_MAX} bytes: no rejects");
            return Err(io::Error::other(message));
        }
        take(&line)?;
        line.clear();
    }
    Ok(())
}

/// What of a line says whose it is.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    source: Cow<'a, str>,
}

/// Whether a line is whole, and of no source that is done again, nor of a member that is found in
/// one.
fn stays(line: &[u8], again: &HashSet<Cow<'_, str>>) -> bool {
    if !line.ends_with(b"\n") {
        return false;
    }
    let Ok(Line { source }) = serde_json::from_slice(line) else { return true };
    let above = source.match_indices("!/").filter_map(|(at, _)| source.get(..at));
    !above.chain([&*source]).any(|name| again.contains(name))
}

/// A file whose bytes are on the disk when it is flushed.
struct Synced(File);

impl Write for Synced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
}

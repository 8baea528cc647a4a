//! What a job writes to, opened: the last step before it runs, when nothing else is in the way.
//!
//! What can be checked without creating anything is checked before by [`check`], so that a refused
//! run leaves neither a ledger nor a directory.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{Access, access};
use rustix::io::Errno;

use super::checkpoint::Checkpoint;
use super::context::Context;
use super::names::Names;
use super::output::{self, To, is_tree};
use super::{overwrite, rejects, report};
use crate::job::OutputNames;
use crate::name::Shown;
use crate::output::Root;
use crate::settings::{Exists, Key};
use crate::source::Source;
use crate::spec::{OutputSpec, Problem};
use crate::stats::Charge;

/// All that is written.
pub(super) struct Opened {
    pub(super) to: To<Tree>,
    /// Sources that have their output already.
    pub(super) left: u64,
    pub(super) report: Option<report::To>,
    pub(super) rejects: Option<rejects::Sink>,
}

/// Opens it, and takes out the sources that have their output already.
pub(super) fn open(
    names: Names<'_>,
    to: To<()>,
    sources: &mut Arc<Vec<Source>>,
    (checkpoint, context): (Option<&mut Checkpoint>, &Context<'_>),
) -> Result<Opened, Problem> {
    let output = &names.spec.output;
    let is_tree = matches!(to, To::Tree(()));
    let left = if is_tree { leave(names, sources, checkpoint)? } else { 0 };
    let to = to.with_tree(|| Tree::plant(names, sources, context))?;
    // Last: what they replace is gone then.
    let open = |path: &Path| report::To::open(path, context.outlets);
    let report = output.report.as_deref().map(open).transpose()?;
    let goes_on = context.remembers.is_some();
    let again = (is_tree || goes_on).then_some(sources.as_slice());
    let memory = context.stats.memory();
    let rejects = rejects::open((output, goes_on), context.outlets, again, memory)?;
    Ok(Opened { to, left, report, rejects })
}

/// Refuses files for rejects and the report that cannot be written, and makes neither.
pub(super) fn check(output: &OutputSpec) -> Result<(), Problem> {
    for (key, path) in [("report", &output.report), ("rejects", &output.rejects)] {
        let Some(path) = path.as_deref().filter(|path| path.as_os_str() != "-") else { continue };
        can_write(path).map_err(|error| {
            Problem::new(format!("{} {}: {error}", Key(key), Shown::of(&path))).of(key)
        })?;
    }
    match &output.rejects {
        Some(path) if output.ledger.is_none() || !is_tree(&output.out) => {
            rejects::refuse_full(path, output.exists())
        }
        _ => Ok(()),
    }
}

/// Whether a file can be written, or made where it is not there.
fn can_write(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(Errno::ISDIR.into()),
        Ok(_) => Ok(access(path, Access::WRITE_OK)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            Ok(access(parent.unwrap_or(Path::new(".")), Access::WRITE_OK | Access::EXEC_OK)?)
        }
        Err(error) => Err(error),
    }
}

/// Takes out sources that have their output already, where that is to be left, and returns how many
/// those were. Members that are only found as their archive is read are read, and their output is
/// dropped.
fn leave(
    names: Names<'_>,
    sources: &mut Arc<Vec<Source>>,
    checkpoint: Option<&mut Checkpoint>,
) -> Result<u64, Problem> {
    let output = &names.spec.output;
    if output.exists() != Exists::Skip {
        return Ok(0);
    }
    let places = names.of(Arc::clone(sources))?;
    let stays: Vec<_> = places.are_there(&output.out).map(|is_there| !is_there).collect();
    drop(places);
    let all = sources.len();
    let mut staying = stays.iter();
    if let Some(sources) = Arc::get_mut(sources) {
        sources.retain(|_| staying.next().is_none_or(|stays| *stays));
    }
    if let Some(checkpoint) = checkpoint {
        checkpoint.retain(&stays);
    }
    Ok((all - sources.len()) as u64)
}

/// A directory for output files, and which go where.
pub(super) struct Tree {
    pub(super) root: Root,
    pub(super) places: OutputNames,
    /// What the names take.
    pub(super) held: Charge,
}

impl Tree {
    /// Makes the directory, unless something is wrong with what goes there.
    fn plant(
        names: Names<'_>,
        sources: &Arc<Vec<Source>>,
        context: &Context<'_>,
    ) -> Result<Self, Problem> {
        let (places, output) = (names.of(Arc::clone(sources))?, &names.spec.output);
        let held = context.stats.memory().hold(places.held_bytes());
        overwrite::beside(output, places.paths())?;
        if output.exists() == Exists::Replace {
            overwrite::places(&output.out, places.paths(), sources)?;
        }
        let root = context.outlets.root(output).map_err(|error| output::problem(&error))?;
        Ok(Self { root, places, held })
    }
}

//! What the outputs of sources are below: a directory, or a prefix of a store; and one output
//! there.

use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

use super::object_writer;
use crate::job::{ObjectsOut, Place, TreeOut};
use crate::output::{Created, FileError, Object, Pending};
use crate::process::{Failure, FailureKind};

/// Makes outputs.
pub(in crate::job) enum Destination<'a> {
    Directory(&'a TreeOut<'a>),
    Prefix(&'a ObjectsOut<'a>),
}

/// How the parts of an output are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    /// Each to its place, by several at once.
    ToPlaces,
    /// One behind the other.
    InOrder,
}

/// What an output is written to.
#[derive(Clone)]
pub(super) enum Sink {
    File(Arc<Pending>),
    Object(Arc<Mutex<Object>>),
}

impl<'a> Destination<'a> {
    /// Where the output of a source goes.
    pub(super) fn place(&self) -> &'a Place<'a> {
        match self {
            Self::Directory(out) => out.place,
            Self::Prefix(out) => out.place,
        }
    }

    pub(super) fn writing(&self) -> Writing {
        match self {
            Self::Directory(_) => Writing::ToPlaces,
            Self::Prefix(_) => Writing::InOrder,
        }
    }

    /// Begins an output at `path`; `None` where there is one already, and that is to be left.
    pub(super) fn create(&self, path: &Path) -> Result<Option<Sink>, Failure> {
        match self {
            Self::Directory(out) => {
                let created = Pending::create(out.root, path, out.exists);
                Ok(match created.map_err(|error| unwritten(&error))? {
                    Created::Pending(file) => Some(Sink::File(Arc::new(file))),
                    Created::Skipped => None,
                })
            }
            Self::Prefix(out) => {
                let created = out.objects.create(path);
                let object = created.map_err(|error| object_writer::unwritten(&error))?;
                Ok(Some(Sink::Object(Arc::new(Mutex::new(object)))))
            }
        }
    }
}

impl Sink {
    /// Writes bytes at `offset`; into an object what is next.
    pub(super) fn write(&self, bytes: &[u8], offset: u64) -> Result<(), Failure> {
        match self {
            Self::File(file) => file.write_at(bytes, offset).map_err(|error| unwritten(&error)),
            Self::Object(object) => {
                let mut object = object.lock();
                object.append(bytes).map_err(|error| object_writer::unwritten(&error))
            }
        }
    }

    /// Shows it. Called by who alone has it.
    pub(super) fn commit(self) -> Result<(), Failure> {
        match self {
            Self::File(file) => Arc::into_inner(file).map_or(Ok(()), |file| {
                file.commit().map(|_visible_or_skipped| ()).map_err(|error| unwritten(&error))
            }),
            Self::Object(object) => Arc::into_inner(object).map_or(Ok(()), |object| {
                let object = object.into_inner();
                let committed = object.commit().map(|_visible_or_skipped| ());
                committed.map_err(|error| object_writer::unwritten(&error))
            }),
        }
    }
}

/// Why a file was not written, as a failure of its source.
fn unwritten(error: &FileError) -> Failure {
    let failure = Failure::new(FailureKind::Write, error.to_string()).caused_by(error);
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

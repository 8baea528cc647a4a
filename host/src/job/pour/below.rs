//! What the outputs of sources are below: a directory, or a prefix of a store.

use std::path::Path;
use std::sync::Arc;

use super::given;
use super::tree::unwritten;
use crate::job::{ObjectsOut, Place, Save, TreeOut};
use crate::output::{Created, Object, Pending};
use crate::process::Failure;

/// Makes outputs.
pub(in crate::job) enum Below<'a> {
    Directory(&'a TreeOut<'a>),
    Prefix(&'a ObjectsOut<'a>),
}

/// What an output is written to; neither where there is one already, and that is to be left.
#[derive(Default)]
pub(super) struct Made {
    pub(super) file: Option<Arc<Pending>>,
    pub(super) object: Option<Object>,
}

impl<'a> Below<'a> {
    /// Where the output of a source goes.
    pub(super) fn place(&self) -> &'a Place<'a> {
        match self {
            Self::Directory(out) => out.place,
            Self::Prefix(out) => out.place,
        }
    }

    /// What is told what became of each source, if anything.
    pub(super) fn save(&self) -> Option<&'a Save<'a>> {
        match self {
            Self::Directory(out) => out.save,
            Self::Prefix(_) => None,
        }
    }

    /// Begins an output at `path`.
    pub(super) fn create(&self, path: &Path) -> Result<Made, Failure> {
        match self {
            Self::Directory(out) => {
                let created = Pending::create(out.root, path, out.exists);
                Ok(match created.map_err(|error| unwritten(&error))? {
                    Created::Pending(file) => Made { file: Some(Arc::new(file)), object: None },
                    Created::Skipped => Made::default(),
                })
            }
            Self::Prefix(out) => {
                let created = out.objects.create(path);
                let object = created.map_err(|error| given::unwritten(&error))?;
                Ok(Made { file: None, object: Some(object) })
            }
        }
    }
}

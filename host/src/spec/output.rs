//! Where what a job makes goes, and what it looks like.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::words::{number_if_any, word_if_any};
use crate::settings::{Durable, Exists, Format, Join, Pack, RejectsMax};

/// The output of a job, and what else it writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
#[serde(default, deny_unknown_fields)]
pub struct OutputSpec {
    /// Whether a result for each source is shown; with neither this nor `total`, both are.
    pub per_source: bool,
    /// Whether a result over all sources is shown.
    pub total: bool,
    /// What results look like; unsaid, it depends on where they go.
    #[serde(deserialize_with = "word_if_any")]
    pub format: Option<Format>,
    /// A file; a directory or prefix, with a slash at its end, for an output of each source; `-` is
    /// a stream.
    pub out: PathBuf,
    /// What to do where an output is there already; unsaid, it depends on whether there is a
    /// ledger.
    #[serde(deserialize_with = "word_if_any")]
    pub exists: Option<Exists>,
    /// What output files survive.
    pub durable: Durable,
    /// How output is compressed.
    pub compress: Pack,
    /// How outputs of sources are called: a template.
    pub name: Option<String>,
    /// Whether output is written as it comes, in no order.
    pub unordered: bool,
    /// How the output of a source ends before that of the next.
    pub join: Join,
    /// A file for records that are set aside.
    pub rejects: Option<PathBuf>,
    /// How much of a source may be set aside before it fails.
    #[serde(deserialize_with = "number_if_any")]
    pub max_rejects: Option<RejectsMax>,
    /// A file that remembers what is done.
    pub ledger: Option<PathBuf>,
    /// Whether outputs of sources that are gone are removed.
    pub delete_vanished: bool,
    /// A file for the figures of the run.
    pub report: Option<PathBuf>,
    /// Whether a front end always reports at the end how much was done and in which time.
    pub summary: bool,
    /// Whether a front end shows less than it would.
    pub quiet: bool,
    /// How much more it shows.
    pub verbose: u8,
}

impl OutputSpec {
    /// What to do where an output is there already.
    pub fn exists(&self) -> Exists {
        let unsaid = if self.ledger.is_some() { Exists::Replace } else { Exists::Fail };
        self.exists.unwrap_or(unsaid)
    }

    /// Whether it goes into a stream.
    pub fn is_stream(&self) -> bool {
        self.out == Path::new("-")
    }
}

impl Default for OutputSpec {
    fn default() -> Self {
        Self {
            per_source: false,
            total: false,
            format: None,
            out: "-".into(),
            exists: None,
            durable: Durable::Synced,
            compress: Pack::None,
            name: None,
            unordered: false,
            join: Join::Record,
            rejects: None,
            max_rejects: None,
            ledger: None,
            delete_vanished: false,
            report: None,
            summary: false,
            quiet: false,
            verbose: 0,
        }
    }
}

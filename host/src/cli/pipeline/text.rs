//! The text of a pipeline file, and where in it something is.

use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::cli::say::{Abort, At};
use crate::name::Shown;
use crate::settings::limits::PIPELINE_BYTES_MAX;
use crate::source::Address;

/// A pipeline file.
pub(super) struct Text {
    path: PathBuf,
    pub(super) text: String,
}

impl Text {
    pub(super) fn read(path: &Path) -> Result<Self, Abort> {
        let told = |error| Abort::new(format!("{}: {error}", Shown::of(&path)));
        let mut text = String::new();
        let file = File::open(path).map_err(told)?;
        file.take(PIPELINE_BYTES_MAX + 1).read_to_string(&mut text).map_err(told)?;
        if text.len() as u64 > PIPELINE_BYTES_MAX {
            let message = format!("{}: longer than {PIPELINE_BYTES_MAX} bytes", Shown::of(&path));
            return Err(Abort::new(message));
        }
        Ok(Self { path: path.to_path_buf(), text })
    }

    /// The place of a span of bytes: its first, in lines and characters from 1.
    pub(super) fn at(&self, span: &Range<usize>) -> At {
        let before = self.text.get(..span.start).unwrap_or(&self.text);
        let line = before.split('\n').count();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        At(format!("{}:{line}:{column}", Shown::of(&self.path)))
    }

    pub(super) fn wrong(&self, span: &Range<usize>, message: impl Display) -> Abort {
        Abort::new(message).at(Some(&self.at(span)))
    }

    /// The file as a whole is wrong.
    pub(super) fn refused(&self, message: impl Display) -> Abort {
        Abort::new(message).at(Some(&At(Shown::of(&self.path).to_string())))
    }

    /// A path in the file: relative to the file's directory. Standard input, and what is elsewhere, is named as on the command line.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        let path = Path::new(path);
        if path.as_os_str() == "-" || Address::of(path).is_some() {
            return path.to_path_buf();
        }
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }
}

/// What is known, and nearest to what was written; what is near enough to be meant comes first to mind.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let score = |known: &str| strsim::jaro_winkler(word, known);
    let scored = known.into_iter().map(|known| (score(known), known));
    let best = scored.max_by(|one, other| one.0.total_cmp(&other.0))?;
    // What clap takes for a slip of its flags, too.
    (best.0 > 0.7).then_some(best.1)
}

//! Where the figures of a run go. Whether they can be written is found out before anything is read.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use super::output::Outlets;
use crate::name::Shown;
use crate::output::pretty_json;
use crate::spec::Problem;
use crate::stats::Report;

/// An open report.
pub(super) enum To {
    /// Standard output, behind the results.
    Stdout(Box<dyn Write + Send>),
    File {
        path: PathBuf,
        file: File,
    },
}

impl To {
    /// Opens what is named. What is there stays as it is until the report is written.
    pub(super) fn open(path: &Path, outlets: &dyn Outlets) -> Result<Self, Problem> {
        if path.as_os_str() == "-" {
            return outlets.stdout("report").map(Self::Stdout);
        }
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = opened.map_err(|error| problem(path, &error))?;
        Ok(Self::File { path: path.into(), file })
    }

    /// Writes the report, in place of what was there.
    pub(super) fn write(self, report: &Report) -> Result<(), Problem> {
        let text = pretty_json(report).map_err(Problem::new)?;
        match self {
            Self::Stdout(mut stdout) => match stdout
                .write_all(text.as_bytes())
                .and_then(|()| stdout.flush())
            {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Problem::new(error)),
                _ => Ok(()),
            },
            Self::File { path, mut file } => {
                replace(&mut file, text.as_bytes()).map_err(|error| problem(&path, &error))
            }
        }
    }
}

fn replace(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    if file.metadata()?.is_file() {
        file.set_len(0)?;
        file.rewind()?;
    }
    file.write_all(bytes)
}

fn problem(path: &Path, error: &io::Error) -> Problem {
    Problem::new(format!("⟦report⟧ {}: {error}", Shown::of(&path)))
}

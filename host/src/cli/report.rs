//! `--report`: where the figures of a run go. Whether they can be written is found out before anything is read.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use super::closed::check_stdout;
use super::say::Abort;
use crate::name::Shown;
use crate::output::pretty_json;
use crate::stats::Report;

/// An open report.
pub(super) enum To {
    /// Standard output, behind the results.
    Stdout,
    File {
        path: PathBuf,
        file: File,
    },
}

impl To {
    /// Opens what is named. What is there stays as it is until the report is written.
    pub(super) fn open(path: &Path) -> Result<Self, Abort> {
        if path.as_os_str() == "-" {
            check_stdout("--report")?;
            return Ok(Self::Stdout);
        }
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = opened.map_err(|error| told(path, &error))?;
        Ok(Self::File { path: path.into(), file })
    }

    /// Writes the report, in place of what was there.
    pub(super) fn write(self, report: &Report) -> Result<(), Abort> {
        let text = pretty_json(report).map_err(Abort::new)?;
        match self {
            Self::Stdout => match io::stdout().write_all(text.as_bytes()) {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Abort::new(error)),
                _ => Ok(()),
            },
            Self::File { path, mut file } => {
                replace(&mut file, text.as_bytes()).map_err(|error| told(&path, &error))
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

fn told(path: &Path, error: &io::Error) -> Abort {
    Abort::new(format!("--report {}: {error}", Shown::of(&path)))
}

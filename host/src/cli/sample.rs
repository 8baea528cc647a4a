//! `host sample`: a small tree to try things on. All of it is made up.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use super::Exit;
use super::say;
use crate::name::Shown;
use crate::spec::Problem;

/// What the tree has, by path.
const FILES: [(&str, &[u8]); 7] = [
    ("backup.tar.gz", include_bytes!("../../sample/backup.tar.gz")),
    ("books.zip", include_bytes!("../../sample/books.zip")),
    ("events.jsonl", include_bytes!("../../sample/events.jsonl")),
    ("logs/app.log", include_bytes!("../../sample/logs/app.log")),
    ("logs/old.log.gz", include_bytes!("../../sample/logs/old.log.gz")),
    ("logs/web.log", include_bytes!("../../sample/logs/web.log")),
    ("people.csv", include_bytes!("../../sample/people.csv")),
];

/// Writes the tree into a directory, where it replaces nothing.
pub(super) fn sample(dir: &Path) -> Result<Exit, Problem> {
    for (name, bytes) in FILES {
        let path = dir.join(name);
        write(&path, bytes).map_err(|error| {
            let hint = "name a directory that is not there yet, or an empty one";
            Problem::new(format!("{}: {error}", Shown::of(&path))).hint(Some(hint))
        })?;
    }
    say::line(&format!("{} files in {}", FILES.len(), Shown::of(&dir)));
    Ok(Exit::Done)
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    File::create_new(path)?.write_all(bytes)
}

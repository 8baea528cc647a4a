//! What becomes of a file once it is done: it is removed or moved, and never another version of it.
//!
//! A file that somebody may still replace cannot be looked at and removed in one step. So it is
//! moved aside first, to a name that only this does; looked at there; and removed, or moved back.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use serde::Serialize;

use super::version::{Version, is_gone};
use crate::ledger::Identity;

/// What is before the name of a file that is being removed.
const ASIDE: &str = ".gristmill-";

/// How it went.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is done.
    Done,
    /// The file is gone.
    Gone,
    /// It is another version, and stays.
    Changed,
}

/// Removes the file at `path`, if it is of that version.
pub(super) fn delete(path: &Path, version: &Identity) -> io::Result<Outcome> {
    let aside = aside(path, version);
    let found = Version::at(path)?;
    match found {
        Some(found) if found.identity() == *version => {}
        Some(_) => return Ok(Outcome::Changed),
        // An earlier try may have ended in between.
        None => match Version::at(&aside)? {
            Some(left) if left.identity() == *version => {
                fs::remove_file(&aside)?;
                return Ok(Outcome::Done);
            }
            _ => return Ok(Outcome::Gone),
        },
    }
    rename_new(path, &aside)?;
    match Version::at(&aside)? {
        Some(found) if found.identity() == *version => {
            fs::remove_file(&aside)?;
            Ok(Outcome::Done)
        }
        // Somebody has replaced or changed it between the two looks.
        _ => rename_new(&aside, path).map(|()| Outcome::Changed),
    }
}

/// Moves the file at `path` to `to`, if it is of that version. What is there already stays: the
/// file takes another name beside it.
pub(super) fn relocate(path: &Path, to: &Path, version: &Identity) -> io::Result<Outcome> {
    match Version::at(path)? {
        Some(found) if found.identity() == *version => {}
        Some(_) => return Ok(Outcome::Changed),
        None => return Ok(Outcome::Gone),
    }
    let directory = to.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut target = to.to_path_buf();
    let mut count = 0;
    loop {
        match rename_new(path, &target) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                count += 1;
                target = numbered(to, count);
            }
            Err(error) if error.raw_os_error() == Some(Errno::XDEV.raw_os_error()) => {
                let why = "is on another file system, and files are moved within one";
                return Err(io::Error::new(error.kind(), format!("{}: {why}", to.display())));
            }
            renamed => break renamed?,
        }
    }
    match Version::at(&target)? {
        Some(found) if found.identity() == *version => {
            File::open(directory)?.sync_all()?;
            Ok(Outcome::Done)
        }
        _ => rename_new(&target, path).map(|()| Outcome::Changed),
    }
}

/// Why a file has failed, beside where it was moved to.
#[derive(Debug, Serialize)]
pub(super) struct Reason<'a> {
    pub(super) source: String,
    pub(super) error: &'a str,
    pub(super) attempts: u32,
    pub(super) version: &'a str,
}

/// Writes `NAME.error.json` beside where a failed file goes.
pub(super) fn explain(to: &Path, reason: &Reason<'_>) -> io::Result<()> {
    let mut name = to.file_name().unwrap_or_default().to_os_string();
    name.push(".error.json");
    let directory = to.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    serde_json::to_writer(&mut file, reason)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(to.with_file_name(name)).map(drop).map_err(|error| error.error)
}

/// Where `move:TEMPLATE` leads: below a directory as the file lay below its own, or to a name that
/// is put together of `{name}`, `{stem}` and `{dir}`.
pub(super) fn target(template: &Path, below: &Path) -> PathBuf {
    let Some(text) = template.to_str().filter(|text| text.contains('{')) else {
        return template.join(below);
    };
    let part =
        |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let directory = below.parent().unwrap_or(Path::new("")).to_string_lossy().into_owned();
    let text = text.replace("{name}", &part(below.file_name()));
    let text = text.replace("{stem}", &part(below.file_stem()));
    PathBuf::from(text.replace("{dir}", &directory))
}

/// The directory that a template leads into, whatever the file: what lies there is no source.
pub(super) fn directory(template: &Path) -> PathBuf {
    let is_fixed =
        |part: &std::path::Component<'_>| !part.as_os_str().as_encoded_bytes().contains(&b'{');
    template.components().take_while(is_fixed).collect()
}

/// Renames without replacing anything.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not each file system can: the window is as long as these two calls.
        Err(Errno::INVAL | Errno::NOSYS) => match fs::symlink_metadata(to) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if is_gone(&error) => fs::rename(from, to),
            Err(error) => Err(error),
        },
        renamed => Ok(renamed?),
    }
}

/// By its version, as its name may be as long as one can be.
fn aside(path: &Path, version: &Identity) -> PathBuf {
    let is_plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let version: String = version.as_str().chars().map(is_plain).collect();
    path.with_file_name(format!("{ASIDE}{version}"))
}

fn numbered(to: &Path, count: u32) -> PathBuf {
    let mut name = to.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{count}"));
    to.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &Path, bytes: &str) -> Identity {
        fs::write(path, bytes).unwrap();
        Version::at(path).unwrap().unwrap().identity()
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> =
            entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn only_the_version_that_is_done_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let done = file(&path, "1");
        file(&path, "other bytes");
        assert_eq!(delete(&path, &done).unwrap(), Outcome::Changed);
        assert_eq!(fs::read_to_string(&path).unwrap(), "other bytes");
        let done = file(&path, "2");
        assert_eq!(delete(&path, &done).unwrap(), Outcome::Done);
        assert_eq!(delete(&path, &done).unwrap(), Outcome::Gone);
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn what_a_crash_left_aside_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let done = file(&path, "1");
        fs::rename(&path, aside(&path, &done)).unwrap();
        assert_eq!(delete(&path, &done).unwrap(), Outcome::Done);
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn a_move_replaces_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (path, to) = (dir.path().join("a"), dir.path().join("done/d/a"));
        for bytes in ["1", "2"] {
            let done = file(&path, bytes);
            assert_eq!(relocate(&path, &to, &done).unwrap(), Outcome::Done);
        }
        assert_eq!(names(to.parent().unwrap()), ["a", "a.1"]);
        assert_eq!(fs::read_to_string(&to).unwrap(), "1");
        let done = file(&path, "3");
        file(&path, "other bytes");
        assert_eq!(relocate(&path, &to, &done).unwrap(), Outcome::Changed);
        assert!(path.exists());
    }

    #[test]
    fn a_template_leads_below_a_directory_or_to_a_name() {
        let to = |template: &str| target(Path::new(template), Path::new("d/a.log"));
        assert_eq!(to("done/"), Path::new("done/d/a.log"));
        assert_eq!(to("done/{stem}-{name}"), Path::new("done/a-a.log"));
        assert_eq!(to("done/{dir}/x"), Path::new("done/d/x"));
        assert_eq!(directory(Path::new("done/of/{dir}/x")), Path::new("done/of"));
        assert_eq!(directory(Path::new("done/")), Path::new("done"));
    }

    #[test]
    fn why_a_file_failed_lies_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let reason = Reason { source: "in/a".into(), error: "trap: x", attempts: 4, version: "v" };
        explain(&dir.path().join("bad/a"), &reason).unwrap();
        let text = fs::read_to_string(dir.path().join("bad/a.error.json")).unwrap();
        let expected = r#"{"source":"in/a","error":"trap: x","attempts":4,"version":"v"}"#;
        assert_eq!(text.trim_end(), expected);
    }
}

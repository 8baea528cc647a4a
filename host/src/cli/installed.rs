//! Plugins by name: `--plugin wordcount` is the plugin that was installed or built with this
//! program. A file of that name wins.
//!
//! Looks in two directories beside the program: `../share/gristmill/plugins`, where
//! `cargo xtask install` puts them, and `../plugins`, where `cargo xtask plugins` does. Takes names
//! alone: a path, or a name that ends in `.wasm`, is a file.

use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::name::Shown;
use crate::spec::Problem;

/// The ending of a plugin's file.
const ENDING: &str = "wasm";

/// The file of a plugin that is named by a file or by name.
///
/// # Errors
/// When it is a name, and no plugin has it: the names that there are stand in the hint.
pub(super) fn find(named: &Path) -> Result<PathBuf, Problem> {
    if named.exists() {
        return Ok(named.into());
    }
    in_directories(named, &directories())
}

fn in_directories(named: &Path, directories: &[PathBuf]) -> Result<PathBuf, Problem> {
    let installed = |name: &Path| {
        let found = directories.iter().map(|dir| dir.join(name).with_added_extension(ENDING));
        found.into_iter().find(|path| path.is_file())
    };
    let Some(name) = bare(named) else {
        let stem = named.file_stem().map(Path::new).filter(|stem| bare(stem).is_some());
        let is_file_name = named.components().count() == 1;
        return match stem.filter(|stem| is_file_name && installed(stem).is_some()) {
            Some(stem) => {
                let hint = format!("without .{ENDING}, `{}` is installed", Shown::of(stem));
                let message = format!("{}: there is no such file", Shown::of(named));
                Err(Problem::new(message).hint(Some(&hint)))
            }
            None => Ok(named.into()),
        };
    };
    if let Some(found) = installed(Path::new(name)) {
        return Ok(found);
    }
    let message = format!("there is no plugin `{}`, and no file of that name", Shown::of(named));
    Err(Problem::new(message).hint(Some(&hint(directories))))
}

/// The names that there are, for who has missed them.
fn hint(directories: &[PathBuf]) -> String {
    let mut names: Vec<String> = directories.iter().flat_map(|dir| names(dir)).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        let places = directories.iter().map(|dir| Shown::of(dir).to_string());
        let places = places.collect::<Vec<_>>().join(" and ");
        return format!("name a PLUGIN.wasm file; none is installed in {places}");
    }
    format!("plugins by name are {}; a file ends in .{ENDING}", names.join(", "))
}

/// What is a name, and nothing that could be meant as a path.
fn bare(named: &Path) -> Option<&OsStr> {
    let mut parts = named.components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(name)), None) if named.extension().is_none() => Some(name),
        _ => None,
    }
}

/// Names of the plugins in a directory; of one that is not there, none.
fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    let files = entries.map(|entry| entry.path());
    let plugins = files.filter(|path| path.extension() == Some(OsStr::new(ENDING)));
    plugins.filter_map(|path| Some(path.file_stem()?.to_str()?.to_string())).collect()
}

/// Where plugins are looked for, the first first. A program that does not know where it is finds
/// none.
fn directories() -> Vec<PathBuf> {
    let Ok(program) = std::env::current_exe() else { return Vec::new() };
    let above = program.parent().and_then(Path::parent);
    above
        .map(|above| vec![above.join("share/gristmill/plugins"), above.join("plugins")])
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_looked_up() {
        for path in ["./wordcount", "a/b", "/wordcount", "wordcount.wasm", "..", "a.b"] {
            let found = in_directories(Path::new(path), &[]).unwrap();
            assert_eq!(found, Path::new(path), "{path}");
        }
        let missing = in_directories(Path::new("wordcount"), &["/none".into()]).unwrap_err();
        assert_eq!(missing.text(), "there is no plugin `wordcount`, and no file of that name");
        let hint = missing.advice().unwrap();
        assert_eq!(hint, "name a PLUGIN.wasm file; none is installed in /none");
    }

    #[test]
    fn the_first_directory_wins_and_names_are_listed_once() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            path
        };
        let (first, _) = (make("one/b.wasm"), make("two/b.wasm"));
        let (second, _) = (make("two/a.wasm"), make("two/a.txt"));
        let dirs = ["one", "two"].map(|name| dir.path().join(name));
        assert_eq!(in_directories(Path::new("b"), &dirs).unwrap(), first);
        assert_eq!(in_directories(Path::new("a"), &dirs).unwrap(), second);
        let missing = in_directories(Path::new("c"), &dirs).unwrap_err();
        assert_eq!(missing.advice(), Some("plugins by name are a, b; a file ends in .wasm"));
        let missing = in_directories(Path::new("a.wasm"), &dirs).unwrap_err();
        assert_eq!(missing.text(), "a.wasm: there is no such file");
        assert_eq!(missing.advice(), Some("without .wasm, `a` is installed"));
    }
}

//! Dependencies that somebody has looked at: `.reviewed` names those that read bytes of others,
//! with the version and the day.
//!
//! It knows of no advisory, and needs no network: it tells that a version came in which nobody has
//! looked at since.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, bail, ensure};

use crate::project::Project;

const LIST: &str = ".reviewed";

/// A version as far as it counts: its first two numbers.
type Minor = (u64, u64);

/// Fails where Cargo.lock has another major or minor version of a listed crate than the list.
pub(crate) fn run(project: &Project) -> Result<()> {
    let read = |name: &str| fs::read_to_string(project.root.join(name)).context(name.to_string());
    check(&read(LIST)?, &read("Cargo.lock")?)
}

fn check(list: &str, lock: &str) -> Result<()> {
    let (reviewed, locked) = (reviewed(list)?, locked(lock)?);
    let mut complaints = Vec::new();
    for (name, versions) in &reviewed {
        let found = locked.get(name).cloned().unwrap_or_default();
        if found.is_empty() {
            complaints.push(format!("{LIST}: {name}: is not in Cargo.lock; take its line out"));
        }
        let known: BTreeSet<Minor> = versions.keys().copied().collect();
        for (minor, version) in found.iter().filter(|(minor, _)| !known.contains(minor)) {
            let before: Vec<_> = versions.values().map(String::as_str).collect();
            let before = before.join(", ");
            complaints.push(format!(
                "{LIST}: {name} {version} is in Cargo.lock, looked at was {before}; read its change log and its advisories, \
                 then write {}.{} and the day there", minor.0, minor.1
            ));
        }
        for (_, version) in
            versions.iter().filter(|(minor, _)| !found.is_empty() && !found.contains_key(minor))
        {
            complaints.push(format!(
                "{LIST}: {name} {version}: is not in Cargo.lock any more; take its line out"
            ));
        }
    }
    ensure!(complaints.is_empty(), "{}", complaints.join("\n"));
    Ok(())
}

/// Versions of each crate in the list, by their first two numbers.
fn reviewed(list: &str) -> Result<BTreeMap<String, BTreeMap<Minor, String>>> {
    let mut all: BTreeMap<String, BTreeMap<Minor, String>> = BTreeMap::new();
    for (line, number) in list.lines().zip(1..) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let mut words = line.split_whitespace();
        let (Some(name), Some(version), Some(day), Some(_why)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            bail!("{LIST}:{number}: is not `CRATE VERSION DAY PURPOSE`");
        };
        ensure!(is_day(day), "{LIST}:{number}: {day} is not a day (2026-11-30)");
        let minor = minor(version).with_context(|| format!("{LIST}:{number}"))?;
        all.entry(name.into()).or_default().insert(minor, version.into());
    }
    ensure!(!all.is_empty(), "{LIST}: names no crate");
    Ok(all)
}

/// Versions of each crate in a lock file: cargo writes a package's version in the line below its
/// name.
fn locked(lock: &str) -> Result<BTreeMap<String, BTreeMap<Minor, String>>> {
    let mut all: BTreeMap<String, BTreeMap<Minor, String>> = BTreeMap::new();
    let value = |line: &str, key: &str| {
        let value = line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"')?;
        Some(value.to_string())
    };
    let mut name = None;
    for line in lock.lines() {
        if let Some(found) = value(line, "name") {
            name = Some(found);
        } else if let Some(version) = value(line, "version")
            && let Some(name) = name.take()
        {
            all.entry(name).or_default().insert(minor(&version)?, version);
        }
    }
    ensure!(!all.is_empty(), "Cargo.lock: names no package");
    Ok(all)
}

fn minor(version: &str) -> Result<Minor> {
    let mut numbers = version.split('.').map(str::parse::<u64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Ok((major, minor)),
        _ => bail!("{version} is not a version"),
    }
}

fn is_day(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# crates\nzstd  8.3.0  2026-11-30  zstd\n";

    fn lock(version: &str) -> String {
        let other = "[[package]]\nname = \"other\"\nversion = \"1.0.0\"\n";
        format!("version = 4\n\n{other}\n[[package]]\nname = \"zstd\"\nversion = \"{version}\"\n")
    }

    fn message(list: &str, lock: &str) -> String {
        check(list, lock).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn every_listed_crate_of_this_workspace_was_looked_at() {
        run(&Project::open().unwrap()).unwrap();
    }

    #[test]
    fn a_new_minor_version_is_told_and_a_patch_is_not() {
        assert_eq!(message(LIST, &lock("8.3.0")), "");
        assert_eq!(message(LIST, &lock("8.3.9")), "");
        for version in ["8.4.0", "9.3.0", "8.2.9"] {
            let message = message(LIST, &lock(version));
            assert!(
                message.contains(&format!("zstd {version}")) && message.contains("8.3.0"),
                "{message}"
            );
            assert!(message.contains("advisories"), "{message}");
        }
    }

    #[test]
    fn a_line_for_what_is_not_there_is_told() {
        let list = format!("{LIST}gone  1.0.0  2026-11-30  nothing\n");
        assert!(message(&list, &lock("8.3.0")).contains("gone"));
        let list = format!("{LIST}zstd  7.0.0  2026-01-01  zstd\n");
        assert!(message(&list, &lock("8.3.0")).contains("zstd 7.0.0"));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_told_by_its_number() {
        for line in
            ["zstd", "zstd 8.3.0 2026-11-30", "zstd eight 2026-11-30 zstd", "zstd 8.3.0 today zstd"]
        {
            let message = message(&format!("# crates\n{line}\n"), &lock("8.3.0"));
            assert!(message.starts_with(".reviewed:2"), "{line}: {message}");
        }
        assert!(message("", &lock("8.3.0")).contains("names no crate"));
    }
}

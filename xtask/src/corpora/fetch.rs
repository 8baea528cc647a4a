//! The source packages, by apt from where this machine has its packages from.
//!
//! apt works in a directory of its own, with the machine's sources turned into sources of source
//! packages: nothing outside of it changes, and no root is needed. apt checks the signatures. What
//! is there whole is not fetched again. A package that cannot be had, as where the index is older
//! than the archive, is skipped by name once the index has been refreshed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xshell::{Cmd, Shell};

use crate::debian::succeeds;
use crate::project::Project;

/// Packages whose tests hold compressed files, good and bad.
const PACKAGES: [&str; 6] = ["xz-utils", "libzstd", "lz4", "bzip2", "gzip", "htslib"];

/// A machine without a network says so soon.
const PATIENCE: [&str; 7] = [
    "-oAcquire::Retries=1",
    "-oAcquire::http::Timeout=20",
    "-oAcquire::https::Timeout=20",
    "-oAcquire::Languages=none",
    "-oAPT::Update::Error-Mode=any",
    // Files go to a directory that apt's own user may not reach.
    "-oAPT::Sandbox::User=",
    "-qq",
];

/// The directory that holds the packages, packed and unpacked.
///
/// # Errors
/// Says why they cannot be had.
pub(super) fn packages(project: &Project) -> Result<PathBuf> {
    let home = project.target.join("corpora");
    let packages = home.join("packages");
    if packages.is_dir() {
        return Ok(packages);
    }
    if !succeeds(&project.shell, "apt-get", &["--version"]) {
        bail!("the source packages come from Debian, and there is no apt-get here");
    }
    let partial = home.join("partial");
    let _ = fs::remove_dir_all(&partial); // of a call that was interrupted
    let apt = Apt::new(&project.shell, &home.join("apt"))?;
    eprintln!("fetching the source packages of {}", PACKAGES.join(", "));
    fs::create_dir_all(&partial)?;
    let had = apt.download(&partial)?;
    unpack(&project.shell, &partial, had)?;
    fs::rename(&partial, &packages)?;
    Ok(packages)
}

/// apt with lists and sources of its own.
struct Apt<'a> {
    shell: &'a Shell,
    options: Vec<String>,
}

impl<'a> Apt<'a> {
    fn new(shell: &'a Shell, home: &Path) -> Result<Self> {
        let (lists, cache) = (home.join("lists"), home.join("cache"));
        let parts = home.join("sources");
        let _ = fs::remove_dir_all(&parts); // of the last call
        for directory in [&lists.join("partial"), &cache.join("archives/partial"), &parts] {
            fs::create_dir_all(directory)?;
        }
        if write_sources(shell, &parts)? == 0 {
            bail!("apt has no sources of packages here");
        }
        let directories = [
            ("Dir::State::Lists", lists.as_path()),
            ("Dir::Cache", cache.as_path()),
            ("Dir::Etc::SourceParts", parts.as_path()),
            ("Dir::Etc::SourceList", Path::new("/dev/null")),
        ];
        let options = directories.map(|(name, path)| format!("-o{name}={}", path.display()));
        Ok(Self { shell, options: options.into() })
    }

    /// Fetches each package by itself. Returns how many came.
    fn download(&self, into: &Path) -> Result<usize> {
        // One of several sources may be away: what counts is whether the packages come.
        let updated = succeed(self.call("update"));
        let _within = self.shell.push_dir(into);
        let source = |package: &str| {
            succeed(self.call("source").args(["--download-only", "--only-source", package]))
        };
        let (mut had, mut last) = (0, None);
        for package in PACKAGES {
            let fetched = source(package).or_else(|_| {
                // The archive may have moved on since the index was read.
                succeed(self.call("update")).and_then(|()| source(package))
            });
            match fetched {
                Ok(()) => had += 1,
                Err(error) => {
                    eprintln!("skipped: corpora: {package}: {error:#}");
                    last = Some(error);
                }
            }
        }
        match last {
            Some(error) if had == 0 => updated.and(Err(error)),
            _ => Ok(had),
        }
    }

    fn call(&self, command: &str) -> Cmd<'_> {
        let call = self.shell.cmd("apt-get").env("LC_ALL", "C").args(PATIENCE);
        call.args(&self.options).arg(command)
    }
}

/// Runs a call of apt without a word; where it fails, says what it said.
fn succeed(call: Cmd<'_>) -> Result<()> {
    let output = call.quiet().ignore_status().output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let error = said.lines().find_map(|line| line.strip_prefix("E: "));
    bail!("apt-get: {}", error.unwrap_or("failed without a word"));
}

/// Writes the machine's sources to `parts`, as sources of source packages. Returns how many files
/// there are.
fn write_sources(shell: &Shell, parts: &Path) -> Result<usize> {
    let asked = ["shell", "list", "Dir::Etc::SourceList/f", "parts", "Dir::Etc::SourceParts/d"];
    let said = shell.cmd("apt-config").args(asked).quiet().read()?;
    let named = |name: &str| {
        let value = said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value
            .map(|value| PathBuf::from(value.trim_matches('\'')))
            .context("apt-config says nothing")
    };
    let mut files = vec![named("list")?];
    files.extend(fs::read_dir(named("parts")?).into_iter().flatten().flatten().map(|it| it.path()));
    let mut written = 0;
    for file in files {
        let known = file.extension().is_some_and(|kind| kind == "list" || kind == "sources");
        if let (true, Some(name), Ok(text)) = (known, file.file_name(), fs::read_to_string(&file)) {
            fs::write(parts.join(name), of_sources(&text))?;
            written += 1;
        }
    }
    Ok(written)
}

/// A file of apt's sources, in either of its formats (sources.list(5)), with each entry for source
/// packages instead.
fn of_sources(text: &str) -> String {
    let turned = |line: &str| match line.split_once(char::is_whitespace) {
        Some(("deb", rest)) => format!("deb-src {rest}\n"),
        Some(("Types:", _)) => "Types: deb-src\n".to_string(),
        _ => format!("{line}\n"),
    };
    text.lines().map(turned).collect()
}

/// Unpacks what upstream released, each package beside its archive.
fn unpack(shell: &Shell, packages: &Path, had: usize) -> Result<()> {
    let mut unpacked = 0;
    for entry in fs::read_dir(packages)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some((stem, packed)) = name.split_once(".orig.tar.") else { continue };
        if packed.ends_with("asc") {
            continue;
        }
        let directory = packages.join(stem);
        fs::create_dir(&directory)?;
        let tar = shell.cmd("tar").arg("-C").arg(&directory).arg("-xf").arg(&path).quiet();
        tar.run().with_context(|| format!("cannot unpack {name}"))?;
        unpacked += 1;
    }
    if unpacked < had {
        bail!("{unpacked} of {had} packages came with an archive");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_format_becomes_one_of_sources() {
        assert_eq!(
            of_sources("# deb x\ndeb [signed-by=/k] http://mirror.test/debian stable main\n"),
            "# deb x\ndeb-src [signed-by=/k] http://mirror.test/debian stable main\n"
        );
        assert_eq!(
            of_sources("Types: deb\nURIs: http://mirror.test/debian\nSigned-By: /k\n"),
            "Types: deb-src\nURIs: http://mirror.test/debian\nSigned-By: /k\n"
        );
        assert_eq!(of_sources("deb-src http://mirror.test/debian stable main"), {
            "deb-src http://mirror.test/debian stable main\n"
        });
    }
}

//! `cargo xtask install`: the program under both of its names, the plugins where it looks for them,
//! manual pages and completions, below one directory.
//!
//! Each file is replaced whole, so that a program that runs goes on. Nothing is removed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::files::publish;
use crate::plugins;
use crate::project::Project;

/// Its names. DNS tools have a `host`, too: the second one is always free.
const NAMES: [&str; 2] = ["host", "gristmill"];

/// The script of each shell, and where that looks for it: in this directory, with that before and
/// after the name.
const COMPLETIONS: [(&str, &str, &str, &str); 3] = [
    ("bash", "share/bash-completion/completions", "", ""),
    ("zsh", "share/zsh/site-functions", "_", ""),
    ("fish", "share/fish/vendor_completions.d", "", ".fish"),
];

/// What is installed.
pub(crate) struct Built {
    /// The program.
    pub(crate) host: PathBuf,
    /// The plugins that come along.
    pub(crate) plugins: Vec<PathBuf>,
}

impl Built {
    /// What `cargo xtask plugins` and `cargo build --release` have left in a target directory.
    pub(crate) fn in_target(project: &Project, target: &Path) -> Result<Self> {
        let plugins = project.plugins.iter().filter(|plugin| plugin.comes_along);
        let file = |name: &str| target.join("plugins").join(name).with_extension("wasm");
        let plugins: Vec<_> = plugins.map(|plugin| file(&plugin.name)).collect();
        let host = target.join("release/host");
        if let Some(missing) = [&host].into_iter().chain(&plugins).find(|path| !path.is_file()) {
            bail!(
                "{}: missing; --from names a target directory with what was built",
                missing.display()
            );
        }
        Ok(Self { host, plugins })
    }
}

/// Builds, unless what was built is named, and installs.
pub(crate) fn run(project: &Project, prefix: Option<PathBuf>, from: Option<&Path>) -> Result<()> {
    let prefix = prefix.map_or_else(default_prefix, |prefix| Ok(std::path::absolute(prefix)?))?;
    if from.is_none() {
        plugins::build(project)?;
        project.build_programs(&["host"])?;
    }
    let target = from.map_or(Ok(project.target.clone()), std::path::absolute)?;
    let built = Built::in_target(project, &target)?;
    install(&built, &prefix)?;
    println!("installed in {}: try `gristmill sample sample`", prefix.display());
    let bin = prefix.join("bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|dir| dir == bin) {
        println!("hint: put {} on your PATH", bin.display());
    }
    Ok(())
}

fn default_prefix() -> Result<PathBuf> {
    let home =
        std::env::home_dir().context("there is no home directory; --prefix DIR names one")?;
    Ok(home.join(".local"))
}

/// Installs below `prefix`.
pub(crate) fn install(built: &Built, prefix: &Path) -> Result<()> {
    let bin = directory(prefix, "bin")?;
    let shell = Shell::new()?;
    let [first, second] = NAMES.map(|name| bin.join(name));
    let partial = first.with_added_extension("partial");
    fs::copy(&built.host, &partial).with_context(|| named(&partial))?;
    fs::set_permissions(&partial, fs::Permissions::from_mode(0o755))?;
    fs::rename(&partial, &first).with_context(|| named(&first))?;
    link(&first, &second)?;
    let plugins = directory(prefix, "share/gristmill/plugins")?;
    for plugin in &built.plugins {
        let name = plugin.file_name().context("a plugin has a name")?;
        publish(&fs::read(plugin).with_context(|| named(plugin))?, &plugins.join(name))?;
    }
    let pages = directory(prefix, "share/man/man1")?;
    for name in NAMES {
        let program = bin.join(name);
        cmd!(shell, "{program} man --dir {pages}").quiet().run()?;
        for (kind, dir, before, after) in COMPLETIONS {
            let script = cmd!(shell, "{program} completions {kind}").quiet().read()?;
            let file = directory(prefix, dir)?.join(format!("{before}{name}{after}"));
            publish(format!("{script}\n").as_bytes(), &file)?;
        }
    }
    Ok(())
}

fn directory(prefix: &Path, below: &str) -> Result<PathBuf> {
    let dir = prefix.join(below);
    fs::create_dir_all(&dir).with_context(|| named(&dir))?;
    Ok(dir)
}

/// Gives the file a second name, at once where there was one.
fn link(file: &Path, name: &Path) -> Result<()> {
    let partial = name.with_added_extension("partial");
    fs::hard_link(file, &partial).with_context(|| named(&partial))?;
    fs::rename(&partial, name).with_context(|| named(name))
}

fn named(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that answers as the host does, by the name that it is called by.
    const PROGRAM: &str = "#!/bin/sh
name=$(basename \"$0\")
case $1 in
    man) echo page > \"$3/$name.1\" ;;
    completions) echo \"$2 $name\" ;;
esac
";

    fn read(dir: &Path, name: &str) -> String {
        let path = dir.join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    #[test]
    fn everything_is_where_it_is_looked_for_and_a_second_time_replaces_it() {
        let dir = tempfile::tempdir().unwrap();
        let (host, plugin) = (dir.path().join("built"), dir.path().join("wordcount.wasm"));
        let built = Built { host: host.clone(), plugins: vec![plugin.clone()] };
        let prefix = dir.path().join("deep/prefix");
        for version in ["1", "2"] {
            fs::write(&host, format!("{PROGRAM}# {version}\n")).unwrap();
            fs::write(&plugin, version).unwrap();
            install(&built, &prefix).unwrap();
            for name in NAMES {
                assert_eq!(
                    read(&prefix, &format!("bin/{name}")),
                    format!("{PROGRAM}# {version}\n")
                );
                assert_eq!(read(&prefix, &format!("share/man/man1/{name}.1")), "page\n");
                let bash = format!("share/bash-completion/completions/{name}");
                assert_eq!(read(&prefix, &bash), format!("bash {name}\n"));
                let zsh = format!("share/zsh/site-functions/_{name}");
                assert_eq!(read(&prefix, &zsh), format!("zsh {name}\n"));
                let fish = format!("share/fish/vendor_completions.d/{name}.fish");
                assert_eq!(read(&prefix, &fish), format!("fish {name}\n"));
            }
            assert_eq!(read(&prefix, "share/gristmill/plugins/wordcount.wasm"), version);
        }
        let names: Vec<_> = fs::read_dir(prefix.join("bin")).unwrap().collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }

    #[test]
    fn what_was_not_built_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let project = Project::open().unwrap();
        let Err(refused) = Built::in_target(&project, dir.path()) else {
            panic!("nothing is there")
        };
        let named = refused.to_string();
        assert!(named.contains("release/host: missing") && named.contains("--from"), "{named}");
    }
}

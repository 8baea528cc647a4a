//! Where things are, and how cargo is called: the root, the target directory, the plugin crates.
//!
//! Everything comes from `cargo metadata`, so `CARGO_TARGET_DIR` and `build.target-dir` hold here
//! as they do for cargo.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;
use xshell::{Cmd, Shell};

use crate::toolchain::Version;

/// One crate below plugins/, or a plugin of the tests.
pub(crate) struct PluginCrate {
    /// The package's name, and the name of the `.wasm` file made from it.
    pub(crate) name: String,
    /// The file's name without extension, as cargo writes it.
    pub(crate) artifact: String,
    /// Whether users get it: it is one of plugins/, not of the tests.
    pub(crate) comes_along: bool,
}

/// This workspace, as cargo sees it.
pub(crate) struct Project {
    /// Runs commands, in the root.
    pub(crate) shell: Shell,
    /// The directory that holds the workspace's Cargo.toml.
    pub(crate) root: PathBuf,
    /// Cargo's target directory.
    pub(crate) target: PathBuf,
    /// The oldest Rust that builds the workspace.
    pub(crate) rust_version: Version,
    /// Every plugin below plugins/ and tests/, by name.
    pub(crate) plugins: Vec<PluginCrate>,
}

impl Project {
    /// Asks cargo about the workspace that this program was built from.
    pub(crate) fn open() -> Result<Self> {
        let shell = Shell::new()?;
        shell.change_dir(env!("CARGO_MANIFEST_DIR"));
        let metadata =
            cargo(&shell).args(["metadata", "--no-deps", "--format-version=1"]).quiet().read()?;
        let metadata: Value = serde_json::from_str(&metadata)?;
        let path = |key: &str| -> Result<PathBuf> {
            let path = metadata.get(key).and_then(Value::as_str);
            Ok(path.with_context(|| format!("cargo metadata: no {key}"))?.into())
        };
        let root = path("workspace_root")?;
        shell.change_dir(&root);
        Ok(Self {
            target: path("target_directory")?,
            rust_version: rust_version(&metadata)?,
            plugins: plugin_crates(&metadata, &["plugins", "tests"].map(|name| root.join(name))),
            root,
            shell,
        })
    }

    /// Where the built plugins go.
    pub(crate) fn plugin_dir(&self) -> PathBuf {
        self.target.join("plugins")
    }

    /// A program of the release profile.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.target.join("release").join(name)
    }

    /// A call of a program that calls cargo, with the environment that cargo is called with.
    pub(crate) fn program_of(&self, program: &Path) -> Cmd<'_> {
        without_ours(self.shell.cmd(program))
    }

    /// A call of cargo in the root.
    pub(crate) fn cargo(&self) -> Cmd<'_> {
        cargo(&self.shell)
    }

    /// Builds programs with the features that `cargo test --workspace` uses.
    ///
    /// Cargo unifies features over the packages selected. `--package gristmill` leaves out what the
    /// SDK and this crate ask of `indexmap` and `anyhow`, so it would compile the engine a second
    /// time: always select the workspace, and narrow by program.
    pub(crate) fn build_programs(&self, names: &[&str]) -> Result<()> {
        let mut cargo = self.cargo().args(["build", "--release", "--workspace"]);
        for name in names {
            cargo = cargo.args(["--bin", name]);
        }
        Ok(cargo.run()?)
    }

    /// Builds a program that shows how the library is used.
    pub(crate) fn build_example(&self, name: &str) -> Result<()> {
        let cargo = self.cargo().args(["build", "--release", "--workspace", "--example", name]);
        Ok(cargo.run()?)
    }
}

/// Calls cargo: rustup's, which takes the toolchain that runs us from the environment. `cargo run`
/// puts that toolchain's libraries on the library path, where another compiler (Debian's) must not
/// find them; and it says which package it runs, in variables that build scripts (that of `ring`,
/// say) take for a change: all above would be built anew.
fn cargo(shell: &Shell) -> Cmd<'_> {
    without_ours(shell.cmd("cargo"))
}

fn without_ours(command: Cmd<'_>) -> Cmd<'_> {
    let ours = |name: &String| {
        let of_package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_"];
        of_package.iter().any(|prefix| name.starts_with(prefix)) || name == "LD_LIBRARY_PATH"
    };
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).filter(ours);
    names.fold(command, Cmd::env_remove)
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().into_iter().flatten()
}

fn rust_version(metadata: &Value) -> Result<Version> {
    let ours = packages(metadata).find(|package| package["name"] == env!("CARGO_PKG_NAME"));
    let text = ours.and_then(|package| package["rust_version"].as_str());
    text.and_then(Version::parse).context("cargo metadata: no rust-version")
}

fn plugin_crates(metadata: &Value, below: &[PathBuf]) -> Vec<PluginCrate> {
    let mut crates: Vec<_> =
        packages(metadata).filter_map(|package| plugin_crate(package, below)).collect();
    crates.sort_by(|one, other| one.name.cmp(&other.name));
    crates
}

fn plugin_crate(package: &Value, below: &[PathBuf]) -> Option<PluginCrate> {
    let manifest = Path::new(package["manifest_path"].as_str()?);
    let home = below.iter().position(|directory| manifest.starts_with(directory))?;
    let is_cdylib = |target: &&Value| {
        target["crate_types"].as_array().into_iter().flatten().any(|kind| kind == "cdylib")
    };
    let target = package["targets"].as_array()?.iter().find(is_cdylib)?;
    Some(PluginCrate {
        name: package["name"].as_str()?.to_owned(),
        artifact: target["name"].as_str()?.replace('-', "_"),
        comes_along: home == 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_plugin_is_a_cdylib_below_plugins() {
        let package = |name: &str, directory: &str, kind: &str| {
            json!({
                "name": name,
                "manifest_path": format!("/w/{directory}/{name}/Cargo.toml"),
                "targets": [{ "name": name, "crate_types": [kind, "rlib"] }],
            })
        };
        let metadata = json!({ "packages": [
            package("word-count", "plugins", "cdylib"),
            package("common", "plugins", "lib"),
            package("other", "crates", "cdylib"),
            package("checksum", "plugins", "cdylib"),
            package("vandal", "tests", "cdylib"),
        ]});
        let found = plugin_crates(&metadata, &["/w/plugins", "/w/tests"].map(PathBuf::from));
        let names: Vec<_> =
            found.iter().map(|p| (p.name.as_str(), p.artifact.as_str(), p.comes_along)).collect();
        assert_eq!(
            names,
            [
                ("checksum", "checksum", true),
                ("vandal", "vandal", false),
                ("word-count", "word_count", true)
            ]
        );
    }
}

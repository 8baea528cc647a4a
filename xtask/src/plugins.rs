//! `cargo xtask plugins`: every crate in plugins/, and those of the tests, become
//! TARGET/plugins/NAME.wasm.
//!
//! The files are core modules that carry their component type; the host wraps them when it loads
//! them, so they are copied as they are. A file is replaced whole, and only when its bytes changed.
//! One call at a time: a second one waits for a lock in that directory.

use std::fs::{self, File};
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::files::publish;
use crate::project::{PluginCrate, Project};
use crate::toolchain::{Choice, TARGET, WasmStd};

/// Builds the plugins and prints each file with its size.
pub(crate) fn run(project: &Project, choice: Choice) -> Result<()> {
    let directory = build_with(project, choice)?;
    for plugin in &project.plugins {
        let path = directory.join(&plugin.name).with_extension("wasm");
        println!("{:>9} bytes  {}", fs::metadata(&path)?.len(), path.display());
    }
    Ok(())
}

/// Builds the plugins, and returns the directory that holds them.
pub(crate) fn build(project: &Project) -> Result<PathBuf> {
    build_with(project, Choice::Auto)
}

fn build_with(project: &Project, choice: Choice) -> Result<PathBuf> {
    let directory = project.plugin_dir();
    fs::create_dir_all(&directory)?;
    let lock = File::create(directory.join(".lock"))?;
    lock.lock().with_context(|| format!("{}: cannot lock", directory.display()))?;

    let mut cargo = WasmStd::find(project, choice)?.cargo(project);
    cargo = cargo.args(["--profile", "plugin"]);
    for plugin in &project.plugins {
        cargo = cargo.args(["--package", &plugin.name]);
    }
    cargo.run()?;
    for plugin in &project.plugins {
        let from = built(project, plugin);
        let bytes = fs::read(&from).with_context(|| format!("{}: cannot read", from.display()))?;
        publish(&bytes, &directory.join(&plugin.name).with_extension("wasm"))?;
    }
    Ok(directory)
}

/// Where cargo leaves a plugin.
fn built(project: &Project, plugin: &PluginCrate) -> PathBuf {
    project.target.join(TARGET).join("plugin").join(&plugin.artifact).with_extension("wasm")
}

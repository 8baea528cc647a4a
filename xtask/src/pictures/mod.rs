//! `cargo xtask pictures`: the pictures of the README, in host/docs/img. Nothing in them is drawn
//! by hand.
//!
//! `run.svg` is a terminal, read back from the bytes that a run of the host sent to it. `speed.svg`
//! is a chart of `speed.json`, which `cargo xtask bench peers --json host/docs/img/speed.json`
//! writes.

mod svg;
mod terminal;
mod window;

use std::fs;

use anyhow::{Context, Result};

use crate::project::Project;

const DIRECTORY: &str = "host/docs/img";

/// Draws every picture anew.
pub(crate) fn run(project: &Project) -> Result<()> {
    let directory = project.root.join(DIRECTORY);
    fs::create_dir_all(&directory)?;
    let recording = terminal::record(project)?;
    let picture = window::draw(&recording);
    let path = directory.join("run.svg");
    fs::write(&path, picture).with_context(|| path.display().to_string())?;
    println!("{}", path.display());
    Ok(())
}

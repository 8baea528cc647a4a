//! `cargo xtask pictures`: the pictures of the README, in host/docs/img. Nothing in them is drawn
//! by hand.
//!
//! `run.svg` is a terminal, read back from the bytes that a run of the host sent to it. `speed.svg`
//! is a chart of `speed.json`, which `cargo xtask bench peers --json host/docs/img/speed.json`
//! writes.

mod chart;
mod speed;
mod svg;
mod terminal;
mod window;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::project::Project;
use speed::Speed;

const DIRECTORY: &str = "host/docs/img";

/// Draws every picture anew.
pub(crate) fn run(project: &Project) -> Result<()> {
    let directory = project.root.join(DIRECTORY);
    fs::create_dir_all(&directory)?;
    let figures = directory.join("speed.json");
    let context = || figures.display().to_string();
    let speed = Speed::parse(&fs::read_to_string(&figures).with_context(context)?);
    write(&directory.join("speed.svg"), &chart::draw(&speed.with_context(context)?))?;
    write(&directory.join("run.svg"), &window::draw(&terminal::record(project)?))
}

fn write(path: &Path, picture: &str) -> Result<()> {
    fs::write(path, picture).with_context(|| path.display().to_string())?;
    println!("{}", path.display());
    Ok(())
}

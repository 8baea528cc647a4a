//! `cargo xtask COMMAND`: what a developer runs, each command with all of its own set-up.
//!
//! This file owns the choice of command only. Nothing here asks a question or reads the keyboard.

mod bench;
mod corpora;
mod debian;
mod demo;
mod files;
mod flags;
mod fuzz;
mod generate;
mod install;
mod lint;
mod pictures;
mod platforms;
mod plugins;
mod project;
mod reviewed;
mod test;
mod toolchain;

use std::process::ExitCode;

use anyhow::Result;
use flags::{Xtask, XtaskCmd};
use project::Project;

fn main() -> ExitCode {
    let flags = Xtask::from_env_or_exit();
    let Err(error) = dispatch(flags.subcommand) else { return ExitCode::SUCCESS };
    eprintln!("xtask: {error:#}");
    ExitCode::FAILURE
}

fn dispatch(command: XtaskCmd) -> Result<()> {
    let project = Project::open()?;
    match command {
        XtaskCmd::Plugins(flags) => plugins::run(&project, flags.std.unwrap_or_default()),
        XtaskCmd::Install(flags) => install::run(&project, flags.prefix, flags.from.as_deref()),
        XtaskCmd::Demo(_) => demo::run(&project),
        XtaskCmd::Test(_) => test::run(&project),
        XtaskCmd::Corpora(_) => corpora::run(&project),
        XtaskCmd::Fuzz(flags) => fuzz::run(&project, flags.seconds),
        XtaskCmd::Lint(_) => lint::run(&project),
        XtaskCmd::Pictures(_) => pictures::run(&project),
        XtaskCmd::Platforms(flags) if flags.if_there => platforms::run_if_there(&project),
        XtaskCmd::Platforms(_) => platforms::run(&project),
        XtaskCmd::Bench(flags) => bench::run(&project, &flags),
    }
}

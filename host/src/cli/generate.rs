//! Completions and manual pages, made from the flags themselves.

use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use super::Exit;
use super::args::Args;
use crate::spec::Problem;

use crate::name::Shown;

/// Prints a completion script.
pub(super) fn completions(shell: Shell) -> Result<Exit, Problem> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "host", &mut script);
    print(&script)
}

/// Prints the manual page of `host`, or writes those of all commands into a directory.
pub(super) fn man(dir: Option<&Path>) -> Result<Exit, Problem> {
    let Some(dir) = dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Args::command()).render(&mut page).map_err(Problem::new)?;
        return print(&page);
    };
    let failed = |error| Problem::new(format!("{}: {error}", Shown::of(&dir)));
    std::fs::create_dir_all(dir).map_err(failed)?;
    clap_mangen::generate_to(Args::command(), dir).map_err(failed)?;
    Ok(Exit::Done)
}

fn print(bytes: &[u8]) -> Result<Exit, Problem> {
    match io::stdout().lock().write_all(bytes) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Problem::new(error)),
        _ => Ok(Exit::Done),
    }
}

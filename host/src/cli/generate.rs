//! Completions and manual pages, made from the flags themselves.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use clap_complete::Shell;

use super::Exit;
use super::called;
use crate::spec::Problem;

use crate::name::Shown;

/// Prints a completion script.
pub(super) fn completions(shell: Shell) -> Result<Exit, Problem> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut called::command(), called::name(), &mut script);
    print(&script)
}

/// Shows the manual page of `host` or one of its commands, or writes those of all commands into a
/// directory.
pub(super) fn man(command: Option<&str>, dir: Option<&Path>) -> Result<Exit, Problem> {
    let Some(dir) = dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(named(command)?).render(&mut page).map_err(Problem::new)?;
        return if io::stdout().is_terminal() { show(&page) } else { print(&page) };
    };
    let failed = |error| Problem::new(format!("{}: {error}", Shown::of(&dir)));
    std::fs::create_dir_all(dir).map_err(failed)?;
    clap_mangen::generate_to(called::command(), dir).map_err(failed)?;
    Ok(Exit::Done)
}

/// A command by its words with hyphens between them, as its manual page is called.
fn named(command: Option<&str>) -> Result<clap::Command, Problem> {
    let mut found = called::command();
    found.build();
    for word in command.iter().flat_map(|command| command.split('-')) {
        let Some(inner) = found.find_subcommand(word) else {
            let known: Vec<_> = found.get_subcommands().map(clap::Command::get_name).collect();
            let hint = if known.is_empty() {
                format!("{} has no commands of its own", found.get_name())
            } else {
                format!("{} has {}", found.get_name(), known.join(", "))
            };
            return Err(Problem::new(format!("there is no command `{word}`")).hint(Some(&hint)));
        };
        found = inner.clone();
    }
    Ok(found)
}

/// Shows a page as `man` does, on the terminal; as it is where there is no `man`.
fn show(page: &[u8]) -> Result<Exit, Problem> {
    let viewer = Command::new("man").args(["-l", "-"]).stdin(Stdio::piped()).spawn();
    let Ok(mut viewer) = viewer else { return print(page) };
    if let Some(mut stdin) = viewer.stdin.take() {
        match stdin.write_all(page) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                return Err(Problem::new(error));
            }
            _ => {}
        }
    }
    viewer.wait().map(|_| Exit::Done).map_err(Problem::new)
}

fn print(bytes: &[u8]) -> Result<Exit, Problem> {
    match io::stdout().lock().write_all(bytes) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Problem::new(error)),
        _ => Ok(Exit::Done),
    }
}

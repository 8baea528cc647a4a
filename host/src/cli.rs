//! The command line: flags into settings, settings into a call, an end into an exit code. The only
//! code that prints.

mod allocator;
mod args;
mod arrivals;
mod asked;
mod called;
mod closed;
mod conclude;
mod doctor;
mod generate;
mod guide;
mod inspect;
mod installed;
mod interrupt;
mod ledger;
mod local;
mod losses;
mod plan;
mod progress;
mod repro;
mod run;
mod sample;
mod say;
mod values;
mod watch;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgMatches, FromArgMatches};

use crate::plugin::compile_if_asked;
use crate::spec::Problem;
use args::{Args, Command, PluginCommand, RunArgs, WatchArgs};

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// All is done.
    Done = 0,
    /// Some source failed, or the job ended early because of one.
    Failed = 1,
    /// Nothing could be started.
    NotStarted = 2,
    /// The user stopped it (128 + SIGINT).
    Interrupted = 130,
}

/// `gristmill/code` in the user's cache directory (XDG Base Directory Specification, section 3).
fn cache_dir() -> Option<PathBuf> {
    Some(user_dir("XDG_CACHE_HOME", ".cache")?.join("gristmill").join("code"))
}

/// The user's directory of that variable, or its default below the home directory.
fn user_dir(name: &str, below_home: &str) -> Option<PathBuf> {
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(name).or_else(|| Some(absolute("HOME")?.join(below_home)))
}

fn run(args: &RunArgs, given: &ArgMatches) -> Result<Exit, Problem> {
    let asked = asked::asked(args, None, given)?;
    run::run(&asked).map_err(|problem| asked.placed(problem))
}

fn watch(args: &WatchArgs, given: &ArgMatches) -> Result<Exit, Problem> {
    let asked = asked::asked(&args.run, Some(&args.watch), given)?;
    watch::watch(&asked).map_err(|problem| asked.placed(problem))
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    compile_if_asked();
    allocator::keep_little();
    let command = asked::flags();
    let given = match command.clone().try_get_matches() {
        Ok(given) => given,
        // Once more, for the same end with the right name in its text.
        Err(error) => {
            let error = asked::flags_with_help().try_get_matches().err().unwrap_or(error);
            return exit_code(help(&error));
        }
    };
    let args = match Args::from_arg_matches(&given) {
        Ok(args) => args,
        Err(error) => return exit_code(help(&error)),
    };
    exit_code(local::check(&command, &given).and_then(|()| ended(args.command, &given)))
}

/// Shows help, the version, or which flag is wrong.
fn help(error: &clap::Error) -> Result<Exit, Problem> {
    let shown = error.print().and_then(|()| io::stdout().flush());
    match shown {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Problem::new(error)),
        _ if error.use_stderr() => Ok(Exit::NotStarted),
        _ => Ok(Exit::Done),
    }
}

fn exit_code(ended: Result<Exit, Problem>) -> ExitCode {
    let exit = ended.unwrap_or_else(|problem: Problem| {
        say::abort(&problem);
        Exit::NotStarted
    });
    ExitCode::from(exit as u8)
}

fn ended(command: Command, given: &ArgMatches) -> Result<Exit, Problem> {
    match command {
        Command::Run(args) => run(&args, given.subcommand_matches("run").unwrap_or(given)),
        Command::Watch(args) => watch(&args, given.subcommand_matches("watch").unwrap_or(given)),
        Command::Plugin { command: PluginCommand::Inspect { plugin, json } } => {
            inspect::inspect(&plugin, json)
        }
        Command::Plugin { command: PluginCommand::Repro { bundle, its_limits } } => {
            repro::repro(&bundle, its_limits)
        }
        Command::Plugin { command: PluginCommand::Wit } => guide::wit(),
        Command::Guide { topic } => guide::guide(&topic),
        Command::Sample { dir } => sample::sample(&dir),
        Command::Doctor(args) => doctor::doctor(&args),
        Command::Ledger { command } => ledger::ledger(&command),
        Command::Completions { shell } => generate::completions(shell),
        Command::Man { command, dir } => generate::man(command.as_deref(), dir.as_deref()),
    }
}

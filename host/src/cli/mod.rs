//! The command line: flags into settings, settings into a call, an end into an exit code. The only code that prints.

mod args;
mod below;
mod closed;
mod conclude;
mod confine;
mod doctor;
mod foresee;
mod found;
mod generate;
mod guard;
mod identity;
mod inspect;
mod interrupt;
mod ledger;
mod limits;
mod linked;
mod listed;
mod local;
mod losses;
mod objects;
mod out;
mod owned;
mod pipeline;
mod places;
mod plan;
mod plugins;
mod progress;
mod rejects;
mod remember;
mod report;
mod repro;
mod run;
mod say;
mod settings;
mod stages;
mod unmatched;
mod values;

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches};

use crate::plugin::compile_if_asked;
use args::{Args, Command, PluginCommand};
use say::Abort;

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

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    compile_if_asked();
    let command = Args::command();
    let given = command.clone().get_matches();
    let args = Args::from_arg_matches(&given).unwrap_or_else(|error| error.exit());
    let ended = local::check(&command, &given).and_then(|()| ended(args.command, &given));
    let exit = ended.unwrap_or_else(|abort: Abort| {
        say::abort(&abort);
        Exit::NotStarted
    });
    ExitCode::from(exit as u8)
}

fn ended(command: Command, given: &ArgMatches) -> Result<Exit, Abort> {
    match command {
        Command::Run(args) => {
            pipeline::asked(*args, given).and_then(|(args, stages)| run::run(&args, &stages))
        }
        Command::Plugin { command: PluginCommand::Inspect { plugin, json } } => {
            inspect::inspect(&plugin, json)
        }
        Command::Plugin { command: PluginCommand::Repro { bundle, its_limits } } => {
            repro::repro(&bundle, its_limits)
        }
        Command::Doctor(args) => doctor::doctor(&args),
        Command::Ledger { command } => ledger::ledger(&command),
        Command::Completions { shell } => generate::completions(shell),
        Command::Man { dir } => generate::man(dir.as_deref()),
    }
}

//! The name that the program was called by, in its help, hints, manual pages and completions: it is
//! installed as `host` and as `gristmill`, as DNS tools have a `host`, too.

use std::borrow::Cow;
use std::path::Path;

use clap::builder::Resettable;
use clap::{Arg, Command, CommandFactory};

use super::args::{Args, FORGET_USAGE};

/// What it is called in the texts of the flags.
const NAME: &str = "host";

/// Its name, as it was called; `host` where that is no word.
pub(super) fn name() -> String {
    let called = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&called).file_name().and_then(|name| name.to_str()).unwrap_or(NAME);
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.is_empty() && name.chars().all(is_word) { name.into() } else { NAME.into() }
}

/// A text whose commands in backquotes, as in "`host run` does", begin with the program's name.
pub(super) fn own(text: &str) -> Cow<'_, str> {
    let command = format!("`{NAME} ");
    if !text.contains(&command) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(&command, &format!("`{} ", name())))
}

/// The commands and flags, to read a command line with: their help calls the program `host`, as
/// naming it in all texts takes longer than all else that a start does.
pub(super) fn flags() -> Command {
    without_empty_variables(Args::command())
}

/// The commands and flags, whose help calls the program by its name.
pub(super) fn command() -> Command {
    without_empty_variables(renamed(&name()))
}

/// An environment variable that is set to nothing says nothing.
fn without_empty_variables(command: Command) -> Command {
    let in_arg = |arg: Arg| {
        let is_empty = |name| std::env::var_os(name).is_some_and(|value| value.is_empty());
        if arg.get_env().is_some_and(is_empty) { arg.env(Resettable::Reset) } else { arg }
    };
    command.mut_args(in_arg).mut_subcommands(without_empty_variables)
}

fn renamed(name: &str) -> Command {
    let command = Args::command().mut_subcommand("ledger", |ledger| {
        let usage = format!("{name} {FORGET_USAGE}");
        ledger.mut_subcommand("forget", |forget| forget.override_usage(usage))
    });
    if name == NAME {
        return command;
    }
    let commands: Vec<String> =
        command.get_subcommands().map(|command| command.get_name().to_string()).collect();
    in_texts(command.name(name.to_string()), &|text| {
        let of = |mut text: String, end: &str| {
            text = text.replace(&format!("{NAME}{end}"), &format!("{name}{end}"));
            text
        };
        let text = [".1", "-run.1"].into_iter().fold(text, of);
        commands.iter().fold(text, |text, command| of(text, &format!(" {command}")))
    })
}

/// Changes the texts of a command and of all below it.
fn in_texts(mut command: Command, change: &impl Fn(String) -> String) -> Command {
    if let Some(text) = command.get_about().map(ToString::to_string) {
        command = command.about(change(text));
    }
    if let Some(text) = command.get_long_about().map(ToString::to_string) {
        command = command.long_about(change(text));
    }
    if let Some(text) = command.get_after_help().map(ToString::to_string) {
        command = command.after_help(change(text));
    }
    let in_arg = |mut arg: Arg| {
        if let Some(text) = arg.get_help().map(ToString::to_string) {
            arg = arg.help(change(text));
        }
        if let Some(text) = arg.get_long_help().map(ToString::to_string) {
            arg = arg.long_help(change(text));
        }
        arg
    };
    command.mut_args(in_arg).mut_subcommands(|command| in_texts(command, change))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commands_in_backquotes_are_renamed() {
        let name = name();
        assert_eq!(
            own("`host run` or `host ledger show`"),
            format!("`{name} run` or `{name} ledger show`")
        );
        for same in ["", "host run", "`hostile`", "the host `a`", "`host`"] {
            assert!(matches!(own(same), Cow::Borrowed(text) if text == same));
        }
    }

    #[test]
    fn no_help_has_the_other_name() {
        let mut command = renamed("gristmill");
        command.build();
        let mut checked = 0;
        let mut waiting = vec![command];
        while let Some(mut command) = waiting.pop() {
            let help = command.render_long_help().to_string();
            for word in ["host run", "host plugin", "host ledger", "host.1", "Usage: host"] {
                assert!(!help.contains(word), "{}: {word}", command.get_name());
            }
            waiting.extend(command.get_subcommands().cloned());
            checked += 1;
        }
        assert!(checked > 12, "{checked}");
    }
}

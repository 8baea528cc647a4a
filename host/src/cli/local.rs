//! Flags that name files and directories of this machine: a URL in the place of one is refused by
//! name before anything is opened. Otherwise the error would be that there is no such file.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use clap::builder::ValueHint;
use clap::{Arg, ArgMatches, Command};

use crate::name::{Shown, is_url};
use crate::spec::Problem;

/// Refuses URLs in what was given for flags and arguments of `command`, and of the subcommand that
/// was asked for.
pub(super) fn check(command: &Command, given: &ArgMatches) -> Result<(), Problem> {
    for arg in command.get_arguments().filter(|arg| is_local(arg)) {
        let words = given.get_raw(arg.get_id().as_str()).into_iter().flatten();
        let parts = words.flat_map(|word| word.as_bytes().split(|byte| *byte == b'|'));
        for part in parts.map(<[u8]>::trim_ascii) {
            refuse(&flag(arg), Path::new(OsStr::from_bytes(part)))?;
        }
    }
    match given.subcommand() {
        Some((name, given)) => {
            command.find_subcommand(name).map_or(Ok(()), |command| check(command, given))
        }
        None => Ok(()),
    }
}

/// Whether it names a file or directory, and never anything else.
fn is_local(arg: &Arg) -> bool {
    matches!(arg.get_value_hint(), ValueHint::FilePath | ValueHint::DirPath)
}

/// Refuses a URL that is no file, too.
fn refuse(flag: &str, path: &Path) -> Result<(), Problem> {
    if !is_url(path) || path.exists() {
        return Ok(());
    }
    let message = format!("{flag}: {} is a URL, expected a file or directory", Shown::of(path));
    let hint = "only sources and --out may be URLs: download it, and name the file";
    Err(Problem::new(message).hint(Some(hint)))
}

/// What it is called on a command line.
fn flag(arg: &Arg) -> String {
    match (arg.get_long(), arg.get_value_names()) {
        (Some(long), _) => format!("--{long}"),
        (None, Some([name, ..])) => name.to_string(),
        (None, _) => arg.get_id().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::any::TypeId;
    use std::path::PathBuf;

    use clap::CommandFactory;

    use super::*;
    use crate::cli::args::Args;

    /// Without a hint it would be neither completed nor checked.
    fn assert_hints(command: &Command) -> usize {
        let takes_path = |arg: &&Arg| arg.get_value_parser().type_id() == TypeId::of::<PathBuf>();
        let mut paths = 0;
        for arg in command.get_arguments().filter(takes_path) {
            let hint = arg.get_value_hint();
            assert!(is_local(arg) || hint == ValueHint::AnyPath, "{} {hint:?}", flag(arg));
            paths += 1;
        }
        paths + command.get_subcommands().map(assert_hints).sum::<usize>()
    }

    #[test]
    fn each_argument_that_takes_a_path_says_so() {
        assert!(assert_hints(&Args::command()) > 12);
    }
}

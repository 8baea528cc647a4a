//! The keys of a pipeline file that stand for flags: each flag below a heading of `host run --help` is one, in the table of that
//! name. So a flag and its key cannot drift apart: there is no other list of them.

use std::any::TypeId;
use std::ffi::OsString;
use std::ops::Range;
use std::path::Path;

use bytesize::ByteSize;
use clap::builder::ValueHint;
use clap::{Arg, ArgAction, Command};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::chains::{kind, scalar};
use super::text::{Text, nearest};
use crate::cli::local::{is_local, refuse};
use crate::cli::say::Abort;
use crate::settings::RejectsMax;

/// A key that a file sets, as what it says on a command line.
pub(super) struct Key {
    /// The flag that it stands for.
    pub(super) id: String,
    /// Each value, and where it is; a flag without a value has an empty one.
    pub(super) words: Vec<(OsString, Range<usize>)>,
    /// Where the key is.
    pub(super) span: Range<usize>,
}

/// A flag's name as a key: `max-record` is `max_record`.
fn key_of(arg: &Arg) -> String {
    arg.get_long().unwrap_or(arg.get_id().as_str()).replace('-', "_")
}

/// A heading as the name of a table.
fn table_of(arg: &Arg) -> Option<String> {
    arg.get_help_heading().map(str::to_lowercase)
}

/// The tables that hold flags.
pub(super) fn tables(run: &Command) -> Vec<String> {
    let mut tables: Vec<String> = run.get_arguments().filter_map(table_of).collect();
    tables.dedup();
    tables
}

/// The table that has this key.
pub(super) fn home(run: &Command, key: &str) -> Option<String> {
    run.get_arguments().find(|arg| key_of(arg) == key).and_then(table_of)
}

/// What one table of a file says.
pub(super) fn read(
    text: &Text,
    run: &Command,
    name: &str,
    table: &DeTable<'_>,
) -> Result<Vec<Key>, Abort> {
    let mut keys = Vec::with_capacity(table.len());
    for (key, value) in table {
        let arg = run.get_arguments().find(|arg| {
            table_of(arg).as_deref() == Some(name) && key_of(arg) == key.get_ref().as_ref()
        });
        let Some(arg) = arg else { return Err(unknown(text, run, name, key)) };
        let words = words(text, arg, value)?;
        keys.push(Key { id: arg.get_id().to_string(), words, span: key.span() });
    }
    Ok(keys)
}

fn unknown(
    text: &Text,
    run: &Command,
    name: &str,
    key: &Spanned<std::borrow::Cow<'_, str>>,
) -> Abort {
    let word: &str = key.get_ref();
    let own: Vec<String> = run
        .get_arguments()
        .filter(|arg| table_of(arg).as_deref() == Some(name))
        .map(key_of)
        .collect();
    let hint = match (home(run, word), nearest(word, own.iter().map(String::as_str))) {
        (Some(table), _) => format!("`{word}` is a key of [{table}]"),
        (None, Some(near)) => format!("did you mean `{near}`?"),
        (None, None) => format!("it has {}", own.join(", ")),
    };
    let message = format!("unknown key `{word}` in [{name}]");
    text.wrong(&key.span(), message).hint(Some(&*hint))
}

/// What a key says, as the words of its flag.
fn words(
    text: &Text,
    arg: &Arg,
    value: &Spanned<DeValue<'_>>,
) -> Result<Vec<(OsString, Range<usize>)>, Abort> {
    let wrong = |at: &Spanned<DeValue<'_>>, expected: &str| {
        let message = format!("`{}` is {expected}, got {}", key_of(arg), kind(at.get_ref()));
        text.wrong(&at.span(), message)
    };
    let one = |value: &Spanned<DeValue<'_>>| {
        let word = match value.get_ref() {
            DeValue::String(_) => scalar(value.get_ref()),
            DeValue::Integer(_) if takes_integers(arg) => scalar(value.get_ref()),
            _ => None,
        };
        let expected = match (takes_integers(arg), takes_strings(arg)) {
            (true, false) => "an integer",
            (true, true) => "a string or an integer",
            _ => "a string",
        };
        let word = word.ok_or_else(|| wrong(value, expected))?;
        let is_path = matches!(
            arg.get_value_hint(),
            ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath
        );
        if is_local(arg) {
            refuse(&key_of(arg), Path::new(&word))
                .map_err(|no| no.at(Some(&text.at(&value.span()))))?;
        }
        let word = if is_path { text.path(&word).into_os_string() } else { word.into() };
        Ok((word, value.span()))
    };
    match arg.get_action() {
        ArgAction::SetTrue => match value.get_ref() {
            DeValue::Boolean(true) => Ok(vec![(OsString::new(), value.span())]),
            DeValue::Boolean(false) => Ok(Vec::new()),
            _ => Err(wrong(value, "true or false")),
        },
        ArgAction::Count => {
            let times = value.get_ref().as_integer().and_then(|times| times.as_str().parse().ok());
            let expected = || format!("`{}` is an integer from 0 to 255", key_of(arg));
            let times: u8 = times.ok_or_else(|| text.wrong(&value.span(), expected()))?;
            Ok((0..times).map(|_| (OsString::new(), value.span())).collect())
        }
        ArgAction::Append => match value.get_ref() {
            DeValue::Array(elements) => elements.iter().map(one).collect(),
            DeValue::String(_) => Ok(vec![one(value)?]),
            _ => Err(wrong(value, "a string or an array of strings")),
        },
        _ => Ok(vec![one(value)?]),
    }
}

fn takes(arg: &Arg, types: &[TypeId]) -> bool {
    let own = arg.get_value_parser().type_id();
    types.iter().any(|one| own == *one)
}

fn takes_integers(arg: &Arg) -> bool {
    let numbers = [TypeId::of::<u64>(), TypeId::of::<usize>()];
    takes(arg, &numbers) || takes(arg, &[TypeId::of::<ByteSize>(), TypeId::of::<RejectsMax>()])
}

/// Whether it takes anything but an integer.
fn takes_strings(arg: &Arg) -> bool {
    !takes(arg, &[TypeId::of::<u64>(), TypeId::of::<usize>()])
}

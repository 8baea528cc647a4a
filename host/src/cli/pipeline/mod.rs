//! `--pipeline`: a file that says what flags say. It becomes words of a command line that the flags' own parser reads: one path
//! through the code, whoever says it. What a flag says wins over the file, what the file says over a default.

mod chains;
mod keys;
mod text;

use std::error::Error as _;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches};
use toml::de::DeTable;

use super::args::{Args, Command as Asked, RunArgs};
use super::say::Abort;
use super::settings;
use super::stages::Stages;
use crate::input::Transcoding;
use keys::Key;
use text::{Text, nearest};

/// The keys that name sources: as one, they give way to a flag.
const INPUTS: [&str; 3] = ["files", "files_from", "null"];

/// What the user asks for: by flags, and by a file where they name one.
pub(super) fn asked(args: RunArgs, given: &ArgMatches) -> Result<(RunArgs, Stages), Abort> {
    let given = given.subcommand_matches("run");
    let (args, mut stages) = if let (Some(path), Some(given)) = (args.pipeline.clone(), given) {
        combine(args, &path, given)?
    } else {
        let stages = Stages::of_flags(&args.plugin)?;
        (args, stages)
    };
    stages.set(&args.set)?;
    Ok((args, stages))
}

/// Fills in from the file what no flag says.
fn combine(args: RunArgs, path: &Path, given: &ArgMatches) -> Result<(RunArgs, Stages), Abort> {
    let text = Text::read(path)?;
    let mut command = Args::command();
    command.build();
    let Some(run) = command.find_subcommand("run") else { return Ok((args, Stages::default())) };
    // What is wrong with the flags and the environment is no fault of the file's.
    settings::settings(&args)?;
    let (keys, stages) = read(&text, run)?;
    for key in &keys {
        check(&text, run, key)?;
    }
    let stages = if args.plugin.is_empty() { stages } else { Stages::of_flags(&args.plugin)? };
    if stages.chains.is_empty() {
        let hint = "name one in a [[stage]], or with --plugin";
        return Err(text.refused("no plugin").hint(Some(hint)));
    }
    let keys: Vec<&Key> = keys.iter().filter(|key| !gives_way(run, key, given)).collect();
    let line = |but: Option<&Key>| {
        let kept = keys.iter().filter(|key| but.is_none_or(|but| but.id != key.id));
        let mut whole = std::env::args_os();
        let mut line: Vec<OsString> = whole.by_ref().take(2).collect(); // `host run`
        line.extend(kept.flat_map(|key| as_flags(run, key)));
        line.extend(whole);
        line
    };
    let mut args = match parse(line(None)) {
        Ok(args) => args?,
        Err(error) => {
            let is_to_blame = |key: &&&Key| parse(line(Some(key))).is_ok();
            let abort = Abort::new(in_a_line(&error));
            return Err(match keys.iter().find(is_to_blame) {
                Some(key) => abort.at(Some(&text.at(&key.span))),
                None => text.refused(abort.message()),
            });
        }
    };
    if let Some(files) = keys.iter().find(|key| key.id == "files") {
        args.inputs.files = files.words.iter().map(|(file, _)| PathBuf::from(file)).collect();
    }
    Ok((args, stages))
}

/// All that a file says.
fn read(text: &Text, run: &Command) -> Result<(Vec<Key>, Stages), Abort> {
    let document = DeTable::parse(&text.text).map_err(|error| {
        let at = error.span().unwrap_or_default();
        text.wrong(&at, error.message())
    })?;
    let tables = keys::tables(run);
    let (mut keys, mut stages, mut branches) = (Vec::new(), None, None);
    for (name, value) in document.get_ref() {
        match name.get_ref().as_ref() {
            "stage" => stages = Some(value),
            "branch" => branches = Some(value),
            table if tables.iter().any(|known| known == table) => {
                let Some(content) = value.get_ref().as_table() else {
                    let got = chains::kind(value.get_ref());
                    let message = format!("`{table}` is a table, got {got}");
                    return Err(text.wrong(&value.span(), message));
                };
                keys.extend(keys::read(text, run, table, content)?);
            }
            other => {
                let known = || tables.iter().map(String::as_str).chain(["stage", "branch"]);
                let home = keys::home(run, other);
                let hint = match (home, nearest(other, known())) {
                    (Some(table), _) => format!("`{other}` is a key of [{table}]"),
                    (None, Some(near)) => format!("did you mean `{near}`?"),
                    (None, None) => {
                        format!("a file has {}", known().collect::<Vec<_>>().join(", "))
                    }
                };
                let message = format!("unknown key `{other}`");
                return Err(text.wrong(&name.span(), message).hint(Some(&*hint)));
            }
        }
    }
    let stages = chains::read(text, stages, branches)?;
    Ok((keys, stages))
}

/// Whether a flag, or the environment, says it instead.
fn gives_way(run: &Command, key: &Key, given: &ArgMatches) -> bool {
    let is_said = |id: &str| {
        let source = given.value_source(id);
        matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
    };
    if INPUTS.contains(&key.id.as_str()) {
        return is_said("files") || is_said("files_from");
    }
    let find = |id: &str| run.get_arguments().find(|arg| arg.get_id() == id);
    let conflicts = |one: &str, other: &str| {
        let of = find(one).map(|arg| run.get_arg_conflicts_with(arg)).unwrap_or_default();
        of.iter().any(|arg| arg.get_id() == other)
    };
    run.get_arguments()
        .map(|arg| arg.get_id().as_str())
        .any(|id| is_said(id) && (id == key.id || conflicts(id, &key.id) || conflicts(&key.id, id)))
}

/// A key as flags. Sources have none: what is called `--help` is a file there.
fn as_flags(run: &Command, key: &Key) -> Vec<OsString> {
    let arg = run.get_arguments().find(|arg| arg.get_id() == key.id.as_str());
    let Some((arg, long)) = arg.and_then(|arg| Some((arg, arg.get_long()?))) else {
        return Vec::new();
    };
    let flag = |(word, _): &(OsString, _)| {
        let mut flag = OsString::from(format!("--{long}"));
        if arg.get_action().takes_values() {
            flag.push("=");
            flag.push(word);
        }
        flag
    };
    key.words.iter().map(flag).collect()
}

/// Refuses a value that its flag would refuse.
fn check(text: &Text, run: &Command, key: &Key) -> Result<(), Abort> {
    for (word, span) in &key.words {
        let one = Key {
            id: key.id.clone(),
            words: vec![(word.clone(), span.clone())],
            span: span.clone(),
        };
        let mut line: Vec<OsString> = ["host", "run", "--plugin="].map(OsString::from).into();
        line.extend(as_flags(run, &one));
        let args = match parse(line) {
            Ok(args) => args?,
            Err(error) => match reason(&error) {
                Some(reason) => return Err(text.wrong(span, reason)),
                // Whatever else is wrong is about several flags, and looked at with all of them.
                None => continue,
            },
        };
        let wrong = |message: String| text.wrong(span, message);
        settings::settings(&args).map_err(|abort| wrong(abort.message().to_string()))?;
        settings::framing(&args).map_err(|abort| wrong(abort.message().to_string()))?;
        args.inputs.encoding.parse::<Transcoding>().map_err(|error| wrong(error.to_string()))?;
    }
    Ok(())
}

fn parse(line: Vec<OsString>) -> Result<Result<RunArgs, Abort>, clap::Error> {
    let args = Args::from_arg_matches(&Args::command().try_get_matches_from(line)?)?;
    Ok(match args.command {
        Asked::Run(args) => Ok(*args),
        _ => Err(Abort::new("--pipeline is for `host run`")),
    })
}

/// Why the parser refuses a value, in a few words; none where it is not about one.
fn reason(error: &clap::Error) -> Option<String> {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(one)) => Some(one.clone()),
        Some(ContextValue::Strings(all)) => Some(all.join(", ")),
        _ => None,
    };
    let value = context(ContextKind::InvalidValue).unwrap_or_default();
    match error.kind() {
        ErrorKind::ValueValidation => {
            let why = error.source().map(ToString::to_string).unwrap_or_default();
            Some(format!("invalid value `{value}`: {why}"))
        }
        ErrorKind::InvalidValue => {
            let expected = context(ContextKind::ValidValue).unwrap_or_default();
            Some(format!("invalid value `{value}`: expected one of {expected}"))
        }
        ErrorKind::InvalidUtf8 => Some("invalid value: it is not UTF-8".into()),
        _ => None,
    }
}

/// What the parser says of flags that do not go together, without its advice.
fn in_a_line(error: &clap::Error) -> String {
    let told = error.to_string();
    let first = told.trim_start_matches("error: ").split("\n\n").next().unwrap_or_default();
    first.split_whitespace().collect::<Vec<_>>().join(" ")
}

//! The plugins in a pipeline file: `[[stage]]`, or `[[branch]]` with stages of their own.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::text::{Text, nearest};
use crate::cli::local::refuse;
use crate::cli::say::Abort;
use crate::cli::stages::{Setting, Stage, Stages};
use crate::name::Shown;

type Value<'t> = Spanned<DeValue<'t>>;

/// The stages of a file: one chain, or one for each branch. None where the file names no plugin.
pub(super) fn read(
    text: &Text,
    stages: Option<&Value<'_>>,
    branches: Option<&Value<'_>>,
) -> Result<Stages, Abort> {
    let chains = match (stages, branches) {
        (Some(_), Some(branches)) => {
            let message = "a file has either [[stage]] or [[branch]], not both";
            let hint =
                "stages before several branches belong into each of them, as [[branch.stage]]";
            return Err(text.wrong(&first(branches), message).hint(Some(hint)));
        }
        (Some(stages), None) => vec![chain(text, stages)?],
        (None, Some(branches)) => tables(text, "branch", branches)?
            .map(|table| branch(text, table?))
            .collect::<Result<_, _>>()?,
        (None, None) => Vec::new(),
    };
    Ok(Stages { chains })
}

/// A table, and where it is.
type Table<'a, 't> = (&'a DeTable<'t>, Range<usize>);

/// Where an array of tables begins: at the first of them.
fn first(value: &Value<'_>) -> Range<usize> {
    let elements = value.get_ref().as_array();
    elements.and_then(|array| array.first()).map_or(value.span(), Spanned::span)
}

/// The elements of an array of tables.
fn tables<'a, 't>(
    text: &'a Text,
    name: &'static str,
    value: &'a Value<'t>,
) -> Result<impl Iterator<Item = Result<Table<'a, 't>, Abort>>, Abort> {
    let wrong = move |at: &Value<'_>| {
        let message = format!("`{name}` is a list of tables, got {}", kind(at.get_ref()));
        text.wrong(&at.span(), message).hint(Some(&*format!("write it as [[{name}]]")))
    };
    let array = value.get_ref().as_array().ok_or_else(|| wrong(value))?;
    Ok(array.iter().map(move |element| {
        let table = element.get_ref().as_table().ok_or_else(|| wrong(element))?;
        Ok((table, element.span()))
    }))
}

fn branch(text: &Text, (table, span): Table<'_, '_>) -> Result<Vec<Stage>, Abort> {
    known(text, table, &["stage"], "a [[branch]]")?;
    let Some((_, stages)) = table.iter().find(|(key, _)| key.get_ref() == "stage") else {
        let hint = "each is a [[branch.stage]]";
        return Err(text.wrong(&span, "a branch has at least one stage").hint(Some(hint)));
    };
    chain(text, stages)
}

fn chain(text: &Text, stages: &Value<'_>) -> Result<Vec<Stage>, Abort> {
    let stages: Vec<_> = tables(text, "stage", stages)?
        .map(|table| stage(text, table?))
        .collect::<Result<_, _>>()?;
    Ok(stages)
}

fn stage(text: &Text, (table, span): Table<'_, '_>) -> Result<Stage, Abort> {
    known(text, table, &["plugin", "name", "settings"], "a [[stage]]")?;
    let get = |name: &str| table.iter().find(|(key, _)| key.get_ref() == name).map(|found| found.1);
    let Some(plugin) = get("plugin") else {
        let hint = "plugin = \"PLUGIN.wasm\"";
        return Err(text.wrong(&span, "a stage has a plugin").hint(Some(hint)));
    };
    let path = text.path(string(text, "plugin", plugin)?);
    refuse("plugin", &path).map_err(|no| no.at(Some(&text.at(&plugin.span()))))?;
    if let Err(error) = path.metadata() {
        return Err(text.wrong(&plugin.span(), format!("{}: {error}", Shown::of(&path))));
    }
    let name = match get("name") {
        Some(name) => string(text, "name", name)?.to_string(),
        None => Stage::default_name(&path),
    };
    let settings = get("settings").map_or_else(|| Ok(Vec::new()), |value| settings(text, value))?;
    Ok(Stage { name, path, settings, at: Some(text.at(&plugin.span())) })
}

fn settings(text: &Text, value: &Value<'_>) -> Result<Vec<Setting>, Abort> {
    let Some(table) = value.get_ref().as_table() else {
        let message = format!("`settings` is a table, got {}", kind(value.get_ref()));
        return Err(text.wrong(&value.span(), message));
    };
    let mut settings = Vec::with_capacity(table.len());
    for (key, value) in table {
        let word = scalar(value.get_ref()).ok_or_else(|| {
            let kind = kind(value.get_ref());
            let message = format!("a setting is a string, number or boolean, got {kind}");
            text.wrong(&value.span(), message)
        })?;
        let at = Some(text.at(&key.span()));
        settings.push(Setting { key: key.get_ref().to_string(), value: word, at });
    }
    Ok(settings)
}

/// Refuses keys that the table does not have.
fn known(text: &Text, table: &DeTable<'_>, keys: &[&str], what: &str) -> Result<(), Abort> {
    for key in table.keys() {
        let name: &str = key.get_ref();
        if !keys.contains(&name) {
            let all = keys.join(", ");
            let hint = match nearest(name, keys.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it has {all}"),
            };
            let message = format!("unknown key `{name}` in {what}");
            return Err(text.wrong(&key.span(), message).hint(Some(&*hint)));
        }
    }
    Ok(())
}

fn string<'a>(text: &Text, key: &str, value: &'a Value<'_>) -> Result<&'a str, Abort> {
    value.get_ref().as_str().ok_or_else(|| {
        let message = format!("`{key}` is a string, got {}", kind(value.get_ref()));
        text.wrong(&value.span(), message)
    })
}

/// A single value as a flag would have it.
pub(super) fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Boolean(yes) => Some(yes.to_string()),
        DeValue::Integer(number) => {
            // What is too large for that is told by whoever takes it, as it was written.
            let parsed = i128::from_str_radix(number.as_str(), number.radix());
            Some(parsed.map_or_else(|_| number.as_str().to_string(), |number| number.to_string()))
        }
        DeValue::Float(number) => Some(number.as_str().to_string()),
        DeValue::Datetime(time) => Some(time.to_string()),
        DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

/// What a value is, with its article.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

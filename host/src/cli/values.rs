//! What flags take that is neither a number nor a word of clap's: read, or told what was expected.

use crate::settings::{Durable, Exists, Join, RejectsMax};

pub(super) fn exists(text: &str) -> Result<Exists, String> {
    let found = Exists::ALL.into_iter().find(|exists| exists.word() == text);
    found.ok_or_else(|| "expected fail, skip or replace".to_string())
}

pub(super) fn join(text: &str) -> Result<Join, String> {
    let found = Join::ALL.into_iter().find(|join| join.word() == text);
    found.ok_or_else(|| "expected record or none".to_string())
}

pub(super) fn durable(text: &str) -> Result<Durable, String> {
    let found = Durable::ALL.into_iter().find(|durable| durable.word() == text);
    found.ok_or_else(|| "expected synced or fast".to_string())
}

pub(super) fn rejects_max(text: &str) -> Result<RejectsMax, String> {
    let unknown = |_| "expected a number, or a percentage up to 100%".to_string();
    match text.strip_suffix('%') {
        Some(percent) => match percent.parse().map_err(unknown)? {
            percent @ 0..=100 => Ok(RejectsMax::Percent(percent)),
            _ => Err("expected a number, or a percentage up to 100%".to_string()),
        },
        None => text.parse().map(RejectsMax::Records).map_err(unknown),
    }
}

pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_string(), value.to_string())),
        _ => Err("expected KEY=VALUE".to_string()),
    }
}

//! The plugin: what is looked for, and what is put in its place.

use gristmill_sdk::{
    Chunk, Error, Framing, Kept, Manifest, Settings, Source, Transformer, count, manifest, records,
    reject,
};
use simdutf8::{basic, compat};

use crate::closer::{Lines, Search};
use crate::find::Class;
use crate::mask::Mask;
use crate::scan::Bytes;
use crate::settings;
use crate::views::is_json;

/// The plugin, with the settings of a run.
#[derive(Clone, Debug)]
pub struct Redact {
    search: Search,
    mask: Mask,
}

impl Transformer for Redact {
    type State = ();

    fn manifest() -> Manifest {
        settings::declare(manifest!().framing(Framing::Lines)).reads_text()
    }

    fn configure(settings: &Settings) -> Result<Self, Error> {
        let mask = Mask::configure(settings)?;
        Ok(Self { search: settings::search(settings, &mask)?, mask })
    }

    fn open(&self, _: Source) {}

    fn push(&self, (): &mut (), _: Chunk, data: Vec<u8>) -> Result<Vec<u8>, Error> {
        let mut text = data;
        if self.search.lines == Lines::Json {
            text = without_lines(text, Text::Json);
        }
        let mut first = self.search.first_look(&text);
        if first.bytes == Bytes::Others && basic::from_utf8(&text).is_err() {
            text = without_lines(text, Text::Utf8);
            first = self.search.first_look(&text);
        }
        if self.mask.is_stars() && self.search.is_all(&text, &first) {
            tell(first.hits.iter().map(|hit| hit.class));
            for hit in first.hits {
                if let Some(found) = text.get_mut(hit.place) {
                    found.fill(b'*');
                }
            }
            return Ok(text);
        }
        let found = self.search.search(&text, first);
        tell(found.iter().map(|it| it.class));
        Ok(if found.is_empty() { text } else { self.mask.apply(text, &found) })
    }
}

/// What a line has to be.
#[derive(Clone, Copy)]
enum Text {
    Utf8,
    Json,
}

impl Text {
    fn check(self, line: &[u8]) -> Result<(), String> {
        match self {
            Self::Utf8 => compat::from_utf8(line).map(|_| ()).map_err(|error| {
                format!("is not UTF-8 at byte {} of the line", error.valid_up_to())
            }),
            Self::Json if line.trim_ascii().is_empty() || is_json(line) => Ok(()),
            Self::Json => Err("is not JSON".into()),
        }
    }
}

/// Leaves out, and sets aside, the lines that are not what they have to be. A sequence of UTF-8
/// that is cut short by a line feed is bad on its own, so text without a bad sequence is text
/// without a bad line.
fn without_lines(data: Vec<u8>, text: Text) -> Vec<u8> {
    let mut good = Vec::new();
    let mut next = 0;
    for line in records::lines_with_end(&data) {
        let place = next..next + line.len();
        next = place.end;
        match text.check(line) {
            Ok(()) => good.push(place),
            Err(reason) => {
                reject(place.start as u64, &reason, line.strip_suffix(b"\n").unwrap_or(line));
            }
        }
    }
    let mut kept = Kept::of(data);
    for line in good {
        kept.keep(line);
    }
    kept.into_output()
}

/// Counters by class.
const COUNTERS: [(Class, &str); 8] = [
    (Class::Email, "emails"),
    (Class::Card, "cards"),
    (Class::Ip, "ips"),
    (Class::Phone, "phones"),
    (Class::Iban, "ibans"),
    (Class::Ssn, "ssns"),
    (Class::Token, "tokens"),
    (Class::Pattern, "patterns"),
];

/// Adds to the counters of the run.
fn tell(found: impl Iterator<Item = Class>) {
    let mut counts = [0_u64; COUNTERS.len()];
    for class in found {
        if let Some(count) = counts.get_mut(class as usize) {
            *count += 1;
        }
    }
    for ((class, counter), by) in COUNTERS.iter().zip(counts) {
        debug_assert!(COUNTERS.get(*class as usize).is_some_and(|(same, _)| same == class));
        if by > 0 {
            count(counter, by);
        }
    }
}

#[cfg(test)]
mod tests;

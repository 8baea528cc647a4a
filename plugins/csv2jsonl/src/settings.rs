//! The settings: what they are called, and what they may be.

use std::fmt::Display;

use gristmill_sdk::{Error, Manifest, Settings};

use crate::columns::{Duplicates, Header, Names, name};
use crate::field::{Reading, Stray};
use crate::rows::Types;
use crate::scan::{Dialect, End, Quotes, ends};

/// What `delimiter=auto` looks for, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Records before a header, at most: a host gives a thousand, and the header is one of them.
const SKIPPED_MAX: u32 = 999;

/// What the settings ask for.
#[derive(Clone, Debug)]
pub(crate) struct Csv {
    /// None if the header names them.
    delimiter: Option<u8>,
    quotes: Quotes,
    pub(crate) stray: Stray,
    pub(crate) types: Types,
    pub(crate) null: Option<Vec<u8>>,
    header: Header,
    duplicates: Duplicates,
    own: Vec<Vec<u8>>,
}

/// Adds the settings to a manifest.
pub(crate) fn declare(manifest: Manifest) -> Manifest {
    manifest
        .setting(
            "delimiter",
            ",",
            "What separates fields: one ASCII character, \\t for a tab, or auto: what the header has most of , ; tab and |.",
        )
        .setting("quote", "double", "double: quotes open fields at their start. none: they are characters as others.")
        .setting("stray", "reject", "Quotes where none may be: reject the record, or keep them as Python does.")
        .setting("header", "first", "Where names are: first record, skip:N for the one behind N others, or none.")
        .setting("names", "", "Names to use, as a record of CSV: for header=none, or instead of those that are there.")
        .setting("duplicates", "fail", "A name that is there twice: fail, or rename to name_2.")
        .setting("types", "off", "on: numbers, true and false without quotes stay without.")
        .setting("null", "off", "What without quotes becomes null: a text, or empty for nothing at all.")
        // The host cuts as these settings say.
        .property("framing-settings", "delimiter=delimiter quote=quote")
        // The host gives as many records more.
        .property("header-setting", "header")
}

impl Csv {
    /// What the user wants.
    pub(crate) fn read(settings: &Settings) -> Result<Self, Error> {
        let one = |key: &str| settings.parse::<String>(key);
        let quotes = [("double", Quotes::Double), ("none", Quotes::None)];
        let quotes = settings.choice("quote", &quotes)?;
        let stray = [("reject", Stray::Flaw), ("keep", Stray::Text)];
        let stray = settings.choice("stray", &stray)?;
        let header = header(&one("header")?)?;
        let duplicates = [("fail", Duplicates::Fail), ("rename", Duplicates::Rename)];
        let duplicates = settings.choice("duplicates", &duplicates)?;
        let types = settings.choice("types", &[("off", Types::Off), ("on", Types::On)])?;
        let null = match one("null")?.as_str() {
            "off" => None,
            "empty" => Some(Vec::new()),
            text => Some(text.into()),
        };
        let delimiter = delimiter(&one("delimiter")?)?;
        let own = own_names(&one("names")?)?;
        Ok(Self { delimiter, quotes, stray, types, null, header, duplicates, own })
    }

    /// How the names of a source are made that has this header.
    pub(crate) fn names(&self, header: &[u8]) -> Names {
        let quotes = self.quotes;
        let delimiter = self.delimiter.unwrap_or_else(|| sniffed(header, quotes, self.header));
        Names {
            dialect: Dialect { delimiter, quotes },
            stray: self.stray,
            header: self.header,
            duplicates: self.duplicates,
            own: self.own.clone(),
        }
    }
}

/// The delimiter that makes most fields of the header, and leaves no quote inside one.
fn sniffed(given: &[u8], quotes: Quotes, header: Header) -> u8 {
    let fields = |delimiter: u8| {
        let dialect = Dialect { delimiter, quotes };
        let skipped = header.begins(given, dialect).unwrap_or_default();
        let header = given.get(skipped..).unwrap_or_default();
        let (mut fields, mut start, mut ended, mut stray) = (0, 0, false, false);
        ends(header, dialect, |at, end| {
            if !ended {
                let field = header.get(start..at).unwrap_or_default();
                fields += 1;
                stray |=
                    quotes == Quotes::Double && !field.starts_with(b"\"") && field.contains(&b'"');
            }
            start = at + 1;
            ended |= end != End::Field;
        });
        if stray { 0 } else { fields }
    };
    let best = DELIMITERS.into_iter().rev().max_by_key(|&delimiter| fields(delimiter));
    best.unwrap_or(b',')
}

/// The user's names, as strings of JSON.
fn own_names(text: &str) -> Result<Vec<Vec<u8>>, Error> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let refused =
        |why: &dyn Display| Error::fatal(format_args!("setting `names` cannot be `{text}`: {why}"));
    let reading = Reading { quotes: Quotes::Double, stray: Stray::Flaw };
    let dialect = Dialect { delimiter: b',', quotes: Quotes::Double };
    let (mut names, mut start) = (Vec::new(), 0);
    ends(text.as_bytes(), dialect, |at, end| {
        names.push(name(text.as_bytes(), start..at, end, reading));
        start = at + 1;
    });
    let names = names.into_iter().collect::<Result<Vec<_>, _>>();
    let names = names.map_err(|(_, why)| refused(&why))?;
    let twice =
        names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|it| it == *name));
    match twice {
        Some((_, twice)) => {
            Err(refused(&format_args!("{} is there twice", String::from_utf8_lossy(twice))))
        }
        None => Ok(names),
    }
}

fn header(text: &str) -> Result<Header, Error> {
    let skip = |text: &str| text.strip_prefix("skip:")?.parse().ok();
    match (text, skip(text)) {
        ("first", _) => Ok(Header::FIRST),
        ("none", _) => Ok(Header::None),
        (_, Some(records @ 0..=SKIPPED_MAX)) => Ok(Header::Behind(records)),
        _ => Err(Error::fatal(format_args!(
            "setting `header` cannot be `{text}`: it is first, none, or skip:N with N up to {SKIPPED_MAX}"
        ))),
    }
}

fn delimiter(text: &str) -> Result<Option<u8>, Error> {
    match text.as_bytes() {
        b"auto" => Ok(None),
        br"\t" => Ok(Some(b'\t')),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(Some(*byte)),
        _ => Err(Error::fatal(format_args!(
            "setting `delimiter` cannot be `{text}`: it is one ASCII character, \\t or auto, and neither quote nor line break"
        ))),
    }
}

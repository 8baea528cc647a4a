//! The names in the header, as they stand before the values of a row.

use std::collections::HashSet;
use std::ops::Range;

use crate::field::{Flaw, Reading, Stray, push_string};
use crate::output::{BLOCK_BYTES, Output, padded};
use crate::scan::{Dialect, End, ends};

/// What stands before each value: `{"name":` for the first one, `,"name":` for the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Columns(Vec<Before>);

/// A short text in whole blocks, so that it is copied without a look at its length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Before {
    blocks: Vec<[u8; BLOCK_BYTES]>,
    /// How many bytes of the last block count.
    last_bytes: usize,
}

impl Columns {
    /// Reads the header among the first records of a source, and returns how many bytes it takes,
    /// with the bytes before it and its line end.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub(crate) fn read(given: &[u8], names: &Names) -> Result<(Self, usize), (usize, String)> {
        let begins = names.header.begins(given, names.dialect)?;
        let header = given.get(begins..).unwrap_or_default();
        match Self::read_first(header, names) {
            Ok((columns, bytes)) => Ok((columns, begins + bytes)),
            Err((at, why)) => Err((begins + at, why)),
        }
    }

    fn read_first(header: &[u8], names: &Names) -> Result<(Self, usize), (usize, String)> {
        let (mut fields, mut end, mut start) = (Vec::new(), None, 0);
        ends(header, names.dialect, |at, what| {
            if end.is_none() {
                fields.push((start..at, what));
                end = (what != End::Field).then_some((at + 1).min(header.len()));
                start = at + 1;
            }
        });
        let end = end.unwrap_or_default();
        let record = header.get(..end).unwrap_or_default();
        if let Err(error) = simdutf8::compat::from_utf8(record) {
            return Err((error.valid_up_to(), "the header is not UTF-8".into()));
        }
        if names.header == Header::None {
            let count = fields.len();
            let numbered = (1..=count).map(|number| format!("\"column{number}\"").into_bytes());
            return Ok((Self::of(&names.given(count)?.unwrap_or_else(|| numbered.collect())), 0));
        }
        let count = fields.len();
        let read = |(place, what): (Range<usize>, End)| {
            let start = place.start;
            let name = name(record, place, what, names.reading());
            name.map_err(|(inside, why)| (start + inside, why.to_owned()))
        };
        let found = fields.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if matches!(found.as_slice(), [] | [_]) && record.trim_ascii().is_empty() {
            return Err((0, "the header is empty".into()));
        }
        let found = names.given(count)?.unwrap_or(found);
        Ok((Self::of(&unique(found, names.duplicates)?), end))
    }

    /// Of names that are strings of JSON.
    fn of(names: &[Vec<u8>]) -> Self {
        let before = names.iter().enumerate().map(|(column, name)| {
            let opening: &[u8] = if column == 0 { b"{" } else { b"," };
            Before::new(&[opening, name, b":"].concat())
        });
        Self(before.collect())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Appends what stands before the value of a column, and returns whether there is such a
    /// column.
    #[inline]
    pub(crate) fn push_before(&self, column: usize, out: &mut Output) -> bool {
        let Some(Before { blocks, last_bytes }) = self.0.get(column) else { return false };
        if let Some((last, blocks)) = blocks.split_last() {
            for block in blocks {
                out.push_block(block, BLOCK_BYTES);
            }
            out.push_block(last, *last_bytes);
        }
        true
    }
}

impl Before {
    fn new(text: &[u8]) -> Self {
        let blocks: Vec<_> = text.chunks(BLOCK_BYTES).map(padded).collect();
        let last_bytes = text.chunks(BLOCK_BYTES).last().map_or(0, <[u8]>::len);
        Self { blocks, last_bytes }
    }
}

/// Where names come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// The record behind so many others.
    Behind(u32),
    /// None of the records.
    None,
}

impl Header {
    /// The first record.
    pub(crate) const FIRST: Self = Self::Behind(0);

    /// Where it begins in the first records of a source.
    ///
    /// # Errors
    /// There are too few.
    pub(crate) fn begins(self, given: &[u8], dialect: Dialect) -> Result<usize, (usize, String)> {
        let Self::Behind(records @ 1..) = self else { return Ok(0) };
        let (mut left, mut start) = (records, 0);
        ends(given, dialect, |at, end| {
            let is_first_of_pair = given.get(at..at + 2) == Some(b"\r\n");
            if left > 0 && end == End::Record && !is_first_of_pair {
                left -= 1;
                start = (at + 1).min(given.len());
            }
        });
        if left > 0 || start == given.len() {
            let why = format!(
                "there is no header behind {records} records, as header=skip:{records} says"
            );
            return Err((0, why));
        }
        Ok(start)
    }
}

/// What becomes of a name that is there twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duplicates {
    /// The source fails.
    Fail,
    /// The second one of `a` is `a_2`.
    Rename,
}

/// How names are made.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) dialect: Dialect,
    pub(crate) stray: Stray,
    pub(crate) header: Header,
    pub(crate) duplicates: Duplicates,
    /// The user's own, if any, as strings of JSON.
    pub(crate) own: Vec<Vec<u8>>,
}

impl Names {
    fn reading(&self) -> Reading {
        Reading { quotes: self.dialect.quotes, stray: self.stray }
    }

    fn given(&self, columns: usize) -> Result<Option<Vec<Vec<u8>>>, (usize, String)> {
        match self.own.len() {
            0 => Ok(None),
            names if names == columns => Ok(Some(self.own.clone())),
            names => {
                Err((0, format!("the first record has {columns} fields, and `names` {names}")))
            }
        }
    }
}

/// Checks that no name is there twice, or makes it so.
fn unique(names: Vec<Vec<u8>>, duplicates: Duplicates) -> Result<Vec<Vec<u8>>, (usize, String)> {
    let mut seen: HashSet<Vec<u8>> = HashSet::new();
    let all: HashSet<Vec<u8>> = names.iter().cloned().collect();
    let mut made = Vec::with_capacity(names.len());
    for name in names {
        let mut next = name.clone();
        if seen.contains(&next) && duplicates == Duplicates::Fail {
            let twice = String::from_utf8_lossy(&next);
            return Err((
                0,
                format!(
                    "the header has the name {twice} twice: duplicates=rename gives it a number"
                ),
            ));
        }
        let mut number = 2;
        while seen.contains(&next) || (number > 2 && all.contains(&next)) {
            let bare = name.strip_suffix(b"\"").unwrap_or(&name);
            next = [bare, format!("_{number}\"").as_bytes()].concat();
            number += 1;
        }
        seen.insert(next.clone());
        made.push(next);
    }
    Ok(made)
}

/// A name as a string of JSON.
pub(crate) fn name(
    record: &[u8],
    place: Range<usize>,
    end: End,
    reading: Reading,
) -> Result<Vec<u8>, (usize, &'static str)> {
    if end == End::InQuotes {
        return Err((0, "the quotes of the header do not end"));
    }
    let mut name = Output::default();
    match push_string(&mut name, record, place, reading) {
        Ok(()) => Ok(name.into_bytes()),
        Err((at, Flaw::QuoteInside)) => Err((at, "a quote inside a name of the header")),
        Err((at, Flaw::BehindQuote)) => Err((at, "text behind a quoted name of the header")),
    }
}

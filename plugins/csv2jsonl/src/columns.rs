//! The names in the header, as they stand before the values of a row.

use std::collections::HashSet;

use crate::field::{Flaw, push_string};
use crate::output::{BLOCK_BYTES, Output, padded};
use crate::scan::{End, ends};

/// Written before UTF-8 by some programs (Unicode 16, section 23.8): it is no part of the first name.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

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
    /// Reads the header record.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub(crate) fn read(header: &[u8], delimiter: u8) -> Result<Self, (usize, String)> {
        let mark = if header.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let header = header.get(mark..).unwrap_or_default();
        if let Err(error) = simdutf8::compat::from_utf8(header) {
            return Err((mark + error.valid_up_to(), "the header is not UTF-8".into()));
        }
        let mut names = Ok(Vec::new());
        let mut start = 0;
        ends(header, delimiter, |at, end| {
            let field = header.get(start..at).unwrap_or_default();
            if let Ok(found) = &mut names {
                match name(field, end) {
                    Ok(name) => found.push(name),
                    Err((inside, why)) => names = Err((mark + start + inside, why.into())),
                }
            }
            start = at + 1;
        });
        let names = names?;
        if matches!(names.as_slice(), [only] if only == br#""""#) {
            return Err((mark, "the header is empty".into()));
        }
        let mut seen = HashSet::new();
        if let Some(twice) = names.iter().find(|name| !seen.insert(*name)) {
            let twice = String::from_utf8_lossy(twice);
            return Err((mark, format!("the header has the name {twice} twice")));
        }
        let before = names.iter().enumerate().map(|(column, name)| {
            let opening: &[u8] = if column == 0 { b"{" } else { b"," };
            Before::new(&[opening, name, b":"].concat())
        });
        Ok(Self(before.collect()))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Appends what stands before the value of a column, and tells whether there is such a column.
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

/// A name as a string of JSON.
fn name(field: &[u8], end: End) -> Result<Vec<u8>, (usize, &'static str)> {
    let field = match end {
        End::Field => field,
        End::Record => field.strip_suffix(b"\r").unwrap_or(field),
        End::InQuotes => return Err((0, "the quotes of the header do not end")),
    };
    let mut name = Output::default();
    match push_string(&mut name, field, 0..field.len()) {
        Ok(()) => Ok(name.into_bytes()),
        Err((at, Flaw::QuoteInside)) => Err((at, "a quote inside a name of the header")),
        Err((at, Flaw::BehindQuote)) => Err((at, "text behind a quoted name of the header")),
    }
}

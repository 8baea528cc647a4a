//! A text as it reads once its escapes are taken out, and where each byte of that stands in the
//! text.

mod json;
mod map;

use std::ops::Range;

use crate::escapes::{Escape, Escapes, is_odd};

pub(crate) use json::{Json, is_json, read as read_json};
pub(crate) use map::Map;

/// A text made of another one.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) text: Vec<u8>,
    pub(crate) map: Map,
}

impl View {
    /// The text without its escapes; none if it has none.
    pub(crate) fn without_escapes(text: &[u8], escapes: Escapes) -> Option<Self> {
        let mut view = Self::default();
        view.append(text, 0..text.len(), |text, at| escapes.at(text, at));
        view.map.has_units().then_some(view)
    }

    /// Appends a part of another text, without the escapes that `escape` sees at the bytes that may
    /// begin one.
    fn append(
        &mut self,
        text: &[u8],
        part: Range<usize>,
        escape: impl Fn(&[u8], usize) -> Option<Escape>,
    ) {
        let text = text.get(..part.end).unwrap_or_default();
        let mut next = part.start;
        let mut at = part.start;
        while let Some(odd) = next_odd(text, at) {
            let Some(escape) = escape(text, odd) else {
                at = odd + 1;
                continue;
            };
            self.verbatim(text, next..odd);
            self.map.unit(self.text.len(), odd..odd + escape.bytes);
            self.text.extend_from_slice(escape.meaning());
            next = odd + escape.bytes;
            at = next;
        }
        self.verbatim(text, next..part.end);
    }

    fn verbatim(&mut self, text: &[u8], part: Range<usize>) {
        self.map.verbatim(self.text.len(), part.clone());
        self.text.extend_from_slice(text.get(part).unwrap_or_default());
    }
}

fn next_odd(text: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    rest.iter().position(|&byte| is_odd(byte)).map(|at| from + at)
}

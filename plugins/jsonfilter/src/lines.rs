//! The lines of a chunk that are worth reading.

use std::ops::Range;

use memchr::{memchr, memrchr};

use crate::prefilter::Candidates;

/// Goes from line to line, past those that need not be read.
pub(crate) struct Lines<'a> {
    next: usize,
    candidates: Option<Candidates<'a>>,
}

impl<'a> Lines<'a> {
    /// All lines, or those that have a candidate.
    pub(crate) fn new(candidates: Option<Candidates<'a>>) -> Self {
        Self { next: 0, candidates }
    }

    /// The next line, with its line feed if it has one. Looks at nothing in front of the last one.
    pub(crate) fn next(&mut self, data: &[u8]) -> Option<Range<usize>> {
        let from = self.next;
        let rest = data.get(from..).filter(|rest| !rest.is_empty())?;
        let inside = match &mut self.candidates {
            None => 0,
            Some(candidates) => candidates.next(data, from)?.checked_sub(from)?,
        };
        let (before, after) = rest.split_at_checked(inside)?;
        let start = memrchr(b'\n', before).map_or(0, |at| at + 1);
        let end = memchr(b'\n', after).map_or(rest.len(), |at| inside + at + 1);
        self.next = from + end;
        Some(from + start..self.next)
    }
}

//! Whether a source gives bytes without waiting for its writer. What is there is decoded to see, as
//! it may be a part of something that gives nothing by itself.

use std::time::{Duration, Instant};

use super::{Decoder, Place};
use crate::input::DecodeError;
use crate::settings::limits::DECODE_LOOK_BYTES;
use crate::slices;

/// The longest usual beginning of a member, BGZF's: with less of it there, no member is begun that
/// need not be.
const BEGINNING_BYTES: usize = 18;

impl Decoder {
    /// Whether a read would not have to wait for somebody to write, at the latest after `within`.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub fn is_ready(&mut self, within: Duration) -> Result<bool, DecodeError> {
        let begun = Instant::now();
        loop {
            let settled = self.failed.is_some() || self.place == Place::End;
            if settled || !self.looked().is_empty() || !self.feed.may_wait() {
                return Ok(true);
            }
            if !self.starves() {
                self.look();
                continue;
            }
            let left = within.saturating_sub(begun.elapsed());
            if !self.feed.read_within(left).map_err(|error| self.error(error.into()))? {
                return Ok(false);
            }
        }
    }

    /// Whether the next step may have to wait for the source.
    pub(super) fn starves(&self) -> bool {
        let held = self.feed.held();
        match self.place {
            Place::Start | Place::Between => held.len() < BEGINNING_BYTES,
            Place::Member => !self.pending && self.engine.starves(held),
            Place::End => false,
        }
    }

    /// Takes a step, and keeps what comes out.
    fn look(&mut self) {
        let mut looked = std::mem::take(&mut self.looked);
        looked.resize(DECODE_LOOK_BYTES, 0);
        let stepped = self.step(&mut looked);
        looked.truncate(*stepped.as_ref().unwrap_or(&0));
        (self.looked, self.looked_at) = (looked, 0);
        self.failed = self.failed.take().or(stepped.err());
    }

    /// What was decoded ahead and not yet read.
    fn looked(&self) -> &[u8] {
        slices::part(&self.looked, self.looked_at..)
    }

    /// Hands out what was decoded ahead. Returns how much.
    pub(super) fn take_looked(&mut self, into: &mut [u8]) -> usize {
        let bytes = self.looked().len().min(into.len());
        into.iter_mut().zip(self.looked()).for_each(|(to, from)| *to = *from);
        self.looked_at += bytes;
        bytes
    }
}

//! Bytes of another encoding as UTF-8, read from their front. Bytes that are invalid in that
//! encoding end the source, with their place, or become U+FFFD and are counted: [`Malformed`] says
//! which. What came before it is given out first.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use encoding_rs::{Decoder, DecoderResult, Encoding};

use super::conversion::{Misfit, Step};
use super::utf32::Utf32;
use super::{Bytes, Error};
use crate::settings::limits::COPY_BYTES;
use crate::slices;

/// What is done about bytes that are no text in their encoding.
#[derive(Debug, Clone, Default)]
pub enum Malformed {
    /// Their source fails.
    #[default]
    Fails,
    /// U+FFFD takes their place, and is counted here.
    Replaced(Arc<AtomicU64>),
}

/// What makes UTF-8 of bytes.
pub(super) enum Conversion {
    Whatwg(Whatwg),
    Utf32(Utf32),
}

/// A decoder of the standard, and where it puts its text.
pub(super) struct Whatwg {
    decoder: Box<Decoder>,
    room: Vec<u8>,
}

impl Conversion {
    pub(super) fn of(encoding: &'static Encoding) -> Self {
        let decoder = Box::new(encoding.new_decoder_without_bom_handling());
        Self::Whatwg(Whatwg { decoder, room: vec![0; COPY_BYTES] })
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Whatwg(whatwg) => whatwg.decoder.encoding().name(),
            Self::Utf32(utf32) => utf32.word(),
        }
    }

    /// Appends the text that `bytes` are, up to the first that are none; `last` where nothing
    /// follows them.
    fn convert(&mut self, bytes: &[u8], text: &mut Vec<u8>, last: bool) -> Step {
        match self {
            Self::Whatwg(whatwg) => whatwg.convert(bytes, text, last),
            Self::Utf32(utf32) => utf32.convert(bytes, text, last),
        }
    }
}

impl Whatwg {
    fn convert(&mut self, bytes: &[u8], text: &mut Vec<u8>, last: bool) -> Step {
        let mut taken = 0;
        loop {
            let left = slices::part(bytes, taken..);
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(left, &mut self.room, last);
            taken += read;
            text.extend_from_slice(slices::part(&self.room, ..written));
            let fault = match result {
                DecoderResult::OutputFull => continue,
                DecoderResult::InputEmpty => None,
                DecoderResult::Malformed(length, seen) => {
                    let bytes = u64::from(length);
                    Some(Misfit { bytes, behind: bytes + u64::from(seen) })
                }
            };
            return Step { taken, fault };
        }
    }
}

/// Bytes of a source in another encoding, as text.
pub(super) struct Transcoded {
    bytes: Box<dyn Bytes>,
    conversion: Conversion,
    malformed: Malformed,
    /// Bytes of the source that were taken.
    taken: u64,
    /// Read, and not yet decoded: behind those.
    held: Vec<u8>,
    /// Decoded, and not yet passed on: from `at` on.
    text: Vec<u8>,
    at: usize,
    done: bool,
    /// Where the source is no text, and how many bytes of it: reported after all bytes before it
    /// have been passed on.
    fault: Option<(u64, u64)>,
}

impl Transcoded {
    /// Of `bytes` that follow the `passed` first ones of a source, and `held`, which were read from
    /// it behind those.
    pub(super) fn new(
        bytes: Box<dyn Bytes>,
        conversion: Conversion,
        malformed: Malformed,
        (passed, held): (usize, Vec<u8>),
    ) -> Self {
        let taken = passed as u64;
        let (text, at, done, fault) = (Vec::new(), 0, false, None);
        Self { bytes, conversion, malformed, taken, held, text, at, done, fault }
    }

    /// Whether there is nothing more to decode.
    fn is_over(&self) -> bool {
        self.done || self.fault.is_some()
    }

    /// Decodes the next bytes; only called when all text has been passed on.
    fn refill(&mut self) -> Result<(), Error> {
        if self.held.is_empty() {
            self.held.resize(COPY_BYTES, 0);
            let got = self.bytes.read(&mut self.held)?;
            self.held.truncate(got);
            self.done = got == 0;
        }
        self.at = 0;
        self.text.clear();
        let held = std::mem::take(&mut self.held);
        let mut left = held.as_slice();
        loop {
            let Step { taken, fault } = self.conversion.convert(left, &mut self.text, self.done);
            self.taken = self.taken.saturating_add(taken as u64);
            left = slices::part(left, taken..);
            let Some(Misfit { bytes, behind }) = fault else { break };
            match &self.malformed {
                Malformed::Fails => {
                    self.fault = Some((self.taken.saturating_sub(behind), bytes));
                    break;
                }
                Malformed::Replaced(count) => {
                    count.fetch_add(1, Ordering::Relaxed);
                    self.text.extend_from_slice("\u{fffd}".as_bytes());
                }
            }
        }
        self.held = held;
        self.held.clear();
        Ok(())
    }

    /// What is read once all text has been passed on.
    fn end(&self) -> Result<usize, Error> {
        let Some((offset, bytes)) = self.fault else { return Ok(0) };
        Err(Error::Malformed { encoding: self.conversion.word(), offset, bytes })
    }
}

impl Bytes for Transcoded {
    fn held_bytes(&self) -> u64 {
        let room = match &self.conversion {
            Conversion::Whatwg(whatwg) => whatwg.room.capacity(),
            Conversion::Utf32(_) => 0,
        };
        let buffers = self.held.capacity() + self.text.capacity() + room;
        self.bytes.held_bytes().saturating_add(buffers as u64)
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        while self.at == self.text.len() && !self.is_over() {
            self.refill()?;
        }
        let text = slices::part(&self.text, self.at..);
        if text.is_empty() && !into.is_empty() {
            return self.end();
        }
        let got = text.len().min(into.len());
        into.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
        self.at += got;
        Ok(got)
    }

    fn stored(&self) -> u64 {
        self.bytes.stored()
    }

    fn is_ready(&mut self, within: Duration) -> Result<bool, Error> {
        let begun = Instant::now();
        while self.at == self.text.len() && !self.is_over() {
            let left = within.saturating_sub(begun.elapsed());
            if self.held.is_empty() && !self.bytes.is_ready(left)? {
                return Ok(false);
            }
            // Half a character is no text yet.
            self.refill()?;
        }
        Ok(true)
    }
}

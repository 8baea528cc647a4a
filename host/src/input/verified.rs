//! Bytes of which none is given out before the checksum that it is under has been compared.
//!
//! The checksum of a gzip member, of a frame or a stream stands behind its bytes, and what an
//! archive has in it ends before that. So bytes are held until then: in memory up to a bound;
//! beyond it they are kept in a temporary file. Those of a file are decoded once more, where that
//! takes no longer, or there can be no such file. Where the checksum does not match, or the stream
//! ends early, what was under earlier checksums is given out, and then the failure.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::spool::Spool;
use super::store::FromFront;
use super::{Bytes, Codec, DecodeLimits, Decoder, Error};
use crate::settings::limits::{COPY_BYTES, HELD_BYTES_MAX};
use crate::slices;

/// A compressed file that can be decoded from its front once more.
pub struct Again {
    pub(super) stretch: FromFront,
    pub(super) codec: Codec,
    pub(super) limits: DecodeLimits,
}

impl Again {
    fn open(self) -> Decoder {
        let bytes = self.stretch.left;
        Decoder::new(self.codec, Box::new(self.stretch), self.limits).within(bytes)
    }
}

/// Gives out what has been found to be sound.
pub(super) struct Verified {
    /// Where bytes come from that have not been looked at.
    bytes: Box<dyn Bytes>,
    /// How they can be had again.
    again: Option<Again>,
    stop: Arc<AtomicBool>,
    /// Read and not given out, from `at` on; its first byte is the one at `start`.
    held: Vec<u8>,
    at: usize,
    start: u64,
    /// Up to where bytes are sound.
    sound: u64,
    /// What all were brought to, where they were too many.
    kept: Option<Kept>,
    ended: bool,
    failed: Option<Error>,
}

/// Bytes that have all been looked at.
enum Kept {
    Spool(Spool),
    Decoder(Box<Decoder>),
}

impl Verified {
    pub(super) fn of(bytes: Box<dyn Bytes>, again: Option<Again>, stop: Arc<AtomicBool>) -> Self {
        Self {
            bytes,
            again,
            stop,
            held: Vec::new(),
            at: 0,
            start: 0,
            sound: 0,
            kept: None,
            ended: false,
            failed: None,
        }
    }

    /// How many bytes have been given out.
    fn given(&self) -> u64 {
        self.start + self.at as u64
    }

    /// Reads on; what comes is appended to what is held.
    fn read_on(&mut self) -> Result<(), Error> {
        if self.stop.load(Ordering::Relaxed) {
            let (offset, error) = (self.given(), io::ErrorKind::Interrupted.into());
            return Err(Error::Read { offset, error });
        }
        let length = self.held.len();
        self.held.resize(length + COPY_BYTES, 0);
        let read = self.bytes.read(slices::part_mut(&mut self.held, length..));
        self.held.truncate(length + read.as_ref().map_or(0, |got| *got));
        let read_to = self.start + self.held.len() as u64;
        match read {
            Ok(0) => (self.ended, self.sound) = (true, read_to),
            Ok(_) => self.sound = self.bytes.sound().min(read_to),
            Err(error) => {
                self.sound = self.bytes.sound().min(read_to);
                (self.ended, self.failed) = (true, Some(error));
            }
        }
        Ok(())
    }

    /// Looks at all that is left, which is too much to be held.
    fn keep(&mut self) -> Result<(), Error> {
        let given = self.given();
        let mut spool = match &self.again {
            Some(again) if again.codec.is_fast() => None,
            Some(_) => Spool::new().ok(),
            None => Some(Spool::new()?),
        };
        let held = std::mem::take(&mut self.held);
        self.spool(&mut spool, slices::part(&held, self.at..))?;
        self.start += held.len() as u64;
        self.at = 0;
        while !self.ended {
            self.held.clear();
            self.read_on()?;
            self.spool(&mut spool, &self.held)?;
            self.start += self.held.len() as u64;
        }
        self.held = Vec::new();
        self.start = given;
        self.kept = Some(match (spool, self.again.take()) {
            (Some(mut spool), _) => {
                spool.rewind()?;
                Kept::Spool(spool)
            }
            (None, Some(again)) => {
                let mut decoder = again.open();
                pass(&mut decoder, given)?;
                Kept::Decoder(Box::new(decoder))
            }
            (None, None) => return Err(Error::Unkept(io::ErrorKind::NotFound.into())),
        });
        Ok(())
    }

    /// Adds bytes to a temporary file, which is given up where it has no room for them, and they
    /// can be had again.
    fn spool(&self, spool: &mut Option<Spool>, bytes: &[u8]) -> Result<(), Error> {
        let written = spool.as_mut().map_or(Ok(()), |spool| spool.write(bytes));
        if written.is_err() && self.again.is_some() {
            *spool = None;
            return Ok(());
        }
        written
    }

    /// Reads bytes that were found to be sound before they are read, as those of a piece are:
    /// nothing of them need be held.
    fn read_sound(&mut self, into: &mut [u8], known: u64) -> Result<usize, Error> {
        let most = usize::try_from(known).unwrap_or(usize::MAX).min(into.len());
        let got = self.bytes.read(slices::part_mut(into, ..most))?;
        self.start += got as u64;
        Ok(got)
    }

    /// Reads what was kept.
    fn read_kept(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let got = match &mut self.kept {
            Some(Kept::Spool(spool)) => spool.read(into)?,
            Some(Kept::Decoder(decoder)) => decoder.read(into)?,
            None => 0,
        };
        self.start += got as u64;
        if got == 0 && !into.is_empty() {
            return Err(Error::Changed("less comes out than before".into()));
        }
        Ok(got)
    }
}

impl Bytes for Verified {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        if into.is_empty() {
            return Ok(0);
        }
        let known = self.bytes.sound().saturating_sub(self.given());
        if known > 0 && self.at == self.held.len() && self.kept.is_none() {
            return self.read_sound(into, known);
        }
        while self.sound <= self.given() && !self.ended {
            if self.held.len() - self.at > HELD_BYTES_MAX {
                self.keep()?;
            } else {
                self.held.drain(..self.at);
                self.start += self.at as u64;
                self.at = 0;
                self.read_on()?;
            }
        }
        let left = self.sound.saturating_sub(self.given());
        if left == 0 {
            return self.failed.take().map_or(Ok(0), Err);
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(into.len());
        let into = slices::part_mut(into, ..most);
        if self.kept.is_some() {
            return self.read_kept(into);
        }
        let held = slices::part(&self.held, self.at..self.at + most);
        into.copy_from_slice(held);
        self.at += most;
        Ok(most)
    }

    fn stored(&self) -> u64 {
        match &self.kept {
            Some(Kept::Decoder(decoder)) => decoder.compressed(),
            _ => self.bytes.stored(),
        }
    }

    fn held_bytes(&self) -> u64 {
        let kept = match &self.kept {
            Some(Kept::Decoder(decoder)) => decoder.held_bytes(),
            _ => 0,
        };
        self.bytes.held_bytes().saturating_add(kept).saturating_add(self.held.capacity() as u64)
    }
}

/// Reads over what has been given out.
fn pass(decoder: &mut Decoder, bytes: u64) -> Result<(), Error> {
    let mut scratch = vec![0; COPY_BYTES];
    let mut left = bytes;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(scratch.len());
        let got = decoder.read(slices::part_mut(&mut scratch, ..most))?;
        if got == 0 {
            return Err(Error::Changed("less comes out than before".into()));
        }
        left -= got as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::decode::samples::{gzip, text};
    use super::*;

    /// What is given out of `packed`, and whether it fails.
    fn read(packed: &[u8]) -> (Vec<u8>, bool) {
        let decoder = Decoder::new(
            Codec::Gzip,
            Box::new(Cursor::new(packed.to_vec())),
            DecodeLimits::default(),
        );
        let mut verified = Verified::of(Box::new(decoder), None, Arc::default());
        let (mut all, mut some) = (Vec::new(), vec![0; 10_000]);
        loop {
            match Bytes::read(&mut verified, &mut some) {
                Ok(0) => return (all, false),
                Ok(got) => all.extend_from_slice(&some[..got]),
                Err(_) => return (all, true),
            }
        }
    }

    #[test]
    fn bytes_come_out_up_to_the_last_checksum_that_matches() {
        let (first, second) = (text(300_000), text(200_000));
        let both = [gzip(&first), gzip(&second)].concat();
        assert_eq!(read(&both), ([&first[..], &second[..]].concat(), false));
        let mut damaged = both.clone();
        let at = damaged.len() - 8;
        damaged[at] ^= 1;
        assert_eq!(read(&damaged), (first.clone(), true));
        assert_eq!(read(&both[..both.len() - 9]), (first, true));
    }

    #[test]
    fn more_than_is_held_is_kept_elsewhere() {
        let plain = b"a line\n".repeat(HELD_BYTES_MAX / 7 + COPY_BYTES);
        let mut packed = gzip(&plain);
        assert_eq!(read(&packed).0.len(), plain.len());
        let at = packed.len() - 8;
        packed[at] ^= 1;
        assert_eq!(read(&packed), (Vec::new(), true));
    }
}

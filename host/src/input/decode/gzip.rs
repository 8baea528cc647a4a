//! gzip (RFC 1952): any number of members, padded with zeros at most.
//!
//! Headers and trailers are read here, and what is between them by raw inflate: so one inflate
//! state serves all members of a file (BGZF has 15,000 in a gigabyte), and each rule that is broken
//! has a name.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::magic::{GZIP, is_cut_off};
use super::{Begin, Decoded, Engine, Fault, Feed, moved};
use crate::slices;

/// RFC 1952 section 2.3.1: FLG.
mod flag {
    pub(super) const HEADER_CRC: u8 = 1 << 1;
    pub(super) const EXTRA: u8 = 1 << 2;
    pub(super) const NAME: u8 = 1 << 3;
    pub(super) const COMMENT: u8 = 1 << 4;
    pub(super) const RESERVED: u8 = 0xe0;
}

/// RFC 1952 section 2.3: CRC32 and ISIZE.
const TRAILER_BYTES: usize = 4 + 4;

pub(super) struct Gzip {
    inflate: Decompress,
    crc: Crc,
    /// Whether only the trailer of the member is left.
    inflated: bool,
}

impl Gzip {
    pub(super) fn new() -> Self {
        Self { inflate: Decompress::new(false), crc: Crc::new(), inflated: false }
    }

    /// Reads the CRC-32 and the size modulo 2^32 that follow the data.
    fn trailer(&mut self, feed: &mut Feed) -> Result<(), Fault> {
        let crc = u32::from_le_bytes(feed.array()?);
        let size = u32::from_le_bytes(feed.array()?);
        if crc != self.crc.sum() {
            return Err(Fault::Checksum("CRC-32 of a member"));
        }
        // `amount` counts modulo 2^32 too.
        if size != self.crc.amount() {
            return Err(Fault::Corrupt("the size of a member is not what its end says"));
        }
        Ok(())
    }
}

impl Engine for Gzip {
    fn held_bytes(&self, _decoded: u64) -> u64 {
        super::deflate::INFLATE_BYTES
    }

    fn begin(&mut self, feed: &mut Feed, first: bool) -> Result<Begin, Fault> {
        if !first && feed.peek()?.first() == Some(&0) {
            feed.skip_zeros()?;
            return Ok(if feed.peek()?.is_empty() { Begin::End } else { Begin::NotOurs });
        }
        let magic = feed.ahead(GZIP.len())?;
        if is_cut_off(magic, &GZIP) {
            return Err(Fault::Truncated);
        }
        if !magic.starts_with(&[0x1f, 0x8b]) {
            return Ok(Begin::NotOurs);
        }
        header(feed)?;
        self.inflate.reset(false);
        self.crc.reset();
        self.inflated = false;
        Ok(Begin::Member)
    }

    fn decode(&mut self, feed: &mut Feed, into: &mut [u8]) -> Result<Decoded, Fault> {
        if self.inflated {
            return self.trailer(feed).map(|()| Decoded::Last(0));
        }
        let (taken, written) = (self.inflate.total_in(), self.inflate.total_out());
        let ended = feed.is_over();
        let held = feed.held();
        let status = self.inflate.decompress(held, into, FlushDecompress::None);
        let taken = moved(taken, self.inflate.total_in());
        let bytes = moved(written, self.inflate.total_out());
        feed.take(taken);
        self.crc.update(slices::part(into, ..bytes));
        Ok(match status {
            Ok(Status::StreamEnd) => {
                self.inflated = true;
                Decoded::Some(bytes)
            }
            Ok(_) if ended && bytes == 0 => return Err(Fault::Truncated),
            Ok(_) => Decoded::some(bytes, into.len()),
            Err(_) => Decoded::Failed(bytes, Fault::Corrupt("invalid deflate data")),
        })
    }

    fn starves(&self, held: &[u8]) -> bool {
        held.len() < if self.inflated { TRAILER_BYTES } else { 1 }
    }
}

/// Reads the header of a member, and over what it says.
fn header(feed: &mut Feed) -> Result<(), Fault> {
    let mut crc = Crc::new();
    let fixed: [u8; 10] = feed.array()?;
    crc.update(&fixed);
    let [_, _, method, flags, ..] = fixed;
    if method != 8 {
        return Err(Fault::Unsupported("a method other than deflate"));
    }
    if flags & flag::RESERVED != 0 {
        return Err(Fault::Corrupt("a reserved flag of a member is set"));
    }
    if flags & flag::EXTRA != 0 {
        let length: [u8; 2] = feed.array()?;
        crc.update(&length);
        let mut extra = vec![0; usize::from(u16::from_le_bytes(length))];
        feed.fill(&mut extra)?;
        crc.update(&extra);
    }
    for text in [flag::NAME, flag::COMMENT] {
        if flags & text != 0 {
            zero_terminated(feed, &mut crc)?;
        }
    }
    if flags & flag::HEADER_CRC != 0 {
        let expected = u16::from_le_bytes(feed.array()?);
        if u32::from(expected) != crc.sum() & 0xffff {
            return Err(Fault::Checksum("CRC-16 of a header"));
        }
    }
    Ok(())
}

fn zero_terminated(feed: &mut Feed, crc: &mut Crc) -> Result<(), Fault> {
    loop {
        let held = feed.peek()?;
        if held.is_empty() {
            return Err(Fault::Truncated);
        }
        let zero = memchr::memchr(0, held);
        let now = zero.map_or(held.len(), |at| at + 1);
        crc.update(slices::part(held, ..now));
        feed.take(now);
        if zero.is_some() {
            return Ok(());
        }
    }
}

//! gzip members (RFC 1952), and the blocks of BGZF (SAM specification, section 4.1), which are
//! members that say how long they are.
//!
//! Raw deflate with headers of our own: the encoder is made once and used for all members. There is
//! no time and no name in them, so that bytes depend on content alone.

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

use crate::slices;

/// What `bgzip` puts into a block: even stored, it fits into 64 KiB.
const BGZF_BLOCK_BYTES: usize = 0xff00;
const BGZF_HEADER_BYTES: usize = 18;
const TRAILER_BYTES: usize = 8;

/// The empty block at the end, by which a reader knows that nothing was cut off. The specification
/// gives these bytes.
pub(super) const BGZF_END: [u8; 28] = [
    0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, b'B', b'C', 2, 0, 27, 0, 3, 0, 0, 0, 0, 0, 0, 0,
    0, 0,
];

/// The most that a block holds that is not compressed (RFC 1951, section 3.2.4).
const STORED_BYTES_MAX: usize = 0xffff;
const STORED_HEADER_BYTES: usize = 5;

/// What the encoder takes: window, chains and symbols of the largest window (zlib.h: (1 <<
/// (windowBits + 2)) + (1 << (memLevel + 9))).
const ENCODER_BYTES: usize = (1 << 17) + (1 << 17);

pub(super) struct Deflate {
    compress: Compress,
    /// RFC 1952, section 2.3.1: XFL.
    effort: u8,
    /// Reused, and always given to the encoder with [`deflated_bytes_max`] of room: less of it
    /// could change what is written, and the encoder that is linked panics where it runs out at the
    /// fastest level.
    packed: Vec<u8>,
}

impl Deflate {
    pub(super) fn new(level: u8) -> Self {
        let compress = Compress::new(Compression::new(level.into()), false);
        let effort = match level {
            9 => 2,
            1 => 4,
            _ => 0,
        };
        Self { compress, effort, packed: Vec::new() }
    }

    /// Bytes of memory that it takes.
    pub(super) fn held_bytes(&self) -> usize {
        ENCODER_BYTES + self.packed.capacity()
    }

    /// Appends `plain` as one member.
    pub(super) fn member(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        let bytes = self.deflate(plain)?;
        // RFC 1952, section 2.3: no flags, no time, an unknown system.
        out.extend_from_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, self.effort, 0xff]);
        self.body(bytes, plain, out);
        Ok(())
    }

    /// Appends `plain` as BGZF blocks.
    pub(super) fn blocks(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        plain.chunks(BGZF_BLOCK_BYTES).try_for_each(|block| self.block(block, out))
    }

    fn block(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        let bytes = self.deflate(plain)?;
        let block_bytes = BGZF_HEADER_BYTES + bytes.min(stored_bytes(plain)) + TRAILER_BYTES;
        let size = u16::try_from(block_bytes - 1).map_err(|_| "a block is too long for BGZF")?;
        out.extend_from_slice(&[0x1f, 0x8b, 8, 4, 0, 0, 0, 0, self.effort, 0xff]);
        out.extend_from_slice(&[6, 0, b'B', b'C', 2, 0]);
        out.extend_from_slice(&size.to_le_bytes());
        self.body(bytes, plain, out);
        Ok(())
    }

    /// Deflates `plain` into `self.packed`, and returns how much it became.
    fn deflate(&mut self, plain: &[u8]) -> Result<usize, String> {
        self.compress.reset();
        let room = deflated_bytes_max(plain.len());
        if self.packed.len() < room {
            self.packed.resize(room, 0);
        }
        let packed = slices::part_mut(&mut self.packed, ..room);
        let status = self.compress.compress(plain, packed, FlushCompress::Finish);
        match status.map_err(|error| error.to_string())? {
            Status::StreamEnd => Ok(usize::try_from(self.compress.total_out()).unwrap_or(room)),
            Status::Ok | Status::BufError => Err(format!("more than {room} bytes came out")),
        }
    }

    /// Appends the first `bytes` of `self.packed`, or `plain` itself where that is shorter, then
    /// CRC-32 and size, modulo 2^32, of `plain`.
    fn body(&self, bytes: usize, plain: &[u8], out: &mut Vec<u8>) {
        if bytes <= stored_bytes(plain) {
            out.extend_from_slice(slices::part(&self.packed, ..bytes));
        } else {
            store(plain, out);
        }
        let mut crc = Crc::new();
        crc.update(plain);
        out.extend_from_slice(&crc.sum().to_le_bytes());
        out.extend_from_slice(&crc.amount().to_le_bytes());
    }
}

/// What `plain`, which is not empty, takes in blocks that are not compressed.
fn stored_bytes(plain: &[u8]) -> usize {
    plain.len() + plain.len().div_ceil(STORED_BYTES_MAX).max(1) * STORED_HEADER_BYTES
}

/// Appends `plain`, which is not empty, in blocks that are not compressed.
fn store(plain: &[u8], out: &mut Vec<u8>) {
    let mut blocks = plain.chunks(STORED_BYTES_MAX).peekable();
    while let Some(block) = blocks.next() {
        let bytes = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.push(u8::from(blocks.peek().is_none()));
        out.extend_from_slice(&bytes.to_le_bytes());
        out.extend_from_slice(&(!bytes).to_le_bytes());
        out.extend_from_slice(block);
    }
}

/// The most that `bytes` can become at any level: 9 bits for each byte at the fastest, and what
/// frames them. It is zlib's bound for settings that it knows nothing of.
fn deflated_bytes_max(bytes: usize) -> usize {
    bytes + bytes.div_ceil(8) + bytes.div_ceil(64) + 64
}

//! Which engine decodes which codec, and what its members cost.

use crate::settings::limits::DECODE_SMALL_BZIP2_MEMBERS;

use super::super::{
    Codec, DecodeLimits, Engine, brotli, bzip2, deflate, gzip, inflate64, lz4, lzma, snappy, xz,
    zstd,
};
use super::Decoder;

impl Decoder {
    /// Turns to the other codec where nothing but skippable frames, which are the same in both,
    /// told that it is this one.
    pub(super) fn is_other(&mut self) -> bool {
        let other = match self.codec {
            Codec::Zstd => Codec::Lz4,
            Codec::Lz4 => Codec::Zstd,
            _ => return false,
        };
        let begins = Codec::by_magic(self.feed.held(), None) == Some(other);
        if begins && self.members > 0 && self.decompressed == 0 && self.only_skipped {
            (self.codec, self.engine) = (other, engine(other, &self.limits));
            return true;
        }
        false
    }
}

/// What decodes it.
pub(super) fn engine(codec: Codec, limits: &DecodeLimits) -> Box<dyn Engine> {
    match codec {
        Codec::Gzip => Box::new(gzip::Gzip::new()),
        Codec::Zstd => Box::new(zstd::Zstd::new(limits.zstd_window_log_max)),
        Codec::Lz4 => Box::new(lz4::Lz4::new()),
        Codec::Bzip2 => Box::new(bzip2::Bzip2::new()),
        Codec::Xz => Box::new(xz::Xz::new(limits.xz_memory_bytes_max)),
        Codec::Brotli => Box::new(brotli::Brotli::new()),
        Codec::Snappy => Box::new(snappy::Snappy::new()),
        Codec::Lzip => Box::new(lzma::Lzma::lzip(limits.xz_memory_bytes_max)),
        Codec::Lzma => Box::new(lzma::Lzma::alone(limits.xz_memory_bytes_max)),
        Codec::Zlib => Box::new(deflate::Deflate::zlib()),
        Codec::Deflate => Box::new(deflate::Deflate::bare()),
        Codec::Deflate64 => Box::new(inflate64::Deflate64::new()),
    }
}

/// What a member that holds next to nothing counts for besides itself: as much more as it costs
/// than one of gzip.
pub(super) fn small_member_surcharge(codec: Codec) -> u64 {
    match codec {
        // Its tables, 4 MB, are made anew for every stream.
        Codec::Bzip2 => DECODE_SMALL_BZIP2_MEMBERS - 1,
        _ => 0,
    }
}

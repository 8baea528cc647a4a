//! Decoders: what comes out does not depend on the pieces in which it goes in and out.

use std::io::{Cursor, Read};
use std::str::FromStr;

use gristmill::input::{Codec, DecodeLimits, Decoder};

const NAMES: [&str; 10] =
    ["gzip", "zstd", "lz4", "bzip2", "xz", "brotli", "snappy", "lzip", "lzma", "zlib"];

/// Decodes bytes by the codec that the first one chooses.
///
/// # Panics
/// When it succeeds in pieces of one size and fails in another, or gives other bytes.
pub fn decoders(data: &[u8]) -> bool {
    let Some((first, data)) = data.split_first() else { return false };
    let Some(name) = NAMES.get(usize::from(*first) % NAMES.len()) else { return false };
    let Ok(codec) = Codec::from_str(name) else { return false };
    let whole = decoded(codec, Box::new(Cursor::new(data.to_vec())), 1 << 16);
    let in_pieces = decoded(codec, Box::new(Slow(Cursor::new(data.to_vec()))), 11);
    assert_eq!(whole, in_pieces, "{name}");
    whole.is_some()
}

/// The bytes, where all is well.
fn decoded(codec: Codec, source: Box<dyn Read + Send>, step: usize) -> Option<Vec<u8>> {
    let limits = DecodeLimits {
        bytes_max: 1 << 20,
        members_max: 1000,
        xz_memory_bytes_max: 16 << 20,
        zstd_window_log_max: 22,
        ..DecodeLimits::default()
    };
    let mut decoder = Decoder::new(codec, source, limits);
    let (mut all, mut buffer) = (Vec::new(), vec![0; step]);
    loop {
        match decoder.read(&mut buffer) {
            Ok(0) => return Some(all),
            Ok(read) => all.extend(buffer.iter().take(read)),
            Err(_) => return None,
        }
    }
}

/// Gives three bytes at a time.
struct Slow(Cursor<Vec<u8>>);

impl Read for Slow {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let most = into.len().min(3);
        self.0.read(into.split_at_mut(most).0)
    }
}

//! The bytes of a compressed file from its front, for who has to know them again.

use std::io::{self, Read};
use std::path::Path;

use crate::input::{Access, Bytes, Codec, DecodeLimits, Input, Opener};
use crate::source::{Source, Way};

/// Whether a file is called as if it were compressed.
pub fn is_called_compressed(path: &Path) -> bool {
    Codec::by_name(path).is_some()
}

/// What a file decodes to; nothing, where it is not compressed.
///
/// # Errors
/// When it cannot be opened, or is compressed with something that is not read.
pub fn decoded(path: &Path) -> io::Result<Option<impl Read + use<>>> {
    let source = Source { path: path.to_path_buf().into(), listed: Ok(None), way: Way::File };
    let input = Input::open(&mut Opener::default(), &source, &Access::default())?;
    let Some(codec) = input.codec(source.file())? else { return Ok(None) };
    Ok(Some(Decoded(input.from_front(Some(codec), DecodeLimits::default())?)))
}

/// Bytes as they are decoded.
struct Decoded(Box<dyn Bytes>);

impl Read for Decoded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Ok(self.0.read(into)?)
    }
}

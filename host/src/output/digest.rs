//! What the bytes of an output file are known by: BLAKE3.

use std::io::{self, Read};

use crate::settings::limits::COPY_BYTES;
use crate::slices;

/// The digest of bytes as they come.
#[derive(Debug, Clone, Default)]
pub struct Content(blake3::Hasher);

impl Content {
    /// Takes in the next bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all that came.
    pub fn digest(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }

    /// The digest of what is read from `from`, to its end.
    ///
    /// # Errors
    /// When reading fails.
    pub fn of(mut from: impl Read) -> io::Result<[u8; 32]> {
        let mut content = Self::default();
        let mut buffer = vec![0; COPY_BYTES];
        loop {
            match from.read(&mut buffer)? {
                0 => return Ok(content.digest()),
                got => content.add(slices::part(&buffer, ..got)),
            }
        }
    }
}

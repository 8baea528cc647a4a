//! A file as a stream, from its front.

use std::io;

use super::Pending;

/// Writes to a file one piece behind the other.
#[derive(Debug)]
pub struct SequentialWriter<'a> {
    file: &'a Pending,
    offset: u64,
}

impl<'a> SequentialWriter<'a> {
    /// Begins at the front of `file`.
    pub fn to(file: &'a Pending) -> Self {
        Self { file, offset: 0 }
    }
}

impl io::Write for SequentialWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_at(bytes, self.offset).map_err(io::Error::other)?;
        self.offset += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

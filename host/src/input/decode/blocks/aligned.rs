//! A bzip2 block as a stream of its own, from the bytes that it lies in.

use std::io::{self, Cursor, Read};

use super::Bits;

/// Reads the stream behind its level. A block is moved as a whole: it is a few hundred KB long.
pub(in super::super) struct Aligned {
    bits: Bits,
    source: Box<dyn Read + Send>,
    stream: Option<Cursor<Vec<u8>>>,
}

impl Aligned {
    /// The block `bits`; `source` gives the bytes that it lies in.
    pub(in super::super) fn new(bits: Bits, source: Box<dyn Read + Send>) -> Self {
        Self { bits, source, stream: None }
    }
}

impl Read for Aligned {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.stream.is_none() {
            let mut bytes = Vec::new();
            self.source.read_to_end(&mut bytes)?;
            self.stream = Some(Cursor::new(self.bits.aligned(&bytes)));
        }
        self.stream.as_mut().map_or(Ok(0), |stream| stream.read(into))
    }
}

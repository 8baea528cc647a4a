//! A part of an opened source, read from its beginning to its end.

use std::io::{self, Read};
use std::ops::Deref;

use super::super::super::Input;

/// Reads `bytes` bytes of an input from `offset` on.
#[derive(Debug)]
pub struct BlockSpan<I> {
    input: I,
    at: u64,
    end: u64,
}

impl<I: Deref<Target = Input>> BlockSpan<I> {
    /// A stretch that ends with the input where `bytes` goes beyond it.
    pub fn new(input: I, offset: u64, bytes: u64) -> Self {
        let end = offset.saturating_add(bytes).min(input.bytes());
        Self { input, at: offset, end }
    }
}

impl<I: Deref<Target = Input>> Read for BlockSpan<I> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let bytes = left.min(into.len());
        let Some(into) = into.get_mut(..bytes) else { return Ok(0) };
        self.input.read_at(into, self.at)?;
        self.at += bytes as u64;
        Ok(bytes)
    }
}

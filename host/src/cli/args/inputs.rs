//! What flags about inputs may say, and what they come to where they say nothing.

use bytesize::ByteSize;
use clap::ValueEnum;

use super::{IsolateArg, RunArgs};
use crate::settings::limits;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum IoArg {
    /// What measured best: read
    Auto,
    /// Read straight into the sandbox
    Read,
    /// Map into memory, and copy from there
    Mmap,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum EncodingErrorsArg {
    /// The source fails, with the place in it
    Fail,
    /// U+FFFD takes their place
    Replace,
}

impl RunArgs {
    /// The size of chunks: a fresh sandbox is for more of them than one that is there.
    pub(in super::super) fn chunk_size(&self) -> ByteSize {
        let unsaid = match self.sandbox.isolate {
            IsolateArg::Chunk => limits::ISOLATED_CHUNK_BYTES,
            IsolateArg::Job | IsolateArg::Source => limits::CHUNK_BYTES,
        };
        self.inputs.chunk_size.unwrap_or(ByteSize(unsaid))
    }
}

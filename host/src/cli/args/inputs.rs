//! What flags about inputs may say.

use clap::ValueEnum;

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

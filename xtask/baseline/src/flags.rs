//! The command line.

// The macro makes every item `pub`; nothing outside this crate can see them.
#![allow(unreachable_pub)]

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, Result, ensure};

/// As fast as any size from 128 KiB to 1 MiB.
const CHUNK_KIB: usize = 256;

/// How the bytes of one file are reached.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Io {
    /// Read into a buffer of each thread.
    Pread,
    /// Mapped into memory.
    Mmap,
}

impl FromStr for Io {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "pread" => Ok(Self::Pread),
            "mmap" => Ok(Self::Mmap),
            _ => Err(format!("got {text:?}, expected pread or mmap")),
        }
    }
}

/// How the bytes of a file are compressed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Codec {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// The LZ4 frame format.
    Lz4,
}

impl FromStr for Codec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            "lz4" => Ok(Self::Lz4),
            _ => Err(format!("got {text:?}, expected gzip, zstd or lz4")),
        }
    }
}

xflags::xflags! {
    /// Native programs to compare with. What counts prints `lines words bytes`.
    cmd baseline {
        /// Count one large file.
        cmd wordcount {
            /// The file.
            required file: PathBuf
            /// pread or mmap.
            required --io io: Io
            /// Threads.
            required --threads threads: usize
            /// Size of a chunk in KiB (default 256).
            optional --chunk-kib kib: usize
        }
        /// Count many files.
        cmd files {
            /// A file that names one file a line.
            required list: PathBuf
            /// Threads.
            required --threads threads: usize
        }
        /// Write one large file with its ASCII letters as capitals.
        cmd upcase {
            /// The file.
            required file: PathBuf
            /// Threads.
            required --threads threads: usize
            /// Size of a chunk in KiB (default 256).
            optional --chunk-kib kib: usize
            /// The file to write, each chunk at its place; without it standard output, each chunk
            /// when it is ready, in no order.
            optional --out out: PathBuf
        }
        /// Decompress one file to nothing, and print how many bytes came out.
        cmd decode {
            /// The file.
            required file: PathBuf
            /// gzip, zstd or lz4.
            required --codec codec: Codec
        }
    }
}

/// The size of a chunk in bytes, at least 1 KiB.
pub(crate) fn bytes(chunk_kib: Option<usize>) -> Result<usize> {
    let kib = chunk_kib.unwrap_or(CHUNK_KIB);
    ensure!(kib > 0, "--chunk-kib: got 0, expected at least 1");
    kib.checked_mul(1024).context("--chunk-kib: too large")
}

//! The settings of `host run`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::words::words;
use super::{Join, Pack, Sandbox, limits};

/// How plain files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Io {
    /// Whatever measured best: reading, for files that are scanned once.
    #[default]
    Auto,
    /// `pread` straight into the sandbox.
    Read,
    /// Memory-mapped, then copied in.
    Mmap,
}

words!(Io { Auto = "auto", Read = "read", Mmap = "mmap" });

/// What standard input is: it has no name that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Piped {
    /// What its first bytes say.
    #[default]
    Detect,
    /// A tar archive, compressed or not.
    Tar,
    /// A zip file.
    Zip,
}

words!(Piped { Detect = "detect", Tar = "tar", Zip = "zip-stream" });

/// What is decompressed on the way in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Decompress {
    /// What looks compressed, by its first bytes before its name.
    #[default]
    Auto,
    /// Nothing.
    None,
    /// Everything, with the codec of this name.
    As(String),
}

impl Decompress {
    /// All that can be said.
    pub const WORDS: [&'static str; 12] = [
        "auto", "none", "gzip", "zstd", "lz4", "bzip2", "xz", "brotli", "snappy", "lzip", "lzma",
        "zlib",
    ];
}

impl fmt::Display for Decompress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::None => "none",
            Self::As(codec) => codec,
        })
    }
}

impl FromStr for Decompress {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "auto" => Ok(Self::Auto),
            "none" => Ok(Self::None),
            codec if Self::WORDS.contains(&codec) => Ok(Self::As(codec.to_string())),
            _ => Err(format!("expected one of {}", Self::WORDS.join(", "))),
        }
    }
}

/// How much of a source may be set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectsMax {
    /// So many records.
    Records(u64),
    /// So many hundredths of its bytes.
    Percent(u8),
    /// So many records, and beyond that so many hundredths of its bytes.
    Both {
        /// Records of any size.
        records: u64,
        /// Hundredths of its bytes.
        percent: u8,
    },
}

impl fmt::Display for RejectsMax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Records(records) => write!(f, "{records}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::Both { records, percent } => write!(f, "{records} and {percent}%"),
        }
    }
}

impl From<u64> for RejectsMax {
    fn from(records: u64) -> Self {
        Self::Records(records)
    }
}

impl FromStr for RejectsMax {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected a number, or a percentage up to 100%";
        match text.strip_suffix('%') {
            Some(percent) => match percent.parse().map_err(|_| EXPECTED)? {
                percent @ 0..=100 => Ok(Self::Percent(percent)),
                _ => Err(EXPECTED),
            },
            None => text.parse().map(Self::Records).map_err(|_| EXPECTED),
        }
    }
}

/// Which results are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Show {
    /// One result for each source.
    pub per_source: bool,
    /// One result over all sources.
    pub total: bool,
    /// A row for each source that has failed, too.
    pub failures: bool,
}

/// What is done about bytes that are no text in their encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EncodingErrors {
    /// Their source fails.
    #[default]
    Fail,
    /// U+FFFD takes their place.
    Replace,
}

words!(EncodingErrors { Fail = "fail", Replace = "replace" });

/// How one run goes about its sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Worker threads.
    pub threads: usize,
    /// Nominal chunk size in bytes.
    pub chunk_bytes: u64,
    /// Longest record in bytes.
    pub record_bytes_max: u64,
    /// How plain files are read.
    pub io: Io,
    /// What is decompressed.
    pub decompress: Decompress,
    /// Whether members of archives are sources of their own.
    pub archives: bool,
    /// What standard input is.
    pub piped: Piped,
    /// Of archives, only members that match one of these globs; none takes all.
    pub include_members: Vec<String>,
    /// Encoding of text that becomes UTF-8 on the way in; `none` leaves bytes alone; `auto` goes by
    /// byte order marks where records are text, and `bom` does in any source.
    pub encoding: String,
    /// What is done about bytes that are no text in their encoding.
    pub encoding_errors: EncodingErrors,
    /// How long a stream may pause before what is there is processed.
    pub linger: Duration,
    /// Bytes that may come out of one compressed source.
    pub decompressed_bytes_max: u64,
    /// Bytes that may come out of a compressed source for each that goes in.
    pub ratio_max: u64,
    /// Members or frames that a compressed source may have.
    pub members_max: u64,
    /// Which results are wanted.
    pub show: Show,
    /// Whether what comes out of transformers is written as it comes, rather than in the order of
    /// the sources.
    pub unordered: bool,
    /// How what comes out of a source ends, before that of the next.
    pub join: Join,
    /// How what comes out of transformers is compressed.
    pub pack: Pack,
    /// How much of a source may be set aside before it fails; `None` lets all of it.
    pub rejects_max: Option<RejectsMax>,
    /// Whether the first failure ends the run.
    pub fail_fast: bool,
    /// Bytes of results and states that may wait for their turn.
    pub window_bytes: usize,
    /// Memory for all of the run, in bytes; `None` is as much as it takes.
    pub memory_total_bytes: Option<u64>,
    /// What one sandbox may use, and how long it lives.
    pub sandbox: Sandbox,
    /// Where compiled code is kept; `None` keeps none.
    pub cache: Option<PathBuf>,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            threads: 1,
            chunk_bytes: limits::CHUNK_BYTES,
            record_bytes_max: limits::RECORD_BYTES_MAX,
            io: Io::Auto,
            decompress: Decompress::Auto,
            archives: true,
            piped: Piped::default(),
            include_members: Vec::new(),
            encoding: "auto".into(),
            encoding_errors: EncodingErrors::default(),
            linger: limits::LINGER,
            decompressed_bytes_max: limits::DECODED_BYTES_MAX,
            ratio_max: limits::DECODE_RATIO_MAX,
            members_max: limits::DECODE_MEMBERS_MAX,
            show: Show { per_source: true, total: true, failures: true },
            unordered: false,
            join: Join::Record,
            pack: Pack::None,
            rejects_max: None,
            fail_fast: false,
            window_bytes: limits::WINDOW_BYTES,
            memory_total_bytes: None,
            sandbox: Sandbox::default(),
            cache: None,
        }
    }
}

//! What a job reads, and how.

use std::fmt;
use std::path::PathBuf;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::words::{number, one_or_many, word_if_any};
use super::{Size, Time};
use crate::settings::{Decompress, EncodingErrors, Io, Piped, limits};

/// The sources of a job, and how they are opened, decoded and cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
#[serde(default, deny_unknown_fields)]
pub struct InputSpec {
    /// Files, directories, URLs, `-` for standard input.
    #[serde(deserialize_with = "one_or_many")]
    pub files: Vec<PathBuf>,
    /// A file with further names.
    pub files_from: Option<PathBuf>,
    /// Whether names in it end with NUL rather than a line feed.
    pub null: bool,
    /// Directories beneath which all files must be; none lets them be anywhere.
    #[serde(deserialize_with = "one_or_many")]
    pub beneath: Vec<PathBuf>,
    /// Which URLs the list of names may name, where it is kept in otherwise.
    pub allow_urls: Option<AllowedUrls>,
    /// Whether redirects of public web servers may lead to private addresses.
    pub allow_private: bool,
    /// Globs for files in directories and below prefixes, of which one has to match.
    #[serde(deserialize_with = "one_or_many")]
    pub include: Vec<String>,
    /// Globs of which none may match.
    #[serde(deserialize_with = "one_or_many")]
    pub exclude: Vec<String>,
    /// Globs for members of archives.
    #[serde(deserialize_with = "one_or_many")]
    pub include_members: Vec<String>,
    /// What kind of archive standard input is, where that has to be said.
    #[serde(deserialize_with = "word_if_any")]
    pub archive: Option<Piped>,
    /// Whether archives are read as the files that they are.
    pub no_archives: bool,
    /// Whether archives are looked into.
    pub archives: bool,
    /// How plain files are read.
    pub io: Io,
    /// Whether FIFOs are read.
    pub stream: bool,
    /// How long a stream may pause before what is there is processed.
    pub linger: Time,
    /// What is decompressed.
    pub decompress: Decompress,
    /// Bytes that may come out of one compressed source.
    pub max_decompressed: Size,
    /// Bytes that may come out of a compressed source for each that goes in.
    #[serde(deserialize_with = "number")]
    pub max_ratio: u64,
    /// Members or frames that a compressed source may have.
    #[serde(deserialize_with = "number")]
    pub max_members: u64,
    /// The encoding of text.
    pub encoding: String,
    /// What is done about bytes that are no text in their encoding.
    pub encoding_errors: EncodingErrors,
    /// Where sources are cut, if not as the plugins say.
    pub framing: Option<String>,
    /// Nominal size of chunks; unsaid, it depends on how long sandboxes live.
    pub chunk_size: Option<Size>,
    /// Longest record.
    pub max_record: Size,
}

/// URLs that a list may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedUrls {
    /// All of them: `true`.
    All,
    /// Those of these hosts and buckets: a list; an empty one, or `false`, is none.
    Of(Vec<String>),
}

impl Serialize for AllowedUrls {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_bool(true),
            Self::Of(hosts) => hosts.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for AllowedUrls {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Hosts;
        impl<'de> Visitor<'de> for Hosts {
            type Value = AllowedUrls;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false, a string or an array of strings")
            }

            fn visit_bool<E>(self, all: bool) -> Result<AllowedUrls, E> {
                Ok(if all { AllowedUrls::All } else { AllowedUrls::Of(Vec::new()) })
            }

            fn visit_str<E>(self, host: &str) -> Result<AllowedUrls, E> {
                Ok(AllowedUrls::Of(vec![host.to_string()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<AllowedUrls, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(AllowedUrls::Of)
            }
        }
        deserializer.deserialize_any(Hosts)
    }
}

impl InputSpec {
    /// Whether members of archives are sources.
    pub fn reads_archives(&self) -> bool {
        self.archives && !self.no_archives
    }
}

impl Default for InputSpec {
    fn default() -> Self {
        Self {
            files: Vec::new(),
            files_from: None,
            null: false,
            beneath: Vec::new(),
            allow_urls: None,
            allow_private: false,
            include: Vec::new(),
            exclude: Vec::new(),
            include_members: Vec::new(),
            archive: None,
            no_archives: false,
            archives: true,
            io: Io::Auto,
            stream: false,
            linger: Time(limits::LINGER),
            decompress: Decompress::Auto,
            max_decompressed: Size(limits::DECODED_BYTES_MAX),
            max_ratio: limits::DECODE_RATIO_MAX,
            max_members: limits::DECODE_MEMBERS_MAX,
            encoding: "auto".into(),
            encoding_errors: EncodingErrors::Fail,
            framing: None,
            chunk_size: None,
            max_record: Size(limits::RECORD_BYTES_MAX),
        }
    }
}

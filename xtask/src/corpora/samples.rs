//! Which files of the packages are compressed, and with what: by their names, else by their first
//! bytes.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::tool::{self, Tool};
use crate::files;

/// A file to be compared.
pub(super) struct Sample {
    pub(super) path: PathBuf,
    /// The host's word for how it is compressed.
    pub(super) codec: &'static str,
    pub(super) tool: &'static Tool,
}

impl Sample {
    /// Its last name, by which differences are listed.
    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// A compressed file.
pub(super) enum Found {
    Sample(Sample),
    /// In a format that we do not read, on purpose.
    Unread {
        why: &'static str,
    },
}

/// A format by its names, its first bytes, the host's word for it, and its tool.
struct Format {
    extension: &'static str,
    begins: fn(&[u8]) -> bool,
    codec: &'static str,
    tool: &'static Tool,
}

const FORMATS: [Format; 5] = [
    Format::new("xz", |first| first.starts_with(b"\xfd7zXZ\0"), "xz", &tool::XZ),
    Format::new("zst", |first| first.starts_with(b"\x28\xb5\x2f\xfd"), "zstd", &tool::ZSTD),
    Format::new("lz4", is_lz4, "lz4", &tool::LZ4),
    Format::new("bz2", |first| first.starts_with(b"BZh"), "bzip2", &tool::BZIP2),
    Format::new("gz", |first| first.starts_with(b"\x1f\x8b"), "gzip", &tool::GZIP),
];

impl Format {
    const fn new(
        extension: &'static str,
        begins: fn(&[u8]) -> bool,
        codec: &'static str,
        tool: &'static Tool,
    ) -> Self {
        Self { extension, begins, codec, tool }
    }
}

/// A skippable frame is zstd's too; of these packages only lz4 has a file that begins with one.
fn is_lz4(first: &[u8]) -> bool {
    first.starts_with(b"\x04\x22\x4d\x18") || matches!(first, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Extensions of formats that we do not read.
const UNREAD: [(&str, &str); 3] = [
    ("lzma", "`.lzma`, the format before .xz, is not read"),
    ("lz", "lzip is not read"),
    ("Z", "`compress` is not read"),
];

/// Every compressed file below `packages`, in the order of their paths.
pub(super) fn find(packages: &Path) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for path in files::below(packages)? {
        found.extend(look(packages, path)?);
    }
    Ok(found)
}

fn look(packages: &Path, path: PathBuf) -> Result<Option<Found>> {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    if let Some((_, why)) = UNREAD.iter().find(|(unread, _)| *unread == extension) {
        return Ok(Some(Found::Unread { why }));
    }
    let mut first = Vec::new();
    let file = File::open(&path).with_context(|| path.display().to_string())?;
    file.take(8).read_to_end(&mut first)?;
    let named = FORMATS.iter().find(|it| it.extension == extension);
    let Some(format) = named.or_else(|| FORMATS.iter().find(|it| (it.begins)(&first))) else {
        return Ok(None);
    };
    // Its gzip files are BGZF: what decodes them is what is tested by them.
    let of_htslib = path.strip_prefix(packages).is_ok_and(|path| {
        path.components().count() > 1 && path.to_string_lossy().starts_with("htslib")
    });
    let tool = if of_htslib && format.codec == "gzip" { &tool::BGZIP } else { format.tool };
    Ok(Some(Found::Sample(Sample { path, codec: format.codec, tool })))
}

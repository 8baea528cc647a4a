//! Formats that are known and not read: compressed files and archives, to refuse them by name
//! instead of reading their packed bytes.
//!
//! A magic number that nothing else begins with is enough to know one; where there is none, or a
//! weak one, its name is.

use std::path::Path;

use super::extension::extension;

/// A format that is not read.
#[derive(Debug)]
struct Foreign {
    /// What it is called, with its article.
    what: &'static str,
    /// Ends of names.
    extensions: &'static [&'static str],
    /// What it begins with, where no text and hardly any other file does.
    magic: &'static [u8],
}

const fn foreign(
    what: &'static str,
    extensions: &'static [&'static str],
    magic: &'static [u8],
) -> Foreign {
    Foreign { what, extensions, magic }
}

/// No magic number: only the name identifies it.
const NONE: &[u8] = b"";

static FOREIGN: &[Foreign] = &[
    foreign("a 7-Zip archive", &["7z"], b"7z\xbc\xaf\x27\x1c"),
    foreign("a RAR archive", &["rar"], b"Rar!\x1a\x07"),
    foreign("a cabinet file", &["cab"], b"MSCF\0\0\0\0"),
    foreign("compress (.Z) data", &["z"], NONE),
    foreign("pack (.z) data", &[], b"\x1f\x1e\0\0"),
    foreign("lzop data", &["lzo", "tzo"], b"\x89LZO\0\r\n\x1a\n"),
    foreign("lrzip data", &["lrz", "tlrz"], b"LRZI\0"),
    foreign("rzip data", &["rz"], b"RZIP\x02"),
    foreign("a ZPAQ archive", &["zpaq"], b"7kSt\xa01\x83\xd3"),
    foreign("an ARJ archive", &["arj"], NONE),
    foreign("an LHA archive", &["lha", "lzh"], NONE),
    foreign("an ACE archive", &["ace"], NONE),
    foreign("a cpio archive", &["cpio"], NONE),
    foreign("an LZFSE file", &["lzfse"], b"bvx2"),
    foreign("an Apple archive", &["aar"], b"AA01"),
    foreign("a xar archive", &["xar"], b"xar!\0"),
    foreign("a Windows image", &["wim", "esd"], b"MSWIM\0\0\0"),
    foreign("an RPM package", &["rpm"], b"\xed\xab\xee\xdb"),
    foreign("a Debian package", &["deb", "udeb"], b"!<arch>\ndebian-binary"),
    foreign("snappy-java data", &[], b"\x82SNAPPY\0"),
];

/// The first bytes of what `compress` writes (compress(1), `zopen.c` of 4.4BSD): two of a magic
/// number, then the most bits of a code, whose bits 5 and 6 are reserved.
fn is_compress(bytes: &[u8]) -> bool {
    match bytes {
        &[0x1f, 0x9d, flags, ..] => flags & 0x60 == 0 && (9..=16).contains(&(flags & 0x1f)),
        _ => false,
    }
}

/// The format that `bytes` begin with, where that is enough to know it.
pub(super) fn by_magic(bytes: &[u8]) -> Option<&'static str> {
    if is_compress(bytes) {
        return Some("compress (.Z) data");
    }
    let begins = |known: &&Foreign| !known.magic.is_empty() && bytes.starts_with(known.magic);
    FOREIGN.iter().find(begins).map(|known| known.what)
}

/// The format that a name stands for.
pub(super) fn by_name(name: &Path) -> Option<&'static str> {
    let extension = extension(name)?.to_ascii_lowercase();
    let known = FOREIGN.iter().find(|known| known.extensions.contains(&extension.as_str()));
    known.map(|known| known.what).or_else(|| volume(name, &extension))
}

/// A part of an archive that is several files: `a.zip.001`, `a.z01`, `a.r00`.
fn volume(name: &Path, extension: &str) -> Option<&'static str> {
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if extension.len() != 3 {
        return None;
    }
    if is_number(extension) {
        let of = Path::new(name.file_stem()?).extension()?.to_str()?.to_ascii_lowercase();
        let split = ["zip", "7z", "rar", "arj", "tar"].contains(&of.as_str());
        return split.then_some("a part of a split archive");
    }
    let (letter, number) = extension.split_at_checked(1)?;
    (matches!(letter, "z" | "r") && is_number(number)).then_some("a part of a split archive")
}

/// Blocks as Hadoop's codecs write them for snappy and lz4 (`BlockCompressorStream`): how many
/// bytes come out of a block, then how many go into the first of its parts.
pub(super) fn is_hadoop_block(first_bytes: &[u8]) -> bool {
    let Some((out, rest)) = first_bytes.split_first_chunk() else { return false };
    let Some(packed) = rest.first_chunk() else { return false };
    let (out, packed) = (u32::from_be_bytes(*out), u32::from_be_bytes(*packed));
    (1..1 << 26).contains(&out) && packed > 0 && packed <= out.saturating_add(out / 6 + 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_in_any_case_of_letters_and_volumes_by_both_ends() {
        let named = |name: &str| by_name(Path::new(name));
        assert_eq!(named("a.7Z"), Some("a 7-Zip archive"));
        assert_eq!(named("a.tar.Z"), Some("compress (.Z) data"));
        for part in ["a.zip.001", "a.7z.017", "a.z01", "a.R00", "a.tar.002"] {
            assert_eq!(named(part), Some("a part of a split archive"), "{part}");
        }
        for other in ["a.001", "a.log.001", "a.rs", "a.z", "r00", "a.zip.1", "7z", "a.zig"] {
            assert_eq!(named(other).filter(|_| other != "a.z"), None, "{other}");
        }
    }

    #[test]
    fn bytes_tell_where_nothing_else_begins_with_them() {
        assert_eq!(by_magic(b"7z\xbc\xaf\x27\x1c\0\x04"), Some("a 7-Zip archive"));
        assert_eq!(by_magic(b"\x1f\x9d\x90abc"), Some("compress (.Z) data"));
        for other in [&b""[..], b"\x1f\x9d", b"\x1f\x9d\xff", b"Rar! said the lion", b"LZIP"] {
            assert_eq!(by_magic(other), None, "{other:?}");
        }
        assert!(is_hadoop_block(b"\0\0\0\x06\0\0\0\x08\x06\x14hello\n"));
        assert!(!is_hadoop_block(b"hello, world"));
    }
}

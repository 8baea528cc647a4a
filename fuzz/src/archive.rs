//! Archives that are listed by their headers: members are the same bytes in chunks of any size.

use gristmill::input::Framing;

use crate::pass::pass;

/// The headers of a tar file, and its members.
///
/// # Panics
/// When the size of chunks changes what is read.
pub fn tar(data: &[u8]) -> bool {
    archive("fuzzed.tar", data)
}

/// The directory of a zip file, its headers and its members.
///
/// # Panics
/// When the size of chunks changes what is read.
pub fn zip(data: &[u8]) -> bool {
    archive("fuzzed.zip", data)
}

fn archive(name: &str, data: &[u8]) -> bool {
    let whole = pass(name, data, Framing::Bytes, 1 << 20);
    let in_pieces = pass(name, data, Framing::Bytes, 100);
    match (whole, in_pieces) {
        // What came before a failure is out already, and how much that is depends on the chunks.
        (Ok(whole), Ok(in_pieces)) if whole.failed == 0 || in_pieces.failed == 0 => {
            assert_eq!(whole, in_pieces);
            !whole.bytes.is_empty()
        }
        (whole, in_pieces) => {
            assert_eq!(whole.is_ok(), in_pieces.is_ok());
            false
        }
    }
}

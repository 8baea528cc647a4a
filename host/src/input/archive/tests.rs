//! Listings of archives that are made here, byte by byte where real tools would not make them.

use std::io::Write;

use super::*;

/// An opened file with these bytes.
pub(super) fn input(bytes: &[u8]) -> Input {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let source = Source { path: file.path().into(), listed: Ok(None), way: Way::File };
    Input::open(&mut Opener::default(), &source, &Access::default()).unwrap()
}

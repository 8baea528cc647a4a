//! By what bytes are known again: digests of the first and of the last of those that are done. A
//! name says nothing of that, nor does the number of a file, which is used again.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use crate::ledger::{Digest, Followed};
use crate::settings::limits::{FOLLOW_BLOCK_BYTES, FOLLOW_EDGE_BYTES};

/// Bytes from the front of a file that were committed, by their edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edges {
    pub(super) bytes: u64,
    head: Digest,
    tail: Digest,
}

impl Edges {
    /// Of nothing.
    pub(super) fn none() -> Self {
        Self { bytes: 0, head: Digest::of([b""]), tail: Digest::of([b""]) }
    }

    /// Those that a ledger has.
    pub(super) fn of(row: &Followed) -> Self {
        Self { bytes: row.done_bytes, head: row.head, tail: row.tail }
    }

    /// Puts them into what a ledger has.
    pub(super) fn put(self, row: &mut Followed) {
        (row.done_bytes, row.head, row.tail) = (self.bytes, self.head, self.tail);
    }

    /// Those of the first `bytes` bytes of a file.
    pub(super) fn read(file: &File, bytes: u64) -> io::Result<Self> {
        let edge = edge(bytes);
        let head = digest_at(file, 0, edge)?;
        let tail = digest_at(file, bytes - edge as u64, edge)?;
        Ok(Self { bytes, head, tail })
    }

    /// Whether a file begins with these bytes, as far as their edges tell.
    pub(super) fn begin(&self, file: &File) -> io::Result<bool> {
        match Self::read(file, self.bytes) {
            Ok(found) => Ok(found == *self),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether a file that is shorter than these bytes may begin as a file does that has them.
    pub(super) fn may_be_begun(&self, of: &File, shorter: &File, bytes: u64) -> io::Result<bool> {
        let is_shorter = 0 < bytes && bytes < self.bytes;
        Ok(is_shorter && Self::read(shorter, bytes)?.begin(of)?)
    }

    /// Whether a stream begins with these bytes. Leaves what is behind them.
    pub(super) fn begin_stream(&self, stream: &mut impl Read) -> io::Result<bool> {
        let edge = edge(self.bytes);
        let mut first = vec![0; edge];
        if !fills(stream, &mut first)? || Digest::of([&first]) != self.head {
            return Ok(false);
        }
        let between = self.bytes - edge as u64;
        if between == 0 {
            return Ok(first_is(&first, &self.tail));
        }
        // What is skipped may be the front of the last bytes.
        let mut last = first;
        let mut left = between;
        while left > 0 {
            let mut more = vec![0; usize::try_from(left).unwrap_or(usize::MAX).min(1 << 16)];
            if !fills(stream, &mut more)? {
                return Ok(false);
            }
            left -= more.len() as u64;
            last.extend_from_slice(&more);
            last.drain(..last.len() - edge);
        }
        Ok(first_is(&last, &self.tail))
    }
}

fn first_is(bytes: &[u8], digest: &Digest) -> bool {
    Digest::of([bytes]) == *digest
}

fn edge(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX).min(FOLLOW_EDGE_BYTES)
}

fn digest_at(file: &File, offset: u64, bytes: usize) -> io::Result<Digest> {
    let mut read = vec![0; bytes];
    file.read_exact_at(&mut read, offset)?;
    Ok(Digest::of([read]))
}

/// Fills all of `into`; false, where the stream ends before.
fn fills(stream: &mut impl Read, into: &mut [u8]) -> io::Result<bool> {
    match stream.read_exact(into) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The end of the last line within these bytes of a file, if one ends there.
pub(super) fn last_line_end(file: &File, from: u64, to: u64) -> io::Result<Option<u64>> {
    let mut block = vec![0; FOLLOW_BLOCK_BYTES];
    let mut end = to;
    while end > from {
        let start = end.saturating_sub(block.len() as u64).max(from);
        let length = usize::try_from(end - start).unwrap_or(block.len());
        let block = crate::slices::part_mut(&mut block, ..length);
        file.read_exact_at(block, start)?;
        if let Some(at) = memchr::memrchr(b'\n', block) {
            return Ok(Some(start + at as u64 + 1));
        }
        end = start;
    }
    Ok(None)
}

/// Whether a file begins with the byte order mark of UTF-16 or UTF-32 (Unicode 16, section 23.8).
pub(super) fn is_wide(file: &File) -> io::Result<bool> {
    let mut first = [0; 4];
    let got = file.read_at(&mut first, 0)?;
    let first = crate::slices::part(&first, ..got);
    let marks: [&[u8]; 3] = [b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff"];
    Ok(marks.iter().any(|mark| first.starts_with(mark)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn file(bytes: &[u8]) -> (tempfile::TempDir, File) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, bytes).unwrap();
        (dir, File::open(path).unwrap())
    }

    #[test]
    fn what_begins_with_the_same_edges_is_known_again() {
        let long: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        for done in [0, 1, 7, 1023, 1024, 1025, 2047, 2048, 5000, 70_000, 700_000] {
            let (_dir, same) = file(&long);
            let edges = Edges::read(&same, done).unwrap();
            assert!(edges.begin(&same).unwrap(), "{done}");
            let mut stream = &long[..];
            assert!(edges.begin_stream(&mut stream).unwrap(), "{done}");
            assert_eq!(stream.len() as u64, long.len() as u64 - done, "{done}");
            if done == 0 {
                continue;
            }
            let shorter = &long[..usize::try_from(done).unwrap() - 1];
            assert!(!edges.begin(&file(shorter).1).unwrap(), "{done}");
            assert!(!edges.begin_stream(&mut &shorter[..]).unwrap(), "{done}");
            for wrong in [0, usize::try_from(done).unwrap() - 1] {
                let mut other = long.clone();
                other[wrong] ^= 1;
                assert!(!edges.begin(&file(&other).1).unwrap(), "{done} {wrong}");
                assert!(!edges.begin_stream(&mut &other[..]).unwrap(), "{done} {wrong}");
            }
        }
    }

    #[test]
    fn a_line_ends_behind_its_line_feed() {
        let far = [b"one\ntwo\n".as_slice(), &vec![b'x'; 3 * FOLLOW_BLOCK_BYTES]].concat();
        let (_dir, file) = file(&far);
        let end = |from, to| last_line_end(&file, from, to).unwrap();
        assert_eq!(end(0, far.len() as u64), Some(8));
        assert_eq!((end(0, 7), end(4, 7), end(4, 8), end(8, 8)), (Some(4), None, Some(8), None));
        assert_eq!(end(8, far.len() as u64), None);
    }
}

//! One large file by `pread`: each thread takes the next chunk and reads it into its own buffer.
//!
//! One system call a chunk: a little is read on both sides of the nominal cuts, and the lines that
//! start within the chunk are counted. Only a line longer than that needs a further read.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use rayon::ThreadPool;
use wordcount::Counts;

use crate::cuts::{cut, line_end};

/// How far behind a chunk its last line is looked for at first.
const SLACK_BYTES: usize = 1024;

/// Counts one file with every thread of `pool`.
pub(crate) fn count(pool: &ThreadPool, path: &Path, chunk_bytes: usize) -> Result<Counts> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let file_bytes = file.metadata()?.len();
    let next = AtomicU64::new(0);
    let step = u64::try_from(chunk_bytes)?;
    let counted = pool.broadcast(|_| -> io::Result<Counts> {
        let mut total = Counts::default();
        let mut reader = Reader { file: &file, chunk_bytes, buffer: Vec::new() };
        loop {
            let start = next.fetch_add(step, Ordering::Relaxed);
            if start >= file_bytes {
                return Ok(total);
            }
            total.add(wordcount::count(reader.lines_from(start)?));
        }
    });
    let mut total = Counts::default();
    for counts in counted {
        total.add(counts.with_context(|| path.display().to_string())?);
    }
    Ok(total)
}

/// Reads chunks into one buffer.
struct Reader<'a> {
    file: &'a File,
    chunk_bytes: usize,
    buffer: Vec<u8>,
}

impl Reader<'_> {
    /// The lines that start in the chunk at `start`.
    fn lines_from(&mut self, start: u64) -> io::Result<&[u8]> {
        // From one byte before, to see whether a line ends right there.
        let base = start.saturating_sub(1);
        let lead = usize::from(start > 0);
        let nominal_end = lead + self.chunk_bytes;
        let mut filled = 0;
        let end = loop {
            let wanted = nominal_end.max(filled) + SLACK_BYTES;
            if self.buffer.len() < wanted {
                self.buffer.resize(wanted, 0);
            }
            let room = self.buffer.get_mut(filled..wanted).unwrap_or_default();
            let got = read_full_at(self.file, room, base + filled as u64)?;
            let is_last = got < room.len();
            filled += got;
            let data = self.buffer.get(..filled).unwrap_or_default();
            if let Some(end) = line_end(data, nominal_end - 1) {
                break end;
            }
            if is_last {
                break filled;
            }
        };
        // A line that starts behind the chunk belongs to the next one.
        let begin = cut(self.buffer.get(..end).unwrap_or_default(), lead);
        Ok(self.buffer.get(begin..end).unwrap_or_default())
    }
}

/// Reads until `buffer` is full or the file ends, and returns how much was read.
pub(crate) fn read_full_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
        match file.read_at(room, offset + filled as u64) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn every_chunk_size_gives_every_line_once() {
        let long = "long ".repeat(SLACK_BYTES);
        for text in [String::new(), "one\n\n two three".into(), format!("a\n{long}\nb\n{long}")] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            for chunk_bytes in [1, 2, 3, 7, 64, 1000, 5000, 100_000] {
                let mut reader = Reader { file: &file, chunk_bytes, buffer: Vec::new() };
                let mut seen = Vec::new();
                for start in (0..text.len()).step_by(chunk_bytes) {
                    let lines = reader.lines_from(start as u64).unwrap();
                    assert!(lines.is_empty() || seen.is_empty() || seen.ends_with(b"\n"));
                    seen.extend_from_slice(lines);
                }
                assert_eq!(seen, text.as_bytes(), "chunk size {chunk_bytes}");
            }
        }
    }
}

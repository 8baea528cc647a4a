//! Many files: open, read, close, count, over the list that rayon splits among its threads.
//!
//! Three system calls a file: a read that does not fill the buffer has reached the end.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, Result};
use rayon::ThreadPool;
use rayon::prelude::*;
use wordcount::Counts;

/// Holds most source files whole; a larger file makes it grow, for the files after it, too.
const BUFFER_BYTES: usize = 256 * 1024;

/// Counts every file that `list` names, one a line, with every thread of `pool`.
pub(crate) fn count(pool: &ThreadPool, list: &Path) -> Result<Counts> {
    let list = std::fs::read(list).with_context(|| list.display().to_string())?;
    let names: Vec<&[u8]> =
        list.split(|&byte| byte == b'\n').filter(|name| !name.is_empty()).collect();
    pool.install(|| {
        names.into_par_iter().map_init(|| vec![0; BUFFER_BYTES], count_file).try_reduce(
            Counts::default,
            |mut left, right| {
                left.add(right);
                Ok(left)
            },
        )
    })
}

fn count_file(buffer: &mut Vec<u8>, name: &[u8]) -> Result<Counts> {
    let path = Path::new(OsStr::from_bytes(name));
    let bytes = read_whole(buffer, path).with_context(|| path.display().to_string())?;
    Ok(wordcount::count(buffer.get(..bytes).unwrap_or_default()))
}

/// Reads a file into `buffer`, and returns its length.
fn read_whole(buffer: &mut Vec<u8>, path: &Path) -> std::io::Result<usize> {
    let mut file = File::open(path)?;
    let mut filled = 0;
    loop {
        let room = buffer.get_mut(filled..).unwrap_or_default();
        let got = file.read(room)?;
        if got < room.len() {
            return Ok(filled + got);
        }
        filled += got;
        buffer.resize(buffer.len() * 2, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_larger_than_the_buffer_is_read_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("text");
        for length in [0, 7, 8, 9, 100] {
            std::fs::write(&path, "x".repeat(length)).unwrap();
            let mut buffer = vec![0; 8];
            assert_eq!(read_whole(&mut buffer, &path).unwrap(), length);
            assert!(buffer.starts_with("x".repeat(length).as_bytes()));
        }
    }
}

//! Capital letters for one large file: each thread takes the next chunk, reads it into its own
//! buffer, edits it there and writes it.
//!
//! Two system calls a chunk. A file gets each chunk at its offset; standard output gets it when it
//! is ready, so it is in order with one thread only, and nobody waits for anybody: nothing that
//! keeps the order is cheaper.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use rayon::ThreadPool;

use crate::positioned::read_full_at;

/// Where the capitals go.
pub(crate) enum Target {
    /// To their place in this file.
    Placed(File),
    /// To what cannot seek, as they come.
    Poured(File),
}

impl Target {
    /// A new file, or standard output where none is named.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else {
            return Ok(Self::Poured(io::stdout().as_fd().try_clone_to_owned()?.into()));
        };
        Ok(Self::Placed(File::create(path).with_context(|| path.display().to_string())?))
    }

    fn write(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        match self {
            Self::Placed(file) => file.write_all_at(bytes, offset),
            Self::Poured(file) => (&*file).write_all(bytes),
        }
    }
}

/// Writes all of a file to `target`, with every thread of `pool`.
pub(crate) fn write(
    pool: &ThreadPool,
    path: &Path,
    target: &Target,
    chunk_bytes: usize,
) -> Result<()> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let next = AtomicU64::new(0);
    let step = u64::try_from(chunk_bytes)?;
    let written = pool.broadcast(|_| -> io::Result<()> {
        let mut buffer = vec![0; chunk_bytes];
        loop {
            let start = next.fetch_add(step, Ordering::Relaxed);
            let got = read_full_at(&file, &mut buffer, start)?;
            if got == 0 {
                return Ok(());
            }
            let chunk = buffer.get_mut(..got).unwrap_or_default();
            chunk.make_ascii_uppercase();
            target.write(chunk, start)?;
        }
    });
    written.into_iter().collect::<io::Result<()>>().with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use rayon::ThreadPoolBuilder;

    use super::*;

    #[test]
    fn every_chunk_is_at_its_place() {
        let directory = tempfile::tempdir().unwrap();
        let (path, out) = (directory.path().join("in"), directory.path().join("out"));
        let text = "Zażółć gęślą jaźń, a-z\n".repeat(9000);
        std::fs::write(&path, &text).unwrap();
        let pool = ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        for chunk_bytes in [100, 4096, 1 << 20] {
            write(&pool, &path, &Target::open(Some(&out)).unwrap(), chunk_bytes).unwrap();
            assert_eq!(std::fs::read_to_string(&out).unwrap(), text.to_ascii_uppercase());
        }
    }

    #[test]
    fn one_thread_pours_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let (path, out) = (directory.path().join("in"), directory.path().join("out"));
        std::fs::write(&path, "abc\n".repeat(1000)).unwrap();
        let pool = ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let target = Target::Poured(File::create(&out).unwrap());
        write(&pool, &path, &target, 7).unwrap();
        assert_eq!(std::fs::read_to_string(&out).unwrap(), "ABC\n".repeat(1000));
    }
}

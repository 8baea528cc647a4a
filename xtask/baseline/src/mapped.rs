//! One large file mapped into memory, and cut into slices for rayon. The one `unsafe` of this
//! program.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use memmap2::{Advice, Mmap};
use rayon::ThreadPool;
use rayon::prelude::*;
use wordcount::Counts;

use crate::cuts::cut;

/// Counts one file with every thread of `pool`.
pub(crate) fn count(pool: &ThreadPool, path: &Path, chunk_bytes: usize) -> Result<Counts> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    // SAFETY: the mapping is private and read-only, and lives to the end of this function. A
    // bench's input is written once before any run and by nobody during one; if somebody cut it
    // short all the same, the kernel would end this program, which holds nothing that could be
    // lost.
    #[expect(unsafe_code)]
    let data = unsafe { Mmap::map(&file)? };
    data.advise(Advice::Sequential)?;
    Ok(pool.install(|| count_slices(&data, chunk_bytes)))
}

fn count_slices(data: &[u8], chunk_bytes: usize) -> Counts {
    (0..data.len().div_ceil(chunk_bytes))
        .into_par_iter()
        .map(|index| {
            let start = index * chunk_bytes;
            let end = data.len().min(start + chunk_bytes);
            wordcount::count(data.get(cut(data, start)..cut(data, end)).unwrap_or_default())
        })
        .reduce(Counts::default, |mut left, right| {
            left.add(right);
            left
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chunk_size_counts_the_same() {
        let text = b"one\n\ntwo three four\nfive\n six";
        let whole = wordcount::count(text);
        for chunk_bytes in 1..=text.len() + 1 {
            assert_eq!(count_slices(text, chunk_bytes), whole, "chunk size {chunk_bytes}");
        }
    }
}

//! The most frequent words of a table, and how they are written.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use serde::Serialize;

use crate::Table;

/// A word of the output.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Frequent {
    word: String,
    count: u64,
}

/// The `n` most frequent words, the most frequent first, equally frequent ones in byte order.
pub(crate) fn top(table: &Table, n: usize) -> Vec<Frequent> {
    let mut best = BinaryHeap::new();
    for (word, count) in table.iter() {
        if best.len() < n {
            best.push((Reverse(count), word));
        } else if let Some(mut worst) = best.peek_mut()
            && (Reverse(count), word) < *worst
        {
            *worst = (Reverse(count), word);
        }
    }
    let best = best.into_sorted_vec().into_iter();
    best.map(|(Reverse(count), word)| Frequent {
        word: String::from_utf8_lossy(word).into_owned(),
        count,
    })
    .collect()
}

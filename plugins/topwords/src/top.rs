//! The most frequent words of a table.
//!
//! The greatest count of each partition is known, so the n-th greatest of these is a floor: at
//! least `n` words reach it, and partitions that do not are not looked at. Nor are tables that were
//! laid aside merged. The highest floor of `k` tables is one for their sum, too; a word whose sum
//! reaches it has at least a k-th of it in one table, and few words have. They are found by reading
//! partitions that reach as much, and only they are summed (Fagin, Lotem and Naor, "Optimal
//! aggregation algorithms for middleware", 2003, has the idea and its relatives).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use gristmill_sdk::Error;
use serde::Serialize;

use crate::Table;
use crate::saved;
use crate::table::broken;
use crate::view::View;

/// Below this, too many words are candidates, and merging is as good.
const CANDIDATE_COUNT_MIN: u64 = if cfg!(test) { 2 } else { 16 };

/// A word of the output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Frequent {
    pub(crate) word: String,
    pub(crate) count: u64,
}

/// The `n` most frequent words, the most frequent first, equally frequent ones in byte order.
///
/// # Errors
/// A table laid aside is damaged, or there is no memory to merge it.
pub(crate) fn top(mut table: Table, n: usize) -> Result<Vec<Frequent>, Error> {
    if !table.aside.is_empty() {
        if let Some(found) = top_of_several(&table, n)? {
            return Ok(found);
        }
        table.merge_aside()?;
    }
    let view = table.view();
    Ok(Best::of(&view, view.floor(n), n).into_sorted())
}

/// The most frequent words without merging; none if that would not be faster.
fn top_of_several(table: &Table, n: usize) -> Result<Option<Vec<Frequent>>, Error> {
    let mut views = vec![table.view()];
    for saved in &table.aside {
        views.push(saved::read(saved).ok_or_else(broken)?);
    }
    let floor = views.iter().map(|view| view.floor(n)).max().unwrap_or_default();
    let candidate = floor.div_ceil(views.len() as u64);
    if candidate < CANDIDATE_COUNT_MIN {
        return Ok(None);
    }
    let mut sums = Table::default();
    for view in &views {
        for (word, count) in view.counts_from(candidate) {
            if count >= candidate {
                sums.add(word, 0)?;
            }
        }
    }
    for view in &views {
        for (index, share) in view.shares.iter().enumerate() {
            if sums.partitions.get(index).is_some_and(|partition| !partition.is_empty()) {
                view.counts(share).for_each(|(word, by)| sums.add_if_known(word, by));
            }
        }
        for (word, count) in view.long_counts() {
            sums.add(word, count)?;
        }
    }
    Ok(Some(Best::of(&sums.view(), 0, n).into_sorted()))
}

/// The best words so far, at most `n`.
struct Best<'a> {
    n: usize,
    /// The worst of them is its greatest element.
    words: BinaryHeap<(Reverse<u64>, &'a [u8])>,
}

impl<'a> Best<'a> {
    /// Those of a table, of which at least `n` words have a count of `floor`.
    fn of(view: &View<'a>, floor: u64, n: usize) -> Self {
        let mut best = Self { n, words: BinaryHeap::new() };
        for (word, count) in view.counts_from(floor).chain(view.long_counts()) {
            best.offer(word, count);
        }
        best
    }

    #[inline]
    fn offer(&mut self, word: &'a [u8], count: u64) {
        if self.words.len() < self.n {
            self.words.push((Reverse(count), word));
        } else if let Some(worst) = self.words.peek()
            && (Reverse(count), word) < *worst
            && let Some(mut worst) = self.words.peek_mut()
        {
            *worst = (Reverse(count), word);
        }
    }

    fn into_sorted(self) -> Vec<Frequent> {
        let words = self.words.into_sorted_vec().into_iter();
        let shown = |word| String::from_utf8_lossy(word).into_owned();
        words.map(|(Reverse(count), word)| Frequent { word: shown(word), count }).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use gristmill_sdk::State;
    use proptest::prelude::*;

    use super::*;
    use crate::entries::{COUNT_MAX, WORD_BYTES_MAX};

    /// Sorts all words: what `top` has to agree with.
    fn sorted(counts: &HashMap<Vec<u8>, u64>, n: usize) -> Vec<Frequent> {
        let mut all: Vec<_> = counts.iter().map(|(word, &count)| (Reverse(count), word)).collect();
        all.sort();
        let best = all.into_iter().take(n).map(|(Reverse(count), word)| Frequent {
            word: String::from_utf8_lossy(word).into_owned(),
            count,
        });
        best.collect()
    }

    /// Counts of words, some too long for an entry and some counts too great.
    fn part() -> impl Strategy<Value = Vec<(Vec<u8>, u64)>> {
        let length = prop_oneof![9 => 1..3_usize, 1 => WORD_BYTES_MAX - 1..WORD_BYTES_MAX + 2];
        let most = u64::from(COUNT_MAX);
        let count = prop_oneof![1 => 1..3_u64, 3 => 1..100_u64, 1 => most - 1..most + 9];
        let word = (length, 0..9_u8).prop_map(|(length, byte)| vec![b'a' + byte; length]);
        prop::collection::vec((word, count), 0..60)
    }

    proptest! {
        #[test]
        fn merged_or_laid_aside_the_best_words_are_the_same(
            parts in prop::collection::vec(part(), 1..20),
            n in prop_oneof![0..12_usize, Just(1000)],
        ) {
            let (mut total, mut counts) = (Table::default(), HashMap::new());
            for part in &parts {
                let mut table = Table::default();
                for (word, by) in part {
                    table.add(word, *by).unwrap();
                    *counts.entry(word.clone()).or_default() += by;
                }
                total.merge_saved(table.save().unwrap()).unwrap();
            }
            let again = Table::load(&total.save().unwrap()).unwrap();
            prop_assert_eq!(top(total, n).unwrap(), sorted(&counts, n));
            prop_assert_eq!(top(again, n).unwrap(), sorted(&counts, n));
        }
    }
}

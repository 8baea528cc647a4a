//! Counts lines, words and bytes as `wc` does, at the speed of memory.
//!
//! Output: `{"lines":3,"words":9,"bytes":51}`, with `chars` and `longest` after `bytes` where they
//! are set. A word is a run of bytes other than ASCII white space (9 to 13, and 32), as in Python's
//! `data.split()`. GNU `wc` agrees except that a run without any character that its locale can
//! print is no word to it. What is not UTF-8 counts as one character for each maximal part of a
//! sequence, as Python's `data.decode("utf-8", "replace")` has it (Unicode 16, section 3.9, "U+FFFD
//! substitution").

mod chars;
mod counts;
mod kernel;
mod plugin;

pub use counts::Counts;
pub use kernel::count;
pub use plugin::WordCount;

gristmill_sdk::export_aggregator!(WordCount);

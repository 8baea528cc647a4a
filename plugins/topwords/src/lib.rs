//! Finds the most frequent words: `[{"word":"the","count":42},...]`, ten of them unless `n` says
//! otherwise, those that are equally frequent in byte order.
//!
//! A word is a run of bytes other than ASCII white space (9 to 13, and 32). Words are compared as
//! bytes; what is not UTF-8 in one is shown as U+FFFD. Every distinct word is kept, in some 20
//! bytes more than its own length, and while a table is saved in 4 more than its length once more:
//! 4 million words of 19 bytes need 240 MiB. Where they do not fit into the memory of an instance,
//! the job ends with an error that says so.

mod entries;
mod hash;
mod partition;
mod plugin;
mod saved;
mod table;
mod top;
mod view;
mod words;

pub use plugin::TopWords;
pub use table::Table;

gristmill_sdk::export_aggregator!(TopWords);

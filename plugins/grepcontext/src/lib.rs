//! Keeps the lines that match a pattern, with their numbers, and with lines before and behind them,
//! as `grep -n -B -A` does.
//!
//! ```text
//! 11-a line before
//! 12:a line that matches
//! --
//! ```
//!
//! The settings are those of `grep`, and `line-numbers` (on unless it is `false`), `before` and
//! `after`: how many lines. A number stands before `:` where the line matches, and before `-` where
//! it does not; `--` stands between groups that are not next to each other, where there are lines
//! around them at all. A last line that lacks its line feed lacks it in the output, too.
//!
//! To know what stands before a chunk, one instance sees all chunks of a source, in order: sources
//! run in parallel, the chunks of one do not. `grep`, which needs none of this, is the faster one
//! for a single large file.

mod plugin;

pub use plugin::GrepContext;

gristmill_sdk::export_transformer!(GrepContext);

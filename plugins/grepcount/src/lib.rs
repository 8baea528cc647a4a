//! Counts the lines that match a pattern, as `grep -c` does: `{"lines":3}` for each source, and
//! their sum as the total.
//!
//! The settings are those of `grep`: `pattern`, `fixed`, `ignore-case`, `unicode` and `invert`,
//! which counts the lines that do not match. A last line without a line feed counts.

mod plugin;

pub use plugin::GrepCount;

gristmill_sdk::export_aggregator!(GrepCount);

//! Keeps the lines that match a pattern, as they are and in order, as `grep` does.
//!
//! `pattern` is a regular expression of the crate [`regex`](https://docs.rs/regex/1/regex/#syntax)
//! (no look-around, no back-references: time grows with the length of the text, whatever the
//! pattern), or plain text with `fixed=true`; `invert=true` keeps the other lines,
//! `only-matching=true` what matches, each on a line: of what may match at one place it is the
//! first alternative, where POSIX has the longest. A pattern of several lines is one pattern a
//! line, and one of them is enough. A line is what stands before a line feed, and the last one may
//! lack it, and then lacks it in the output, too. The text need not be UTF-8: what is not, no class
//! of Unicode matches.
//!
//! Numbers of lines, and lines around those that match, need to see what stands before a chunk:
//! `grepcontext` does, a chunk after the other. A plugin is either a transformer or an aggregator,
//! so the count of lines is a plugin of its own, `grepcount`, with the same settings: a transformer
//! could only count the lines of each chunk.
//!
//! A chunk is searched as a whole, and lines are only looked at where something was found. The
//! output is made in the memory of the input. Patterns that begin with or contain a literal are
//! fastest; a word boundary (`\b`) of Unicode is slow in text beyond ASCII: `unicode=false` makes
//! it one of ASCII.

mod plugin;

pub use plugin::Grep;

gristmill_sdk::export_transformer!(Grep);

//! Which lines match a pattern: what the plugins `grep` and `grepcount` share.
//!
//! A pattern is a literal or a regular expression of the crate
//! [`regex`](https://docs.rs/regex/1/regex/#syntax), and a line matches if the pattern is found in
//! it. The answer is always that of the line on its own, without its line feed: `^`, `$`, `\A` and
//! `\z` are its two ends, and nothing matches beyond them. A carriage return is part of its line,
//! but where the pattern says `(?R)`: there it belongs to the end.
//!
//! It is fast as it never asks line by line: a chunk is searched as a whole, and the bounds of a
//! line are looked for around a match only. So the pattern is changed before it is compiled: what
//! could match a line feed cannot any more.

mod expression;
mod lines;
mod pattern;

pub use expression::Expression;
pub use pattern::{Pattern, settings};

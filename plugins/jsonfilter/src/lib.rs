//! Keeps the JSON lines whose fields are as asked for, byte for byte as they are, or some of their
//! fields.
//!
//! `field` is a path: names and positions in arrays, from 0, with dots between them, as in
//! `.http.headers.0.name`, where the first dot may be left out; `\.`, `\[` and `\\` are a dot, a
//! bracket and a backslash in a name. Of a name that an object has twice, the last one counts. A
//! line stays
//!
//! - if it has the field, whatever its value, `null` too;
//! - with `equals=TEXT`, if the value is that string, or a number, `true`, `false` or `null`
//!   written exactly so (`equals=5` is `5` and `"5"`, not `5.0`);
//! - with `matches=REGEX`, if an expression of the crate
//!   [`regex`](https://docs.rs/regex/1/regex/#syntax) is found in the string, or in the number or
//!   word as it is written.
//!
//! Objects and arrays are equal to nothing and match nothing. `invert=true` keeps the other lines.
//! An empty `equals` or `matches` is as if not given: the empty string is `matches=^$`.
//!
//! `where` has further conditions, which have to hold all, with ` && ` or line feeds between them:
//! a path alone, or one with `=`, `!=`, `~` (matches), `!~`, and with `<`, `<=`, `>` or `>=` and a
//! number, which compares numbers and strings that are numbers, digit by digit. A line without the
//! field fits `!=` and `!~` only. `invert=true` keeps lines for which not all hold.
//!
//! `fields=.user.name,.t` keeps these fields of each line that stays, as an object with the paths
//! as names, in which what is not there is `null`; or, with `output=raw`, as what they say, with
//! tabs between them: a tab, line feed, carriage return or backslash in a string is `\t`, `\n`,
//! `\r` or `\\`, and what is not there is empty.
//!
//! A line that is not JSON (RFC 8259), or not UTF-8, is rejected and left out, in either case; an
//! empty one is left out. To know, every line is read to its end. With `check=needed` only those
//! lines are read that can stay: one in which neither the string of `equals` (or else a name of the
//! path) occurs nor a backslash, which could hide it, cannot, whether it is JSON or not. That is
//! several times as fast where few lines stay. With `invert=true` every line is read.

mod conditions;
mod field;
mod lines;
mod number;
mod plugin;
mod prefilter;
mod project;

pub use plugin::JsonFilter;

gristmill_sdk::export_transformer!(JsonFilter);

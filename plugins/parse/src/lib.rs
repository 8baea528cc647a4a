//! Turns lines of a form that is known into JSON lines: an object for each line, with the parts
//! that have names.
//!
//! ```text
//! 192.0.2.1 - ann [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326
//! {"host":"192.0.2.1","ident":null,"user":"ann","time":"10/Oct/2000:13:55:36 -0700","method":"GET", …,"status":200,"bytes":2326}
//! ```
//!
//! One of these says what the form is:
//!
//! - `pattern`: a regular expression of the crate [`regex`](https://docs.rs/regex/1/regex/#syntax)
//!   with named groups, `(?<status>[0-9]{3})`, which is searched for in the line;
//! - `grok`: such an expression in which `%{NAME}` stands for a pattern that is known,
//!   `%{NAME:field}` makes a field of it, and `%{NAME:field:int}` or `float` a number; the head of
//!   `grok.rs` lists the names;
//! - `format`: `common` and `combined` (the log formats of Apache's `mod_log_config`), `syslog`
//!   (RFC 5424 and, without a priority or with one, RFC 3164), `logfmt` (`level=info msg="a text"
//!   done`, where a name alone is `true`, and of a name that is there twice, the second one is
//!   `name_2`).
//!
//! Values are strings as they stand there; in the formats, `-` is null, and status, bytes and
//! priority are numbers. With `types=on` all that is a number as JSON writes it is one. A group
//! that took no part is null.
//!
//! A line that does not match is rejected; with `unmatched=keep` it is `{"unmatched":"the line"}`,
//! with `unmatched=drop` it is left out. A line that is not UTF-8 is rejected, an empty one
//! skipped. A carriage return before the line feed is no part of the line.

mod form;
mod format;
mod grok;
mod logfmt;
mod plugin;

pub use plugin::Parse;

gristmill_sdk::export_transformer!(Parse);

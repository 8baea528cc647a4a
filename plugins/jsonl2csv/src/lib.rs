//! Turns JSON lines into CSV (RFC 4180) with a header: the way back from `csv2jsonl`.
//!
//! ```text
//! {"id":1,"user":{"name":"Ann \"A\" Lee"}}            id,user.name
//!                                                      1,"Ann ""A"" Lee"
//! ```
//!
//! Columns are the fields of the first line, where objects are flattened: their names are joined
//! with dots, and with `flatten=off` an object is one field, as JSON. `fields=id,user.name` chooses
//! them, and their order. A line with a field that has no column is rejected, as something would be
//! lost; with `extra=drop` and with `fields`, it is dropped. A field that is not there is empty.
//!
//! Strings are what they say, numbers, `true` and `false` as they are written, `null` is empty or
//! the text of `null`, arrays are JSON. Strings that are empty, or would be read as that text, or
//! hold a quote, the delimiter, a line end or an outer space, are in quotes. Of a name that an
//! object has twice, the last one counts. A line in which two fields make one column
//! (`{"a":{"b":1},"a.b":2}`) is rejected; the first line of a source fails it. `header=off` leaves
//! out the names.
//!
//! A line that is no JSON object is rejected; empty ones are skipped.

mod plugin;
mod record;

pub use plugin::Jsonl2Csv;

gristmill_sdk::export_transformer!(Jsonl2Csv);

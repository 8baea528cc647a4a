//! Turns CSV (RFC 4180) with a header into JSON lines: an object for each record, with the header's
//! names, in its order.
//!
//! ```text
//! id,name            {"id":"1","name":"Ann \"A\" Lee"}
//! 1,"Ann ""A"" Lee"
//! ```
//!
//! Fields are strings. With `types=on` a field without quotes that is a number as JSON writes it
//! (RFC 8259, section 6) or `true` or `false` stays as it is, without quotes: `1e3` does, `007`,
//! `+1` and `NaN` are strings, and so is an empty field. With `null=NULL` a field that is `NULL`
//! without quotes is null, with `null=empty` one of nothing at all. `delimiter` is one ASCII
//! character, `\t` for a tab, or `auto`: whichever of comma, semicolon, tab and `|` makes most
//! fields of the first record.
//!
//! Names are those of the first record, or with `header=skip:3` of the fourth: the three before it
//! are dropped, whatever they are. `names=id,size` gives others, and with `header=none` there is no
//! such record: without `names`, columns are `column1` and so on. Of a name that is there twice,
//! the second one is `name_2` with `duplicates=rename`.
//!
//! Records end with a line feed, a carriage return, or both; the last one may lack them. Empty
//! lines are skipped. A byte order mark before the header is dropped. A quote opens a field at its
//! start only (RFC 4180, section 2.5 to 2.7); with `quote=none` it is a character as others, and a
//! line end always ends the record.
//!
//! A record is rejected, and left out of the output, if it has more or fewer fields than the
//! header, if it has a quote where RFC 4180 allows none (in a field that does not begin with one,
//! or single and not at the end of one that does), if its quotes do not end, or if it is not UTF-8.
//! `stray=keep` keeps such quotes as Python's `csv` does: `5" pipe` is what it says. A header that
//! has a name twice, or that is no record, fails its source.
//!
//! Quotes, delimiters and line feeds are found 64 bytes at a time, and each field goes into the
//! output once. A parser that goes from byte to byte (`csv-core`, which the tests compare with)
//! takes 1.7 times as long in a sandbox, and would find other ends of records than the host where
//! quotes are wrong.

mod columns;
mod field;
mod output;
mod plugin;
mod rows;
mod scan;
mod settings;

pub use plugin::Csv2Jsonl;

gristmill_sdk::export_transformer!(Csv2Jsonl);

//! Masks what says who somebody is: e-mail addresses, card numbers, IP addresses, and what else is
//! asked for. All else stays as it is. Where it is open whether something is meant, it is masked.
//!
//! `kinds` names what is looked for (`email,card,ip`, also `phone`, `iban`, `ssn`, `token`, or
//! `all`, or `none`), `pattern` further regular expressions of the crate
//! [`regex`](https://docs.rs/regex/1/regex/#syntax), one a line. What has a match of `allow`,
//! expressions of the same form, is left alone: `allow='@example\.org$'`. Lines are the records, so
//! no cut of the host's ever hides a match. A line that is not UTF-8 could hide one: it is
//! rejected, and left out of the output. Places that overlap are one place.
//!
//! `replace` says what is put in its place:
//!
//! - **star**: a star for each byte, so that columns stay, or else the text that is given as
//!   `mask`, which may be empty.
//! - **label**: its kind, `[EMAIL]`.
//! - **hash**: its kind and 20 letters that depend on the value and on `key`, the same for the
//!   same, so that joins and counts survive: HMAC-SHA-256 of the kind, a zero byte and the value;
//!   its first ten bytes, four bits a letter from `a` on. The value is taken without its escapes
//!   and in one form: addresses in small letters, cards, phones and accounts without what separates
//!   their digits, IP addresses as RFC 5952 writes them. With the key, all values can be tried:
//!   keep it from the output's readers.
//!
//! `format` says what is looked through. Of escapes, none is ever cut.
//!
//! - **auto**: escapes with a backslash as JSON, C, Python and JavaScript have them, and as
//!   expressions, shells and Markdown put one before a sign (`bob\.smith\@example\.org`), `%40`,
//!   references of HTML (`&#64;`), each in up to four layers: `%2540`, JSON in JSON. A line that is
//!   a JSON object or array stays one: its strings and names are read without escapes and masked in
//!   place, and a number that is masked becomes a string, or stays as it is with `numbers=keep`.
//!   (Two names of an object that are masked with stars may become the same; `replace=hash` keeps
//!   them apart.)
//! - **json**: as auto, where each line is a JSON value; what is none is rejected.
//! - **url**: `%40` and `%u0040`.
//! - **text**: the text as it is.
//!
//! In all of them, what follows a terminal's sequence, as `ESC[31m` is one, begins with it and is
//! no part of it; spaces, dashes and wide letters of Unicode count as those of ASCII, and what has
//! no width as nothing.
//!
//! What is found, precisely:
//!
//! - **email**: a local part, `@`, a domain. The local part is the longest run before the `@` of
//!   ASCII letters, digits, `_ . + - % ~ '` and whatever is not ASCII, from its first letter,
//!   digit, `_` or byte beyond ASCII on. What else RFC 5322, section 3.2.3, allows in it separates
//!   words where addresses stand in text (`user=a@b.org`), and counts where it belongs to one:
//!   behind `<`, in the form of VERP (`alice=example.org@lists.example.net`), in `first/last@` that
//!   is no path, and so do quoted local parts. The domain has two labels or more, each of ASCII
//!   letters, digits, `-`, `_` and whatever is not ASCII, with single dots between them; it ends
//!   with the last label that begins with `xn--` and more, or with two letters or bytes beyond
//!   ASCII, and there after the last of these: `a@b.org`, and the dot behind it stays. An IP
//!   address, also one in brackets, is one, too; `a@localhost` is not. In scripts without spaces,
//!   what stands next to an address goes with it.
//! - **card**: 13 to 19 digits whose check digit is right (Luhn: ISO/IEC 7812-1, annex B), in one
//!   group or in several of three or more with one to three spaces, `-` or `+` between them; behind
//!   three groups of four the last one may be shorter. Single dots count where the groups are those
//!   that cards show: 4-4-4-4, 4-6-5, 4-6-4, 4-4-4-4-3 and 4-4-4-1. The first digits are those of
//!   card networks: 22 to 69, and 81, 82, 8600, 9051, 9792, 9860; what begins with 1 or 20 is a
//!   time more often. No digit stands directly before or after, nor a decimal point with a digit on
//!   its other side, unless all behind it are zeros. Of those that begin with the same group the
//!   longest is taken.
//! - **ip**, version 4: exactly four numbers of one to three digits up to 255, with dots between
//!   them, and no further number with a dot on either side, but for a port behind it: of
//!   `192.0.2.1.443` the port stays.
//! - **ip**, version 6: the text forms of RFC 4291, section 2.2, of whole words: letters and digits
//!   next to each other are one word. Next to `_` it has a digit: `a_b::c` is a name. A word that
//!   is no group ends the address: `from:fe80::1:eth` has one. A single colon at its ends is not
//!   part of it, neither are two behind or before another word (`std::fs`), and a last group of
//!   digits is a port where it is an address only without. `::` alone is none.
//! - **phone**: 7 to 15 digits behind `+` or `00`, ten as in North America, 9 to 12 that begin with
//!   0; with spaces and `. - / ( )` between them. No dates.
//! - **iban**: by its check digits (ISO 13616-1), with single spaces or without.
//! - **ssn**: `078-05-1120`, with spaces, dots or dashes.
//! - **token**: secrets that begin as those of Amazon, Google, GitHub, GitLab, Slack, Stripe and
//!   others do, JSON web tokens, what stands behind `Bearer` and `Basic`, and user and password of
//!   a URL.
//!
//! Only what the scan of all bytes points to is looked at closely, and only lines in which an
//! escape stands at, in or for something are read once more without escapes. Further kinds and
//! patterns are searched for by automata, which takes longer.

mod closer;
mod escapes;
mod expressions;
mod find;
mod mask;
mod plugin;
mod scan;
mod settings;
mod views;

pub use plugin::Redact;

gristmill_sdk::export_transformer!(Redact);

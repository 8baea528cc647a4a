//! Masks what says who somebody is: e-mail addresses, card numbers, IP addresses. All else stays as it is.
//!
//! `kinds` names what is looked for (`email,card,ip`), `mask` what is put in its place: `*`, a star for each byte, so that
//! columns stay, or else the text once for each place, which may be empty. Lines are the records, so no cut of the host's
//! ever hides a match. A line that is not UTF-8 could hide one: it is rejected, and left out of the output. Where it is
//! open whether something is meant, it is masked. Places that overlap are one place.
//!
//! What is found, precisely:
//!
//! - **email**: a local part, `@`, a domain. The local part is the longest run before the `@` of ASCII letters, digits,
//!   `_ . + - % ~ '` and whatever is not ASCII, from its first letter, digit, `_` or byte beyond ASCII on. (What else RFC
//!   5322, section 3.2.3, allows in it separates words where addresses stand in text: `user=a@b.org`.) The domain has two labels
//!   or more, each of ASCII letters, digits, `-` and whatever is not ASCII, with single dots between them; it ends with the last
//!   label that begins with `xn--` and more, or with two letters or bytes beyond ASCII, and there after the
//!   last of these: `a@b.org`, and the dot behind it stays. Neither `a@localhost` nor `a@[192.0.2.1]` is one.
//!   In scripts without spaces, what stands next to an address goes with it.
//! - **card**: 13 to 19 digits whose check digit is right (Luhn: ISO/IEC 7812-1, annex B), in one group or in
//!   several of three or more with one space or `-` between them. The first two are 22 to 69, which are the card networks;
//!   what begins with 1 or 20 is a time more often. No digit stands directly before or after, nor a decimal point with
//!   a digit on its other side. Of those that begin with the same group the longest is taken.
//! - **ip**, version 4: exactly four numbers of one to three digits up to 255, with dots between them, and no further
//!   number with a dot on either side: `1.2.3.4.5` is none.
//! - **ip**, version 6: the text forms of RFC 4291, section 2.2, of whole words: letters, digits and `_`
//!   next to each other are one word. A word that is no group ends the address: `from:fe80::1:eth` has one. A single
//!   colon at its ends is not part of it, neither are two behind or before another word (`std::fs`), and a last group
//!   of digits is a port where it is an address only without. `::` alone is none.

mod find;
mod plugin;
mod scan;

pub use plugin::Redact;

gristmill_sdk::export_transformer!(Redact);

//! What is put in the place of what was found.

use std::fmt::Write as _;
use std::ops::Range;

use gristmill_sdk::{Error, Settings};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::closer::{Form, Place};
use crate::expressions::{iban, phone};
use crate::find::{Class, card, ip};

/// Letters of a pseudonym behind its kind, of four bits each: two of a million million values have
/// the same one with a probability of one half.
const LETTERS: usize = 20;

/// What is put there.
#[derive(Clone, Debug)]
pub(crate) enum Mask {
    /// A star for each byte.
    Stars,
    /// This, once for each place; in a string of JSON as it is written there.
    Text { plain: String, in_string: String },
    /// What it was: `[EMAIL]`.
    Label,
    /// A pseudonym of what it was: the same for the same, whatever its form.
    Hash(Box<Hmac<Sha256>>),
}

impl Mask {
    /// What the settings `replace`, `mask` and `key` ask for.
    pub(crate) fn configure(settings: &Settings) -> Result<Self, Error> {
        let replace: String = settings.parse("replace")?;
        let mask: String = settings.parse("mask")?;
        let key: String = settings.parse("key")?;
        if replace != "star" && mask != "*" {
            return Err(Error::fatal("settings `mask` and `replace` exclude each other"));
        }
        if replace != "hash" && !key.is_empty() {
            return Err(Error::fatal("setting `key` is for `replace=hash` only"));
        }
        match replace.as_str() {
            "star" if mask == "*" => Ok(Self::Stars),
            "star" => Self::text(mask),
            "label" => Ok(Self::Label),
            "hash" if key.is_empty() => Err(Error::fatal(
                "setting `replace` cannot be `hash` without `key`: whoever has no key could try all values",
            )),
            "hash" => {
                let mac = Hmac::new_from_slice(key.as_bytes()).map_err(Error::fatal)?;
                Ok(Self::Hash(Box::new(mac)))
            }
            other => Err(Error::fatal(format_args!(
                "setting `replace` cannot be `{other}`: it is star, label or hash"
            ))),
        }
    }

    fn text(plain: String) -> Result<Self, Error> {
        if plain.contains('\n') {
            return Err(Error::fatal(
                "setting `mask` cannot hold a line feed: it would make lines",
            ));
        }
        let mut in_string = String::with_capacity(plain.len());
        for letter in plain.chars() {
            match letter {
                '"' | '\\' => in_string.extend(['\\', letter]),
                ..' ' => {
                    // Writing to memory never fails.
                    let _ = write!(in_string, "\\u{:04x}", u32::from(letter));
                }
                other => in_string.push(other),
            }
        }
        Ok(Self::Text { plain, in_string })
    }

    /// Whether it is a star for each byte.
    pub(crate) fn is_stars(&self) -> bool {
        matches!(self, Self::Stars)
    }

    /// Whether it is another one in a string of JSON.
    pub(crate) fn knows_strings(&self) -> bool {
        matches!(self, Self::Text { plain, in_string } if plain != in_string)
    }

    /// The text with each place masked.
    pub(crate) fn apply(&self, mut text: Vec<u8>, places: &[Place]) -> Vec<u8> {
        let in_place = |it: &Place| it.form != Form::Number;
        if matches!(self, Self::Stars) && places.iter().all(in_place) {
            for it in places {
                if let Some(found) = text.get_mut(it.range.clone()) {
                    found.fill(b'*');
                }
            }
            return text;
        }
        self.replaced(&text, places)
    }

    fn replaced(&self, text: &[u8], places: &[Place]) -> Vec<u8> {
        let mut output = Vec::with_capacity(text.len() + places.len() * self.bytes_max());
        let mut next = 0;
        for it in places {
            let Range { start, end } = it.range;
            output.extend_from_slice(text.get(next..start).unwrap_or_default());
            let found = text.get(start..end).unwrap_or_default();
            let quote: &[u8] = if it.form == Form::Number { b"\"" } else { b"" };
            output.extend_from_slice(quote);
            self.push(found, it, &mut output);
            output.extend_from_slice(quote);
            next = end;
        }
        output.extend_from_slice(text.get(next..).unwrap_or_default());
        output
    }

    /// What a place takes more than before, at most.
    fn bytes_max(&self) -> usize {
        let quotes = 2;
        match self {
            Self::Stars => quotes,
            Self::Text { in_string, .. } => in_string.len() + quotes,
            Self::Label | Self::Hash(_) => LETTERS + "pattern-".len() + quotes,
        }
    }

    fn push(&self, found: &[u8], it: &Place, output: &mut Vec<u8>) {
        match self {
            Self::Stars => output.resize(output.len() + found.len(), b'*'),
            Self::Text { plain, .. } if it.form == Form::Text => {
                output.extend_from_slice(plain.as_bytes());
            }
            Self::Text { in_string, .. } => output.extend_from_slice(in_string.as_bytes()),
            Self::Label => {
                output.push(b'[');
                output.extend(name(it.class).bytes().map(|byte| byte.to_ascii_uppercase()));
                output.push(b']');
            }
            Self::Hash(mac) => {
                let name = name(it.class);
                let value = normal(it.class, it.value.as_deref().unwrap_or(found));
                output.extend_from_slice(name.as_bytes());
                output.push(b'-');
                output.extend_from_slice(&pseudonym(mac, name, &value));
            }
        }
    }
}

/// The first bits of HMAC-SHA-256 (RFC 2104) of the kind, a zero byte and the value, as letters
/// from `a` to `p`: they make no number, no address and no word of JSON.
fn pseudonym(mac: &Hmac<Sha256>, name: &str, value: &[u8]) -> [u8; LETTERS] {
    let mut mac = mac.clone();
    mac.update(name.as_bytes());
    mac.update(&[0]);
    mac.update(value);
    let digest = mac.finalize().into_bytes();
    let mut letters = [b'a'; LETTERS];
    for (pair, byte) in letters.as_chunks_mut::<2>().0.iter_mut().zip(&digest) {
        *pair = [b'a' + (byte >> 4), b'a' + (byte & 15)];
    }
    letters
}

/// What is the same of all forms of a value.
fn normal(class: Class, value: &[u8]) -> Vec<u8> {
    match class {
        Class::Email => String::from_utf8_lossy(value).to_lowercase().into(),
        Class::Card | Class::Ssn => card::normal(value),
        Class::Ip => ip::normal(value),
        Class::Phone => phone::normal(value),
        Class::Iban => iban::normal(value),
        Class::Token | Class::Pattern => value.into(),
    }
}

/// The kind, as the setting `kinds` names it.
pub(crate) fn name(class: Class) -> &'static str {
    match class {
        Class::Email => "email",
        Class::Card => "card",
        Class::Ip => "ip",
        Class::Phone => "phone",
        Class::Iban => "iban",
        Class::Ssn => "ssn",
        Class::Token => "token",
        Class::Pattern => "pattern",
    }
}

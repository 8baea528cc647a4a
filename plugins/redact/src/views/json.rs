//! A line of JSON (RFC 8259) as what its strings and numbers say, one a line.
//!
//! Only what keeps such a line valid is looked at: which bytes are strings, numbers, words and
//! signs. Every line that is JSON is read rightly; of one that is not, some pass.

use std::ops::Range;

use super::View;
use crate::escapes::Escapes;

/// The strings and numbers of a line.
#[derive(Debug, Default)]
pub(crate) struct Json {
    /// Their text, with a line feed behind each.
    pub(crate) view: View,
    /// Where numbers stand in the line.
    pub(crate) numbers: Vec<Range<usize>>,
}

impl Json {
    /// The number that a place in the line is a part of.
    pub(crate) fn number(&self, place: &Range<usize>) -> Option<Range<usize>> {
        let next = self.numbers.partition_point(|number| number.start <= place.start);
        let number = next.checked_sub(1).and_then(|at| self.numbers.get(at))?;
        (place.start < number.end).then(|| number.clone())
    }
}

/// What a line holds.
enum Part {
    /// Between its quotes.
    String(Range<usize>),
    Number(Range<usize>),
}

/// Words of JSON, and of programs that write more.
const WORDS: [&[u8]; 6] = [b"true", b"false", b"null", b"NaN", b"Infinity", b"-Infinity"];

/// Reads a line; none if it is not JSON.
pub(crate) fn read(line: &[u8]) -> Option<Json> {
    let mut json = Json::default();
    parts(line, |part| {
        match part {
            Part::String(place) => json.view.append(line, place, Escapes::in_string),
            Part::Number(place) => {
                json.view.verbatim(line, place.clone());
                json.numbers.push(place);
            }
        }
        json.view.text.push(b'\n');
    })?;
    Some(json)
}

/// Whether a line is JSON, or looks like it.
pub(crate) fn is_json(line: &[u8]) -> bool {
    parts(line, |_| ()).is_some()
}

/// Visits strings and numbers, in order.
fn parts(line: &[u8], mut visit: impl FnMut(Part)) -> Option<()> {
    let mut at = 0;
    let mut depth = 0_usize;
    let mut values = 0;
    while let Some(&byte) = line.get(at) {
        let start = at;
        match byte {
            b'"' => {
                at = string_end(line, at + 1)?;
                visit(Part::String(start + 1..at - 1));
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            _ => {
                at += line.get(at..)?.iter().take_while(|byte| is_in_word(**byte)).count();
                let word = line.get(start..at).filter(|word| !word.is_empty())?;
                if is_number(word) {
                    visit(Part::Number(start..at));
                } else if !WORDS.contains(&word) {
                    return None;
                }
            }
        }
        at = at.max(start + 1);
        // One value, whatever is in it.
        values += usize::from(depth == 0);
        if values > 1 {
            return None;
        }
    }
    (depth == 0 && values == 1).then_some(())
}

/// Where the string ends, with its quote, whose text begins at `start`.
fn string_end(line: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let rest = line.get(at..)?;
        at += memchr::memchr2(b'"', b'\\', rest)?;
        match line.get(at) {
            Some(b'"') => return Some(at + 1),
            _ => at += 2,
        }
    }
}

fn is_in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}

/// Whether this is a number (RFC 8259, section 6).
fn is_number(word: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = word.strip_prefix(b"-").unwrap_or(word);
    let whole = digits(text);
    if whole == 0 || (whole > 1 && text.starts_with(b"0")) {
        return false;
    }
    let mut rest = text.get(whole..).unwrap_or_default();
    if let Some(behind) = rest.strip_prefix(b".") {
        let fraction = digits(behind);
        if fraction == 0 {
            return false;
        }
        rest = behind.get(fraction..).unwrap_or_default();
    }
    match rest {
        [] => true,
        [b'e' | b'E', exponent @ ..] => {
            let exponent = match exponent {
                [b'-' | b'+', digits @ ..] => digits,
                all => all,
            };
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
        _ => false,
    }
}

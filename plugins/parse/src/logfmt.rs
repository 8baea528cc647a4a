//! Pairs of a name and a value, as Heroku's router and Go's loggers write them: `at=info method=GET
//! msg="a text" done`.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::form::{Kind, push_string, push_value};

/// Appends the object that a line stands for, and returns whether there is one: whether it has a
/// pair, and no quotes that do not end.
pub(crate) fn push(line: &str, kind: Kind, out: &mut Vec<u8>) -> bool {
    let Some(pairs) = pairs(line) else { return false };
    let names = unlike(&pairs);
    let mut first = true;
    for (name, (_, value)) in names.iter().zip(&pairs) {
        out.push(if first { b'{' } else { b',' });
        first = false;
        push_string(name, out);
        out.push(b':');
        match value {
            None => out.extend_from_slice(b"true"),
            Some(Text::Bare(text)) => push_value(text, kind, out),
            Some(Text::Quoted(text)) => push_string(text, out),
        }
    }
    out.extend_from_slice(b"}\n");
    true
}

/// Up to so many pairs, each name is compared with each.
const SHORT_PAIRS: usize = 32;

/// The names, where one that has been before gets a number that makes it another: of `a`, `a`, the
/// second one is `a_2`.
fn unlike<'a>(pairs: &[Pair<'a>]) -> Vec<Cow<'a, str>> {
    let all = || pairs.iter().map(|(name, _)| *name);
    // Most lines are short and have no name twice: no table is made to see that.
    let is_before = |(at, name)| all().take(at).any(|before| before == name);
    if pairs.len() <= SHORT_PAIRS && !all().enumerate().any(is_before) {
        return all().map(Cow::Borrowed).collect();
    }
    let mut given: HashMap<_, _> = all().map(|name| (name, 1_usize)).collect();
    let mut seen = HashSet::with_capacity(given.len());
    let numbered = pairs.iter().map(|(name, _)| {
        if seen.insert(*name) {
            return Cow::Borrowed(*name);
        }
        // Names with numbers differ where their names or numbers do: only those that the line has
        // itself are taken.
        let mut number = given.get(name).copied().unwrap_or(1);
        let free = loop {
            number += 1;
            let free = format!("{name}_{number}");
            if !given.contains_key(free.as_str()) {
                break free;
            }
        };
        given.insert(name, number);
        Cow::Owned(free)
    });
    numbered.collect()
}

/// A name, and its value where it has one.
type Pair<'a> = (&'a str, Option<Text<'a>>);

enum Text<'a> {
    Bare(&'a str),
    Quoted(String),
}

/// The pairs of a line; none if it is no such line.
fn pairs(line: &str) -> Option<Vec<Pair<'_>>> {
    let mut pairs = Vec::new();
    let mut rest = line.trim_start();
    let mut valued = false;
    while !rest.is_empty() {
        let end = rest.find(|sign: char| sign == '=' || sign.is_whitespace()).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        let Some(value) = behind.strip_prefix('=') else {
            pairs.push((name, None));
            rest = behind.trim_start();
            continue;
        };
        if name.is_empty() || name.contains('"') {
            return None;
        }
        valued = true;
        let (text, behind) = if let Some(inside) = value.strip_prefix('"') {
            let (text, behind) = quoted(inside)?;
            (Text::Quoted(text), behind)
        } else {
            let end = value.find(char::is_whitespace).unwrap_or(value.len());
            let (text, behind) = value.split_at(end);
            (Text::Bare(text), behind)
        };
        pairs.push((name, Some(text)));
        rest = behind.trim_start();
    }
    valued.then_some(pairs)
}

/// The text until the quote that ends it, and what stands behind.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut said = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((said, text.get(at + 1..)?)),
            '\\' => said.push(match letters.next()?.1 {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                other => other,
            }),
            other => said.push(other),
        }
    }
    None
}

//! What is there in a text that may have escapes: the search over the text as it is, and over the
//! lines that need it once more without their escapes, in as many rounds as they have layers.

mod line;
mod watch;

use std::ops::Range;

use memchr::{memchr, memrchr};

use crate::escapes::Escapes;
use crate::expressions::Expressions;
use crate::find::{Class, Hit, find};
use crate::scan::{Bytes, Kinds};
use watch::Watch;

/// How lines are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lines {
    /// As text.
    Text,
    /// As JSON where they look like it.
    Either,
    /// As JSON.
    Json,
}

/// What is looked for, and through what.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    pub(crate) kinds: Kinds,
    pub(crate) expressions: Expressions,
    pub(crate) escapes: Escapes,
    pub(crate) lines: Lines,
    pub(crate) numbers: Numbers,
    /// Whether what is put in place needs to know in what it stands.
    pub(crate) places: Places,
}

/// What becomes of numbers of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// They become strings.
    String,
    /// They stay.
    Keep,
}

/// What has to be told of places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Places {
    /// Where.
    Plain,
    /// Also whether that is in a string of JSON.
    InStrings,
}

/// In what something stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    #[default]
    Text,
    /// A string of JSON.
    String,
    /// A number of JSON: the place is all of it.
    Number,
}

/// What the search over a text as it is has found.
#[derive(Debug)]
pub(crate) struct FirstLook {
    pub(crate) hits: Vec<Hit>,
    /// Places in the lines that have to be read without their escapes.
    flagged: Vec<usize>,
    pub(crate) bytes: Bytes,
}

/// Something that is masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) range: Range<usize>,
    pub(crate) class: Class,
    pub(crate) form: Form,
    /// Its text without escapes, where that is another.
    pub(crate) value: Option<Box<[u8]>>,
    /// How many layers of escapes it was found under.
    pub(crate) depth: u8,
}

impl Search {
    /// The search over a text as it is.
    pub(crate) fn first_look(&self, text: &[u8]) -> FirstLook {
        let strictness = self.kinds.strictness;
        let escapes = self.escapes;
        let mut watch = Watch { text, escapes, strictness, flagged: Vec::new() };
        let mut hits = Vec::new();
        let bytes =
            find(text, self.kinds, &mut hits, |kind, seen, odd| watch.near(kind, seen, odd));
        FirstLook { hits, flagged: watch.flagged, bytes }
    }

    /// Whether what the first look has found is all there is to it: in order, apart, and not to be
    /// looked at again.
    pub(crate) fn is_all(&self, text: &[u8], first: &FirstLook) -> bool {
        let mut end = 0;
        first.flagged.is_empty()
            && self.expressions.are_none()
            && first.hits.iter().all(|hit| {
                let apart = hit.place.start >= end;
                end = hit.place.end;
                apart && (hit.class == Class::Ip || !self.is_of_json(text, hit))
            })
    }

    /// What is found, in order; nothing overlaps, nothing is empty.
    pub(crate) fn search(&self, text: &[u8], first: FirstLook) -> Vec<Place> {
        let FirstLook { mut hits, mut flagged, .. } = first;
        self.expressions.find(text, &mut hits);
        if self.lines != Lines::Text {
            let in_json = hits.iter().filter(|hit| self.is_of_json(text, hit));
            flagged.extend(in_json.map(|hit| hit.place.start));
        }
        let mut found = Vec::with_capacity(hits.len());
        let lines = lines(text, flagged);
        for line in &lines {
            self.line(text, line, &mut found);
        }
        let is_left = |hit: &Hit| {
            let next = lines.partition_point(|line| line.start <= hit.place.start);
            let line = next.checked_sub(1).and_then(|at| lines.get(at));
            line.is_none_or(|line| line.end <= hit.place.start)
        };
        let left =
            hits.into_iter().filter(|hit| is_left(hit) && !self.is_allowed(text, &hit.place));
        found.extend(left.map(|Hit { place, class }| Place {
            range: place,
            class,
            form: Form::Text,
            value: None,
            depth: 0,
        }));
        unite(text, &mut found);
        found
    }

    fn is_allowed(&self, text: &[u8], place: &Range<usize>) -> bool {
        text.get(place.clone()).is_some_and(|found| self.expressions.allows(found))
    }

    /// Whether a hit needs its line to be read as JSON: it may be a number, or go beyond a string.
    fn is_of_json(&self, text: &[u8], hit: &Hit) -> bool {
        if self.places == Places::InStrings || hit.class > Class::Ip {
            return true;
        }
        let found = text.get(hit.place.clone()).unwrap_or_default();
        match hit.class {
            Class::Card => {
                let before = hit.place.start.checked_sub(1).and_then(|at| text.get(at));
                let behind = text.get(hit.place.end);
                found.iter().all(u8::is_ascii_digit)
                    && matches!(
                        before,
                        Some(b':' | b',' | b'[' | b' ' | b'\t' | b'\n' | b'-') | None
                    )
                    && matches!(
                        behind,
                        Some(
                            b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n' | b'.' | b'e' | b'E'
                        ) | None
                    )
            }
            // Quoted ones only.
            Class::Email => found.starts_with(b"\""),
            _ => false,
        }
    }
}

/// The lines that places stand in, in order, without their line feeds.
fn lines(text: &[u8], mut places: Vec<usize>) -> Vec<Range<usize>> {
    places.sort_unstable();
    let mut lines: Vec<Range<usize>> = Vec::new();
    for place in places {
        if lines.last().is_some_and(|line| place <= line.end) {
            continue;
        }
        let (before, behind) = text.split_at_checked(place).unwrap_or((text, &[]));
        let start = memrchr(b'\n', before).map_or(0, |at| at + 1);
        let end = memchr(b'\n', behind).map_or(text.len(), |at| place + at);
        lines.push(start..end);
    }
    lines
}

/// Makes one place of those that overlap: what was found under most layers says what it is, and
/// then the longest.
fn unite(text: &[u8], found: &mut Vec<Place>) {
    found.sort_unstable_by_key(|it| (it.range.start, it.range.end));
    found.dedup_by(|next, kept| {
        let overlap = next.range.start < kept.range.end;
        if overlap {
            let whole = kept.range.start..kept.range.end.max(next.range.end);
            let form = if next.form == Form::Number { next.form } else { kept.form };
            if (next.depth, next.range.len()) > (kept.depth, kept.range.len()) {
                std::mem::swap(next, kept);
            }
            if kept.value.is_none() && kept.range != whole {
                kept.value = text.get(kept.range.clone()).map(Into::into);
            }
            kept.form = form;
            kept.range = whole;
        }
        overlap
    });
}

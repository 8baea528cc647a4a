//! One line, layer by layer.

use std::ops::Range;

use super::{Form, Lines, Numbers, Place, Search};
use crate::find::{Hit, find};
use crate::views::{Json, View, read_json};

/// Layers of escapes that are taken off, at most: JSON in JSON in a URL has three.
const LAYERS_MAX: usize = 4;

impl Search {
    /// Appends what is found in one line of `text`.
    pub(super) fn line(&self, text: &[u8], line: &Range<usize>, found: &mut Vec<Place>) {
        let Some(text) = text.get(line.clone()) else { return };
        let json = match self.lines {
            Lines::Text => None,
            Lines::Either
                if !text.trim_ascii_start().starts_with(b"{")
                    && !text.trim_ascii_start().starts_with(b"[") =>
            {
                None
            }
            Lines::Either | Lines::Json => read_json(text),
        };
        let first = json.as_ref().map_or(text, |json| &json.view.text);
        for mut it in self.layers(first) {
            if let Some(json) = &json {
                it = match self.in_json(it, json) {
                    Some(it) => it,
                    None => continue,
                };
            }
            it.range = line.start + it.range.start..line.start + it.range.end;
            found.push(it);
        }
    }

    fn in_json(&self, mut it: Place, json: &Json) -> Option<Place> {
        it.range = json.view.map.back(&it.range);
        it.form = Form::String;
        if let Some(number) = json.number(&it.range) {
            if self.numbers == Numbers::Keep {
                return None;
            }
            it.range = number;
            it.form = Form::Number;
        }
        Some(it)
    }

    /// What is found in a text and under its escapes.
    fn layers(&self, text: &[u8]) -> Vec<Place> {
        let mut found = Vec::new();
        let mut views: Vec<View> = Vec::new();
        for depth in 0..=LAYERS_MAX {
            let layer = views.last().map_or(text, |view| &view.text);
            let next = View::without_escapes(layer, self.escapes);
            for hit in self.hits(layer) {
                let value = layer.get(hit.place.clone()).map(Into::into);
                let mut place = hit.place;
                if let Some(next) = &next {
                    place = next.map.widened(place);
                }
                for view in views.iter().rev() {
                    place = view.map.back(&place);
                }
                let depth = u8::try_from(depth).unwrap_or(u8::MAX);
                found.push(Place {
                    range: place,
                    class: hit.class,
                    form: Form::Text,
                    value,
                    depth,
                });
            }
            match next {
                Some(next) => views.push(next),
                None => break,
            }
        }
        found
    }

    fn hits(&self, text: &[u8]) -> Vec<Hit> {
        let mut hits = Vec::new();
        find(text, self.kinds, &mut hits, |_, _, _| ());
        self.expressions.find(text, &mut hits);
        hits.retain(|hit| !self.is_allowed(text, &hit.place));
        hits
    }
}

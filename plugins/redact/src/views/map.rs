//! Where the bytes of one text stand in the text that it was made of.

use std::ops::Range;

/// Pieces, in the order of both texts.
#[derive(Debug, Default)]
pub(crate) struct Map(Vec<Piece>);

#[derive(Debug)]
struct Piece {
    /// Where it begins in the text that was made.
    to: usize,
    from: Range<usize>,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Byte for byte.
    Verbatim,
    /// As a whole: an escape.
    Unit,
}

impl Map {
    /// What comes next at `to` is `from`, byte for byte.
    pub(super) fn verbatim(&mut self, to: usize, from: Range<usize>) {
        if !from.is_empty() {
            self.0.push(Piece { to, from, form: Form::Verbatim });
        }
    }

    /// What comes next at `to` stands for all of `from`.
    pub(super) fn unit(&mut self, to: usize, from: Range<usize>) {
        self.0.push(Piece { to, from, form: Form::Unit });
    }

    pub(super) fn has_units(&self) -> bool {
        self.0.iter().any(|piece| piece.form == Form::Unit)
    }

    /// Where a place in the text that was made, which is not empty, stands in the other one. It
    /// cuts no unit.
    pub(crate) fn back(&self, place: &Range<usize>) -> Range<usize> {
        let first = self.piece(place.start).map_or(place.start, |piece| match piece.form {
            Form::Verbatim => (piece.from.start + place.start - piece.to).min(piece.from.end),
            Form::Unit => piece.from.start,
        });
        let last = place.end.saturating_sub(1);
        let end = self.piece(last).map_or(place.end, |piece| match piece.form {
            Form::Verbatim => (piece.from.start + place.end - piece.to).min(piece.from.end),
            Form::Unit => piece.from.end,
        });
        first..end.max(first)
    }

    /// A place in the text that the other one was made of, so that it cuts no unit.
    pub(crate) fn widened(&self, place: Range<usize>) -> Range<usize> {
        let cut = |at: usize| {
            let next = self.0.partition_point(|piece| piece.from.start < at);
            let piece = next.checked_sub(1).and_then(|at| self.0.get(at))?;
            (piece.form == Form::Unit && at < piece.from.end).then(|| piece.from.clone())
        };
        let start = cut(place.start).map_or(place.start, |unit| unit.start);
        let end = cut(place.end).map_or(place.end, |unit| unit.end);
        start..end
    }

    /// The piece that a byte of the text that was made is in: the last that begins there or before.
    fn piece(&self, at: usize) -> Option<&Piece> {
        let next = self.0.partition_point(|piece| piece.to <= at);
        next.checked_sub(1).and_then(|at| self.0.get(at))
    }
}

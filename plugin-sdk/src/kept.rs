//! Output that is parts of the input, put together in the memory that holds the input.

use std::ops::Range;

/// Parts of a buffer, in order, moved together in place: nothing is allocated, and nothing is moved
/// before the first gap.
///
/// ```
/// use gristmill_sdk::Kept;
///
/// let mut kept = Kept::of(b"one\ntwo\nthree\n".to_vec());
/// kept.keep(0..4);
/// kept.keep(8..14);
/// assert_eq!(kept.into_output(), b"one\nthree\n");
/// ```
#[derive(Clone, Debug)]
pub struct Kept {
    data: Vec<u8>,
    /// How many bytes of the output are in their place, at the front.
    placed: usize,
    /// What comes next in the output, not moved yet: neighbours are moved together.
    run: Range<usize>,
}

impl Kept {
    /// Nothing is kept yet.
    pub fn of(data: Vec<u8>) -> Self {
        Self { data, placed: 0, run: 0..0 }
    }

    /// The buffer. From the end of the last range kept on, and one byte before it, it is what it
    /// was; further in front, output may have taken its place.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Keeps a part: one that begins where the last one ended or after that. What of it is
    /// elsewhere is not kept.
    pub fn keep(&mut self, part: Range<usize>) {
        let part = part.start.max(self.run.end)..part.end.min(self.data.len());
        if part.is_empty() {
            return;
        }
        if part.start == self.run.end {
            self.run.end = part.end;
        } else {
            self.place();
            self.run = part;
        }
    }

    /// The parts that were kept, joined, in the memory of the buffer.
    pub fn into_output(mut self) -> Vec<u8> {
        self.place();
        self.data.truncate(self.placed);
        self.data
    }

    fn place(&mut self) {
        let bytes = self.run.len();
        if self.run.start != self.placed {
            self.data.copy_within(self.run.clone(), self.placed);
        }
        self.placed += bytes;
        self.run.start = self.run.end;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_memory_is_that_of_the_input() {
        let data = b"0123456789".to_vec();
        let memory = data.as_ptr();
        let mut kept = Kept::of(data);
        kept.keep(1..2);
        kept.keep(2..4);
        kept.keep(9..10);
        let output = kept.into_output();
        assert_eq!(output, b"1239");
        assert_eq!(output.as_ptr(), memory);
    }

    #[test]
    fn what_is_out_of_order_or_out_of_bounds_is_not_kept_twice_or_at_all() {
        let mut kept = Kept::of(b"0123".to_vec());
        kept.keep(1..3);
        kept.keep(0..2);
        kept.keep(2..9);
        assert_eq!(kept.into_output(), b"123");
        assert_eq!(Kept::of(b"0123".to_vec()).into_output(), b"");
    }

    proptest! {
        #[test]
        fn parts_are_joined_and_the_rest_stays_readable(
            data in prop::collection::vec(any::<u8>(), 0..100),
            mut cuts in prop::collection::vec(0_usize..100, 0..12),
        ) {
            cuts.sort_unstable();
            for cut in &mut cuts {
                *cut = (*cut).min(data.len());
            }
            let mut kept = Kept::of(data.clone());
            let mut expected = Vec::new();
            for pair in cuts.as_chunks::<2>().0 {
                let [start, end] = *pair;
                kept.keep(start..end);
                expected.extend_from_slice(&data[start..end]);
                let unchanged = end.saturating_sub(1);
                prop_assert_eq!(&kept.data()[unchanged..], &data[unchanged..]);
            }
            prop_assert_eq!(kept.into_output(), expected);
        }
    }
}

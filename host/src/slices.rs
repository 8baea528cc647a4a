//! Parts of slices by index, without a panic and without silence.
//!
//! An index that comes from data (a header, a guest, a file) goes through [`within`] or
//! [`within_mut`]: a wrong one is an error. An index that the code around it has proven goes
//! through [`part`], [`part_mut`] or [`text`]: a wrong one fails a debug assertion that names the
//! caller, and is an empty part in release, where no input may stop the process. Knows no type but
//! slices and text.

use std::io;
use std::ops::{Bound, RangeBounds};
use std::slice::SliceIndex;

use thiserror::Error;

/// An index from data that is outside of what it points into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{from} to {to} is outside of {length}")]
pub struct OutOfSlice {
    /// Where the part would begin.
    pub from: usize,
    /// Where it would end.
    pub to: usize,
    /// How much there is.
    pub length: usize,
}

impl OutOfSlice {
    fn of(range: &impl RangeBounds<usize>, length: usize) -> Self {
        let from = match range.start_bound() {
            Bound::Included(&from) => from,
            Bound::Excluded(&before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let to = match range.end_bound() {
            Bound::Included(&last) => last.saturating_add(1),
            Bound::Excluded(&to) => to,
            Bound::Unbounded => length,
        };
        Self { from, to, length }
    }
}

impl From<OutOfSlice> for io::Error {
    fn from(error: OutOfSlice) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// The part of `all` that data names.
///
/// # Errors
/// When it is not within `all`, or ends before it begins.
#[inline]
pub fn within<T, R>(all: &[T], range: R) -> Result<&[T], OutOfSlice>
where
    R: SliceIndex<[T], Output = [T]> + RangeBounds<usize> + Clone,
{
    all.get(range.clone()).ok_or_else(|| OutOfSlice::of(&range, all.len()))
}

/// The same, to be written to.
///
/// # Errors
/// See [`within`].
#[inline]
pub fn within_mut<T, R>(all: &mut [T], range: R) -> Result<&mut [T], OutOfSlice>
where
    R: SliceIndex<[T], Output = [T]> + RangeBounds<usize> + Clone,
{
    let length = all.len();
    all.get_mut(range.clone()).ok_or_else(|| OutOfSlice::of(&range, length))
}

/// The part of `all` that is proven to be there.
#[inline]
#[track_caller]
pub fn part<T, R: SliceIndex<[T], Output = [T]>>(all: &[T], range: R) -> &[T] {
    let found = all.get(range);
    debug_assert!(found.is_some(), "a part outside of {}", all.len());
    found.unwrap_or_default()
}

/// The same, to be written to.
#[inline]
#[track_caller]
pub fn part_mut<T, R: SliceIndex<[T], Output = [T]>>(all: &mut [T], range: R) -> &mut [T] {
    let length = all.len();
    let found = all.get_mut(range);
    debug_assert!(found.is_some(), "a part outside of {length}");
    found.unwrap_or_default()
}

/// The same of text; its ends are proven to be those of characters, too.
#[inline]
#[track_caller]
pub fn text<R: SliceIndex<str, Output = str>>(all: &str, range: R) -> &str {
    let found = all.get(range);
    debug_assert!(found.is_some(), "a part outside of {} bytes, or within a character", all.len());
    found.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn an_index_from_data_that_is_outside_is_an_error() {
        let mut all = *b"abcdef";
        assert_eq!(within(&all, 2..4), Ok(&b"cd"[..]));
        assert_eq!(within(&all, 6..), Ok(&b""[..]));
        assert_eq!(within(&all, 2..7), Err(OutOfSlice { from: 2, to: 7, length: 6 }));
        assert_eq!(within(&all, ..=6), Err(OutOfSlice { from: 0, to: 7, length: 6 }));
        let backwards = OutOfSlice { from: 4, to: 2, length: 6 };
        assert_eq!(within(&all, backwards.from..backwards.to), Err(backwards));
        assert_eq!(within_mut(&mut all, 7..), Err(OutOfSlice { from: 7, to: 6, length: 6 }));
        within_mut(&mut all, ..1).unwrap()[0] = b'z';
        assert_eq!(&all, b"zbcdef");
        let error = io::Error::from(within(&all, 2..7).unwrap_err());
        assert_eq!(error.to_string(), "2 to 7 is outside of 6");
    }

    #[test]
    fn a_proven_index_that_is_outside_is_a_failed_assertion_or_nothing() {
        let panics = |found: std::thread::Result<&[u8]>| {
            assert_eq!(found.is_err(), cfg!(debug_assertions));
            assert!(found.is_ok_and(<[u8]>::is_empty) || cfg!(debug_assertions));
        };
        assert_eq!(part(b"abc", 1..), b"bc");
        assert_eq!(part_mut(&mut [1, 2, 3], ..2), [1, 2]);
        assert_eq!(text("aé", 1..), "é");
        panics(catch_unwind(|| part(b"abc", 4..)));
        panics(catch_unwind(|| &*part_mut(&mut [], 1..)));
        panics(catch_unwind(|| text("aé", 2..).as_bytes()));
    }
}

//! Bytes whose first ones have been looked at.

use std::io::{self, Read};
use std::time::Duration;

use super::{Bytes, Error, Trickle};
use crate::slices;

/// Bytes, with the first of them at hand.
pub(super) struct Front {
    first: Vec<u8>,
    /// How many of `first` have been read.
    given: usize,
    rest: Box<dyn Bytes>,
}

impl Front {
    /// Has a look at the first `count` bytes, or all that there are.
    pub(super) fn of(rest: Box<dyn Bytes>, count: usize) -> Result<Self, Error> {
        Self::until(rest, count, |_| false)
    }

    /// Has a look at the first bytes, until they are `enough`, or `count`, or all that there are;
    /// no more are waited for.
    pub(super) fn until(
        mut rest: Box<dyn Bytes>,
        count: usize,
        enough: impl Fn(&[u8]) -> bool,
    ) -> Result<Self, Error> {
        let mut first = vec![0; count];
        let mut length = 0;
        while length < count && !enough(slices::part(&first, ..length)) {
            let got = rest.read(slices::part_mut(&mut first, length..))?;
            if got == 0 {
                break;
            }
            length += got;
        }
        first.truncate(length);
        Ok(Self { first, given: 0, rest })
    }

    /// Bytes that begin with `first`, which has been read.
    pub(super) fn with(first: Vec<u8>, rest: Box<dyn Bytes>) -> Self {
        Self { first, given: 0, rest }
    }

    /// The first bytes.
    pub(super) fn first(&self) -> &[u8] {
        &self.first
    }

    fn waiting(&self) -> &[u8] {
        slices::part(&self.first, self.given..)
    }
}

impl Bytes for Front {
    fn held_bytes(&self) -> u64 {
        self.rest.held_bytes().saturating_add(self.first.capacity() as u64)
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let waiting = self.waiting();
        if waiting.is_empty() {
            return self.rest.read(into);
        }
        let got = waiting.len().min(into.len());
        for (to, from) in into.iter_mut().zip(waiting) {
            *to = *from;
        }
        self.given += got;
        Ok(got)
    }

    fn sound(&self) -> u64 {
        self.rest.sound()
    }

    fn stored(&self) -> u64 {
        self.rest.stored()
    }

    fn is_ready(&mut self, within: Duration) -> Result<bool, Error> {
        if self.waiting().is_empty() { self.rest.is_ready(within) } else { Ok(true) }
    }

    fn left(&self) -> Option<u64> {
        self.rest.left().map(|left| left.saturating_add(self.waiting().len() as u64))
    }
}

impl Read for Front {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Ok(Bytes::read(self, into)?)
    }
}

impl Trickle for Front {
    fn is_ready(&mut self, within: Duration) -> io::Result<bool> {
        Ok(Bytes::is_ready(self, within)?)
    }
}

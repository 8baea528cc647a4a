//! What a server gives as a whole only, from its front: a few pieces are read ahead, and what has come is gone.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::piece::Fetching;
use super::{Receiver, next_within};
use crate::input::pipe::Coming;
use crate::remote::Fault;

/// The bytes of a whole, as they come.
pub(in crate::input) struct Front {
    receiver: Receiver,
    _fetching: Fetching,
    /// What has come and is not read, from `at` on; `None` at the end.
    piece: Option<Vec<u8>>,
    at: usize,
}

/// What comes next.
pub(super) enum Next {
    Piece(Vec<u8>),
    End,
    /// Nothing, in the time that it had.
    Late,
}

impl std::fmt::Debug for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Front").finish_non_exhaustive()
    }
}

impl Front {
    pub(super) fn new(receiver: Receiver, fetching: Fetching) -> Self {
        Self { receiver, _fetching: fetching, piece: Some(Vec::new()), at: 0 }
    }

    fn is_ready(&mut self, within: Duration) -> Result<bool, Fault> {
        while self.piece.as_ref().is_some_and(|piece| piece.len() == self.at) {
            self.piece = match next_within(&mut self.receiver, within)? {
                Next::Piece(piece) => Some(piece),
                Next::End => None,
                Next::Late => return Ok(false),
            };
            self.at = 0;
        }
        Ok(true)
    }

    fn read(&mut self, into: &mut [u8]) -> usize {
        let rest = self.piece.as_ref().and_then(|piece| piece.get(self.at..)).unwrap_or_default();
        let got = rest.len().min(into.len());
        let (into, _) = into.split_at_mut(got);
        into.copy_from_slice(rest.get(..got).unwrap_or_default());
        self.at += got;
        got
    }
}

impl Coming for Arc<Mutex<Front>> {
    fn is_ready(&mut self, within: Duration) -> io::Result<bool> {
        let mut front = self.lock().unwrap_or_else(PoisonError::into_inner);
        front.is_ready(within).map_err(Fault::io)
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Ok(self.lock().unwrap_or_else(PoisonError::into_inner).read(into))
    }
}

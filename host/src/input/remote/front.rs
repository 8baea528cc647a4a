//! What a server gives as a whole only, from its front: a few pieces are read ahead, and what has
//! come is gone.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::piece::Fetching;
use super::{Came, Receiver, next_within};
use crate::input::pipe::Coming;
use crate::remote::Fault;
use crate::slices;

/// The bytes of a whole, as they come.
pub(in crate::input) struct SequentialBody {
    receiver: Receiver,
    _fetching: Fetching,
    /// What has come and is not read, from `at` on.
    piece: Option<Came>,
    at: usize,
    is_over: bool,
}

/// What comes next.
pub(super) enum Next {
    ObjectPart(Came),
    End,
    /// Nothing, in the time that it had.
    Late,
}

impl std::fmt::Debug for SequentialBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SequentialBody").finish_non_exhaustive()
    }
}

impl SequentialBody {
    pub(super) fn new(receiver: Receiver, fetching: Fetching) -> Self {
        Self { receiver, _fetching: fetching, piece: None, at: 0, is_over: false }
    }

    fn is_ready(&mut self, within: Duration) -> Result<bool, Fault> {
        while !self.is_over && self.rest().is_empty() {
            self.piece = None;
            match next_within(&mut self.receiver, within)? {
                Next::ObjectPart(piece) => self.piece = Some(piece),
                Next::End => self.is_over = true,
                Next::Late => return Ok(false),
            }
            self.at = 0;
        }
        Ok(true)
    }

    /// What has come and is not read.
    fn rest(&self) -> &[u8] {
        self.piece.as_ref().map_or(&[], |piece| slices::part(&piece.bytes, self.at..))
    }

    fn read(&mut self, into: &mut [u8]) -> usize {
        let rest = self.rest();
        let got = rest.len().min(into.len());
        let (into, _) = into.split_at_mut(got);
        into.copy_from_slice(slices::part(rest, ..got));
        self.at += got;
        got
    }
}

impl Coming for Arc<Mutex<SequentialBody>> {
    fn is_ready(&mut self, within: Duration) -> io::Result<bool> {
        let mut front = self.lock();
        front.is_ready(within).map_err(Fault::io)
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Ok(self.lock().read(into))
    }
}

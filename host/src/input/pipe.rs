//! Standard input, FIFOs, and what a web server only gives from its front: bytes that come when
//! they come.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;

use super::{Bytes, Error, Trickle};
use crate::settings::limits::WAIT;

/// Where the bytes of a pipe come from.
pub(super) trait Coming: Send {
    /// Whether a read would not have to wait, at the latest after `within`.
    fn is_ready(&mut self, within: Duration) -> io::Result<bool>;

    /// Reads what is there, none only at the end. Only called when that is ready.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize>;
}

impl Coming for File {
    fn is_ready(&mut self, within: Duration) -> io::Result<bool> {
        let mut fds = [PollFd::new(self, PollFlags::IN)];
        let within = Timespec::try_from(within).ok();
        match poll(&mut fds, within.as_ref()) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Read::read(self, into)
    }
}

/// A pipe, or what else has no size and no offsets.
pub(super) struct Pipe {
    coming: Box<dyn Coming>,
    stop: Arc<AtomicBool>,
    offset: u64,
}

impl Pipe {
    pub(super) fn new(coming: Box<dyn Coming>, stop: Arc<AtomicBool>) -> Self {
        Self { coming, stop, offset: 0 }
    }

    /// Whether a read would not have to wait, at the latest after `within`.
    fn poll(&mut self, within: Duration) -> Result<bool, Error> {
        self.coming.is_ready(within).map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> Error {
        Error::Read { offset: self.offset, error }
    }
}

impl Bytes for Pipe {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        loop {
            if self.stop.load(Ordering::Acquire) {
                return Err(self.failed(io::Error::from(io::ErrorKind::Interrupted)));
            }
            if self.poll(WAIT)? {
                let got = self.coming.read(into).map_err(|error| self.failed(error))?;
                self.offset += got as u64;
                return Ok(got);
            }
        }
    }

    fn stored(&self) -> u64 {
        self.offset
    }

    fn is_ready(&mut self, within: Duration) -> Result<bool, Error> {
        let begun = Instant::now();
        loop {
            let left = within.saturating_sub(begun.elapsed());
            if self.poll(left.min(WAIT))? {
                return Ok(true);
            }
            if left.is_zero() || self.stop.load(Ordering::Acquire) {
                return Ok(false);
            }
        }
    }
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Ok(Bytes::read(self, into)?)
    }
}

impl Trickle for Pipe {
    fn is_ready(&mut self, within: Duration) -> io::Result<bool> {
        Ok(Bytes::is_ready(self, within)?)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::front::Front;
    use super::*;

    fn pipe() -> (Pipe, File) {
        let (read, write) = io::pipe().unwrap();
        let file = File::from(std::os::fd::OwnedFd::from(read));
        (Pipe::new(Box::new(file), Arc::default()), File::from(std::os::fd::OwnedFd::from(write)))
    }

    #[test]
    fn what_was_looked_at_is_read_too() {
        let (pipe, mut write) = pipe();
        write.write_all(b"hello, world").unwrap();
        let mut front = Front::until(Box::new(pipe), 512, |first| !first.is_empty()).unwrap();
        assert_eq!(front.first(), b"hello, world");
        assert!(Bytes::is_ready(&mut front, Duration::ZERO).unwrap());
        drop(write);
        let mut text = String::new();
        front.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello, world");
    }

    #[test]
    fn a_reader_that_waits_ends_when_it_shall() {
        let (mut pipe, _write) = pipe();
        assert!(!Bytes::is_ready(&mut pipe, Duration::ZERO).unwrap());
        pipe.stop.store(true, Ordering::Release);
        assert!(Bytes::read(&mut pipe, &mut [0; 4]).is_err());
    }
}

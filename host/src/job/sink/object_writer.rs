//! Objects as what results are written to, and what becomes of an output that a store does not
//! take.

use std::io::{self, Write};

use parking_lot::Mutex;

use crate::job::Error;
use crate::output::{Object, ObjectError};
use crate::process::{Failure, FailureKind};

/// An object as a stream.
pub(in crate::job) struct ObjectWriter<'a>(pub(in crate::job) &'a Mutex<Object>);

impl Write for ObjectWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut object = self.0.lock();
        match object.append(bytes) {
            // A stopped output is never committed, so missing parts do not matter.
            Err(error) if !error.is_stop() => Err(io::Error::other(error)),
            Ok(()) | Err(_) => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The error of a store, where that is why something could not be written.
pub(in crate::job) fn unwrapped(error: Error) -> Error {
    match error {
        Error::Write(error) => match error.downcast::<ObjectError>() {
            Ok(error) => Error::Object(error),
            Err(error) => Error::Write(error),
        },
        other => other,
    }
}

/// Makes an object visible; one that was stopped is not, which is no error.
pub(in crate::job) fn commit(object: Object) -> Result<(), Error> {
    match object.commit() {
        Err(error) if !error.is_stop() => Err(Error::Object(error)),
        // Where another came in between, it was said to be left.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Why the output of a source is not there.
pub(super) fn unwritten(error: &ObjectError) -> Failure {
    let kind = if error.is_stop() { FailureKind::Cancelled } else { FailureKind::Write };
    let failure = Failure::new(kind, error.to_string());
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

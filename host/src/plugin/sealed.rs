//! Bytes in a file in memory that nobody can change any more: the engine maps it, where it would
//! copy other bytes.
//!
//! It costs one copy in the kernel, and a look at each byte on the way. What is never run of the
//! code is never mapped.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use rustix::process::{Resource, getrlimit};

use crate::platform;

/// Bytes that are copied at once: they stay in the processor's cache between being read, looked at
/// and written.
const STEP_BYTES: usize = 64 << 10;

/// A file in memory that has all of its seals.
#[derive(Debug)]
pub(super) struct Sealed(File);

impl Sealed {
    /// Copies what is left of `source`, and shows it to `look` on the way.
    ///
    /// # Errors
    /// When it cannot be read, or there are no such files here.
    pub(super) fn copy(source: &mut File, mut look: impl FnMut(&[u8])) -> io::Result<Self> {
        check_room(source.metadata()?.len())?;
        let mut file = platform::nameless_file("code")?;
        let mut step = vec![0; STEP_BYTES];
        loop {
            let bytes = match source.read(&mut step) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                bytes => bytes?,
            };
            let Some(part) = step.get(..bytes).filter(|part| !part.is_empty()) else { break };
            look(part);
            file.write_all(part)?;
        }
        platform::seal(&file)?;
        Ok(Self(file))
    }

    /// A name by which this process can open it, as long as this value lives.
    pub(super) fn path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.0.as_raw_fd()).into()
    }

    /// What it holds.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn bytes(&self) -> io::Result<Vec<u8>> {
        use std::os::unix::fs::FileExt;

        let bytes = usize::try_from(self.0.metadata()?.len()).map_err(io::Error::other)?;
        let mut all = vec![0; bytes];
        self.0.read_exact_at(&mut all, 0)?;
        Ok(all)
    }
}

/// Whether a file, which one in memory is, too, may have so many bytes: a write beyond the limit of
/// this process kills it (`setrlimit(2)`).
///
/// # Errors
/// When it may not.
pub(super) fn check_room(bytes: u64) -> io::Result<()> {
    match getrlimit(Resource::Fsize).current {
        Some(most) if bytes > most => {
            Err(io::Error::other(format!("files may have at most {most} bytes here (ulimit -f)")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Seek;

    use super::*;

    #[test]
    fn what_is_sealed_is_what_was_looked_at_and_cannot_be_changed() {
        let mut source = tempfile::tempfile().unwrap();
        let all: Vec<u8> = (0..=250).cycle().take(STEP_BYTES + 1000).collect();
        source.write_all(&all).unwrap();
        source.rewind().unwrap();
        let mut seen = Vec::new();
        let sealed = Sealed::copy(&mut source, |part| seen.extend_from_slice(part)).unwrap();
        assert_eq!(seen, all);
        assert_eq!(sealed.bytes().unwrap(), all);
        assert_eq!(std::fs::read(sealed.path()).unwrap(), all);
        let writable = File::options().write(true).open(sealed.path());
        let written = writable.and_then(|mut file| file.write_all(b"x"));
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert!(sealed.0.set_len(1).is_err());
    }
}

//! How a source is opened, by what it is.

use std::fs::File;
use std::io::{self, Seek};
use std::ops::Range;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use rustix::fs::{FileType, OFlags, Stat, fcntl_getfl, fcntl_setfl, fstat};

use super::remote::{self, Opened};
use super::store::Store;
use super::{Access, Error, Form, Input, Opener, archive};
use crate::settings::Io;
use crate::source::{Refusal, Source, Way, check_regular};

impl Input {
    /// Opens a source.
    ///
    /// # Errors
    /// When it cannot be opened or mapped, or is neither a regular file nor to be read as a stream.
    pub fn open(opener: &mut Opener, source: &Source, access: &Access) -> Result<Self, Error> {
        match &source.way {
            Way::Member(member) => archive::open(opener, member, access),
            way => Self::whole(opener, &source.path.to_path(), way, access),
        }
    }

    /// Opens all of what is called `path`.
    pub(super) fn whole(
        opener: &mut Opener,
        path: &Path,
        way: &Way,
        access: &Access,
    ) -> Result<Self, Error> {
        let file = match way {
            Way::File | Way::Member(_) | Way::Fifo => opener.open(path, &access.roots),
            Way::StandardInput => io::stdin().as_fd().try_clone_to_owned().map(File::from),
            Way::Opened(open) => open.file.try_clone(),
            Way::Object | Way::Prefix => return Self::remote(path, access),
        };
        let mut file = file.map_err(Error::Open)?;
        let stat = fstat(&file).map_err(|error| Error::Open(error.into()))?;
        let regular = check_regular(stat.st_mode);
        let mut is_pseudo = || opener.devices.is_pseudo(&file, &stat);
        let is_pipe = match way {
            Way::File | Way::Member(_) => regular.map(|()| is_pseudo())?,
            Way::Fifo => is_fifo(&file, &stat, regular)?,
            _ if regular.is_err() => true,
            Way::Opened(_) => false,
            _ if is_pseudo() => true,
            // A file whose front has been read already is as good as a pipe.
            _ => file.stream_position().map_err(Error::Open)? > 0,
        };
        let io = if is_pipe { Io::Read } else { access.io };
        let store = Store::file(file, &stat, io)?;
        if let Way::Opened(open) = way
            && let Some(part) = &open.part
        {
            return Self::part_of(store, part);
        }
        Ok(Self::all_of(store, if is_pipe { Form::Pipe } else { Form::Plain }))
    }

    /// A part of a file that may grow meanwhile.
    fn part_of(store: Store, part: &Range<u64>) -> Result<Self, Error> {
        let bytes = store.bytes();
        if part.end > bytes {
            let end = part.end;
            return Err(Error::Changed(format!("it had {end} bytes and is {bytes} long now")));
        }
        let part = Self::stretch_of(store, part.start, part.end.saturating_sub(part.start));
        Ok(Self { grows: true, ..part })
    }

    fn remote(path: &Path, access: &Access) -> Result<Self, Error> {
        let (opened, coding) = remote::open(path, access)?;
        let (store, form) = match opened {
            Opened::Object(object) => (Store::Object(Arc::new(object)), Form::Plain),
            Opened::Front(front) => (Store::Front(Arc::new(Mutex::new(front))), Form::Pipe),
        };
        Ok(Self { coding, ..Self::all_of(store, form) })
    }
}

/// Whether it is a FIFO, which from then on is waited for: by who asks first whether there is
/// something to read.
fn is_fifo(file: &File, stat: &Stat, regular: Result<(), Refusal>) -> Result<bool, Error> {
    if FileType::from_raw_mode(stat.st_mode) != FileType::Fifo {
        return Ok(regular.map(|()| false)?);
    }
    let waiting = fcntl_getfl(file).and_then(|now| fcntl_setfl(file, now - OFlags::NONBLOCK));
    waiting.map(|()| true).map_err(|error| Error::Open(error.into()))
}

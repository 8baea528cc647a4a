//! The bytes of an input from front to back, decompressed where its first bytes, or failing that
//! its name, say so.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::archive::{is_zip, may_become_zip};
use super::front::Front;
use super::mark::Mark;
use super::packed::{Packed, Unpacked};
use super::pipe::Pipe;
use super::store::FromFront;
use super::{
    Access, Again, BlockQueue, Bytes, Choice, Codec, DecodeLimits, Decoder, Decoding, Error, Form,
    Input, recognise,
};
use crate::slices;
use crate::source::{ArchiveError, Refusal};

impl Input {
    /// What the file, which is called `name`, is compressed with, by its first bytes.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn codec(&self, name: &Path) -> Result<Option<Codec>, Error> {
        let mut first = [0; Codec::DETECT_BYTES];
        let length = usize::try_from(self.bytes()).unwrap_or(usize::MAX).min(first.len());
        let first = slices::part_mut(&mut first, ..length);
        self.read_at(first, 0)?;
        self.recognised(first, name)
    }

    /// The mark that it begins with.
    ///
    /// # Errors
    /// When its first bytes cannot be read.
    pub fn mark(&self) -> Result<Option<Mark>, Error> {
        let mut first = [0; Mark::BYTES_MAX];
        let length = usize::try_from(self.bytes()).unwrap_or(usize::MAX).min(first.len());
        let first = slices::part_mut(&mut first, ..length);
        self.read_at(first, 0)?;
        Ok(Mark::of(first))
    }

    /// The codec of what begins so, by what a server says of it, by its bytes, and by its name.
    fn recognised(&self, first: &[u8], name: &Path) -> Result<Option<Codec>, Error> {
        match &self.coding {
            Some(coding) => recognise::coding(coding, first, name),
            None => recognise::codec(first, name),
        }
    }

    /// The bytes from front to back, decompressed where there is a codec.
    ///
    /// # Errors
    /// When the file cannot be shared between readers.
    pub fn from_front(
        &self,
        codec: Option<Codec>,
        limits: DecodeLimits,
    ) -> Result<Box<dyn Bytes>, Error> {
        let stretch = self.stretch()?;
        Ok(match codec {
            Some(codec) => {
                Box::new(Decoder::new(codec, Box::new(stretch), limits).within(self.bytes))
            }
            None => Box::new(stretch),
        })
    }

    /// The same once more, for somebody who has to read them twice. `None` where they come but
    /// once, or for a price.
    ///
    /// # Errors
    /// When the file cannot be shared between readers.
    pub fn again(&self, codec: Codec, limits: DecodeLimits) -> Result<Option<Again>, Error> {
        if self.is_pipe() || self.is_remote() {
            return Ok(None);
        }
        Ok(Some(Again { stretch: self.stretch()?, codec, limits }))
    }

    fn stretch(&self) -> Result<FromFront, Error> {
        let store = self.store.share().map_err(Error::Open)?;
        Ok(FromFront { store, offset: self.start, left: self.bytes, stored: 0 })
    }

    /// The bytes of a source called `name` that can only be had one after the other, decompressed
    /// where that is to be; `None` of one that can be had at any offset.
    ///
    /// # Errors
    /// When it cannot be shared between readers, or its first bytes cannot be had.
    pub fn in_order(
        &self,
        name: &Path,
        decoding: Decoding,
        access: &Access,
    ) -> Result<Option<Box<dyn Bytes>>, Error> {
        match self.form {
            Form::Plain | Form::Blocks(_) => Ok(None),
            Form::Packed(packed) => self.unpacked(packed, name, decoding).map(Some),
            Form::Pipe => self.piped(name, decoding, access).map(Some),
        }
    }

    fn unpacked(
        &self,
        packed: Packed,
        name: &Path,
        decoding: Decoding,
    ) -> Result<Box<dyn Bytes>, Error> {
        let plain = Unpacked::new(packed, self.stretch()?, decoding.limits);
        Ok(match decoding.choice {
            Choice::Never => Box::new(plain),
            Choice::Always(codec) => decoded(plain, Some(codec), decoding.limits),
            Choice::Detect => {
                let front = Front::of(Box::new(plain), Codec::DETECT_BYTES)?;
                let codec = recognise::codec(front.first(), name)?;
                decoded(front, codec, decoding.limits)
            }
        })
    }

    /// The pieces of a compressed file, to be decoded by `workers` at once. `None` where it has
    /// none to be read from front to back.
    ///
    /// # Errors
    /// When the file cannot be shared between readers.
    pub fn pieces(
        &self,
        codec: Codec,
        limits: DecodeLimits,
        workers: usize,
        access: &Access,
    ) -> Result<Option<Arc<BlockQueue>>, Error> {
        let store = self.store.share().map_err(Error::Open)?;
        let packed = Self::stretch_of(store, self.start, self.bytes);
        Ok(BlockQueue::of(packed, codec, limits, workers, access).map(Arc::new))
    }

    pub(super) fn piped(
        &self,
        name: &Path,
        decoding: Decoding,
        access: &Access,
    ) -> Result<Box<dyn Bytes>, Error> {
        let coming = self.store.coming().map_err(Error::Open)?;
        let pipe = Pipe::new(coming, Arc::clone(&access.stop));
        let decoded = |codec, bytes| Box::new(Decoder::trickle(codec, bytes, decoding.limits));
        Ok(match decoding.choice {
            Choice::Never => Box::new(pipe),
            Choice::Always(codec) => decoded(codec, Box::new(pipe)),
            Choice::Detect => {
                let is_decided = |first: &[u8]| {
                    let may_be_zip = decoding.archives && may_become_zip(first);
                    !(may_be_zip || Codec::is_undecided(first))
                };
                let front = Front::until(Box::new(pipe), Codec::DETECT_BYTES, is_decided)?;
                if decoding.archives && is_zip(front.first()) {
                    return Err(Refusal::from(ArchiveError::FromFront).into());
                }
                match self.recognised(front.first(), name)? {
                    Some(codec) => decoded(codec, Box::new(front)),
                    None => Box::new(front),
                }
            }
        })
    }
}

fn decoded<Plain: Bytes + Read + 'static>(
    plain: Plain,
    codec: Option<Codec>,
    limits: DecodeLimits,
) -> Box<dyn Bytes> {
    match codec {
        Some(codec) => Box::new(Decoder::new(codec, Box::new(plain), limits)),
        None => Box::new(plain),
    }
}

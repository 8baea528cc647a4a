//! Opens members: stretches of their archives, which stay open for the next one.

use std::sync::Arc;

use super::super::decode::Expected;
use super::super::holes::Holed;
use super::super::packed::Packed;
use super::super::store::Store;
use super::super::{Access, Error, Form, Input, Opener};
use super::zip::{Unpacking, data_offset, unpacking};
use crate::source::{ArchiveError, Member, Stored, ZipEntry};

/// Opens a member of an archive, which has to be in the version in which it was listed.
///
/// # Errors
/// When the archive cannot be opened or has changed, or the member is not where it should be.
pub(in super::super) fn open(
    opener: &mut Opener,
    member: &Member,
    access: &Access,
) -> Result<Input, Error> {
    let store = opener.archive(&member.archive, access)?;
    let (start, bytes, form) = match &member.stored {
        &Stored::Plain { offset, bytes } | &Stored::Sparse { offset, bytes, .. } => {
            (offset, bytes, Form::Plain)
        }
        Stored::Zip(entry) => (data_offset(&store, entry)?, entry.packed_bytes, packed(entry)?),
    };
    if start.checked_add(bytes).is_none_or(|end| end > store.bytes()) {
        let error = ArchiveError::CutOff { offset: start, bytes };
        return Err(Error::Refused(error.into()));
    }
    if let Stored::Sparse { sparse, .. } = &member.stored {
        let holed = Holed { store, start, stored: bytes, sparse: Arc::clone(sparse) };
        return Ok(Input::stretch_of(Store::Holed(Arc::new(holed)), 0, sparse.bytes));
    }
    let store = Store::Shared(store);
    Ok(Input { form, ..Input::stretch_of(store, start, bytes) })
}

/// What has to be undone, and compared; nothing where nothing was packed, which some writers do not
/// write in the way that the method asks for.
fn packed(entry: &ZipEntry) -> Result<Form, Error> {
    let &ZipEntry { method, packed_bytes, bytes, crc32, .. } = entry;
    let codec = match unpacking(method) {
        Some(_) if packed_bytes == 0 && bytes == 0 && crc32 == 0 => return Ok(Form::Plain),
        Some(Unpacking::Plain) => None,
        Some(Unpacking::With(codec)) => Some(codec),
        None => return Err(Error::Refused(ArchiveError::Method(method).into())),
    };
    Ok(Form::Packed(Packed { codec, expected: Expected { bytes, crc32 } }))
}

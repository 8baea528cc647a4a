//! What has a result of its own: a source, or a member of an archive.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use super::gather::Gather;
use super::{At, End, Slot};
use crate::process::{Opening, Order};
use crate::source::Source;

/// A source, or a member of an archive, whose parts are brought together.
#[derive(Debug)]
pub(super) struct Whole<'a> {
    pub(super) at: At,
    pub(super) gather: Gather,
    name: Cow<'a, str>,
    header: Vec<u8>,
    bytes: AtomicU64,
    end: End,
}

impl<'a> Whole<'a> {
    /// The source at `index`, of `chunks` chunks, where that is known.
    pub(super) fn source(
        index: usize,
        source: &'a Source,
        header: Vec<u8>,
        gather: Gather,
    ) -> Self {
        let at = At { source: index, member: 0 };
        let name = source.name();
        Self { at, gather, name, header, bytes: AtomicU64::new(0), end: End::Source }
    }

    /// A member of an archive, with the whole of its name.
    pub(super) fn member(at: At, name: String, header: Vec<u8>, order: Order) -> Self {
        let gather = Gather::new(None, order);
        let name = Cow::Owned(name);
        Self { at, gather, name, header, bytes: AtomicU64::new(0), end: End::Member }
    }

    /// What resources are opened with.
    pub(super) fn opening(&self) -> Opening<'_> {
        Opening { name: &self.name, header: &self.header }
    }

    /// Where its result goes.
    pub(super) fn slot(&self) -> Slot {
        let member = match self.end {
            End::Member => Some(self.name.clone().into_owned()),
            End::Source => None,
        };
        Slot { at: self.at, end: self.end, member }
    }

    /// Whether it is a source, rather than a part of one.
    pub(super) fn is_source(&self) -> bool {
        self.end == End::Source
    }

    /// Bytes of it so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// It has so many bytes more.
    pub(super) fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

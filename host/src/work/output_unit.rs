//! What has a result of its own: a source, or a member of an archive.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::merge_tree::MergeTree;
use super::{End, Position, ResultSlot};
use crate::input::Offsets;
use crate::process::{Failure, FailureKind, Header, Opening, Order, Reject};
use crate::settings::RejectsMax;
use crate::settings::limits::{REJECTS_KEPT_BYTES_MAX, REJECTS_KEPT_MAX};
use crate::source::{Source, shown_name};

/// A source, or a member of an archive, whose parts are brought together.
#[derive(Debug)]
pub(super) struct OutputUnit<'a> {
    pub(super) at: Position,
    pub(super) merge_tree: MergeTree,
    name: Cow<'a, str>,
    /// Of a member, whose name may be no text.
    path: Option<PathBuf>,
    /// What offsets in that which plugins see are in it: there may be a byte order mark before it.
    pub(super) offsets: Offsets,
    header: Header,
    bytes: AtomicU64,
    end: End,
    /// How many parts there will be, [`u64::MAX`] while that is not known; and how many there are.
    parts: AtomicU64,
    parts_done: AtomicU64,
    rejected: AtomicU64,
    rejected_bytes: AtomicU64,
    /// The last part of which some were counted.
    rejected_to: AtomicU64,
    /// Where the first is that a line was looked up for.
    first_rejected: AtomicU64,
    /// Those of an aggregator, until its result is there.
    kept: Mutex<Kept>,
}

/// Records that were set aside, each with what it is charged for.
#[derive(Debug, Default)]
struct Kept {
    rejects: Vec<Reject>,
    bytes: u64,
}

impl Kept {
    /// # Errors
    /// When that is more than can be kept: nothing more is kept then.
    fn add(&mut self, more: Vec<Reject>) -> Result<(), Failure> {
        if self.rejects.len() + more.len() > REJECTS_KEPT_MAX {
            return Err(too_many(&format!("more than {REJECTS_KEPT_MAX} records")));
        }
        let bytes = self.bytes + more.iter().map(Reject::held_bytes).sum::<u64>();
        if bytes > REJECTS_KEPT_BYTES_MAX {
            return Err(too_many(&format!("records of more than {REJECTS_KEPT_BYTES_MAX} bytes")));
        }
        self.bytes = bytes;
        self.rejects.extend(more);
        Ok(())
    }

    fn take(&mut self) -> Vec<Reject> {
        std::mem::take(self).rejects
    }
}

impl<'a> OutputUnit<'a> {
    /// The source at `index`, of `chunks` chunks, where that is known.
    pub(super) fn source(
        index: usize,
        source: &'a Source,
        header: Header,
        merge_tree: MergeTree,
    ) -> Self {
        let at = Position { source: index, ..Position::default() };
        Self::new(at, source.name(), header, merge_tree, End::Source)
    }

    /// A member of an archive, with its path as a source.
    pub(super) fn member(at: Position, path: PathBuf, header: Header, order: Order) -> Self {
        let merge_tree = MergeTree::new(None, order);
        let name = Cow::Owned(shown_name(&path).into_owned());
        Self { path: Some(path), ..Self::new(at, name, header, merge_tree, End::Member) }
    }

    fn new(
        at: Position,
        name: Cow<'a, str>,
        header: Header,
        merge_tree: MergeTree,
        end: End,
    ) -> Self {
        Self {
            at,
            merge_tree,
            name,
            path: None,
            offsets: Offsets::Behind(0),
            header,
            bytes: AtomicU64::new(0),
            end,
            parts: AtomicU64::new(u64::MAX),
            parts_done: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            rejected_bytes: AtomicU64::new(0),
            rejected_to: AtomicU64::new(0),
            first_rejected: AtomicU64::new(u64::MAX),
            kept: Mutex::default(),
        }
    }

    /// What resources are opened with.
    pub(super) fn opening(&self) -> Opening<'_> {
        Opening { name: &self.name, header: &self.header }
    }

    /// What it is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Where its result goes.
    pub(super) fn slot(&self) -> ResultSlot {
        ResultSlot { at: self.at, end: self.end, member: self.path.clone() }
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

    /// It has so many parts; said before the last of them can be done.
    pub(super) fn set_parts(&self, parts: u64) {
        self.parts.store(parts, Ordering::Release);
    }

    /// How many parts it has.
    pub(super) fn parts(&self) -> u64 {
        self.parts.load(Ordering::Acquire)
    }

    /// One more part is done: whether it was the last.
    pub(super) fn part_is_done(&self) -> bool {
        self.parts_done.fetch_add(1, Ordering::AcqRel) + 1 == self.parts()
    }

    /// Counts records that were set aside.
    ///
    /// # Errors
    /// When there are more than the source may have.
    fn count_rejects(&self, rejects: &[Reject], max: Option<RejectsMax>) -> Result<(), Failure> {
        if rejects.is_empty() {
            return Ok(());
        }
        let count = Reject::count(rejects);
        let before = self.rejected.fetch_add(count, Ordering::Relaxed);
        let bytes = rejects.iter().map(|reject| reject.bytes).sum();
        self.rejected_bytes.fetch_add(bytes, Ordering::Relaxed);
        check_rejected(before + count, max)
    }

    /// Counts those of the part at `index`. Where they are more than the source may have, says so,
    /// and up to which part: all that were counted are in parts up to there.
    pub(super) fn count_rejects_of(
        &self,
        index: u64,
        rejects: &[Reject],
        max: Option<RejectsMax>,
    ) -> Result<(), (u64, Failure)> {
        if rejects.is_empty() {
            return Ok(());
        }
        self.rejected_to.fetch_max(index, Ordering::AcqRel);
        self.count_rejects(rejects, max)
            .map_err(|failure| (self.rejected_to.load(Ordering::Acquire), failure))
    }

    /// Whether there is none before `offset`, as far as is known.
    pub(super) fn is_first_rejected(&self, offset: u64) -> bool {
        self.first_rejected.fetch_min(offset, Ordering::Relaxed) > offset
    }

    /// Checks what is only known at the end: the share of rejected records.
    ///
    /// # Errors
    /// When it is more than the source may have.
    pub(super) fn check_rejects(&self, max: Option<RejectsMax>) -> Result<(), Failure> {
        let (percent, free) = match max {
            // All: stages of a chain may set aside more than there is.
            Some(RejectsMax::Percent(100) | RejectsMax::Records(_)) | None => return Ok(()),
            Some(RejectsMax::Percent(percent)) => (percent, 0),
            Some(RejectsMax::Both { records, percent }) => (percent, records),
        };
        let (rejected, bytes) = (self.rejected_bytes.load(Ordering::Relaxed), self.bytes());
        let few = self.rejected.load(Ordering::Relaxed) <= free;
        if few || u128::from(rejected) * 100 <= u128::from(bytes) * u128::from(percent) {
            return Ok(());
        }
        Err(too_many(&format!("{rejected} of {bytes} bytes, more than {percent}%,")))
    }

    /// Counts records and keeps them until the result is there.
    ///
    /// # Errors
    /// When there are more than the source may have, or than can be kept.
    pub(super) fn keep_rejects(
        &self,
        rejects: Vec<Reject>,
        max: Option<RejectsMax>,
    ) -> Result<(), Failure> {
        if rejects.is_empty() {
            return Ok(());
        }
        let counted = self.count_rejects(&rejects, max);
        self.kept.lock().add(rejects)?;
        counted
    }

    /// The records that were kept, in their order.
    pub(super) fn take_rejects(&self) -> Vec<Reject> {
        let mut rejects = self.kept.lock().take();
        rejects.sort_by_key(|reject| reject.offset);
        rejects
    }
}

/// Checks how many records of a source were set aside.
///
/// # Errors
/// When that is more than it may have.
pub fn check_rejected(records: u64, max: Option<RejectsMax>) -> Result<(), Failure> {
    match max {
        Some(RejectsMax::Records(max)) if records > max => {
            Err(too_many(&format!("more than {max} records")))
        }
        _ => Ok(()),
    }
}

fn too_many(what: &str) -> Failure {
    let message = format!("{what} were set aside by the plugin");
    Failure::new(FailureKind::Rejects, message)
        .hint("⟦rejects⟧ FILE shows them; ⟦max_rejects⟧ says how many may be")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejects(count: usize, bytes: usize) -> Vec<Reject> {
        (0..count).map(|_| Reject { data: vec![b'x'; bytes], ..Reject::default() }).collect()
    }

    #[test]
    fn records_that_are_kept_have_an_end_without_one() {
        let mut kept = Kept { bytes: REJECTS_KEPT_BYTES_MAX - 1000, ..Kept::default() };
        kept.add(rejects(1, 100)).unwrap();
        let message = kept.add(rejects(1, 1000)).unwrap_err();
        assert_eq!(message.kind, FailureKind::Rejects);
        assert!(message.message.starts_with("records of more than 1073741824 bytes"), "{message}");
    }
}

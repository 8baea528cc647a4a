//! Takes what comes out of transformers, part by part: into one output in the order of the sources,
//! or into one of each source.

mod destination;
mod in_flight;
mod object_writer;
mod packing;
mod single;
mod tree;

use crate::process::{Failure, Reject};
use crate::settings::RejectsMax;
use crate::work::{End, ResultSlot, check_rejected};

pub(super) use destination::Destination;
pub(super) use object_writer::{ObjectWriter, commit, unwrapped};
pub(super) use single::Single;
pub(super) use tree::Tree;

/// Checks how many records of a source were set aside, `before` this part and in it. As parts come
/// here in their order, it is always the same record that is one too many: those behind it are
/// dropped.
fn count_rejects(
    before: u64,
    rejects: &mut Vec<Reject>,
    max: Option<RejectsMax>,
) -> Result<(), Failure> {
    let checked = check_rejected(before + Reject::count(rejects), max);
    if let (Err(_), Some(RejectsMax::Records(max))) = (&checked, max) {
        rejects.truncate(usize::try_from((max + 1).saturating_sub(before)).unwrap_or(usize::MAX));
    }
    checked
}

/// What records that were set aside hold in memory.
fn reject_bytes(rejects: &[Reject]) -> usize {
    let bytes: u64 = rejects.iter().map(Reject::held_bytes).sum();
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// The slot of what fails at a part, and so ends with it.
fn ended(slot: ResultSlot) -> ResultSlot {
    let end = if slot.member.is_some() { End::Member } else { End::Source };
    ResultSlot { end, ..slot }
}

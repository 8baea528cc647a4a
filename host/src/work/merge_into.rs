//! Offers an accumulator to the whole that it is part of: the only place that merges.

use crate::process::{Failure, Held, Instance, Opening};

use super::merge_tree::{MergeTree, Next, Part, Span};

/// What became of an accumulator that was offered to its whole.
#[derive(Debug)]
pub(super) enum Merging {
    /// It is saved and parked; nothing is open any more.
    Parked,
    /// It has seen everything, and is still open.
    Whole,
    /// It was the last that its whole waited for, which has failed.
    Failed(Failure),
}

/// The guest failed while it held `span_len` positions.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) failure: Failure,
    pub(super) held: u64,
}

/// Merges parked neighbours into the open accumulator of `instance`, which has seen `span`, until
/// it is the whole or has no neighbours, and then parks it.
///
/// # Errors
/// When the guest fails; all positions that the accumulator held by then are the caller's to fail.
pub(super) fn merge_into(
    instance: &mut dyn Instance,
    opening: Opening<'_>,
    mut span: Span,
    merge_tree: &MergeTree,
) -> Result<Merging, Broken> {
    loop {
        let next = merge_tree.next(span);
        if let Next::After(part) | Next::Before(part) = &next {
            span = span.longer(part.span.len());
        }
        let held = span.len();
        let broken = |failure| Broken { failure, held };
        match next {
            Next::Whole => return Ok(Merging::Whole),
            Next::After(part) => merge(instance, &part).map_err(broken)?,
            Next::Before(part) => {
                let length = span.len();
                span = Span { start: part.span.start, end: part.span.start + length };
                merge_before(instance, opening, &part).map_err(broken)?;
            }
            Next::Park => {
                let state = Some(save(instance).map_err(broken)?);
                match merge_tree.park(Part { span, state }) {
                    Err(failure) => return Ok(Merging::Failed(failure)),
                    Ok(None) => return Ok(Merging::Parked),
                    Ok(Some(part)) => reopen(instance, opening, &part).map_err(broken)?,
                }
            }
        }
    }
}

fn merge(instance: &mut dyn Instance, part: &Part) -> Result<(), Failure> {
    part.state.as_ref().map_or(Ok(()), |state| instance.accumulator()?.merge(state))
}

fn merge_before(
    instance: &mut dyn Instance,
    opening: Opening<'_>,
    part: &Part,
) -> Result<(), Failure> {
    if part.state.is_none() {
        return Ok(());
    }
    let own = save(instance)?;
    reopen(instance, opening, part)?;
    instance.accumulator()?.merge(&own)
}

fn save(instance: &mut dyn Instance) -> Result<Held, Failure> {
    let state = instance.accumulator()?.save()?;
    instance.close()?;
    Ok(state)
}

fn reopen(instance: &mut dyn Instance, opening: Opening<'_>, part: &Part) -> Result<(), Failure> {
    instance.open(opening)?;
    merge(instance, part)
}

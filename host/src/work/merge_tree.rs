//! Brings the parts of one whole together: the chunks of a source, or the sources of a total. Says
//! who merges what; runs no guest, so its lock is only ever held for a few comparisons.
//!
//! A part is a span with the state of the accumulator that saw it. Where order is kept, a span
//! grows only by its direct neighbours; where any order will do, by whatever is parked. Every
//! position of the whole is at any time unseen, held by one worker, or settled (parked or failed);
//! the whole has failed once all are settled and one failed.

use parking_lot::{Mutex, MutexGuard};

use crate::process::{Failure, Held, Order};

/// Positions `start..end` of the whole. Where any order will do, only their number matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Span {
    pub(super) fn len(self) -> u64 {
        self.end - self.start
    }

    /// The span with `count` more positions.
    pub(super) fn longer(self, count: u64) -> Self {
        Self { end: self.end + count, ..self }
    }
}

/// A span and its state; `None` where nothing in it counted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) span: Span,
    pub(super) state: Option<Held>,
}

/// What to do next with an accumulator.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Merge this part after what it has.
    After(Part),
    /// Merge this part before what it has.
    Before(Part),
    /// It has seen everything: finish it.
    Whole,
    /// Save it and park it.
    Park,
}

/// Collects the parts of one whole.
#[derive(Debug)]
pub(super) struct MergeTree {
    order: Order,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How many positions there are; not known before the end of a stream.
    whole: Option<u64>,
    parked: Vec<Part>,
    settled: u64,
    /// The failure at the lowest position, so that timing does not decide which one is reported.
    failure: Option<(u64, Failure)>,
}

impl MergeTree {
    /// Collects `whole` positions, or as many as [`set_whole`](Self::set_whole) says later.
    pub(super) fn new(whole: Option<u64>, order: Order) -> Self {
        Self { order, state: Mutex::new(State { whole, ..State::default() }) }
    }

    /// Says how many positions there are. Returns the failure of the whole when all of them are
    /// settled.
    pub(super) fn set_whole(&self, whole: u64) -> Option<Failure> {
        let mut state = self.lock();
        state.whole = Some(whole);
        verdict(&mut state)
    }

    /// What the holder of `span` does next. A part that is given out is held by the caller from
    /// then on.
    pub(super) fn next(&self, span: Span) -> Next {
        let mut state = self.lock();
        if state.whole == Some(span.len()) {
            return Next::Whole;
        }
        let Some((at, after)) = self.neighbour(&state, span) else { return Next::Park };
        let part = state.parked.swap_remove(at);
        state.settled -= part.span.len();
        if after { Next::After(part) } else { Next::Before(part) }
    }

    /// Parks a part. It is given back when a neighbour has been parked meanwhile: the caller goes
    /// on with it.
    ///
    /// # Errors
    /// The failure of the whole, when this settles its last position.
    pub(super) fn park(&self, part: Part) -> Result<Option<Part>, Failure> {
        let mut state = self.lock();
        if self.neighbour(&state, part.span).is_some() {
            return Ok(Some(part));
        }
        state.settled += part.span.len();
        state.parked.push(part);
        verdict(&mut state).map_or(Ok(None), Err)
    }

    /// Remembers a failure at position `at` of what nobody gathers: nothing is settled by it.
    pub(super) fn note(&self, at: u64, failure: Failure) {
        let _none = self.fail(0, at, failure);
    }

    /// Settles `count` positions as failed, at position `at` with `failure`. Returns the failure of
    /// the whole when these were its last.
    pub(super) fn fail(&self, count: u64, at: u64, failure: Failure) -> Option<Failure> {
        let mut state = self.lock();
        if state.failure.as_ref().is_none_or(|(lowest, _)| at < *lowest) {
            state.failure = Some((at, failure));
        }
        state.settled += count;
        verdict(&mut state)
    }

    /// Settles `count` positions that are given up because one before them failed. Returns as
    /// [`fail`](Self::fail).
    pub(super) fn give_up(&self, count: u64) -> Option<Failure> {
        let mut state = self.lock();
        state.settled += count;
        verdict(&mut state)
    }

    /// The position of the first failure so far: what comes after it need not be looked at.
    pub(super) fn failed_at(&self) -> Option<u64> {
        self.lock().failure.as_ref().map(|(at, _)| *at)
    }

    /// A parked part to merge with `span`, and whether it goes after it.
    fn neighbour(&self, state: &State, span: Span) -> Option<(usize, bool)> {
        state.parked.iter().enumerate().find_map(|(at, part)| match self.order {
            Order::Any => Some((at, true)),
            Order::Kept if part.span.start == span.end => Some((at, true)),
            Order::Kept if part.span.end == span.start => Some((at, false)),
            Order::Kept => None,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

fn verdict(state: &mut State) -> Option<Failure> {
    if state.whole.is_none_or(|whole| state.settled < whole) {
        return None;
    }
    state.failure.take().map(|(_, failure)| failure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::FailureKind;

    fn part(start: u64, end: u64) -> Part {
        Part { span: Span { start, end }, state: None }
    }

    fn failure(message: &str) -> Failure {
        Failure::new(FailureKind::Trap, message)
    }

    #[test]
    fn kept_order_merges_direct_neighbours_only() {
        let merge_tree = MergeTree::new(Some(10), Order::Kept);
        assert_eq!(merge_tree.park(part(0, 2)), Ok(None));
        assert_eq!(merge_tree.park(part(7, 10)), Ok(None));
        let middle = Span { start: 3, end: 6 };
        assert_eq!(merge_tree.next(middle), Next::Park);
        let wider = Span { start: 2, end: 7 };
        let first = merge_tree.next(wider);
        assert!(first == Next::Before(part(0, 2)) || first == Next::After(part(7, 10)));
        assert_eq!(merge_tree.next(Span { start: 0, end: 10 }), Next::Whole);
    }

    #[test]
    fn any_order_merges_whatever_is_parked() {
        let merge_tree = MergeTree::new(Some(10), Order::Any);
        assert_eq!(merge_tree.park(part(7, 10)), Ok(None));
        assert_eq!(merge_tree.next(Span { start: 0, end: 4 }), Next::After(part(7, 10)));
        assert_eq!(merge_tree.next(Span { start: 0, end: 7 }), Next::Park);
    }

    #[test]
    fn a_part_whose_neighbour_came_first_is_given_back() {
        let merge_tree = MergeTree::new(Some(4), Order::Kept);
        let mine = Span { start: 2, end: 4 };
        assert_eq!(merge_tree.next(mine), Next::Park);
        assert_eq!(merge_tree.park(part(0, 2)), Ok(None));
        assert_eq!(merge_tree.park(part(2, 4)), Ok(Some(part(2, 4))));
    }

    #[test]
    fn a_whole_of_unknown_size_waits_for_its_end() {
        let merge_tree = MergeTree::new(None, Order::Kept);
        assert_eq!(merge_tree.fail(1, 1, failure("bad")), None);
        assert_eq!(merge_tree.park(part(0, 1)), Ok(None));
        assert_eq!(merge_tree.set_whole(3), None);
        assert_eq!(merge_tree.give_up(1), Some(failure("bad")));
    }

    #[test]
    fn the_lowest_failure_is_reported_when_all_is_settled() {
        let merge_tree = MergeTree::new(Some(10), Order::Kept);
        assert_eq!(merge_tree.fail(2, 5, failure("later")), None);
        assert_eq!(merge_tree.failed_at(), Some(5));
        assert_eq!(merge_tree.fail(4, 1, failure("first")), None);
        assert_eq!(merge_tree.give_up(3), None);
        assert_eq!(merge_tree.park(part(9, 10)), Err(failure("first")));
    }
}

//! How long the call at hand has run, for the one guest that a thread runs at a time.
//!
//! What a guest has used is processor time of its thread: a call is not late because others had the
//! processor. That is asked for at each look alone, as it costs a system call. Wall time between
//! two looks bounds it from above; and as wall time is what people count in, a call has its ceiling
//! there, too, at somewhat more than its time
//! ([`TIMEOUT_WALL_PERCENT`](crate::settings::limits::TIMEOUT_WALL_PERCENT)).

use std::cell::Cell;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::process::{ChunkReader, Failure};
use crate::settings::limits::STANDSTILL;

thread_local! {
    static CLOCK: Cell<Clock> = const { Cell::new(Clock::NEW) };
}

/// What a call has used so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ran {
    /// Processor time.
    pub(super) processor: Duration,
    /// Wall time, but for what it had to wait and the process stood still.
    pub(super) wall: Duration,
}

#[derive(Clone, Copy)]
struct Clock {
    /// When the call began or was last looked at.
    since: Option<Instant>,
    /// The thread's processor time when it was last asked for, in whichever call.
    processor: Option<Duration>,
    ran: Ran,
}

impl Clock {
    const NEW: Self = Self {
        since: None,
        processor: None,
        ran: Ran { processor: Duration::ZERO, wall: Duration::ZERO },
    };

    /// What was used since the last look, at `now`, with so much processor time used by the thread
    /// in all.
    fn look(&mut self, now: Instant, processor: Duration) -> Ran {
        let wall = now.saturating_duration_since(self.since.unwrap_or(now));
        let since = self.processor.map_or(wall, |before| processor.saturating_sub(before));
        let used = Ran { processor: since.min(wall), wall: wall.min(STANDSTILL) };
        (self.since, self.processor) = (Some(now), Some(processor));
        self.ran.processor += used.processor;
        self.ran.wall += used.wall;
        used
    }
}

/// A call begins, or the guest's part of it.
pub(super) fn begin() {
    let clock = CLOCK.get();
    CLOCK.set(Clock { since: Some(Instant::now()), ran: Ran::default(), ..clock });
}

/// What was used since the last look; then what the call has used in all.
pub(super) fn look() -> (Ran, Ran) {
    let mut clock = CLOCK.get();
    let used = clock.look(Instant::now(), processor());
    CLOCK.set(clock);
    (used, clock.ran)
}

/// A fill of the guest's memory, whose own time is none of the guest's: its call begins behind it.
pub(super) struct BeforeCall<'a>(pub(super) &'a mut dyn ChunkReader);

impl ChunkReader for BeforeCall<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn fill(&mut self, room: &mut [u8]) -> Result<(), Failure> {
        let filled = self.0.fill(room);
        begin();
        filled
    }
}

/// The guest had to wait until now: that is no time of its call.
pub(super) fn resume() {
    CLOCK.set(Clock { since: Some(Instant::now()), ..CLOCK.get() });
}

/// Wall time since the last look, which is a tick at most, where the guest had the processor.
pub(super) fn rest() -> Duration {
    CLOCK.get().since.map_or(Duration::ZERO, |since| since.elapsed().min(STANDSTILL))
}

/// What this thread has used of processors (`CLOCK_THREAD_CPUTIME_ID`, `clock_gettime(2)`).
fn processor() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_gap_counts_for_as_long_as_it_was_and_not_as_one_look() {
        let begun = Instant::now();
        let mut clock = Clock { since: Some(begun), processor: Some(MS), ..Clock::NEW };
        clock.look(begun + 90 * MS, 91 * MS);
        assert_eq!(clock.ran, Ran { processor: 90 * MS, wall: 90 * MS });
    }

    #[test]
    fn a_thread_that_others_kept_waiting_has_used_what_it_ran() {
        let begun = Instant::now();
        let mut clock = Clock { since: Some(begun), processor: Some(MS), ..Clock::NEW };
        clock.look(begun + 80 * MS, 21 * MS);
        assert_eq!(clock.ran, Ran { processor: 20 * MS, wall: 80 * MS });
    }

    #[test]
    fn what_the_thread_used_before_the_call_is_not_the_calls() {
        let begun = Instant::now();
        let mut clock = Clock { since: Some(begun), processor: Some(MS), ..Clock::NEW };
        clock.look(begun + 10 * MS, 500 * MS);
        assert_eq!(clock.ran.processor, 10 * MS);
        let mut first = Clock { since: Some(begun), ..Clock::NEW };
        first.look(begun + 10 * MS, 500 * MS);
        assert_eq!(first.ran.processor, 10 * MS);
    }

    #[test]
    fn a_process_that_stood_still_has_used_little() {
        let begun = Instant::now();
        let mut clock = Clock { since: Some(begun), processor: Some(MS), ..Clock::NEW };
        clock.look(begun + Duration::from_hours(1), 2 * MS);
        assert_eq!(clock.ran, Ran { processor: MS, wall: STANDSTILL });
    }

    #[test]
    fn a_thread_that_is_busy_uses_its_processor() {
        begin();
        let begun = Instant::now();
        while begun.elapsed() < 20 * MS {
            std::hint::black_box(begun);
        }
        let (used, ran) = look();
        assert_eq!(used, ran);
        assert!(ran.processor > Duration::ZERO && ran.processor <= ran.wall, "{ran:?}");
    }
}

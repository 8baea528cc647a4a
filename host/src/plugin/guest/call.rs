//! What one call of a guest may take and give: its time, within that of the job, and the bytes that
//! it may return.

use std::sync::atomic::Ordering;

use thiserror::Error;
use wasmtime::UpdateDeadline;

use super::Guest;
use crate::plugin::clock::{self, Ran};
use crate::settings::limits::{OUTPUT_RATIO, TIMEOUT_WALL_PERCENT};

/// Why a running guest was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(in crate::plugin) enum Stopped {
    #[error("the run was cancelled")]
    Cancelled,
    #[error("time is up")]
    Timeout,
    #[error("the job's time is up")]
    GuestTime,
}

impl Guest {
    /// Gives the next call, which is handed so many bytes, its time and its output.
    pub(in crate::plugin) fn begin_call(&mut self, bytes: usize) {
        let mebibytes = u32::try_from(bytes >> 20).unwrap_or(u32::MAX);
        let more = self.limits.timeout_per_mib.saturating_mul(mebibytes);
        self.allowed = self.limits.timeout.saturating_add(more);
        self.output_bytes_max = self.limits.output_bytes.max(bytes.saturating_mul(OUTPUT_RATIO));
        self.rejects_bytes_max = self.output_bytes_max;
        self.refused = None;
        self.last_error = None;
        clock::begin();
    }

    /// A call has ended: what it has used since the last look is counted to the job's.
    pub(in crate::plugin) fn end_call(&mut self) {
        if self.limits.guest_time.is_some() {
            self.budget.spend(clock::rest());
        }
    }

    /// Whether there is guest time left in the job.
    pub(in crate::plugin) fn has_time(&self) -> bool {
        self.limits.guest_time.is_none_or(|max| self.budget.guest_time() < max)
    }

    /// Called at every tick while the guest runs: compares what it has used with what it may,
    /// however long ago the last tick was.
    pub(in crate::plugin) fn tick(&mut self) -> Result<UpdateDeadline, Stopped> {
        if self.stop.load(Ordering::Acquire) {
            return Err(Stopped::Cancelled);
        }
        let (used, ran) = clock::look();
        self.within(used, ran)?;
        Ok(UpdateDeadline::Continue(1))
    }

    /// Whether a call that has used so much since the last look, and `ran` in all, may go on.
    fn within(&self, used: Ran, ran: Ran) -> Result<(), Stopped> {
        let spent = self.limits.guest_time.map(|max| (self.budget.spend(used.processor), max));
        if spent.is_some_and(|(spent, max)| spent > max) {
            return Err(Stopped::GuestTime);
        }
        let wall_max = self.allowed.saturating_mul(TIMEOUT_WALL_PERCENT) / 100;
        if ran.processor >= self.allowed || ran.wall >= wall_max {
            return Err(Stopped::Timeout);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::plugin::options::Options;
    use crate::settings::Sandbox;

    const MS: Duration = Duration::from_millis(1);

    fn guest(sandbox: Sandbox) -> Guest {
        Guest::new("test".into(), &Options { sandbox, ..Options::default() })
    }

    #[test]
    fn a_call_has_its_time_and_no_more() {
        let mut guest = guest(Sandbox { timeout: 20 * MS, ..Sandbox::default() });
        guest.begin_call(0);
        let ran = |processor, wall| Ran { processor: processor * MS, wall: wall * MS };
        assert_eq!(guest.within(ran(1, 1), ran(19, 29)), Ok(()));
        assert_eq!(guest.within(ran(1, 1), ran(20, 20)), Err(Stopped::Timeout));
        assert_eq!(guest.within(ran(1, 1), ran(1, 30)), Err(Stopped::Timeout));
        assert!(guest.tick().is_ok());
        guest.stop.store(true, Ordering::Release);
        assert_eq!(guest.tick().err(), Some(Stopped::Cancelled));
    }

    #[test]
    fn a_call_has_more_for_more_data() {
        let mut guest = guest(Sandbox::default());
        guest.begin_call((1 << 20) - 1);
        assert_eq!((guest.allowed, guest.output_bytes_max), (Duration::from_secs(5), 64 << 20));
        guest.begin_call(20 << 20);
        assert_eq!((guest.allowed, guest.output_bytes_max), (Duration::from_secs(25), 80 << 20));
    }

    #[test]
    fn a_job_has_its_guest_time_over_all_calls() {
        let mut guest = guest(Sandbox { guest_time: Some(20 * MS), ..Sandbox::default() });
        guest.begin_call(0);
        let used = Ran { processor: 15 * MS, wall: 15 * MS };
        assert_eq!(guest.within(used, used), Ok(()));
        assert!(guest.has_time());
        guest.begin_call(0);
        assert_eq!(guest.within(used, used), Err(Stopped::GuestTime));
        assert!(!guest.has_time());
    }
}

//! What one call of a guest may take and give: its time, within that of the job, and the bytes that it may return.

use std::sync::atomic::Ordering;
use std::time::Duration;

use thiserror::Error;
use wasmtime::UpdateDeadline;

use super::Guest;
use crate::settings::limits::{EPOCH_TICK, OUTPUT_RATIO};

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
        self.ticks_left = self.allowed.as_nanos().div_ceil(EPOCH_TICK.as_nanos());
        self.output_bytes_max = self.limits.output_bytes.max(bytes.saturating_mul(OUTPUT_RATIO));
        (self.counted, self.paused) = (Duration::ZERO, Duration::ZERO);
        self.refused = None;
        self.last_error = None;
    }

    /// A call has taken so long, but for what was no time of the guest.
    pub(in crate::plugin) fn end_call(&mut self, took: Duration) {
        if self.limits.guest_time.is_some() {
            self.budget.spend(took.saturating_sub(self.counted + self.paused));
        }
    }

    /// Whether there is guest time left in the job.
    pub(in crate::plugin) fn has_time(&self) -> bool {
        self.limits.guest_time.is_none_or(|max| self.budget.guest_time() < max)
    }

    /// Called at every tick while the guest runs.
    pub(in crate::plugin) fn tick(&mut self) -> Result<UpdateDeadline, Stopped> {
        if self.stop.load(Ordering::Acquire) {
            return Err(Stopped::Cancelled);
        }
        if let Some(max) = self.limits.guest_time {
            self.counted += EPOCH_TICK;
            if self.budget.spend(EPOCH_TICK) > max {
                return Err(Stopped::GuestTime);
            }
        }
        match self.ticks_left.checked_sub(1) {
            Some(left) => {
                self.ticks_left = left;
                Ok(UpdateDeadline::Continue(1))
            }
            None => Err(Stopped::Timeout),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::load::Options;
    use crate::settings::Sandbox;

    fn guest(sandbox: Sandbox) -> Guest {
        Guest::new("test".into(), &Options { sandbox, ..Options::default() })
    }

    #[test]
    fn a_call_has_its_ticks_and_no_more() {
        let mut guest = guest(Sandbox { timeout: EPOCH_TICK * 2, ..Sandbox::default() });
        guest.begin_call(0);
        assert!(guest.tick().is_ok());
        assert!(guest.tick().is_ok());
        assert_eq!(guest.tick().err(), Some(Stopped::Timeout));
        guest.begin_call(0);
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
        let max = Some(EPOCH_TICK * 2);
        let mut guest = guest(Sandbox { guest_time: max, ..Sandbox::default() });
        guest.begin_call(0);
        assert!(guest.tick().is_ok());
        guest.end_call(EPOCH_TICK + EPOCH_TICK / 2); // of which one tick is counted
        assert!(guest.has_time());
        guest.begin_call(0);
        assert_eq!(guest.tick().err(), Some(Stopped::GuestTime));
        assert!(!guest.has_time());
    }
}

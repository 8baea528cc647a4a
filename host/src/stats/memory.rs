//! One budget of memory for all that a process holds on behalf of its jobs: guests' memories,
//! buffers of streams, windows of decoders, results that wait.
//!
//! Two figures are kept. What is **reserved** is the most that a job can come to hold, asked for
//! before it begins: a job waits until its least fits, and has fewer workers where more do not.
//! What is **charged** is what is held now. A charge for a result is never refused. A guest that
//! grows beyond the budget is, and new work can first ask whether the budget is
//! [full](MemoryBudget::is_full).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Condvar, Mutex, MutexGuard};
use thiserror::Error;

use super::spare;
use crate::settings::limits::WAIT;

/// See the module.
#[derive(Debug)]
pub struct MemoryBudget {
    bytes_max: u64,
    reserved: Mutex<u64>,
    freed: Condvar,
    charged: AtomicU64,
    peak: AtomicU64,
}

/// What a job can come to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// Bytes, whatever its workers.
    pub once_bytes: u64,
    /// Bytes for each worker.
    pub worker_bytes: u64,
    /// Workers that it would have.
    pub workers: usize,
}

/// What a job needs is more than there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("one worker needs {least} bytes of memory, more than all of {bytes_max}")]
pub struct TooLittle {
    /// The least that it needs.
    pub least: u64,
    /// What there is.
    pub bytes_max: u64,
}

/// The budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{bytes} bytes more are too much with {charged} of {bytes_max} in use")]
pub struct Full {
    /// What was asked for.
    pub bytes: u64,
    /// What is in use.
    pub charged: u64,
    /// What there is.
    pub bytes_max: u64,
}

impl Default for MemoryBudget {
    fn default() -> Self {
        Self::new(u64::MAX)
    }
}

impl MemoryBudget {
    /// A budget of so many bytes.
    pub fn new(bytes_max: u64) -> Self {
        Self {
            bytes_max,
            reserved: Mutex::new(0),
            freed: Condvar::new(),
            charged: AtomicU64::new(0),
            peak: AtomicU64::new(0),
        }
    }

    /// What there is, in bytes.
    pub fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    /// The most that was charged at one time, in bytes.
    pub fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    /// What is charged now, in bytes.
    pub fn charged(&self) -> u64 {
        self.charged.load(Ordering::Relaxed)
    }

    /// Whether all of it is in use, and none of that is spare.
    pub fn is_full(&self) -> bool {
        let is_full = || self.charged() >= self.bytes_max;
        is_full() && {
            spare::clear();
            is_full()
        }
    }

    /// Sets aside what a job needs, for as many workers as fit; waits until one does. `None` if
    /// `stop` is set first.
    ///
    /// # Errors
    /// When one worker would not fit if nothing else were there.
    pub fn reserve(
        self: &Arc<Self>,
        need: Need,
        stop: &AtomicBool,
    ) -> Result<Option<Reservation>, TooLittle> {
        let least = need.once_bytes.saturating_add(need.worker_bytes);
        if least > self.bytes_max {
            return Err(TooLittle { least, bytes_max: self.bytes_max });
        }
        let mut reserved = lock(&self.reserved);
        while !stop.load(Ordering::Acquire) {
            let free = self.bytes_max.saturating_sub(*reserved);
            if least <= free {
                let fit = (free - need.once_bytes) / need.worker_bytes.max(1);
                let workers = need.workers.min(usize::try_from(fit).unwrap_or(usize::MAX)).max(1);
                let all = need.worker_bytes.saturating_mul(workers as u64);
                let bytes = need.once_bytes.saturating_add(all);
                *reserved = reserved.saturating_add(bytes);
                return Ok(Some(Reservation { budget: Arc::clone(self), bytes, workers }));
            }
            // Waking early is allowed, so the time-out does not matter.
            self.freed.wait_for(&mut reserved, WAIT);
        }
        Ok(None)
    }

    /// Charges what somebody holds who cannot be refused.
    pub fn hold(self: &Arc<Self>, bytes: u64) -> Charge {
        self.add(bytes);
        Charge { budget: Arc::clone(self), bytes }
    }

    fn add(&self, bytes: u64) {
        if bytes > 0 {
            let charged = self.charged.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
            self.peak.fetch_max(charged, Ordering::Relaxed);
        }
    }

    fn sub(&self, bytes: u64) {
        if bytes > 0 {
            self.charged.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

/// Memory that is set aside for a job until this is dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: Arc<MemoryBudget>,
    bytes: u64,
    /// Workers that it is for.
    pub workers: usize,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut reserved = lock(&self.budget.reserved);
        *reserved = reserved.saturating_sub(self.bytes);
        drop(reserved);
        self.budget.freed.notify_all();
    }
}

/// Memory that is held until this is dropped.
#[derive(Debug)]
pub struct Charge {
    budget: Arc<MemoryBudget>,
    bytes: u64,
}

impl Charge {
    /// What is held.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// It is so many bytes now.
    pub fn set(&mut self, bytes: u64) {
        match bytes.checked_sub(self.bytes) {
            Some(more) => self.budget.add(more),
            None => self.budget.sub(self.bytes - bytes),
        }
        self.bytes = bytes;
    }

    /// The same, unless it is too much.
    ///
    /// # Errors
    /// When the budget does not have what is wanted beyond what is held.
    pub fn grow(&mut self, bytes: u64) -> Result<(), Full> {
        let MemoryBudget { bytes_max, charged, peak, .. } = &*self.budget;
        let more = bytes.saturating_sub(self.bytes);
        let next = |now: u64| now.checked_add(more).filter(|sum| sum <= bytes_max);
        let add = || charged.try_update(Ordering::Relaxed, Ordering::Relaxed, next);
        let before = add()
            .or_else(|_| {
                spare::clear();
                add()
            })
            .map_err(|charged| Full { bytes: more, charged, bytes_max: *bytes_max })?;
        peak.fetch_max(before.saturating_add(more), Ordering::Relaxed);
        self.bytes = self.bytes.max(bytes);
        Ok(())
    }
}

/// What is copied is held twice.
impl Clone for Charge {
    fn clone(&self) -> Self {
        self.budget.hold(self.bytes)
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.sub(self.bytes);
    }
}

fn lock(mutex: &Mutex<u64>) -> MutexGuard<'_, u64> {
    mutex.lock()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEED: Need = Need { once_bytes: 100, worker_bytes: 200, workers: 4 };

    #[test]
    fn fewer_workers_are_used_where_more_do_not_fit_and_none_where_one_does_not() {
        let going = AtomicBool::new(false);
        let workers = |bytes_max| {
            let budget = Arc::new(MemoryBudget::new(bytes_max));
            budget.reserve(NEED, &going).map(|reserved| reserved.unwrap().workers)
        };
        assert_eq!(workers(u64::MAX), Ok(4));
        assert_eq!(workers(900), Ok(4));
        assert_eq!(workers(899), Ok(3));
        assert_eq!(workers(300), Ok(1));
        let refused = workers(299).unwrap_err();
        let message = "one worker needs 300 bytes of memory, more than all of 299";
        assert_eq!(refused.to_string(), message);
    }

    #[test]
    fn who_comes_later_has_what_is_left_or_waits() {
        let budget = Arc::new(MemoryBudget::new(1000));
        let (going, stopped) = (AtomicBool::new(false), AtomicBool::new(true));
        let first = budget.reserve(Need { workers: 2, ..NEED }, &going).unwrap().unwrap();
        let second = budget.reserve(NEED, &going).unwrap().unwrap();
        assert_eq!((first.workers, second.workers), (2, 2));
        assert!(budget.reserve(NEED, &stopped).unwrap().is_none());
        std::thread::scope(|scope| {
            let third = scope.spawn(|| budget.reserve(NEED, &going).unwrap().unwrap().workers);
            drop(first);
            assert_eq!(third.join().unwrap(), 2);
        });
        drop(second);
        assert_eq!(budget.reserve(NEED, &going).unwrap().unwrap().workers, 4);
    }

    #[test]
    fn what_is_charged_is_what_is_held() {
        let budget = Arc::new(MemoryBudget::new(100));
        let mut guest = budget.hold(0);
        assert_eq!(guest.grow(60), Ok(()));
        let result = budget.hold(50); // who holds a result is not refused
        assert!(budget.is_full());
        let full = Full { bytes: 1, charged: 110, bytes_max: 100 };
        assert_eq!(guest.grow(61), Err(full));
        drop(result);
        assert_eq!(guest.grow(100), Ok(()));
        guest.set(10);
        drop(guest);
        assert_eq!((budget.charged.load(Ordering::Relaxed), budget.peak()), (0, 110));
    }
}

//! Who may compile: a tenant one plugin at a time, and so many of all together. No turn is held
//! meanwhile: compilers are processes, which the kernel shares processors among, and each has its
//! bounds.

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::fair::Id;
use crate::settings::limits::{COMPILERS_MAX, WAIT};
use crate::work::Cancel;

/// The compilers of a host.
#[derive(Debug, Default)]
pub(super) struct Compilers {
    running: Mutex<Vec<Id>>,
    changed: Condvar,
}

/// Leave to compile, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    compilers: &'a Compilers,
    id: Id,
}

impl Compilers {
    /// Waits until that tenant may compile; `None` where it is cancelled before.
    pub(super) fn enter(&self, id: Id, cancel: &Cancel) -> Option<Permit<'_>> {
        let mut running = self.lock();
        while running.contains(&id) || running.len() >= COMPILERS_MAX {
            if cancel.is_set() {
                return None;
            }
            // Waking early is allowed, so the time-out does not matter.
            self.changed.wait_for(&mut running, WAIT);
        }
        running.push(id);
        Some(Permit { compilers: self, id })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Id>> {
        self.running.lock()
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.compilers.lock().retain(|id| *id != self.id);
        self.compilers.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::fair::Fair;

    #[test]
    fn a_tenant_compiles_one_plugin_at_a_time_and_waits_for_no_other() {
        let mut fair = Fair::default();
        let (compilers, cancelled) = (Compilers::default(), Cancel::default());
        cancelled.set();
        let tenants: Vec<Id> = (0..=COMPILERS_MAX).map(|_| fair.add(1)).collect();
        let permits: Vec<_> = tenants.iter().map(|id| compilers.enter(*id, &cancelled)).collect();
        assert!(permits[..COMPILERS_MAX].iter().all(Option::is_some));
        assert!(permits[COMPILERS_MAX].is_none(), "there are as many as there may be");
        drop(permits);
        let first = compilers.enter(tenants[0], &cancelled).unwrap();
        assert!(compilers.enter(tenants[0], &cancelled).is_none());
        drop(first);
        assert!(compilers.enter(tenants[0], &cancelled).is_some());
    }
}

//! The turns of a job of a tenant, whose account is charged for them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::handle::State;
use super::shared::{Member, Shared};
use crate::process::{Failure, FailureKind, Pause};
use crate::work::{Cancel, Entered, Gate, renew_turn};

/// A job's gate: turns of its tenant, whose account is charged for them.
pub(super) struct JobGate {
    shared: Arc<Shared>,
    member: Arc<Member>,
    state: Arc<State>,
    /// Bytes in and out that have been charged.
    counted: Mutex<(u64, u64)>,
}

impl JobGate {
    pub(super) fn new(shared: &Arc<Shared>, member: &Arc<Member>, state: &Arc<State>) -> Self {
        Self {
            shared: Arc::clone(shared),
            member: Arc::clone(member),
            state: Arc::clone(state),
            counted: Mutex::default(),
        }
    }

    /// Ends the job where its tenant has used too much.
    pub(super) fn charge(&self, spent: Duration) {
        let stats = &self.state.stats;
        let (bytes_in, bytes_out) = {
            let mut counted = self.counted.lock();
            let (before_in, before_out) =
                std::mem::replace(&mut *counted, (stats.bytes(), stats.out()));
            (counted.0.saturating_sub(before_in), counted.1.saturating_sub(before_out))
        };
        if let Err(exceeded) = self.member.account.charge(spent, bytes_in, bytes_out) {
            let failure = Failure::new(FailureKind::Quota, exceeded.to_string());
            let _ = self.state.exceeded.set(exceeded); // the first is told
            self.state.cancel.fail(failure);
        }
    }
}

impl fmt::Debug for JobGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobGate").field("tenant", &self.member.tenant.name).finish_non_exhaustive()
    }
}

impl Pause for JobGate {
    fn pause(&self) {
        renew_turn(self, &self.state.cancel);
    }
}

impl Gate for JobGate {
    fn enter(&self, cancel: &Cancel) -> Entered {
        self.shared.slots.enter(self.member.id, cancel)
    }

    fn renew(&self, spent: Duration, cancel: &Cancel) -> Entered {
        self.charge(spent);
        self.shared.slots.renew(self.member.id, spent, cancel)
    }

    fn leave(&self, spent: Duration) {
        self.charge(spent);
        self.shared.slots.leave(self.member.id, spent);
    }
}

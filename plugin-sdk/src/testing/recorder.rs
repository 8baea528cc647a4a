//! Stands in for the host's `log`, `count` and `reject`: remembers the calls of this thread.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::host::Level;

/// What a plugin asked of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Lines of the log.
    pub logs: Vec<(Level, String)>,
    /// Counters and their values.
    pub counts: BTreeMap<String, u64>,
    /// Records set aside.
    pub rejects: Vec<Rejected>,
}

/// One record set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Where in the chunk, in bytes.
    pub offset: u64,
    /// What is wrong with it.
    pub reason: String,
    /// The record.
    pub data: Vec<u8>,
}

thread_local! {
    static RECORDED: RefCell<Recorded> = RefCell::default();
}

/// What plugins asked of the host on this thread since the last call.
pub fn recorded() -> Recorded {
    RECORDED.take()
}

pub(super) use recorded as take;

/// Remembers these calls as if they had been made now.
pub(super) fn put(recorded: Recorded) {
    RECORDED.set(recorded);
}

impl Recorded {
    /// These calls, and then those.
    pub(super) fn and(mut self, next: Self) -> Self {
        self.logs.extend(next.logs);
        self.rejects.extend(next.rejects);
        for (counter, by) in next.counts {
            *self.counts.entry(counter).or_default() += by;
        }
        self
    }
}

pub(crate) fn log(level: Level, message: &str) {
    RECORDED.with_borrow_mut(|recorded| recorded.logs.push((level, message.into())));
}

pub(crate) fn count(counter: &str, by: u64) {
    RECORDED.with_borrow_mut(|recorded| *recorded.counts.entry(counter.into()).or_default() += by);
}

pub(crate) fn reject(offset: u64, reason: &str, data: &[u8]) {
    let rejected = Rejected { offset, reason: reason.into(), data: data.into() };
    RECORDED.with_borrow_mut(|recorded| recorded.rejects.push(rejected));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_remembered_until_they_are_read() {
        crate::log::info("ready");
        crate::count("records", 2);
        crate::count("records", 3);
        crate::reject(7, "too short", b"ab");
        let seen = recorded();
        assert_eq!(seen.logs, [(Level::Info, "ready".to_owned())]);
        assert_eq!(seen.counts.get("records"), Some(&5));
        let rejected = Rejected { offset: 7, reason: "too short".into(), data: b"ab".to_vec() };
        assert_eq!(seen.rejects, [rejected]);
        assert_eq!(recorded(), Recorded::default());
    }
}

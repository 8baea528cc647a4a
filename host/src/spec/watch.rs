//! How a job goes on with files as they arrive.

use serde::{Deserialize, Serialize};

use super::words::{number, number_if_any, word};
use super::{Problem, Size, Time};
use crate::settings::limits::{FOLLOW_IDLE, WATCH_RETRIES, WATCH_SETTLE, WATCH_TIME_MAX};
use crate::settings::{AfterCommit, Changed, Existing, Key, OnFail, Order, SettleMode};

/// How files are taken as they arrive, and what becomes of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WatchSpec {
    /// What to do with files that are there when it is begun for the first time.
    #[serde(deserialize_with = "word", serialize_with = "text")]
    pub existing: Existing,
    /// How long a file must not have changed.
    pub settle: Time,
    /// When a file is ready.
    #[serde(deserialize_with = "word", serialize_with = "text")]
    pub settle_mode: SettleMode,
    /// What to do with another version of a file that is done.
    #[serde(deserialize_with = "word", serialize_with = "text")]
    pub changed: Changed,
    /// What becomes of a file once its output is in place.
    #[serde(deserialize_with = "word", serialize_with = "text")]
    pub after: AfterCommit,
    /// How long after that.
    pub after_delay: Time,
    /// What becomes of a file that has failed for good.
    #[serde(deserialize_with = "word", serialize_with = "text")]
    pub on_fail: OnFail,
    /// How often a file that fails is tried again.
    #[serde(deserialize_with = "number")]
    pub retries: u32,
    /// In which order files that are ready are taken.
    #[serde(deserialize_with = "word", serialize_with = "text")]
    pub order: Order,
    /// Files that are begun in a second at most.
    #[serde(deserialize_with = "number_if_any")]
    pub max_files_per_second: Option<u32>,
    /// Bytes of files that are begun in a second at most.
    pub max_bytes_per_second: Option<Size>,
    /// Whether files are followed as they grow.
    pub append: bool,
    /// A last line without its end is whole when nothing came for so long.
    pub idle: Time,
    /// Whether it ends when all that is there is done.
    pub once: bool,
}

fn text<T: ToString, S: serde::Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&value.to_string())
}

impl Default for WatchSpec {
    fn default() -> Self {
        Self {
            existing: Existing::default(),
            settle: Time(WATCH_SETTLE),
            settle_mode: SettleMode::default(),
            changed: Changed::default(),
            after: AfterCommit::default(),
            after_delay: Time(std::time::Duration::ZERO),
            on_fail: OnFail::default(),
            retries: WATCH_RETRIES,
            order: Order::default(),
            max_files_per_second: None,
            max_bytes_per_second: None,
            append: false,
            idle: Time(FOLLOW_IDLE),
            once: false,
        }
    }
}

impl WatchSpec {
    /// Refuses what is out of bounds, or says nothing.
    ///
    /// # Errors
    /// With the first of them, by its key.
    pub fn agree(&self) -> Result<(), Problem> {
        let refused = |key: &'static str, why: String| {
            Err(Problem::new(format!("{} {why}", Key(key))).of(key))
        };
        for (key, time) in
            [("settle", self.settle), ("after_delay", self.after_delay), ("idle", self.idle)]
        {
            if time.0 > WATCH_TIME_MAX {
                return refused(key, format!("{time} is more than {}", Time(WATCH_TIME_MAX)));
            }
        }
        if self.max_files_per_second == Some(0) {
            return refused("max_files_per_second", "0 would never begin a file".into());
        }
        if self.max_bytes_per_second == Some(Size(0)) {
            return refused("max_bytes_per_second", "0 would never begin a file".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_begins_and_what_takes_too_long_is_refused() {
        WatchSpec::default().agree().unwrap();
        let year = Time(2 * WATCH_TIME_MAX);
        for wrong in [
            WatchSpec { settle: year, ..WatchSpec::default() },
            WatchSpec { after_delay: year, ..WatchSpec::default() },
            WatchSpec { max_files_per_second: Some(0), ..WatchSpec::default() },
            WatchSpec { max_bytes_per_second: Some(Size(0)), ..WatchSpec::default() },
        ] {
            assert!(wrong.agree().is_err(), "{wrong:?}");
        }
    }
}

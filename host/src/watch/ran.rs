//! One job of a watch, from its start to what it says at its end.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use super::batch::{Batch, End, Heard};
use super::{Given, Runs};
use crate::job::Observer;
use crate::spec::JobSpec;

/// A job that was run.
pub(super) struct Ran {
    pub(super) heard: Arc<Heard>,
    /// What became of files of which it said nothing; or why it could not go on.
    pub(super) rest: Result<End, String>,
    /// What it wrote to standard output.
    pub(super) rows: Vec<u8>,
}

impl Ran {
    /// Runs a job over the files of a batch.
    pub(super) fn of(
        runs: &dyn Runs,
        spec: &JobSpec,
        named: &[PathBuf],
        batch: &Batch<'_>,
        events: &Arc<dyn Observer>,
    ) -> Self {
        let heard = Heard::new(events);
        let listener = Arc::clone(&heard) as Arc<dyn Observer>;
        let rows = Arc::new(Mutex::new(Vec::new()));
        let out = Box::new(Captured(Arc::clone(&rows)));
        let given = Given { named, remembers: Some(batch), found: None };
        let ran = runs.run(spec, &given, &listener, out);
        let rest = match ran {
            Err(problem) => Err(problem.text().clone()),
            Ok(ended) => match ended.summary {
                Ok(summary) if summary.unread == 0 => Ok(End::Committed),
                Ok(_) | Err(crate::job::Error::Failed(_)) => Ok(End::Unread),
                Err(error) => Err(error.to_string()),
            },
        };
        let rows = std::mem::take(&mut *rows.lock());
        Self { heard, rest, rows }
    }
}

/// Standard output that is kept.
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

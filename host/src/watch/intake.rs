//! From files that were found to rows of the ledger: which of them are new, which are ready, and
//! what is not to be processed at all.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::ready::{Hint, Rules, Settling, Verdict};
use super::version::Version;
use crate::job::Observer;
use crate::ledger::{
    After, ArrivalStage, Change, Error, JobId, Ledger, NewArrival, Sight, Versions,
};
use crate::name::Shown;
use crate::settings::limits::WATCH_CHANGES;
use crate::settings::{Changed, Existing, SettleMode};

/// Takes files in.
pub(super) struct Intake<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) job: JobId,
    pub(super) rules: Rules,
    pub(super) changed: Changed,
    /// What is done with files that were there when the watch was first begun, and when that was.
    pub(super) existing: (Existing, SystemTime),
    pub(super) events: Arc<dyn Observer>,
    pub(super) versions: Versions,
    pub(super) settling: Settling,
    /// Whether files that are found now came while the watch ran.
    pub(super) is_live: bool,
    /// Whether files that have failed are moved.
    pub(super) moves_failed: bool,
    /// Files that have failed because they have changed.
    pub(super) failed: u64,
    pub(super) waiting: Vec<Change>,
}

impl Intake<'_> {
    /// A file was found, or heard of and looked at.
    ///
    /// # Errors
    /// When the ledger cannot take it, here and below.
    pub(super) fn found(&mut self, path: &Path, version: Version, hint: Hint) -> Result<(), Error> {
        let identity = version.identity();
        let sight = self.versions.look(path.as_os_str().as_bytes(), identity.as_str());
        if sight == Sight::Same {
            self.settling.forget(path);
            return Ok(());
        }
        if sight == Sight::New && version.was_there(self.existing.0, self.existing.1) {
            let why = "was there before the watch was first begun".to_string();
            return self.seen(path, version, ArrivalStage::Ignored, Some(why));
        }
        if self.rules.marker(path).is_some_and(|marker| !marker.exists()) {
            return Ok(()); // its marker makes it be looked at again
        }
        let now = (Instant::now(), SystemTime::now());
        match self.settling.touch(path, hint, Some(version), &self.rules, now) {
            Verdict::Ready => self.ready(path, version, sight),
            Verdict::Wait => Ok(()),
        }
    }

    /// Something is done to a file, which is not worth a look yet.
    pub(super) fn touched(&mut self, path: &Path, hint: Hint) {
        if !matches!(self.rules.mode, SettleMode::Marker(_)) {
            let now = (Instant::now(), SystemTime::now());
            let _waits = self.settling.touch(path, hint, None, &self.rules, now);
        }
    }

    /// Looks at files that should be at rest by now.
    pub(super) fn settle(&mut self) -> Result<(), Error> {
        while let Some(path) = self.settling.next_due(Instant::now()) {
            let Ok(Some(version)) = Version::at(&path) else {
                self.settling.forget(&path);
                continue;
            };
            let now = (Instant::now(), SystemTime::now());
            if self.settling.look(&path, version, &self.rules, now) == Verdict::Ready {
                let identity = version.identity();
                let sight = self.versions.look(path.as_os_str().as_bytes(), identity.as_str());
                self.ready(&path, version, sight)?;
            }
        }
        Ok(())
    }

    /// A file was another when it was to be processed, or when it had been: it is taken in again.
    pub(super) fn again(&mut self, path: &Path) -> Result<(), Error> {
        match Version::at(path) {
            Ok(Some(version)) => self.found(path, version, Hint::Found),
            _ => Ok(()), // it is gone, or the next scan says why not
        }
    }

    fn ready(&mut self, path: &Path, version: Version, sight: Sight) -> Result<(), Error> {
        let (stage, why) = match (sight, self.changed) {
            (Sight::Same, _) => return Ok(()),
            (Sight::New, _) => (ArrivalStage::Queued, None),
            (Sight::Other, Changed::Again) => {
                let name = Shown::of(&path);
                self.events.note(&format!("{name}: has changed, and is processed again"));
                (ArrivalStage::Queued, None)
            }
            (Sight::Other, Changed::Ignore) => {
                (ArrivalStage::Ignored, Some("has changed".to_string()))
            }
            (Sight::Other, Changed::Fail) => {
                let why = "changed: another version of it was processed".to_string();
                self.events.note(&format!("{}: {why}", Shown::of(&path)));
                (ArrivalStage::Failed, Some(why))
            }
        };
        self.seen(path, version, stage, why)
    }

    fn seen(
        &mut self,
        path: &Path,
        version: Version,
        stage: ArrivalStage,
        why: Option<String>,
    ) -> Result<(), Error> {
        let (path, identity) = (path.as_os_str().as_bytes(), version.identity());
        self.versions.insert(path, identity.as_str());
        let has_failed = stage == ArrivalStage::Failed;
        self.failed += u64::from(has_failed);
        self.waiting.push(Change::Seen(Box::new(NewArrival {
            job: self.job,
            path: path.to_vec(),
            version: identity,
            bytes: version.bytes,
            modified_ns: version.modified_ns,
            stage,
            why,
            is_fresh: self.is_live,
            seen: SystemTime::now(),
            after: (has_failed && self.moves_failed).then_some(After::Pending),
        })));
        if self.waiting.len() >= WATCH_CHANGES { self.flush().map(drop) } else { Ok(()) }
    }

    /// Puts what was taken in into the ledger; whether there was anything.
    pub(super) fn flush(&mut self) -> Result<bool, Error> {
        if self.waiting.is_empty() {
            return Ok(false);
        }
        self.ledger.change(std::mem::take(&mut self.waiting))?;
        Ok(true)
    }
}

//! Which files will be ready, and when: pure, so that each rule is a test without a clock or a
//! disk.
//!
//! A file is looked at when something says that it changed, and again when it should be at rest.
//! Only who finds the same version then may take it.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::version::Version;
use crate::settings::SettleMode;
use crate::settings::limits::{WATCH_OPEN, WATCH_QUIET};

/// What is known of how a file came to be as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hint {
    /// It was made: somebody may write to it, or it is a further link to a file.
    Made,
    /// Somebody opened it.
    Opened,
    /// Somebody wrote to it, and has not closed it yet.
    Touched,
    /// Somebody who wrote to it has closed it.
    Closed,
    /// It was moved to where it is.
    MovedIn,
    /// It was found.
    Found,
}

/// When files are ready.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) settle: Duration,
    pub(super) mode: SettleMode,
}

/// Files that are not ready yet.
#[derive(Debug, Default)]
pub(super) struct Settling {
    files: HashMap<Arc<Path>, Candidate>,
    due: BTreeSet<(Instant, Arc<Path>)>,
}

#[derive(Debug)]
struct Candidate {
    /// In which it was found when it was last looked at.
    version: Option<Version>,
    is_closed: bool,
    /// Whether somebody has it open for writing.
    is_open: bool,
    /// Whether it was made, and nothing more was heard of it.
    is_made: bool,
    due: Instant,
    /// How often it was found changed when it should have been at rest.
    changes: u32,
}

/// What is to be done with a file that was looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may be taken, in this version.
    Ready,
    /// It is to be looked at again.
    Wait,
}

impl Settling {
    /// How many files there are.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// Something says that the file at `path` is there, and how it came; `found` is the version, if
    /// it was looked at.
    pub(super) fn touch(
        &mut self,
        path: &Path,
        hint: Hint,
        found: Option<Version>,
        rules: &Rules,
        now: (Instant, SystemTime),
    ) -> Verdict {
        let known = self.files.get(path);
        if hint == Hint::Opened && !known.is_some_and(|it| it.is_made) {
            return Verdict::Wait; // who opens what is there reads it, mostly
        }
        let was_open = known.is_some_and(|it| it.is_open);
        let is_closed = matches!(hint, Hint::Closed | Hint::MovedIn);
        let is_open = matches!(hint, Hint::Touched | Hint::Opened) || was_open && !is_closed;
        if !is_open && rules.is_at_rest(hint, found.as_ref(), now.1) {
            self.forget(path);
            return Verdict::Ready;
        }
        if was_open && hint == Hint::Found {
            return Verdict::Wait; // that it is there is known
        }
        let due = now.0 + rules.pause((is_closed, is_open), found.as_ref(), now.1);
        let (path, changes) = match self.files.remove_entry(path) {
            Some((path, old)) => {
                self.due.remove(&(old.due, Arc::clone(&path)));
                (path, old.changes)
            }
            None => (Arc::from(path), 0),
        };
        self.due.insert((due, Arc::clone(&path)));
        let is_made = hint == Hint::Made;
        let candidate = Candidate { version: found, is_closed, is_open, is_made, due, changes };
        self.files.insert(path, candidate);
        Verdict::Wait
    }

    /// A file that should be at rest by now, if there is one.
    pub(super) fn next_due(&self, now: Instant) -> Option<PathBuf> {
        let (due, path) = self.due.first()?;
        (*due <= now).then(|| path.to_path_buf())
    }

    /// When the next one should be.
    pub(super) fn wakes(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// A file that should be at rest was found in this version: whether it is.
    pub(super) fn look(
        &mut self,
        path: &Path,
        found: Version,
        rules: &Rules,
        now: (Instant, SystemTime),
    ) -> Verdict {
        let Some((path, mut candidate)) = self.files.remove_entry(path) else {
            return Verdict::Wait;
        };
        self.due.remove(&(candidate.due, Arc::clone(&path)));
        let is_same = candidate.version == Some(found);
        if is_same && rules.may_be_taken(&found, now.1)
            || rules.is_at_rest(Hint::Found, Some(&found), now.1)
        {
            return Verdict::Ready;
        }
        candidate.changes += u32::from(!is_same && candidate.version.is_some());
        candidate.is_closed &= is_same || candidate.version.is_none();
        candidate.version = Some(found);
        candidate.is_open = false; // it was for so long that this is not believed any more
        candidate.due = now.0 + rules.pause((candidate.is_closed, false), Some(&found), now.1);
        self.due.insert((candidate.due, Arc::clone(&path)));
        self.files.insert(path, candidate);
        Verdict::Wait
    }

    /// Events were lost: what somebody has open may have been closed.
    pub(super) fn doubt(&mut self, now: Instant) {
        let open = self.files.iter_mut().filter(|(_, candidate)| candidate.is_open);
        for (path, candidate) in open {
            self.due.remove(&(candidate.due, Arc::clone(path)));
            (candidate.is_open, candidate.due) = (false, now + WATCH_QUIET);
            self.due.insert((candidate.due, Arc::clone(path)));
        }
    }

    /// Whether all that are left have been found changed when they should have been at rest.
    pub(super) fn all_change(&self) -> bool {
        self.files.values().all(|candidate| candidate.changes > 0)
    }

    /// Takes a file out.
    pub(super) fn forget(&mut self, path: &Path) {
        if let Some((path, old)) = self.files.remove_entry(path) {
            self.due.remove(&(old.due, path));
        }
    }
}

impl Rules {
    /// Whether a file can be taken as it is found, without a second look.
    fn is_at_rest(&self, hint: Hint, found: Option<&Version>, now: SystemTime) -> bool {
        let Some(found) = found else { return false };
        let quiet = |least: Duration| found.quiet_for(now).is_some_and(|quiet| quiet >= least);
        match &self.mode {
            SettleMode::Quiet => quiet(self.settle.max(WATCH_QUIET)),
            SettleMode::Rename => hint == Hint::MovedIn || quiet(self.settle.max(WATCH_QUIET)),
            SettleMode::Marker(_) => true, // whoever asks has seen the marker
            SettleMode::MinAge(age) => is_older(found, *age, now),
        }
    }

    /// Whether a file that was found twice in one version can be taken.
    fn may_be_taken(&self, found: &Version, now: SystemTime) -> bool {
        match &self.mode {
            SettleMode::MinAge(age) => is_older(found, *age, now),
            _ => true,
        }
    }

    /// How long it is until it is to be looked at again.
    fn pause(
        &self,
        (is_closed, is_open): (bool, bool),
        found: Option<&Version>,
        now: SystemTime,
    ) -> Duration {
        let least = match (is_closed, is_open) {
            (true, _) => self.settle,
            (false, true) => self.settle.max(WATCH_OPEN),
            (false, false) => self.settle.max(WATCH_QUIET),
        };
        match (&self.mode, found) {
            (SettleMode::MinAge(age), Some(found)) => {
                let is = now.duration_since(found.modified()).unwrap_or_default();
                age.saturating_sub(is).max(Duration::from_millis(1))
            }
            _ => least,
        }
    }

    /// What the marker of a file is called, where one is asked for.
    pub(super) fn marker(&self, file: &Path) -> Option<PathBuf> {
        let SettleMode::Marker(template) = &self.mode else { return None };
        let (name, stem) = (file.file_name()?.to_str()?, file.file_stem()?.to_str()?);
        Some(file.with_file_name(template.replace("{name}", name).replace("{stem}", stem)))
    }

    /// Whether a name is that of a marker, as far as its template tells.
    pub(super) fn is_marker(&self, file: &Path) -> bool {
        let SettleMode::Marker(template) = &self.mode else { return false };
        let Some(name) = file.file_name().and_then(|name| name.to_str()) else { return false };
        let (before, rest) = template.split_once('{').unwrap_or((template, ""));
        let after = rest.rsplit_once('}').map_or("", |(_, after)| after);
        name.len() > before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
    }
}

fn is_older(found: &Version, age: Duration, now: SystemTime) -> bool {
    now.duration_since(found.modified()).is_ok_and(|is| is >= age)
}

/// Endings of names that programs give to files which they have not finished.
const UNFINISHED: [&str; 4] = [".tmp", ".part", ".crdownload", "~"];

/// Whether a file of that name is never ready.
pub(super) fn is_unfinished(path: &Path) -> bool {
    let Some(name) = path.file_name() else { return true };
    let name = name.as_encoded_bytes();
    name.starts_with(b".") || UNFINISHED.iter().any(|end| name.ends_with(end.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const SETTLE: Duration = Duration::from_millis(200);

    /// A clock whose two hands move together.
    struct Clock(Instant, SystemTime);

    impl Clock {
        fn new() -> Self {
            Self(Instant::now(), UNIX_EPOCH + Duration::from_secs(1_000_000))
        }

        fn after(&self, milliseconds: u64) -> (Instant, SystemTime) {
            let since = Duration::from_millis(milliseconds);
            (self.0 + since, self.1 + since)
        }

        /// A file of so many bytes, written at that time.
        fn file(&self, bytes: u64, written_after: u64) -> Version {
            Version::test(bytes, self.after(written_after).1)
        }
    }

    fn rules(mode: SettleMode) -> Rules {
        Rules { settle: SETTLE, mode }
    }

    const NAME: &str = "/in/a";

    #[test]
    fn a_closed_file_is_ready_when_it_has_not_changed_for_a_while() {
        let (clock, rules, path) = (Clock::new(), rules(SettleMode::Quiet), Path::new(NAME));
        let mut settling = Settling::default();
        let file = clock.file(1, 0);
        let touched = settling.touch(path, Hint::Closed, Some(file), &rules, clock.after(0));
        assert_eq!(touched, Verdict::Wait);
        assert_eq!(settling.next_due(clock.after(199).0), None);
        assert_eq!(settling.next_due(clock.after(200).0), Some(path.to_path_buf()));
        assert_eq!(settling.look(path, file, &rules, clock.after(200)), Verdict::Ready);
        assert_eq!(settling.len(), 0);
        assert_eq!(settling.wakes(), None);
    }

    #[test]
    fn a_file_that_changes_meanwhile_waits_as_one_that_nobody_has_closed() {
        let (clock, rules, path) = (Clock::new(), rules(SettleMode::Quiet), Path::new(NAME));
        let mut settling = Settling::default();
        settling.touch(path, Hint::Closed, Some(clock.file(1, 0)), &rules, clock.after(0));
        let longer = clock.file(2, 100);
        assert_eq!(settling.look(path, longer, &rules, clock.after(200)), Verdict::Wait);
        assert!(settling.all_change());
        assert_eq!(settling.wakes(), Some(clock.after(2200).0));
        assert_eq!(settling.look(path, longer, &rules, clock.after(2200)), Verdict::Ready);
    }

    #[test]
    fn what_somebody_writes_to_is_put_off_each_time() {
        let (clock, rules, path) = (Clock::new(), rules(SettleMode::Quiet), Path::new(NAME));
        let mut settling = Settling::default();
        for at in [0, 1500, 9000] {
            settling.touch(path, Hint::Touched, None, &rules, clock.after(at));
        }
        let found = Some(clock.file(9, 9000));
        let seen = settling.touch(path, Hint::Found, found, &rules, clock.after(20_000));
        assert_eq!(seen, Verdict::Wait, "somebody has it open");
        assert_eq!(settling.len(), 1);
        assert_eq!(settling.wakes(), Some(clock.after(309_000).0));
        settling.touch(path, Hint::Closed, found, &rules, clock.after(30_000));
        assert_eq!(settling.len(), 0, "it is old, and closed");
    }

    #[test]
    fn what_is_open_is_doubted_when_events_are_lost() {
        let (clock, rules, path) = (Clock::new(), rules(SettleMode::Quiet), Path::new(NAME));
        let mut settling = Settling::default();
        settling.touch(path, Hint::Made, None, &rules, clock.after(0));
        assert_eq!(settling.wakes(), Some(clock.after(2000).0), "it may be a link");
        settling.touch(path, Hint::Opened, None, &rules, clock.after(0));
        assert_eq!(settling.wakes(), Some(clock.after(300_000).0));
        settling.doubt(clock.after(1000).0);
        assert_eq!(settling.wakes(), Some(clock.after(3000).0));
    }

    #[test]
    fn a_file_that_is_old_by_its_own_times_is_ready_at_once() {
        let (clock, rules, path) = (Clock::new(), rules(SettleMode::Quiet), Path::new(NAME));
        let mut settling = Settling::default();
        let now = clock.after(2000);
        let found = |file, settling: &mut Settling| {
            settling.touch(path, Hint::Found, Some(file), &rules, now)
        };
        assert_eq!(found(clock.file(1, 0), &mut settling), Verdict::Ready);
        assert_eq!(found(clock.file(1, 1), &mut settling), Verdict::Wait);
        assert_eq!(found(clock.file(1, 9999), &mut settling), Verdict::Wait, "its clock is ahead");
    }

    #[test]
    fn other_modes_are_ready_by_other_signs() {
        let (clock, path) = (Clock::new(), Path::new(NAME));
        let touch = |mode, hint, at| {
            let file = Some(clock.file(1, 0));
            Settling::default().touch(path, hint, file, &rules(mode), clock.after(at))
        };
        assert_eq!(touch(SettleMode::Rename, Hint::MovedIn, 0), Verdict::Ready);
        assert_eq!(touch(SettleMode::Rename, Hint::Closed, 0), Verdict::Wait);
        let age = || SettleMode::MinAge(Duration::from_secs(5));
        assert_eq!(touch(age(), Hint::MovedIn, 4999), Verdict::Wait);
        assert_eq!(touch(age(), Hint::Found, 5000), Verdict::Ready);
        let marker = || SettleMode::Marker("{name}.done".into());
        assert_eq!(touch(marker(), Hint::Found, 0), Verdict::Ready, "who asks has seen it");
    }

    #[test]
    fn markers_are_told_by_their_template() {
        let rules = rules(SettleMode::Marker("ready-{stem}.ok".into()));
        let marker = rules.marker(Path::new("/in/a.csv"));
        assert_eq!(marker, Some("/in/ready-a.ok".into()));
        for (name, is) in [("ready-a.ok", true), ("ready-.ok", false), ("a.ok", false)] {
            assert_eq!(rules.is_marker(&Path::new("/in").join(name)), is, "{name}");
        }
    }
}

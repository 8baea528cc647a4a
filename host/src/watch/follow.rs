//! Files that grow, as logs do: each line that is added to one is processed once, whatever becomes
//! of the file's name.
//!
//! How far a file is done, and how long its output is, is one transaction of the ledger; what a
//! crash has left behind that in the output is cut off. A file is known again by its number and by
//! the edges of what is done of it. Where these differ it was cut or replaced, and begins anew;
//! another file that begins with the same bytes is where the rest of it went: a copy that was made
//! before it was cut, or a compressed one.

mod compressed;
mod edges;
mod file;
mod moved;
mod outputs;
mod part;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::begin;
use super::events::{Ears, Signal};
use super::pause::Pause;
use super::tree::Trees;
use super::version::Version;
use super::{Inbox, Interrupted, Runs, WatchEnded};
use crate::job::Observer;
use crate::ledger::{Change, FollowStage, Inode, JobId, Ledger, Reader};
use crate::name::Shown;
use crate::prepare;
use crate::settings::Existing;
use crate::settings::limits::{
    FOLLOW_KEPT, FOLLOW_OPEN_MAX, WATCH_RESCAN, WATCH_SCAN, WATCH_SCAN_BLIND, WATCH_SCAN_SHARE,
    WATCH_SIGNALS, WATCH_TURN,
};
use crate::spec::{JobSpec, Problem};
use edges::Edges;
use file::{FollowedFile, Role};
use outputs::Outputs;

/// Files that are followed while their ledger is open.
pub(super) struct Follow<'a> {
    spec: &'a JobSpec,
    ledger: &'a Ledger,
    reader: Reader,
    job: JobId,
    runs: &'a dyn Runs,
    events: &'a Arc<dyn Observer>,
    inbox: &'a Inbox,
    trees: Trees,
    ears: Option<Ears>,
    heard: Vec<Option<u64>>,
    /// What is done with files that were there when the watch was first begun, and when that was.
    existing: (Existing, SystemTime),
    files: HashMap<Inode, FollowedFile>,
    /// Compressed files that are not done.
    compressed: HashMap<Inode, PathBuf>,
    outputs: Outputs,
    next_scan: Instant,
    unread: String,
    pause: Pause,
    ended: WatchEnded,
}

impl<'a> Follow<'a> {
    /// Opens what is followed, and begins to listen.
    pub(super) fn begin(
        spec: &'a JobSpec,
        (ledger, job): (&'a Ledger, JobId),
        runs: &'a dyn Runs,
        events: &'a Arc<dyn Observer>,
        inbox: &'a Inbox,
    ) -> Result<Self, Interrupted> {
        let trees = begin::open(spec, ledger)?;
        let reader = ledger.reader()?;
        let begun = begin::founded(spec, ledger, &reader, job)?;
        let known = reader.followed(job)?.into_iter();
        let files = known.map(|row| (row.inode, FollowedFile::known(row))).collect();
        let heard = trees.inodes();
        let ears = begin::listen(&trees, inbox, &**events);
        begin::announce("following", &trees, ledger, &**events);
        Ok(Self {
            spec,
            ledger,
            reader,
            job,
            runs,
            events,
            inbox,
            trees,
            ears,
            heard,
            existing: (spec.watch.existing, begun),
            files,
            compressed: HashMap::new(),
            outputs: Outputs::new(job, spec.output.durable),
            next_scan: Instant::now(),
            unread: String::new(),
            pause: Pause::default(),
            ended: WatchEnded::default(),
        })
    }

    /// What was done so far.
    pub(super) fn ended(&self) -> WatchEnded {
        let has_rest = |file: &&FollowedFile| {
            file.row.stage == FollowStage::Follows && file.row.seen_bytes > file.row.done_bytes
        };
        let unsettled = self.files.values().filter(has_rest).count() as u64;
        WatchEnded { unsettled, ..self.ended }
    }

    /// Goes on until it is told to stop, or there is nothing left to do where that is the end.
    pub(super) fn run(&mut self) -> Result<(), Interrupted> {
        let mut is_scanned = false;
        loop {
            self.hear()?;
            if Instant::now() >= self.next_scan {
                self.scan()?;
                is_scanned = true;
            }
            if self.inbox.is_stopping() {
                return self.remember_seen();
            }
            if !self.pause.is_on() {
                self.advance()?;
                if self.next_due().is_none() {
                    self.pause.end(&**self.events); // there is nothing left to pause for
                }
            }
            let is_drained =
                is_scanned && self.pause.until().is_none() && self.next_due().is_none();
            if self.spec.watch.once && is_drained {
                return self.remember_seen();
            }
        }
    }

    /// Remembers how much was seen that is not done: what is gone of it at the next start is lost.
    fn remember_seen(&self) -> Result<(), Interrupted> {
        let rows = self.files.values().map(|file| &file.row);
        let open = rows.filter(|row| row.done_bytes > 0 && row.seen_bytes > row.done_bytes);
        self.ledger.change(open.map(|row| Change::Followed(Box::new(row.clone()))).collect())?;
        Ok(())
    }

    /// Takes what has been heard; waits for the first of it where there is nothing else to do.
    fn hear(&mut self) -> Result<(), Interrupted> {
        let mut signal = self.inbox.received.recv_timeout(self.wait()).ok();
        for _ in 0..WATCH_SIGNALS {
            match signal {
                Some(Signal::File(path, _)) if self.trees.takes_unfiltered(&path) => {
                    if let Ok(Some(version)) = Version::at(&path) {
                        self.found(&path, &version)?;
                    }
                }
                Some(Signal::Directory(_)) => {
                    self.next_scan = self.next_scan.min(Instant::now() + WATCH_RESCAN);
                }
                Some(Signal::Lost) => self.next_scan = Instant::now(),
                Some(Signal::File(..) | Signal::Ended | Signal::Stop) => {}
                None => break,
            }
            signal = self.inbox.received.try_recv().ok();
        }
        if signal.is_some() || self.ears.as_ref().is_some_and(Ears::overflowed) {
            self.next_scan = Instant::now();
        }
        Ok(())
    }

    /// How long there is nothing to do.
    fn wait(&self) -> Duration {
        let now = Instant::now();
        let due = self.pause.until().or_else(|| self.next_due());
        let next = due.map_or(self.next_scan, |due| due.min(self.next_scan));
        next.saturating_duration_since(now).min(WATCH_TURN)
    }

    /// When there is something to do with a file.
    fn next_due(&self) -> Option<Instant> {
        let due = self.files.values().filter(|file| file.is_due);
        let due = due.map(|file| file.due.unwrap_or(self.next_scan.min(Instant::now())));
        let packed = self.compressed.values().next().map(|_| self.next_scan);
        due.chain(packed).min()
    }

    /// Looks at all files.
    fn scan(&mut self) -> Result<(), Interrupted> {
        let now = self.trees.inodes();
        if now != self.heard && now.iter().all(Option::is_some) {
            self.heard = now;
            self.ears = begin::listen(&self.trees, self.inbox, &**self.events);
        }
        let begun = Instant::now();
        for file in self.files.values_mut() {
            file.is_gone = true;
        }
        let mut found = Vec::new();
        let seen = self.trees.scan_unfiltered(|path, version| found.push((path, version)));
        for (path, version) in &found {
            self.found(path, version)?;
        }
        // What was moved away or removed may have been written to before.
        let gone = self.files.values_mut().filter(|file| file.is_gone && file.is_open());
        gone.for_each(|file| file.is_due = true);
        let unread = seen.err().map(|unread| unread.describe()).unwrap_or_default();
        if unread != self.unread && !unread.is_empty() {
            self.events.note(&format!("cannot be read, and is left until it can be: {unread}"));
        }
        if unread.is_empty() {
            self.forget()?;
        }
        self.unread = unread;
        let pause = if self.ears.is_some() { WATCH_SCAN } else { WATCH_SCAN_BLIND };
        let pause = pause.max(begun.elapsed().saturating_mul(WATCH_SCAN_SHARE));
        self.next_scan = Instant::now() + pause;
        Ok(())
    }

    /// A file is there.
    fn found(&mut self, path: &Path, version: &Version) -> Result<(), Interrupted> {
        let inode = version.inode();
        if prepare::is_called_compressed(path) {
            return self.found_compressed(path, version);
        }
        if let Some(file) = self.files.get_mut(&inode) {
            if file.path() != path {
                file.moved(path);
                let row = Box::new(file.row.clone());
                if file.row.done_bytes > 0 {
                    self.ledger.change(vec![Change::Followed(row)])?;
                }
            }
            file.found(version);
            if file.role == Role::Other && self.trees.takes(path) {
                file.role = Role::New;
            }
            return Ok(());
        }
        let is_meant = self.trees.takes(path);
        let mut file = FollowedFile::new(self.job, inode, path);
        file.role = if is_meant { Role::New } else { Role::Other };
        file.found(version);
        if is_meant && version.was_there(self.existing.0, self.existing.1) {
            self.begin_at_end(&mut file, version.bytes)?;
        }
        self.files.insert(inode, file);
        Ok(())
    }

    /// A compressed file is there.
    fn found_compressed(&mut self, path: &Path, version: &Version) -> Result<(), Interrupted> {
        let inode = version.inode();
        if let Some(file) = self.files.get_mut(&inode)
            && file.is_compressed()
            && file.row.seen_bytes == version.bytes
            && file.row.stage != FollowStage::Follows
        {
            file.is_gone = false;
            if file.path() != path {
                file.moved(path);
                self.ledger.change(vec![Change::Followed(Box::new(file.row.clone()))])?;
            }
            return Ok(());
        }
        self.compressed.insert(inode, path.to_path_buf());
        self.next_scan = self.next_scan.min(Instant::now() + WATCH_SCAN_BLIND);
        Ok(())
    }

    /// What is in the file by now is not processed.
    fn begin_at_end(&self, file: &mut FollowedFile, bytes: u64) -> Result<(), Interrupted> {
        let begun = match file.open() {
            Ok(Some(open)) => edges::last_line_end(open, 0, bytes)
                .and_then(|end| Edges::read(open, end.unwrap_or_default())),
            _ => return Ok(()), // it is gone, or is said to be unreadable when it is its turn
        };
        if let Ok(edges) = begun {
            edges.put(&mut file.row);
            file.role = Role::Own;
            self.ledger.change(vec![Change::Followed(Box::new(file.row.clone()))])?;
        }
        Ok(())
    }

    /// Where the output of a file goes.
    fn output_of(&self, path: &Path) -> Result<PathBuf, Problem> {
        let out = super::tree::real(&self.spec.output.out);
        if !super::is_tree(&self.spec.output.out) {
            return Ok(out);
        }
        let named = self.trees.name(path).unwrap_or_else(|| path.to_path_buf());
        Ok(out.join(self.runs.output_name(self.spec, &self.trees.named(), &named)?))
    }

    /// Forgets files that are gone for so long that they will not come back compressed, and closes
    /// those that do not grow.
    fn forget(&mut self) -> Result<(), Interrupted> {
        let now = SystemTime::now();
        let is_old = |file: &FollowedFile| {
            let age = now.duration_since(file.row.at).unwrap_or_default();
            file.is_gone && !file.is_open() && age > FOLLOW_KEPT
        };
        let old: Vec<_> =
            self.files.iter().filter(|(_, file)| is_old(file)).map(|(inode, _)| *inode).collect();
        if !old.is_empty() {
            let gone = old.iter().map(|inode| Change::Unfollowed(self.job, *inode)).collect();
            self.ledger.change(gone)?;
        }
        for inode in old {
            self.files.remove(&inode);
        }
        for file in self.files.values_mut() {
            file.rest();
        }
        let open = self.files.values_mut().filter(|file| file.is_open());
        open.skip(FOLLOW_OPEN_MAX).for_each(FollowedFile::close);
        Ok(())
    }

    /// Does what is to be done with each file: first with those of which something is done already,
    /// as others may be what took their place.
    fn advance(&mut self) -> Result<(), Interrupted> {
        let now = Instant::now();
        let is_due = |file: &FollowedFile| file.is_due && file.due.is_none_or(|due| due <= now);
        let due = self.files.iter().filter(|(_, file)| is_due(file));
        let mut due: Vec<_> =
            due.map(|(inode, file)| (file.row.done_bytes == 0, file.row.at, *inode)).collect();
        due.sort_unstable_by_key(|(is_new, at, inode)| (*is_new, *at, inode.number));
        for (_, _, inode) in due {
            self.step(inode)?;
            if self.inbox.is_stopping() || self.pause.is_on() {
                return Ok(());
            }
        }
        self.step_compressed()
    }

    fn note(&self, path: &Path, what: &str) {
        self.events.note(&format!("{}: {what}", Shown::of(&path)));
    }
}

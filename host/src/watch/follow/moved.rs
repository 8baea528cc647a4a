//! Where the rest of a file went that was cut or replaced: into a copy that was made before.

use std::time::{Instant, SystemTime};

use super::Follow;
use super::edges::Edges;
use super::file::{FollowedFile, Role, State};
use crate::ledger::{Change, FollowStage, Followed, Inode};
use crate::settings::limits::FOLLOW_COPY;
use crate::watch::Interrupted;

impl Follow<'_> {
    /// A file begins with something else than what is done of it, or is shorter: another file goes
    /// on with the rest, or that is lost.
    pub(super) fn begin_anew(&mut self, inode: Inode) -> Result<(), Interrupted> {
        self.scan()?; // a copy is made before the file is cut
        let new = self.files.iter().filter(|(_, file)| file.role != Role::Own && file.is_due);
        let new: Vec<_> = new.map(|(inode, _)| *inode).filter(|other| *other != inode).collect();
        for copy in new {
            self.settle_copy(copy)?;
        }
        let Some(file) = self.files.get(&inode) else { return Ok(()) };
        if file.row.done_bytes == 0 {
            return Ok(()); // another file goes on with it
        }
        let (path, row) = (file.path().to_path_buf(), &file.row);
        let lost = row.seen_bytes.saturating_sub(row.done_bytes);
        let mut changes = Vec::from_iter(self.put_aside(inode));
        if let Some(file) = self.files.get_mut(&inode) {
            file.begin_anew();
            changes.push(Change::Followed(Box::new(file.row.clone())));
        }
        self.ledger.change(changes)?;
        self.note(
            &path,
            &match lost {
                0 => "was cut or replaced, and begins anew".to_string(),
                _ => format!("was cut or replaced before its last {lost} bytes were read"),
            },
        );
        Ok(())
    }

    /// The number of a file is another's by now. What was done of it is still known, as it may come
    /// back compressed.
    pub(super) fn put_aside(&mut self, inode: Inode) -> Option<Change> {
        let row = &self.files.get(&inode)?.row;
        if row.done_bytes == 0 {
            return None;
        }
        let left = Followed {
            inode: Inode::of_none(row.tail),
            stage: FollowStage::Ended,
            lost_bytes: row.seen_bytes.saturating_sub(row.done_bytes),
            at: SystemTime::now(),
            why: Some("was cut or replaced".into()),
            ..row.clone()
        };
        self.files.insert(left.inode, FollowedFile::known(left.clone()));
        Some(Change::Followed(Box::new(left)))
    }

    /// Whether a new file is to be read. One that begins as another does may be a copy of it: it
    /// goes on where the other was cut or removed, and is a file of its own where that does not
    /// happen for a while.
    pub(super) fn settle_copy(&mut self, inode: Inode) -> Result<bool, Interrupted> {
        let Some((original, is_whole)) = self.original_of(inode) else {
            let Some(file) = self.files.get_mut(&inode) else { return Ok(false) };
            if file.has_grown() {
                return Ok(false); // a copy was not whole when it was looked at
            }
            file.is_due = file.role == Role::New;
            if file.is_due {
                file.role = Role::Own;
            }
            return Ok(file.is_due);
        };
        let state = self.files.get_mut(&original).map(FollowedFile::look);
        if is_whole && !matches!(state, Some(Ok(State::Goes(_)))) {
            return self.take_over(inode, original).map(|()| true);
        }
        let is_gone = self.files.get(&original).is_some_and(|original| original.is_gone);
        let Some(file) = self.files.get_mut(&inode) else { return Ok(false) };
        let now = Instant::now();
        let bytes = file.row.seen_bytes;
        match file.copy {
            Some((then, since)) if then == bytes => {
                if file.role == Role::New && !is_gone && now.duration_since(since) >= FOLLOW_COPY {
                    file.role = Role::Own;
                }
                file.due = Some(since + FOLLOW_COPY);
                file.is_due = file.role == Role::Own || now < since + FOLLOW_COPY;
            }
            _ => {
                file.copy = Some((bytes, now));
                file.due = Some(now + FOLLOW_COPY);
            }
        }
        Ok(file.role == Role::Own)
    }

    /// The file of which most is done that a new one begins with, and whether with all of that: a
    /// copy may still be made.
    fn original_of(&mut self, inode: Inode) -> Option<(Inode, bool)> {
        let file = self.files.get_mut(&inode)?;
        let open = file.open().ok()??.try_clone().ok()?;
        let bytes = file.row.seen_bytes;
        let others = self
            .files
            .iter()
            .filter(|(other, file)| **other != inode && Edges::of(&file.row).bytes > 0);
        let same =
            others.filter(|(_, other)| Edges::of(&other.row).begin(&open).unwrap_or_default());
        let most = same.max_by_key(|(_, other)| other.row.done_bytes).map(|(inode, _)| *inode);
        let partly = |(other, file): (&Inode, &mut FollowedFile)| {
            let edges = Edges::of(&file.row);
            let is_longer = *other != inode && edges.bytes > bytes && !file.is_compressed();
            let of = if is_longer { file.open().ok()?? } else { return None };
            edges.may_be_begun(of, &open, bytes).unwrap_or_default().then_some(*other)
        };
        let begun = || self.files.iter_mut().find_map(partly).map(|inode| (inode, false));
        most.map(|inode| (inode, true)).or_else(begun)
    }

    /// A copy goes on where the original was left; that begins anew, if it is still there.
    fn take_over(&mut self, copy: Inode, original: Inode) -> Result<(), Interrupted> {
        let Some(from) = self.files.get(&original) else { return Ok(()) };
        let (mut row, path, is_gone) = (from.row.clone(), from.path().to_path_buf(), from.is_gone);
        let is_compressed = from.is_compressed();
        let Some(to) = self.files.get_mut(&copy) else { return Ok(()) };
        (row.inode, row.path) = (copy, to.row.path.clone());
        (row.seen_bytes, row.at) = (to.row.seen_bytes, SystemTime::now());
        let at = row.done_bytes;
        to.row = row;
        (to.role, to.is_due, to.due) = (Role::Own, true, None);
        let to_path = to.path().to_path_buf();
        let mut changes = vec![Change::Followed(Box::new(to.row.clone()))];
        if is_compressed {
            // It stays what it is.
        } else if let (false, Some(from)) = (is_gone, self.files.get_mut(&original)) {
            from.begin_anew();
            changes.push(Change::Followed(Box::new(from.row.clone())));
        } else {
            self.files.remove(&original);
            changes.push(Change::Unfollowed(self.job, original));
        }
        self.ledger.change(changes)?;
        self.note(
            &to_path,
            &format!("goes on at byte {at}, where {} was left", crate::name::Shown::of(&path)),
        );
        Ok(())
    }
}

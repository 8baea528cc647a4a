//! How a worker reads ahead in an archive: from one member on to the next, each a whole of its own.

use std::sync::Arc;

use super::Worker;
use super::read_ahead::Read;
use crate::input::{Chunk, Error, Member, is_archive, member_path};
use crate::process::{Failure, Held};
use crate::work::open::Open;
use crate::work::output_unit::OutputUnit;
use crate::work::ring::{Archive, RingChunk};
use crate::work::{End, Position, ResultSlot};

impl Worker<'_, '_> {
    /// The next chunk of an archive, of whichever member; `None` at its end.
    pub(super) fn read_archive<'r>(
        &mut self,
        open: &Open<'r>,
        archive: &mut Archive<'r>,
        buffer: Held,
    ) -> Option<Read<'r>> {
        let mut buffer = buffer;
        while !self.plan.cancel.is_set() {
            let buffer = std::mem::take(&mut buffer);
            let read = match archive.at.take() {
                Some((whole, index)) => self.read_on(open, archive, whole, index, buffer),
                None => match archive.members.advance() {
                    Ok(Some(member)) => self.read_member(open, archive, member, buffer),
                    ended => {
                        self.end_archive(open, archive, ended.map(|_none| ()));
                        return None;
                    }
                },
            };
            let Some((whole, chunk)) = read else { continue };
            if !chunk.last {
                archive.at = Some((Arc::clone(&whole), chunk.index + 1));
            }
            return Some(Read { piece: RingChunk { member: Some(whole), chunk }, more: true });
        }
        None
    }

    /// The next chunk of the member that the archive is at; `None` where that is given up.
    fn read_on<'r>(
        &mut self,
        open: &Open<'r>,
        archive: &mut Archive<'r>,
        whole: Arc<OutputUnit<'r>>,
        index: u64,
        buffer: Held,
    ) -> Option<(Arc<OutputUnit<'r>>, Chunk)> {
        if self.hopeless(&whole, index) {
            self.give_up(&whole, index);
            return None;
        }
        let chunk = self.read_chunk(open, &whole, index, archive.members.next(buffer))?;
        Some((whole, chunk))
    }

    /// The first chunk of a member; `None` where it cannot be had, which is delivered.
    fn read_member<'r>(
        &mut self,
        open: &Open<'r>,
        archive: &mut Archive<'r>,
        member: Member,
        buffer: Held,
    ) -> Option<(Arc<OutputUnit<'r>>, Chunk)> {
        let at = Position { source: open.whole.at.source, member: archive.count, part: 0 };
        archive.count += 1;
        let (name, unread) = match member {
            Member::File(name) => (name, None),
            Member::Unread(name, error) => (name, Some(error)),
        };
        let path = member_path(&archive.path, &name);
        let traits = self.plan.processor.traits();
        let first = match unread {
            Some(error) => Err(error),
            None => archive.members.next(buffer).map(|first| {
                let header = archive.members.header(&first).to_vec();
                (first, header)
            }),
        };
        match first {
            Ok((first, header)) => {
                let header = Held::within(self.plan.stats.memory(), header).into();
                let mut whole = OutputUnit::member(at, path, header, traits.order);
                whole.offsets = archive.members.offsets();
                if is_archive(first.bytes()) {
                    self.plan.note_archive(&whole);
                }
                let whole = Arc::new(whole);
                let chunk = self.read_chunk(open, &whole, 0, Ok(first))?;
                Some((whole, chunk))
            }
            Err(error) => {
                let slot = ResultSlot { at, end: End::Member, member: Some(path) };
                if !self.plan.cancel.is_set() {
                    self.results.fail(slot, error.into());
                }
                None
            }
        }
    }

    /// Delivers the end of an archive, or why there is none.
    fn end_archive(&mut self, open: &Open<'_>, archive: &Archive<'_>, ended: Result<(), Error>) {
        let source = open.whole.at.source;
        let at = Position { source, member: archive.count, part: 0 };
        self.plan.stats.add_non_regular(archive.members.non_regular());
        match ended.and_then(|()| open.input.check_unchanged()) {
            Ok(()) => {
                if let Some(total_share) = &mut self.results.total_share {
                    total_share.add(at, End::Source, None);
                }
                self.plan.deliver.end(source, archive.count);
            }
            Err(_) if self.plan.cancel.is_set() => {}
            Err(error) => {
                self.results
                    .fail(ResultSlot { at, end: End::Source, member: None }, Failure::from(error));
            }
        }
    }
}

//! One object on its way into a store: put at once where it is small, in parts where not, and seen
//! when all of it is there.
//!
//! Bytes come in their order, and the thread that brings them waits while too many are in flight.
//! What was brought since a mark can be taken back: a part is replaced by another of its number, so
//! what is kept for that is the one part in which the mark lies. One that is dropped before it is
//! finished leaves nothing: its parts are removed from the store.
//!
//! Memory: the part that is being filled, the kept one, and [`UPLOAD_FLIGHT_KIB`] for all objects
//! together, or one part where that is larger. All of it is charged until the store has it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::Arc;

use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{MultipartId, PutPayload};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::fault::Fault;
use super::outlet::{Outlet, Unsent};
use crate::settings::limits::{
    UPLOAD_ABORT, UPLOAD_FLIGHT_KIB, UPLOAD_PART_BYTES, UPLOAD_PART_BYTES_MAX, UPLOAD_PARTS_ALIKE,
    UPLOAD_PARTS_MAX,
};
use crate::stats::Charge;

/// An object that is being written. See the module.
pub(crate) struct Upload {
    outlet: Arc<Outlet>,
    key: Path,
    /// What its parts belong to, once there are some.
    id: Option<MultipartId>,
    /// What there is of the next part, and its number.
    filling: Vec<u8>,
    /// For that.
    held: Charge,
    next: usize,
    flying: JoinSet<Result<(usize, PartId), Fault>>,
    landed: BTreeMap<usize, PartId>,
    mark: Option<Mark>,
}

/// Where it can be taken back to.
struct Mark {
    part: usize,
    /// How many bytes of that part stay.
    bytes: usize,
    /// The part, once it was sent.
    sent: Option<Sent>,
}

/// A part on its way, or kept beside that, which is charged once.
#[derive(Clone)]
struct Sent {
    bytes: PutPayload,
    _held: Arc<Charge>,
}

/// How many bytes the part of that number has, unless it is the last: as few as serve small objects
/// well, and as many as it takes for the largest object to have no more parts than it may.
fn part_bytes(index: usize) -> usize {
    let times = u32::try_from(index / UPLOAD_PARTS_ALIKE).unwrap_or(u32::MAX);
    let grown = 4_usize.saturating_pow(times).saturating_mul(UPLOAD_PART_BYTES);
    grown.min(UPLOAD_PART_BYTES_MAX)
}

impl Upload {
    /// An object of that key, of which nothing is there. Nobody is asked before there is enough for
    /// a part.
    pub(crate) fn new(outlet: Arc<Outlet>, key: Path) -> Self {
        Self {
            held: outlet.memory.hold(0),
            outlet,
            key,
            id: None,
            filling: Vec::new(),
            next: 0,
            flying: JoinSet::new(),
            landed: BTreeMap::new(),
            mark: None,
        }
    }

    /// Puts bytes behind what there is. Waits while too many are on their way.
    pub(crate) fn append(&mut self, mut bytes: &[u8]) -> Result<(), Unsent> {
        while !bytes.is_empty() {
            let room = part_bytes(self.next) - self.filling.len();
            if room == 0 {
                self.send()?;
                continue;
            }
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            self.filling.extend_from_slice(now);
            self.settle_charge();
            bytes = rest;
        }
        Ok(())
    }

    /// What has come until now stays, and what comes next may be taken back.
    pub(crate) fn mark(&mut self) {
        self.mark = Some(Mark { part: self.next, bytes: self.filling.len(), sent: None });
    }

    /// Forgets what has come since the last mark.
    pub(crate) fn take_back(&mut self) -> Result<(), Unsent> {
        let Some(Mark { part, bytes, sent }) = self.mark.take() else { return Ok(()) };
        if let Some(sent) = sent {
            // Which of two parts of one number came last, the store would say.
            self.land_all()?;
            self.landed.split_off(&part);
            self.next = part;
            self.filling = sent.bytes.iter().flat_map(|piece| piece.iter().copied()).collect();
            self.settle_charge();
        }
        self.filling.truncate(bytes);
        self.mark();
        Ok(())
    }

    /// Has all of it be seen. It may be seen as well when a stop kept the answer from coming, but
    /// never in part.
    pub(crate) fn finish(mut self) -> Result<(), Unsent> {
        let outlet = Arc::clone(&self.outlet);
        let Some(id) = self.id.clone() else {
            let bytes = std::mem::take(&mut self.filling);
            let put = outlet.wait(outlet.put(&self.key, bytes.into()))?;
            return if put { Ok(()) } else { Err(Unsent::There) };
        };
        if !self.filling.is_empty() {
            self.send()?;
        }
        self.land_all()?;
        let parts = std::mem::take(&mut self.landed).into_values().collect();
        if !outlet.wait(outlet.complete((&self.key, &id), parts))? {
            return Err(Unsent::There);
        }
        self.id = None;
        Ok(())
    }

    /// Sends the part that is being filled.
    fn send(&mut self) -> Result<(), Unsent> {
        if self.next == UPLOAD_PARTS_MAX {
            let message = format!("it has more than {UPLOAD_PARTS_MAX} parts");
            return Err(Unsent::Fault(Fault::new(ErrorKind::FileTooLarge, message)));
        }
        let id = self.begun()?;
        while let Some(landed) = self.flying.try_join_next() {
            self.land(joined(landed)).map_err(Unsent::Fault)?;
        }
        let outlet = Arc::clone(&self.outlet);
        let kib = u32::try_from(self.filling.len().div_ceil(1024)).unwrap_or(u32::MAX);
        let flight = Arc::clone(&outlet.bridge.flight);
        let room = outlet.wait(async {
            let room = flight.acquire_many_owned(kib.min(UPLOAD_FLIGHT_KIB)).await;
            room.map_err(|error| Fault::new(ErrorKind::Other, error.to_string()))
        })?;
        let filled = std::mem::take(&mut self.filling);
        let held = std::mem::replace(&mut self.held, outlet.memory.hold(0));
        let sent = Sent { bytes: filled.into(), _held: Arc::new(held) };
        let (key, index) = (self.key.clone(), self.next);
        if let Some(mark) = self.mark.as_mut().filter(|mark| mark.part == index) {
            mark.sent = Some(sent.clone());
        }
        let runtime = self.outlet.bridge.runtime.handle();
        let part = async move {
            let _room = room;
            Ok((index, outlet.part((&key, &id), index, sent.bytes.clone()).await?))
        };
        self.flying.spawn_on(part, runtime);
        self.next += 1;
        Ok(())
    }

    fn settle_charge(&mut self) {
        self.held.set(self.filling.capacity() as u64);
    }

    fn begun(&mut self) -> Result<MultipartId, Unsent> {
        if let Some(id) = &self.id {
            return Ok(id.clone());
        }
        let begun = self.outlet.wait(self.outlet.begin(&self.key))?;
        let id = begun.ok_or(Unsent::There)?;
        self.id = Some(id.clone());
        Ok(id)
    }

    /// Waits for all that is on its way.
    fn land_all(&mut self) -> Result<(), Unsent> {
        let outlet = Arc::clone(&self.outlet);
        outlet.wait(async {
            while let Some(landed) = self.flying.join_next().await {
                self.land(joined(landed))?;
            }
            Ok(())
        })
    }

    fn land(&mut self, landed: Result<(usize, PartId), Fault>) -> Result<(), Fault> {
        let (index, part) = landed?;
        self.landed.insert(index, part);
        Ok(())
    }
}

/// What became of a part, whatever became of the task that brought it.
fn joined<T>(landed: Result<Result<T, Fault>, tokio::task::JoinError>) -> Result<T, Fault> {
    landed.unwrap_or_else(|error| Err(Fault::new(ErrorKind::Other, error.to_string())))
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let outlet = Arc::clone(&self.outlet);
        // Also of a run that was stopped: who ends it again waits for nothing.
        let aborted = outlet.bridge.runtime.block_on(async {
            self.flying.shutdown().await;
            timeout(UPLOAD_ABORT, outlet.abort((&self.key, &id))).await
        });
        let why = match aborted {
            Ok(Ok(())) => return,
            Ok(Err(fault)) => fault.to_string(),
            Err(_elapsed) => "the store does not answer".into(),
        };
        tracing::warn!("{}: its parts may be left in the store: {why}", self.key);
    }
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt;

    use super::*;
    use crate::stats::MemoryBudget;

    fn wait<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn what_the_store_does_not_have_yet_is_charged_and_no_more_than_that() {
        const ALL: u64 = 1 << 30;
        let memory = Arc::new(MemoryBudget::new(ALL));
        let store = Arc::default();
        let outlet = Arc::new(Outlet::within(Arc::clone(&store), &memory).unwrap());
        let is_free = |bytes| memory.hold(0).grow(bytes).is_ok();
        let part = UPLOAD_PART_BYTES as u64;
        let mut upload = Upload::new(outlet, Path::from("key"));
        let lines = vec![b'a'; UPLOAD_PART_BYTES / 2];
        upload.append(&lines).unwrap();
        assert!(!is_free(ALL - part / 2 + 1), "a part that is being filled");
        upload.append(&lines).unwrap();
        upload.mark();
        upload.append(&lines).unwrap();
        upload.land_all().unwrap();
        // The part with the mark, and the one that is being filled.
        assert!(!is_free(ALL - part - part / 2 + 1));
        upload.take_back().unwrap();
        assert!(!is_free(ALL - part + 1) && is_free(ALL - 2 * part));
        upload.finish().unwrap();
        assert!(is_free(ALL));
        let wrote = wait(async { store.get(&Path::from("key")).await.unwrap().bytes().await });
        assert_eq!(wrote.unwrap().len(), 2 * lines.len());
    }

    #[test]
    fn the_largest_object_has_no_more_parts_than_it_may() {
        let all: usize = (0..UPLOAD_PARTS_MAX).map(part_bytes).sum();
        assert!(all >= 5 << 40, "{all}");
        // What Amazon S3 asks of a part, and what it takes.
        assert!(part_bytes(0) >= 5 << 20 && part_bytes(usize::MAX) <= 5 << 30);
        assert_eq!(part_bytes(999), part_bytes(0));
        assert_eq!(part_bytes(1000), 4 * part_bytes(0));
    }
}

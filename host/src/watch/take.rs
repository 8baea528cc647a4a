//! What is processed next: files of the queue, as one job.

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use super::batch::{Batch, Item};
use super::session::Session;
use super::tree::real;
use super::version::Version;
use super::{Interrupted, is_tree};
use crate::ledger::{After, Arrival, ArrivalStage, Change};
use crate::settings::limits::{WATCH_BATCH_BYTES, WATCH_BATCH_FILES};
use crate::settings::{AfterCommit, Format};
use crate::spec::{InputSpec, JobSpec, OutputSpec};

impl<'a> Session<'a> {
    /// The files that are next, and the job over them; nothing, where none may be begun.
    pub(super) fn take(&mut self) -> Result<Option<(Batch<'a>, JobSpec)>, Interrupted> {
        if !self.has_queue {
            return Ok(None);
        }
        let now = Instant::now();
        if self.rates.iter_mut().flatten().any(|rate| !rate.wait(now).is_zero()) {
            return Ok(None);
        }
        self.ledger.flush()?; // what was taken in is in the queue now
        let (order, limit) = (self.spec.watch.order, WATCH_BATCH_FILES);
        let queued = self.reader.queued(self.job, order, SystemTime::now(), limit)?;
        let items = self.choose(queued, now)?;
        if items.is_empty() {
            return Ok(None);
        }
        let begun = items.iter().map(|item| Change::Begun(item.arrival.id)).collect();
        self.ledger.change(begun)?;
        let spec = self.spec_of(&items);
        let after = (self.spec.watch.after != AfterCommit::Keep).then_some(After::Pending);
        let is_first = std::mem::replace(&mut self.is_first, false);
        let out = (real(&self.spec.output.out), self.rows.is_some(), is_first);
        Ok(Some((Batch::new(self.ledger, out, after, items), spec)))
    }

    /// Those that go together: one that was begun before, and may be to blame for what happened to
    /// the others, goes alone.
    fn choose(&mut self, queued: Vec<Arrival>, now: Instant) -> Result<Vec<Item>, Interrupted> {
        let (mut items, mut bytes, mut gone) = (Vec::new(), 0_u64, Vec::new());
        for arrival in queued {
            let is_alone = arrival.attempts > 0;
            let is_much = bytes.saturating_add(arrival.bytes) > WATCH_BATCH_BYTES;
            if !items.is_empty() && (is_alone || is_much) {
                break;
            }
            let path = PathBuf::from(std::ffi::OsStr::from_bytes(&arrival.path));
            let (id, found) = (arrival.id, Version::at(&path));
            let named = self.trees.name(&path).filter(|_| self.trees.takes(&path));
            match (found, named) {
                (Ok(Some(version)), Some(named)) if version.identity() == arrival.version => {
                    let counts = [1, arrival.bytes];
                    let mut rates = self.rates.iter_mut().zip(counts);
                    if !rates.all(|(rate, count)| match rate {
                        Some(rate) => rate.take(count, now),
                        None => true,
                    }) {
                        break;
                    }
                    bytes = bytes.saturating_add(arrival.bytes);
                    items.push(Item { arrival, path, named, version });
                }
                (Ok(Some(_)), Some(_)) => {
                    gone.push(ignored(id, "changed before it was processed"));
                    self.intake.again(&path)?;
                }
                (Ok(_), Some(_)) => gone.push(ignored(id, "vanished before it was processed")),
                (Err(error), Some(_)) => {
                    let why = format!("permission-denied: {error}");
                    gone.push(Change::Ended { id, stage: ArrivalStage::Failed, why, after: None });
                    self.ended.failed += 1;
                }
                (_, None) => gone.push(ignored(id, "is not watched any more")),
            }
            if is_alone && !items.is_empty() {
                break;
            }
        }
        if !gone.is_empty() {
            self.ledger.change(gone)?;
        }
        Ok(items)
    }

    /// The job over these files.
    fn spec_of(&self, items: &[Item]) -> JobSpec {
        let files = items.iter().map(|item| item.named.clone()).collect();
        let inputs = &self.spec.inputs;
        // What is to be taken of directories was chosen before.
        let (include, exclude) = (Vec::new(), Vec::new());
        let inputs = InputSpec { files, include, exclude, ..inputs.clone() };
        let mut output = self.spec.output.clone();
        if !is_tree(&output.out) {
            let format = Some(Format::Jsonl);
            output = OutputSpec { out: "-".into(), per_source: true, format, ..output };
        }
        JobSpec { inputs, output, ..self.spec.clone() }
    }
}

fn ignored(id: crate::ledger::ArrivalId, why: &str) -> Change {
    Change::Ended { id, stage: ArrivalStage::Ignored, why: why.into(), after: None }
}

//! A fan: several aggregators over the same chunks, which are read and decoded once. One that fails
//! is out for its source; the others go on.

use std::sync::Arc;
use std::time::Instant;

use thiserror::Error;

use crate::input::Framing;
use crate::process::branches::{BranchResult, BranchResults};
use crate::process::{
    Accumulate, Charge, ChunkReader, Failure, FailureKind, Held, Instance, Kind, MemoryBudget,
    Opening, Order, Place, Processor, Pushed, Reject, Scope, Traits,
};

/// Plugins cannot see the same chunks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{}` reads {}, `{}` reads {}: they cannot share one scan", .0.0, .0.1, .1.0, .1.1)]
pub struct SharedError((String, Framing), (String, Framing));

/// Where sources are cut for plugins that share a scan: where all of them can be cut.
///
/// # Errors
/// When there is no such place: the plugins that disagree.
pub fn shared_framing(framings: &[(String, Framing)]) -> Result<Framing, SharedError> {
    let mut shared: Option<&(String, Framing)> = None;
    for next in framings {
        shared = Some(match shared {
            Some(so_far) if so_far.1.is_cut_by(next.1) => next,
            Some(so_far) if next.1.is_cut_by(so_far.1) => so_far,
            Some(so_far) => return Err(SharedError(so_far.clone(), next.clone())),
            None => next,
        });
    }
    Ok(shared.map_or(Framing::Bytes, |(_, framing)| *framing))
}

/// One of the aggregators of a fan.
pub struct Branch {
    /// What it does.
    pub processor: Box<dyn Processor + Send>,
    /// What its records are: each is given as many of them for a header as it asks for.
    pub framing: Framing,
}

/// Several aggregators as one, whose states and results are [`BranchResults`].
pub struct Fan {
    branches: Vec<Branch>,
    traits: Traits,
}

impl Fan {
    /// All of `branches`.
    pub fn new(branches: Vec<Branch>) -> Self {
        let all = || branches.iter().map(|branch| branch.processor.traits());
        let in_order = all().any(|traits| traits.scope == Scope::Source);
        let kept = all().any(|traits| traits.order == Order::Kept);
        let traits = Traits {
            kind: Kind::Aggregator,
            scope: if in_order { Scope::Source } else { Scope::Chunk },
            order: if kept { Order::Kept } else { Order::Any },
            header_records: all().map(|traits| traits.header_records).max().unwrap_or(0),
        };
        Self { branches, traits }
    }
}

impl Processor for Fan {
    fn traits(&self) -> &Traits {
        &self.traits
    }

    fn memory(&self) -> Arc<MemoryBudget> {
        self.branches.first().map(|branch| branch.processor.memory()).unwrap_or_default()
    }

    fn start(&self) -> Result<Box<dyn Instance + '_>, Failure> {
        let mut branches = Vec::with_capacity(self.branches.len());
        for branch in &self.branches {
            let instance = Some(branch.processor.start()?);
            branches.push(BranchRun { branch, instance, failed: None });
        }
        let memory = self.memory();
        let charge = memory.hold(0);
        Ok(Box::new(Lanes { row: branches, chunk: Vec::new(), charge, memory }))
    }
}

/// One aggregator: its instance, or how that failed for the source at hand.
struct BranchRun<'a> {
    branch: &'a Branch,
    instance: Option<Box<dyn Instance + 'a>>,
    failed: Option<Failure>,
}

struct Lanes<'a> {
    row: Vec<BranchRun<'a>>,
    /// The chunk at hand, for all of them; reused.
    chunk: Vec<u8>,
    /// For that.
    charge: Charge,
    memory: Arc<MemoryBudget>,
}

impl<'a> BranchRun<'a> {
    /// Calls the instance, if it has not failed. What ends the whole job, or the run, is not for
    /// this branch alone.
    fn call<T: Default>(
        &mut self,
        call: impl FnOnce(&mut (dyn Instance + 'a)) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Some(instance) = self.instance.as_deref_mut() else { return Ok(T::default()) };
        match call(instance) {
            Ok(value) => Ok(value),
            Err(failure) => {
                self.fail(failure)?;
                Ok(T::default())
            }
        }
    }

    fn fail(&mut self, failure: Failure) -> Result<(), Failure> {
        if failure.kind.ends_job() || failure.kind == FailureKind::Cancelled {
            return Err(failure);
        }
        self.instance = None;
        self.failed.get_or_insert(failure);
        Ok(())
    }

    fn given(&mut self, given: Result<Held, Failure>) -> BranchResult {
        match self.failed.take() {
            Some(failure) => Err(failure),
            None => given,
        }
    }
}

impl Instance for Lanes<'_> {
    fn open(&mut self, opening: Opening<'_>) -> Result<(), Failure> {
        for branch in &mut self.row {
            branch.failed = None;
            if branch.instance.is_none() {
                branch.instance = Some(branch.branch.processor.start()?);
            }
            // What was read are as many as the neediest asks for, where all of them can be cut.
            let Branch { processor, framing } = branch.branch;
            let own = framing.first_records(opening.header, processor.traits().header_records);
            let header = opening.header.first(own.len());
            branch.call(|instance| instance.open(Opening { header: &header, ..opening }))?;
        }
        Ok(())
    }

    fn push(&mut self, place: Place, fill: &mut dyn ChunkReader) -> Result<Pushed, Failure> {
        let begun = Instant::now();
        self.chunk.resize(fill.len(), 0);
        self.charge.set(self.chunk.capacity() as u64);
        fill.fill(&mut self.chunk)?;
        let mut filling = begun.elapsed();
        for branch in &mut self.row {
            let chunk = &self.chunk;
            filling += branch.call(|instance| instance.push(place, &mut &chunk[..]))?.filling;
        }
        Ok(Pushed { filling, output: Held::default() })
    }

    fn take_rejects(&mut self) -> Vec<Reject> {
        let instances = self.row.iter_mut().filter_map(|branch| branch.instance.as_deref_mut());
        instances.flat_map(Instance::take_rejects).collect()
    }

    fn accumulator(&mut self) -> Result<&mut dyn Accumulate, Failure> {
        Ok(self)
    }

    fn close(&mut self) -> Result<(), Failure> {
        self.row.iter_mut().try_for_each(|branch| branch.call(Instance::close))
    }

    fn spent(&self) -> bool {
        let instances = self.row.iter().filter_map(|branch| branch.instance.as_ref());
        instances.into_iter().any(|instance| instance.spent())
    }
}

impl Accumulate for Lanes<'_> {
    fn save(&mut self) -> Result<Held, Failure> {
        let mut states = Vec::with_capacity(self.row.len());
        for branch in &mut self.row {
            let state = branch.call(|instance| instance.accumulator()?.save())?;
            let failed = branch.failed.clone();
            states.push(failed.map_or(Ok(state), Err));
        }
        Ok(BranchResults(states).encode(&self.memory))
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), Failure> {
        let states = BranchResults::decode(state, self.row.len())?;
        for (branch, state) in self.row.iter_mut().zip(states) {
            match state {
                Ok(state) => branch.call(|instance| instance.accumulator()?.merge(state))?,
                Err(failure) => branch.fail(failure)?,
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Held, Failure> {
        let mut results = Vec::with_capacity(self.row.len());
        for branch in &mut self.row {
            let result = branch.call(|instance| instance.accumulator()?.finish())?;
            results.push(branch.given(Ok(result)));
        }
        Ok(BranchResults(results).encode(&self.memory))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;
    use crate::input::Csv;

    /// Notes the headers that it is given.
    struct Notes {
        traits: Traits,
        headers: Arc<Mutex<Vec<Vec<u8>>>>,
    }

    impl Processor for Notes {
        fn traits(&self) -> &Traits {
            &self.traits
        }

        fn memory(&self) -> Arc<MemoryBudget> {
            Arc::default()
        }

        fn start(&self) -> Result<Box<dyn Instance + '_>, Failure> {
            Ok(Box::new(Noting(&self.headers)))
        }
    }

    struct Noting<'a>(&'a Mutex<Vec<Vec<u8>>>);

    impl Instance for Noting<'_> {
        fn open(&mut self, opening: Opening<'_>) -> Result<(), Failure> {
            self.0.lock().push(opening.header.to_vec());
            Ok(())
        }

        fn push(&mut self, _: Place, _: &mut dyn ChunkReader) -> Result<Pushed, Failure> {
            unreachable!("no chunk is pushed")
        }

        fn close(&mut self) -> Result<(), Failure> {
            Ok(())
        }

        fn spent(&self) -> bool {
            false
        }
    }

    #[test]
    fn each_is_given_as_many_of_its_own_records_for_a_header_as_it_asks_for() {
        let header = b"a,\"b\nc\"\nd\n";
        let asked = [
            (Framing::Bytes, 0, &b""[..]),
            (Framing::Csv(Csv::default()), 1, b"a,\"b\nc\"\n"),
            (Framing::Csv(Csv::default()), 2, header),
            (Framing::Delimited(b'\n'), 1, b"a,\"b\n"),
            (Framing::Delimited(b'\n'), 0, b""),
        ];
        let noted = asked.map(|_| Arc::new(Mutex::new(Vec::new())));
        let branch = |((framing, header_records, _), headers): (_, &Arc<_>)| {
            let (kind, scope, order) = (Kind::Aggregator, Scope::Chunk, Order::Any);
            let traits = Traits { kind, scope, order, header_records };
            Branch { processor: Box::new(Notes { traits, headers: Arc::clone(headers) }), framing }
        };
        let fan = Fan::new(asked.into_iter().zip(&noted).map(branch).collect());
        assert_eq!(fan.traits().header_records, 2);
        let header = &Held::within(&Arc::default(), header.to_vec()).into();
        fan.start().unwrap().open(Opening { name: "a", header }).unwrap();
        for ((framing, records, expected), headers) in asked.into_iter().zip(&noted) {
            assert_eq!(*headers.lock(), [expected], "{framing} {records}");
        }
    }
}

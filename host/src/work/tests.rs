//! The scheduler with processors that are a few lines of plain Rust: no wasm, real files.

mod halved;
mod recall;

use std::io::Write;
use std::sync::Arc;

use parking_lot::Mutex;
use proptest::prelude::*;
use tempfile::TempDir;

use halved::Halved;

use super::*;
use crate::input::{Csv, Framing, Prefix};
use crate::process::{
    Accumulate, ChunkReader, FailureKind, Instance, Kind, Opening, Order, Place, Pushed, Scope,
    Split, Traits,
};
use crate::settings::{Io, Run, Show};
use crate::source::Way;
use crate::stats::MemoryBudget;

/// Gives back what it is given: the result shows whether the order was kept.
struct Echo {
    traits: Traits,
}

#[derive(Default)]
struct EchoInstance {
    seen: Option<Vec<u8>>,
}

impl Echo {
    fn new(scope: Scope, order: Order) -> Self {
        Self { traits: Traits { kind: Kind::Aggregator, scope, order, header_records: 0 } }
    }
}

impl Processor for Echo {
    fn traits(&self) -> &Traits {
        &self.traits
    }

    fn memory(&self) -> Arc<MemoryBudget> {
        Arc::default()
    }

    fn start(&self) -> Result<Box<dyn Instance + '_>, Failure> {
        Ok(Box::new(EchoInstance::default()))
    }
}

impl Instance for EchoInstance {
    fn open(&mut self, _opening: Opening<'_>) -> Result<(), Failure> {
        assert!(self.seen.replace(Vec::new()).is_none(), "one resource at a time");
        Ok(())
    }

    fn push(&mut self, place: Place, fill: &mut dyn ChunkReader) -> Result<Pushed, Failure> {
        let mut bytes = vec![0; fill.len()];
        fill.fill(&mut bytes)?;
        if let Some(at) = bytes.iter().position(|&byte| byte == b'!') {
            let at = place.offset + at as u64;
            return Err(Failure::new(FailureKind::InvalidData, format!("at byte {at}")));
        }
        self.seen.as_mut().unwrap().extend(bytes);
        Ok(Pushed::default())
    }

    fn accumulator(&mut self) -> Result<&mut dyn Accumulate, Failure> {
        Ok(self)
    }

    fn close(&mut self) -> Result<(), Failure> {
        self.seen = None;
        Ok(())
    }

    fn spent(&self) -> bool {
        true
    }
}

impl Accumulate for EchoInstance {
    fn save(&mut self) -> Result<Held, Failure> {
        Ok(Held::within(&Arc::default(), self.seen.clone().unwrap()))
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), Failure> {
        self.seen.as_mut().unwrap().extend(state);
        Ok(())
    }

    fn finish(&mut self) -> Result<Held, Failure> {
        Ok(Held::within(&Arc::default(), self.seen.take().unwrap()))
    }
}

#[derive(Default)]
struct Kept {
    sources: Mutex<Vec<Option<Done>>>,
    total: Mutex<Option<Result<Held, Failure>>>,
    /// Results may only be started for this source until it is there.
    only: Option<usize>,
}

impl Kept {
    fn total_bytes(&self) -> Vec<u8> {
        self.total.lock().as_ref().unwrap().as_ref().unwrap().to_vec()
    }
}

impl Deliver for Kept {
    fn check(&self, _result: &[u8]) -> Result<(), Failure> {
        Ok(())
    }

    fn put(&self, slot: ResultSlot, done: Done) {
        assert_eq!(slot, ResultSlot::source(slot.at.source));
        let before = self.sources.lock()[slot.at.source].replace(done);
        assert!(before.is_none(), "delivered once");
    }

    fn end(&self, source: usize, _members: u64) {
        panic!("source {source} is no archive");
    }

    fn total(&self, result: Result<Held, Failure>) {
        assert!(self.total.lock().replace(result).is_none(), "one total");
    }

    fn next_required(&self, _own: Option<Position>) -> Option<Position> {
        let missing = |&index: &usize| self.sources.lock()[index].is_none();
        self.only.filter(missing).map(|source| Position { source, ..Position::default() })
    }

    fn wait_for_next_required(&self, _at: Position) {
        std::thread::yield_now();
    }
}

struct Case {
    framing: Framing,
    _dir: TempDir,
    sources: Vec<Source>,
    settings: Run,
}

fn case(texts: &[String], threads: usize, chunk_bytes: u64) -> Case {
    let dir = tempfile::tempdir().unwrap();
    let write = |(at, text): (usize, &String)| {
        let path = dir.path().join(at.to_string());
        std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        Source { path: path.into(), listed: Ok(Some(text.len() as u64)), way: Way::File }
    };
    let sources = texts.iter().enumerate().map(write).collect();
    let settings = Run { threads, chunk_bytes, ..Run::default() };
    Case { framing: Framing::Delimited(b'\n'), _dir: dir, sources, settings }
}

fn run_case(case: &Case, processor: &dyn Processor, only: Option<usize>) -> Kept {
    run_knowing(case, processor, only, None)
}

fn run_knowing(
    case: &Case,
    processor: &dyn Processor,
    only: Option<usize>,
    recall: Option<&Recall<'_>>,
) -> Kept {
    let sources = Mutex::new(case.sources.iter().map(|_| None).collect());
    let kept = Kept { sources, only, ..Kept::default() };
    let (cancel, stats) = (Cancel::default(), Stats::default());
    let cutter = Cutter {
        framing: case.framing,
        chunk_bytes: case.settings.chunk_bytes,
        record_bytes_max: 1 << 20,
    };
    let plan = Plan {
        sources: &case.sources,
        processor,
        cutter,
        access: &Access { io: case.settings.io, ..Access::default() },
        decoding: Decoding::default(),
        settings: &case.settings,
        cancel: &cancel,
        stats: &stats,
        gate: None,
        locate: Locate::First,
        recall,
        deliver: &kept,
    };
    run(&plan).unwrap();
    kept
}

fn sorted(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.sort_unstable();
    bytes
}

proptest! {
    /// Invariant 1: results depend neither on threads nor on where the cuts are; invariant 7: a
    /// source is a result or a named failure, and a total holds exactly the sources that did not
    /// fail.
    #[test]
    fn results_are_those_of_one_thread_and_one_chunk(
        texts in prop::collection::vec("[ab\n]{0,12}(![ab]?)?[ab\n]{0,30}", 0..12),
        threads in 1usize..5,
        chunk_bytes in 1u64..40,
        by_source: bool,
        kept_order: bool,
        window_is_full: bool,
        streamed: bool,
        split: bool,
    ) {
        let scope = if by_source { Scope::Source } else { Scope::Chunk };
        let order = if kept_order { Order::Kept } else { Order::Any };
        let only = (window_is_full && !texts.is_empty()).then_some(texts.len() / 2);
        let mut case = case(&texts, threads, chunk_bytes);
        if streamed {
            case.framing = Framing::Csv(Csv::default()); // without quotes the same records, but not found from the middle
        }
        if window_is_full {
            case.settings.window_bytes = 0;
        }
        let kept = if split {
            run_case(&case, &Halved::new(&|_| {}, order), only)
        } else {
            run_case(&case, &Echo::new(scope, order), only)
        };

        let comparable = |bytes: Vec<u8>| if kept_order { bytes } else { sorted(bytes) };
        let mut whole = Vec::new();
        for (text, done) in texts.iter().zip(kept.sources.into_inner()) {
            let done = done.expect("every source is delivered");
            if let Some(at) = text.find('!') {
                let failure = done.result.unwrap_err();
                prop_assert_eq!(failure.message, format!("at byte {at}"));
                continue;
            }
            prop_assert_eq!(done.bytes, text.len() as u64);
            let result = done.result.unwrap().unwrap();
            prop_assert_eq!(comparable(result.to_vec()), comparable(text.clone().into_bytes()));
            whole.extend(text.bytes());
        }
        let total = kept.total.into_inner().expect("there is a total");
        prop_assert_eq!(comparable(total.unwrap().to_vec()), comparable(whole));
    }
}

#[test]
fn a_total_alone_needs_no_results_of_sources() {
    let texts = ["a\n", "b\n", "c\n"].map(String::from);
    let mut case = case(&texts, 2, 1);
    case.settings.show = Show { per_source: false, total: true, failures: true };
    let kept = run_case(&case, &Echo::new(Scope::Chunk, Order::Kept), None);
    assert_eq!(kept.total_bytes(), b"a\nb\nc\n");
    let none = |done: &Option<Done>| matches!(done, Some(Done { result: Ok(None), .. }));
    assert!(kept.sources.into_inner().iter().all(none));
}

#[test]
fn mapped_sources_give_the_same() {
    let texts = ["a\nbb\nccc\n".repeat(100), String::new()];
    let mut case = case(&texts, 2, 16);
    case.settings.io = Io::Mmap;
    let kept = run_case(&case, &Echo::new(Scope::Chunk, Order::Kept), None);
    assert_eq!(kept.total_bytes(), texts[0].as_bytes());
}

#[test]
fn a_cancelled_run_starts_nothing_more() {
    let case = case(&["a\n".to_string()], 1, 16);
    let kept = Kept { sources: Mutex::new(vec![None]), ..Kept::default() };
    let (cancel, stats) = (Cancel::default(), Stats::default());
    cancel.set();
    let cutter = Cutter { framing: Framing::Bytes, chunk_bytes: 16, record_bytes_max: 16 };
    let echo = Echo::new(Scope::Chunk, Order::Kept);
    let plan = Plan {
        sources: &case.sources,
        processor: &echo,
        cutter,
        access: &Access::default(),
        decoding: Decoding::default(),
        settings: &case.settings,
        cancel: &cancel,
        stats: &stats,
        gate: None,
        locate: Locate::First,
        recall: None,
        deliver: &kept,
    };
    run(&plan).unwrap();
    assert!(kept.sources.into_inner()[0].is_none());
    assert!(kept.total.into_inner().is_none());
}

/// Panics at the first chunk that it is given.
struct Panics(Traits);

impl Processor for Panics {
    fn traits(&self) -> &Traits {
        &self.0
    }

    fn memory(&self) -> Arc<MemoryBudget> {
        Arc::default()
    }

    fn start(&self) -> Result<Box<dyn Instance + '_>, Failure> {
        panic!("a mistake of the host's own");
    }
}

#[test]
fn a_panic_is_passed_on_and_no_worker_waits_for_it() {
    let case = case(&["a\n".repeat(100)], 4, 16);
    let kept = Kept { sources: Mutex::new(vec![None]), ..Kept::default() };
    let (cancel, stats) = (Cancel::default(), Stats::default());
    let cutter =
        Cutter { framing: Framing::Csv(Csv::default()), chunk_bytes: 16, record_bytes_max: 16 };
    let panics = Panics(Traits {
        kind: Kind::Aggregator,
        scope: Scope::Source,
        order: Order::Kept,
        header_records: 0,
    });
    let plan = Plan {
        sources: &case.sources,
        processor: &panics,
        cutter,
        access: &Access::default(),
        decoding: Decoding::default(),
        settings: &case.settings,
        cancel: &cancel,
        stats: &stats,
        gate: None,
        locate: Locate::First,
        recall: None,
        deliver: &kept,
    };
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&plan)));
    assert!(ended.is_err());
    assert!(cancel.is_set());
}

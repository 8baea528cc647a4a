//! Processors with a head and a tail.

use super::*;

/// An [`Echo`] behind a head that passes on what it is given, and calls `at` with the position of
/// each chunk.
pub(super) struct Halved<'a> {
    head: Head<'a>,
    tail: Echo,
}

struct Head<'a> {
    traits: Traits,
    at: &'a (dyn Fn(u64) + Sync),
}

struct HeadInstance<'a>(&'a Head<'a>);

impl<'a> Halved<'a> {
    pub(super) fn new(at: &'a (dyn Fn(u64) + Sync), order: Order) -> Self {
        let (kind, scope) = (Kind::Transformer, Scope::Chunk);
        let traits = Traits { kind, scope, order: Order::Kept, header_records: 0 };
        Self { head: Head { traits, at }, tail: Echo::new(Scope::Source, order) }
    }
}

impl Processor for Halved<'_> {
    fn traits(&self) -> &Traits {
        self.tail.traits()
    }

    fn split(&self) -> Option<Split<'_>> {
        Some(Split { head: &self.head, tail: &self.tail })
    }

    fn memory(&self) -> Arc<MemoryBudget> {
        Arc::default()
    }

    fn start(&self) -> Result<Box<dyn Instance + '_>, Failure> {
        self.tail.start()
    }
}

impl Processor for Head<'_> {
    fn traits(&self) -> &Traits {
        &self.traits
    }

    fn memory(&self) -> Arc<MemoryBudget> {
        Arc::default()
    }

    fn start(&self) -> Result<Box<dyn Instance + '_>, Failure> {
        Ok(Box::new(HeadInstance(self)))
    }
}

impl Instance for HeadInstance<'_> {
    fn open(&mut self, _opening: Opening<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn push(&mut self, place: Place, fill: &mut dyn ChunkReader) -> Result<Pushed, Failure> {
        let mut output = vec![0; fill.len()];
        fill.fill(&mut output)?;
        (self.0.at)(place.index);
        let output = Held::within(&Arc::default(), output);
        Ok(Pushed { output, ..Pushed::default() })
    }

    fn close(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn spent(&self) -> bool {
        false
    }
}

#[test]
fn a_run_that_is_cancelled_between_head_and_tail_leaves_the_source_undone() {
    for threads in [2, 4] {
        // Chunks of a file, and of what is read from its front.
        let framings = [(Framing::Delimited(b'\n'), 5), (Framing::Prefixed(Prefix::U32Be), 0)];
        for (framing, last) in framings {
            let text = match framing {
                Framing::Prefixed(_) => "\0\0\0\x01a".repeat(100),
                _ => "a\n".repeat(100),
            };
            let mut case = case(&[text.clone(), text], threads, 5);
            case.settings.window_bytes = 0;
            let kept = Kept { sources: Mutex::new(vec![None, None]), ..Kept::default() };
            let (cancel, stats) = (Cancel::default(), Stats::default());
            let at = |index| {
                if index == last {
                    cancel.set();
                }
            };
            let halved = Halved::new(&at, Order::Kept);
            let plan = Plan {
                sources: &case.sources,
                processor: &halved,
                cutter: Cutter { framing, chunk_bytes: 5, record_bytes_max: 16 },
                access: &Access::default(),
                decoding: Decoding::default(),
                settings: &case.settings,
                recall: None,
                gate: None,
                locate: Locate::First,
                cancel: &cancel,
                stats: &stats,
                deliver: &kept,
            };
            run(&plan).unwrap();
            assert!(cancel.is_set());
            assert!(kept.sources.into_inner().iter().all(Option::is_none));
            assert!(kept.total.into_inner().is_none());
        }
    }
}

//! What comes out of chunks stays in order, and what failed is taken back, whichever worker is
//! first: with processors that wait for one another.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gristmill::output::Format;
use gristmill::process::{
    ChunkReader, Failure, FailureKind, Held, Instance, Kind, MemoryBudget, Opening, Order, Place,
    Processor, Pushed, Scope, Traits,
};
use gristmill::settings::Run;

use super::sinks::{Left, SINKS, Sink, run_into};
use crate::support::job::Task;
use crate::support::shuffle::Shuffle;
use crate::support::tree::Tree;

type Make<'a> = dyn Fn(&str, Place, Vec<u8>) -> Result<Vec<u8>, Failure> + Sync + 'a;

/// A transformer that is a function of a chunk.
struct Made<'a> {
    traits: Traits,
    make: &'a Make<'a>,
    /// Told when a worker is done with its instance.
    dropped: Option<&'a Sender<()>>,
}

struct MadeInstance<'a> {
    made: &'a Made<'a>,
    source: String,
}

impl Drop for MadeInstance<'_> {
    fn drop(&mut self) {
        let Some(dropped) = self.made.dropped else { return };
        dropped.send(()).unwrap();
    }
}

impl<'a> Made<'a> {
    fn new(scope: Scope, make: &'a Make<'a>) -> Self {
        let (kind, order) = (Kind::Transformer, Order::Kept);
        Self { traits: Traits { kind, scope, order, header_records: 0 }, make, dropped: None }
    }
}

impl Processor for Made<'_> {
    fn traits(&self) -> &Traits {
        &self.traits
    }

    fn memory(&self) -> Arc<MemoryBudget> {
        Arc::default()
    }

    fn start(&self) -> Result<Box<dyn Instance + '_>, Failure> {
        Ok(Box::new(MadeInstance { made: self, source: String::new() }))
    }
}

impl Instance for MadeInstance<'_> {
    fn open(&mut self, opening: Opening<'_>) -> Result<(), Failure> {
        let name = Path::new(opening.name).file_name().unwrap();
        self.source = name.to_str().unwrap().to_string();
        Ok(())
    }

    fn push(&mut self, place: Place, fill: &mut dyn ChunkReader) -> Result<Pushed, Failure> {
        let mut bytes = vec![0; fill.len()];
        fill.fill(&mut bytes)?;
        let output = (self.made.make)(&self.source, place, bytes)?;
        let output = Held::within(&Arc::default(), output);
        Ok(Pushed { filling: Duration::ZERO, output })
    }

    fn close(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn spent(&self) -> bool {
        false
    }
}

const CHUNK_BYTES: u64 = 1024;

/// As long as a chunk, with the number in it.
fn chunk(n: usize) -> Vec<u8> {
    let mut line = format!("{n:>1023}").into_bytes();
    line.push(b'\n');
    line
}

fn chunks(count: usize) -> Vec<u8> {
    (0..count).flat_map(chunk).collect()
}

fn settings(threads: usize, window_bytes: usize) -> Run {
    Run { threads, chunk_bytes: CHUNK_BYTES, window_bytes, ..Run::default() }
}

fn run(made: &Made<'_>, paths: &[PathBuf], settings: &Run, sink: Sink) -> Left {
    let task = Task { processor: made, framing: "fixed:1024", format: Format::Raw };
    run_into(task, paths, settings, sink, &|index, member| {
        assert_eq!(member, None);
        PathBuf::from(paths[index].file_name().unwrap())
    })
}

#[test]
fn a_late_first_chunk_holds_up_the_others_within_bounds_and_nothing_is_lost() {
    const COUNT: usize = 40;
    let tree = Tree::new();
    let path = tree.file("a", chunks(COUNT));
    let gz = tree.file("b.gz", crate::support::pack::gzip(&chunks(COUNT)));
    for (path, sink) in [(&path, SINKS), (&gz, SINKS)]
        .into_iter()
        .flat_map(|(path, sinks)| sinks.map(|sink| (path, sink)))
    {
        for threads in [2, 3, 5] {
            let (begun, others): (Sender<u64>, Receiver<u64>) = channel();
            let others = Mutex::new(others);
            let window = 2 * 1024 * if sink == Sink::Tree { threads } else { 1 };
            // Three chunks are more than the window, and two with what they cost beside their
            // bytes: then each worker may be at one more.
            let most = 3 + threads - 1;
            let make = |_: &str, place: Place, bytes: Vec<u8>| {
                if place.index > 0 {
                    begun.send(place.index).unwrap();
                    return Ok(bytes);
                }
                let others = others.lock().unwrap();
                for _ in 0..2 {
                    others.recv().unwrap();
                }
                let mut count = 2;
                // Nobody says that he waits: only that no more is begun can be seen.
                while others.recv_timeout(Duration::from_millis(50)).is_ok() {
                    count += 1;
                }
                assert!(count <= most, "{count} of at most {most} were begun by {threads}");
                Ok(bytes)
            };
            let left = run(
                &Made::new(Scope::Chunk, &make),
                std::slice::from_ref(path),
                &settings(threads, window),
                sink,
            );
            assert_eq!(left.ran.failures, []);
            assert!(left.joined() == chunks(COUNT), "{sink:?} by {threads}");
            assert_eq!(left.ran.ended.unwrap().bytes, 1024 * COUNT as u64);
        }
    }
}

#[test]
fn one_worker_and_a_window_of_nothing_go_on() {
    let tree = Tree::new();
    let paths = ["a", "b", "c"].map(|name| tree.file(name, chunks(20)));
    for scope in [Scope::Chunk, Scope::Source] {
        for (threads, sink) in
            [1, 3].into_iter().flat_map(|threads| SINKS.map(|sink| (threads, sink)))
        {
            let make = |_: &str, _: Place, bytes| Ok(bytes);
            let left = run(&Made::new(scope, &make), &paths, &settings(threads, 0), sink);
            assert!(left.joined() == chunks(20).repeat(3), "{sink:?} by {threads}");
        }
    }
}

#[test]
fn a_late_first_source_holds_up_nobody_for_ever() {
    let tree = Tree::new();
    let names: Vec<_> = (0..30).map(|n| format!("{n:02}")).collect();
    let paths: Vec<_> = names.iter().map(|name| tree.file(name, chunks(3))).collect();
    for scope in [Scope::Chunk, Scope::Source] {
        for sink in SINKS {
            let (begun, others) = channel();
            let others = Mutex::new(others);
            let make = |source: &str, place: Place, bytes| {
                if source != "00" {
                    begun.send(()).unwrap();
                } else if place.index == 0 {
                    let others = others.lock().unwrap();
                    (0..2).for_each(|_| others.recv().unwrap());
                }
                Ok(bytes)
            };
            let left = run(&Made::new(scope, &make), &paths, &settings(3, 2 * 1024), sink);
            assert!(left.joined() == chunks(3).repeat(30), "{sink:?}");
        }
    }
}

fn at(place: Place) -> Failure {
    Failure::new(FailureKind::InvalidData, format!("chunk {}", place.index))
}

#[test]
fn the_failure_of_the_first_chunk_is_reported_though_a_later_one_fails_before() {
    let tree = Tree::new();
    let paths = ["a", "bad", "c"].map(|name| tree.file(name, chunks(9)));
    for (sink, unordered) in
        [(Sink::Stream, false), (Sink::File, false), (Sink::Tree, false), (Sink::Stream, true)]
    {
        let (failed, later) = channel();
        let (later, waits) = (Mutex::new(later), AtomicUsize::new(0));
        let make = |source: &str, place: Place, bytes: Vec<u8>| match (source, place.index) {
            ("bad", 5) => {
                failed.send(()).unwrap();
                Err(at(place))
            }
            ("bad", 2) => {
                later.lock().unwrap().recv().unwrap();
                waits.fetch_add(1, Ordering::Relaxed);
                Err(at(place))
            }
            _ => Ok(bytes),
        };
        let settings = Run { unordered, ..settings(3, 1 << 20) };
        let left = run(&Made::new(Scope::Chunk, &make), &paths, &settings, sink);
        assert_eq!(waits.into_inner(), 1);
        let [(name, failure)] = &left.ran.failures[..] else { panic!("{:?}", left.ran.failures) };
        assert!(name.ends_with("bad"));
        let summary = left.ran.ended.as_ref().unwrap();
        assert_eq!((summary.sources, summary.failed, summary.unread), (3, 1, 0), "{sink:?}");
        assert_eq!((left.ran.done, left.ran.failed), (3, 1), "{sink:?}");
        if unordered {
            continue;
        }
        assert_eq!(failure.message, "chunk 2", "{sink:?}");
        let whole = chunks(9);
        match sink {
            // What a stream was given cannot be taken back.
            Sink::Stream => assert!(left.ran.out == [&whole[..], &chunks(2), &whole].concat()),
            Sink::File => assert!(left.files["all"] == whole.repeat(2)),
            Sink::Tree => {
                assert!(left.files.keys().eq(["a", "c"]));
                assert!(left.files.values().all(|bytes| *bytes == whole));
            }
        }
    }
}

#[test]
fn what_ended_a_run_is_reported_though_something_before_it_is_never_done() {
    let tree = Tree::new();
    let paths = ["a", "b"].map(|name| tree.file(name, chunks(9)));
    for (sink, source) in SINKS.into_iter().flat_map(|sink| ["a", "b"].map(|source| (sink, source)))
    {
        let (dropped, ended) = channel();
        let ended = Mutex::new(ended);
        let make = |name: &str, place: Place, bytes: Vec<u8>| {
            if (name, place.index) == ("a", 0) {
                // The other worker has failed, and stopped the run.
                ended.lock().unwrap().recv().unwrap();
            }
            if (name, place.index) == (source, 4) { Err(at(place)) } else { Ok(bytes) }
        };
        let processor = Made { dropped: Some(&dropped), ..Made::new(Scope::Chunk, &make) };
        let settings = Run { fail_fast: true, ..settings(2, 1 << 20) };
        let left = run(&processor, &paths, &settings, sink);
        let [(name, failure)] = &left.ran.failures[..] else { panic!("{:?}", left.ran.failures) };
        assert!(name.ends_with(source), "{sink:?}: {name}");
        assert_eq!(failure.message, "chunk 4", "{sink:?}");
        let summary = left.ran.ended.as_ref().unwrap();
        assert_eq!((summary.failed, left.ran.failed), (1, 1), "{sink:?}");
    }
}

#[test]
fn of_many_sources_of_which_some_fail_the_rest_is_whole_and_in_order() {
    let tree = Tree::new();
    let names: Vec<_> = (0..24).map(|n| format!("{n:02}")).collect();
    let lengths = [1, 7, 0, 20, 3];
    let length = |n: usize| lengths[n % lengths.len()];
    // Every third one fails, where it has such a chunk, at several.
    let fails = |n: usize| match n % 3 {
        0 => [n % 7, n % 11, 6].into_iter().filter(|&at| at < length(n).max(1)).min(),
        _ => None,
    };
    let paths: Vec<_> =
        names.iter().enumerate().map(|(n, name)| tree.file(name, chunks(length(n)))).collect();
    let shuffle = Arc::new(Shuffle::default());
    let make = |source: &str, place: Place, bytes: Vec<u8>| {
        shuffle.pass();
        let n: usize = source.parse().unwrap();
        let index = usize::try_from(place.index).unwrap();
        if n.is_multiple_of(3) && [n % 7, n % 11, 6].contains(&index) {
            Err(at(place))
        } else {
            Ok(bytes)
        }
    };
    let failures: Vec<_> =
        (0..24).filter_map(|n| Some((names[n].clone(), format!("chunk {}", fails(n)?)))).collect();
    assert!(failures.len() > 4);
    let whole = (0..24).filter(|&n| fails(n).is_none());
    let expected_files: BTreeMap<_, _> =
        whole.map(|n| (names[n].clone(), chunks(length(n)))).collect();
    let all: Vec<u8> = expected_files.values().flatten().copied().collect();
    let streamed: Vec<u8> = (0..24).flat_map(|n| chunks(fails(n).unwrap_or(length(n)))).collect();
    for round in 0..4 {
        for (threads, window) in [(1, 1 << 20), (2, 1024), (3, 0), (4, 1 << 20)] {
            for scope in [Scope::Chunk, Scope::Source] {
                let case = format!("round {round}, {threads} workers, window {window}, {scope:?}");
                let processor = Made::new(scope, &make);
                for sink in SINKS {
                    let left = run(&processor, &paths, &settings(threads, window), sink);
                    let name = |path: &str| path.rsplit('/').next().unwrap().to_string();
                    let failed: Vec<_> = left
                        .ran
                        .failures
                        .iter()
                        .map(|(path, why)| (name(path), why.message.clone()))
                        .collect();
                    assert_eq!(failed, failures, "{case} {sink:?}");
                    let summary = left.ran.ended.as_ref().unwrap();
                    let counted = (summary.sources, summary.failed, summary.unread);
                    assert_eq!(counted, (24, failures.len() as u64, 0), "{case} {sink:?}");
                    assert_eq!(
                        (left.ran.done, left.ran.failed),
                        (24, failures.len() as u64),
                        "{case} {sink:?}"
                    );
                    match sink {
                        Sink::Stream => assert!(left.ran.out == streamed, "{case}"),
                        Sink::File => assert!(left.files["all"] == all, "{case}"),
                        Sink::Tree => assert!(left.files == expected_files, "{case}"),
                    }
                }
            }
        }
    }
}

#[test]
fn without_order_every_chunk_is_there_once() {
    let tree = Tree::new();
    let paths = ["a", "b"].map(|name| tree.file(name, chunks(50)));
    let shuffle = Shuffle::default();
    let make = |_: &str, _: Place, bytes| {
        shuffle.pass();
        Ok(bytes)
    };
    for sink in [Sink::Stream, Sink::File] {
        let settings = Run { unordered: true, ..settings(3, 1024) };
        let left = run(&Made::new(Scope::Chunk, &make), &paths, &settings, sink);
        let out = left.joined();
        let mut found: Vec<_> = out.chunks(1024).collect();
        found.sort_unstable();
        let mut expected: Vec<_> = (0..100).map(|n| chunk(n / 2)).collect();
        expected.sort_unstable();
        assert!(found == expected, "{sink:?}");
    }
}

//! Chains of which one stage sees a source in order: what is before it runs in parallel, and nobody
//! can tell from what comes out. With stages that wait for one another.

use std::io::BufRead as _;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gristmill::output::Format;
use gristmill::process::{Failure, FailureKind, Kind, Place, Processor, Reject, Scope};
use gristmill::settings::{RejectsMax, Run};

use super::same::{lines, sources, texts};
use super::sinks::{SINKS, Sink, run_into};
use crate::support::job::{Ran, Task};
use crate::support::made::{Made, chain};
use crate::support::shuffle::Shuffle;
use crate::support::tree::Tree;

/// How a run ended, with all that came out of it as its output.
fn run(
    processor: &dyn Processor,
    framing: &str,
    paths: &[PathBuf],
    settings: &Run,
    sink: Sink,
) -> Ran {
    let task = Task { processor, framing, format: Format::Jsonl };
    let left = run_into(task, paths, settings, sink, &|index, member| {
        let member = member.map(|path| path.to_str().unwrap());
        let member = member.map(|name| name.rsplit_once("!/").unwrap().1.replace('/', "-"));
        PathBuf::from(format!("{index:02} {}", member.unwrap_or_default()))
    });
    Ran { out: left.joined(), ..left.ran }
}

fn upper(bytes: &[u8]) -> Vec<u8> {
    bytes.to_ascii_uppercase()
}

#[test]
fn what_comes_out_is_what_one_worker_makes() {
    let (tree, _) = sources(&texts(|bytes| lines(bytes / 4)));
    let paths = ["a", "b.gz", "c.zst", "d.bz2", "e.tar.gz", "f.zip", "g"];
    let paths = paths.map(|name| tree.path().join("in").join(name));
    let shuffle = Arc::new(Shuffle::default());
    let shuffled = move || {
        let shuffle = Arc::clone(&shuffle);
        Made::of_chunks(move |_, _, bytes| {
            shuffle.pass();
            Ok(upper(&bytes))
        })
    };
    let chains = [
        vec![shuffled(), Made::numbering()],
        vec![shuffled(), shuffled(), Made::numbering(), Made::numbering(), shuffled()],
        vec![shuffled(), Made::collecting(Scope::Source)],
        vec![shuffled(), Made::numbering(), Made::collecting(Scope::Chunk)],
    ];
    for stages in &chains {
        let chained = chain(stages, "lines");
        let kind = chained.traits().kind;
        for sink in
            SINKS.into_iter().filter(|sink| kind == Kind::Transformer || *sink != Sink::Tree)
        {
            let settings = Run { threads: 1, ..Run::default() };
            let expected = run(&chained, "lines", &paths, &settings, sink);
            assert_eq!(expected.failures, []);
            assert!(expected.out.len() > 300_000);
            for (threads, chunk_bytes, window_bytes) in [
                (1, 512, 0),
                (2, 512, 1024),
                (2, 4096, 1 << 20),
                (3, 512, 0),
                (3, 512, 1 << 20),
                (5, 1024, 2048),
                (5, 65536, 1 << 20),
            ] {
                let settings = Run { threads, chunk_bytes, window_bytes, ..Run::default() };
                let case = format!("{} stages to {sink:?}: {threads} {chunk_bytes}", stages.len());
                let ran = run(&chained, "lines", &paths, &settings, sink);
                assert_eq!(ran.failures, [], "{case}");
                assert!(ran.out == expected.out, "{case}");
                let (ended, serial) = (ran.ended.unwrap(), expected.ended.as_ref().unwrap());
                assert_eq!((ended, ran.done), (serial.clone(), expected.done), "{case}");
            }
        }
    }
}

#[test]
fn every_stage_is_opened_with_what_those_before_it_make_of_the_header() {
    let tree = Tree::new();
    let paths = ["a", "b.gz"].map(|name| match name {
        "a" => tree.file(name, format!("{name}\n").repeat(1000)),
        _ => {
            tree.file(name, crate::support::pack::gzip(format!("{name}\n").repeat(1000).as_bytes()))
        }
    });
    let mark = |mark: &'static str, scope| {
        let make = move |_: &str, _: Place, seen: &mut Vec<u8>, bytes: Vec<u8>| {
            // Each line with the header that the resource was opened with.
            let header = seen.trim_ascii_end();
            let lines = bytes.split_inclusive(|&byte| byte == b'\n');
            let marked = lines.flat_map(|line| [header, mark.as_bytes(), line].concat());
            Ok((marked.collect(), Vec::new()))
        };
        let mut stage = Made::new(Kind::Transformer, scope, Arc::new(make));
        stage.traits.header_records = 1;
        stage
    };
    let (chunk, source) = (Scope::Chunk, Scope::Source);
    let stages = [mark("1", chunk), mark("2", chunk), mark("3", source), mark("4", chunk)];
    let mut line = String::from("a\n");
    for at in 1..=4 {
        line = format!("{}{at}{line}", line.trim_end());
    }
    for threads in [1, 3] {
        let settings = Run { threads, chunk_bytes: 512, ..Run::default() };
        let ran = run(&chain(&stages, "lines"), "lines", &paths, &settings, Sink::Stream);
        assert_eq!(ran.failures, []);
        let expected = line.repeat(1000) + &line.replace('a', "b.gz").repeat(1000);
        assert!(ran.out == expected.as_bytes(), "{threads}");
    }
}

const CHUNK_BYTES: u64 = 1024;
const FIXED: &str = "fixed:1024";

/// Chunks of one record, with the number in it.
fn chunks(count: usize) -> Vec<u8> {
    (0..count).flat_map(|n| format!("{n:>1023}\n").into_bytes()).collect()
}

fn settings(threads: usize, window_bytes: usize) -> Run {
    Run { threads, chunk_bytes: CHUNK_BYTES, window_bytes, ..Run::default() }
}

#[test]
fn a_late_first_chunk_holds_up_the_others_within_bounds_and_nothing_is_lost() {
    const COUNT: usize = 40;
    let tree = Tree::new();
    let plain = tree.file("a", chunks(COUNT));
    let gz = tree.file("b.gz", crate::support::pack::gzip(&chunks(COUNT)));
    let tails = [Made::numbering(), Made::collecting(Scope::Source)];
    for (path, tail) in
        [&plain, &gz].into_iter().flat_map(|path| tails.each_ref().map(|tail| (path, tail)))
    {
        let expected = {
            let stages = [Made::of_chunks(|_, _, bytes| Ok(bytes)), tail.clone()];
            run(
                &chain(&stages, FIXED),
                FIXED,
                std::slice::from_ref(path),
                &settings(1, 0),
                Sink::Stream,
            )
        };
        for threads in [2, 3, 5] {
            let (begun, others) = channel();
            let (begun, others) = (Mutex::new(begun), Mutex::new(others));
            // Three chunks are more than the window, and two with what they cost beside their
            // bytes: then each worker may be at one more.
            let most = 3 + threads - 1;
            let head = Made::of_chunks(move |_, place, bytes| {
                if place.index > 0 {
                    begun.lock().unwrap().send(()).unwrap();
                    return Ok(bytes);
                }
                let others = others.lock().unwrap();
                (0..2).for_each(|_| others.recv().unwrap());
                let mut count = 2;
                // Nobody says that he waits: only that no more is begun can be seen.
                while others.recv_timeout(Duration::from_millis(50)).is_ok() {
                    count += 1;
                }
                assert!(count <= most, "{count} of at most {most} were begun by {threads}");
                Ok(bytes)
            });
            let chained = chain(&[head, tail.clone()], FIXED);
            let settings = settings(threads, 2 * 1024);
            let ran = run(&chained, FIXED, std::slice::from_ref(path), &settings, Sink::Stream);
            assert_eq!(ran.failures, []);
            assert!(ran.out == expected.out, "{threads}");
        }
    }
}

/// Of sources that were begun for want of room elsewhere, no more are open than there are workers.
#[test]
fn a_late_first_source_holds_up_nobody_for_ever() {
    let tree = Tree::new();
    let names: Vec<_> = (0..30).map(|n| format!("{n:02}")).collect();
    let paths: Vec<_> = names.iter().map(|name| tree.file(name, chunks(5))).collect();
    for sink in SINKS {
        let (begun, others) = channel();
        let (begun, others) = (Mutex::new(begun), Mutex::new(others));
        let head = Made::of_chunks(move |source, place, bytes| {
            if source != "00" {
                // When the first source goes on, nobody listens any more.
                let _late = begun.lock().unwrap().send(());
            } else if place.index == 0 {
                let others = others.lock().unwrap();
                (0..2).for_each(|_| others.recv().unwrap());
            }
            Ok(bytes)
        });
        let tail = Made::numbering();
        let chained = chain(&[head, tail.clone()], FIXED);
        let ran = run(&chained, FIXED, &paths, &settings(3, 2 * 1024), sink);
        assert_eq!(ran.failures, []);
        let expected = [Made::of_chunks(|_, _, bytes| Ok(bytes)), Made::numbering()];
        let expected = run(&chain(&expected, FIXED), FIXED, &paths, &settings(1, 0), sink);
        assert!(ran.out == expected.out, "{sink:?}");
        let most = tail.begun_most.load(Ordering::SeqCst);
        assert!((1..=3).contains(&most), "{most} sources were open");
        assert_eq!(tail.begun.load(Ordering::SeqCst), 0);
    }
}

fn failure(what: &str, place: Place) -> Failure {
    Failure::new(FailureKind::InvalidData, format!("{what} {}", place.index))
}

/// A tail that calls `before` with each chunk.
fn tail(
    kind: Kind,
    before: impl Fn(&str, Place) -> Result<(), Failure> + Send + Sync + 'static,
) -> Made {
    Made::new(
        kind,
        Scope::Source,
        Arc::new(move |source, place, seen, bytes| {
            before(source, place)?;
            seen.extend(&bytes);
            Ok((bytes, Vec::new()))
        }),
    )
}

#[test]
fn the_first_failure_in_the_source_is_reported_whichever_part_it_is_in() {
    let tree = Tree::new();
    let paths = ["a", "bad", "c"].map(|name| tree.file(name, chunks(9)));
    // Where the head fails early, and where one of both fails later than that, at a chunk before
    // it.
    for (early, late, late_in_tail) in
        [(5, 2, true), (5, 2, false), (5, 0, true), (8, 7, true), (1, 0, false)]
    {
        for (kind, sink) in SINKS
            .map(|sink| (Kind::Transformer, sink))
            .into_iter()
            .chain([(Kind::Aggregator, Sink::Stream)])
        {
            let (failed, has_failed) = channel();
            let (failed, has_failed) = (Mutex::new(failed), Mutex::new(has_failed));
            let wait = Arc::new(move || has_failed.lock().unwrap().recv().unwrap());
            let wait_in_head = Arc::clone(&wait);
            let head = Made::of_chunks(move |source, place, bytes| match (source, place.index) {
                ("bad", index) if index == early => {
                    failed.lock().unwrap().send(()).unwrap();
                    Err(failure("head", place))
                }
                ("bad", index) if index == late && !late_in_tail => {
                    wait_in_head();
                    Err(failure("head", place))
                }
                _ => Ok(bytes),
            });
            let tail = tail(kind, move |source, place| {
                if source == "bad" && place.index == late && late_in_tail {
                    wait();
                    return Err(failure("tail", place));
                }
                Ok(())
            });
            let chained = chain(&[head, tail], FIXED);
            let case = format!("{early} {late} {late_in_tail} {kind:?} {sink:?}");
            let ran = run(&chained, FIXED, &paths, &settings(3, 1 << 20), sink);
            let [(name, message)] = &ran.failures[..] else { panic!("{case}: {:?}", ran.failures) };
            assert!(name.ends_with("bad"));
            let expected =
                if late_in_tail { format!("b: tail {late}") } else { format!("a: head {late}") };
            assert_eq!(message.message, expected, "{case}");
            let summary = ran.ended.unwrap();
            assert_eq!((summary.sources, summary.failed, summary.unread), (3, 1, 0), "{case}");
            assert_eq!((ran.done, ran.failed), (3, 1), "{case}");
            let whole = chunks(9);
            let before = chunks(usize::try_from(late).unwrap());
            match (kind, sink) {
                (Kind::Aggregator, _) => {
                    assert_eq!(ran.out.lines().count(), 4);
                }
                // What a stream was given cannot be taken back.
                (_, Sink::Stream) => {
                    assert!(ran.out == [&whole[..], &before, &whole].concat(), "{case}");
                }
                _ => assert!(ran.out == whole.repeat(2), "{case}"),
            }
        }
    }
}

#[test]
fn of_many_sources_of_which_some_fail_the_rest_is_whole_and_in_order() {
    let tree = Tree::new();
    let names: Vec<_> = (0..24).map(|n| format!("{n:02}")).collect();
    let lengths = [1, 7, 0, 20, 3];
    let paths: Vec<_> =
        names.iter().enumerate().map(|(n, name)| tree.file(name, chunks(lengths[n % 5]))).collect();
    let shuffle = Arc::new(Shuffle::default());
    for kind in [Kind::Transformer, Kind::Aggregator] {
        let stages = |shuffle: &Arc<Shuffle>| {
            let (in_head, in_tail) = (Arc::clone(shuffle), Arc::clone(shuffle));
            let head = Made::of_chunks(move |source, place, bytes| {
                in_head.pass();
                match source.parse::<u64>().unwrap() {
                    n if n % 3 == 0 && [n % 7, n % 11, 6].contains(&place.index) => {
                        Err(failure("head", place))
                    }
                    _ => Ok(bytes),
                }
            });
            let tail = tail(kind, move |source, place| {
                in_tail.pass();
                match source.parse::<u64>().unwrap() {
                    n if n % 2 == 0 && [n % 5, n % 13].contains(&place.index) => {
                        Err(failure("tail", place))
                    }
                    _ => Ok(()),
                }
            });
            [head, tail]
        };
        let chained = chain(&stages(&shuffle), FIXED);
        for sink in
            SINKS.into_iter().filter(|sink| kind == Kind::Transformer || *sink == Sink::Stream)
        {
            let expected = run(&chained, FIXED, &paths, &settings(1, 1 << 20), sink);
            assert!(expected.failures.len() > 8);
            for message in ["a: head", "b: tail"] {
                assert!(expected.failures.iter().any(|(_, why)| why.message.starts_with(message)));
            }
            for (round, (threads, window)) in
                [(2, 1024), (3, 0), (4, 1 << 20)].into_iter().cycle().take(9).enumerate()
            {
                let case = format!("round {round}, {threads} workers, {kind:?} to {sink:?}");
                let ran = run(&chained, FIXED, &paths, &settings(threads, window), sink);
                assert_eq!(ran.failures, expected.failures, "{case}");
                assert!(ran.out == expected.out, "{case}");
                assert_eq!((ran.done, ran.failed), (24, expected.failed), "{case}");
                assert_eq!(ran.ended.unwrap(), *expected.ended.as_ref().unwrap(), "{case}");
            }
        }
    }
}

#[test]
fn what_either_part_sets_aside_is_in_the_order_of_the_source() {
    let tree = Tree::new();
    let paths = ["a", "b", "c.gz"].map(|name| match name {
        "c.gz" => tree.file(name, crate::support::pack::gzip(&chunks(9))),
        _ => tree.file(name, chunks(20)),
    });
    let shuffle = Arc::new(Shuffle::default());
    let picky = |kind, scope, modulus: u64| {
        let shuffle = Arc::clone(&shuffle);
        Made::new(
            kind,
            scope,
            Arc::new(move |_, place, seen, bytes| {
                shuffle.pass();
                let set_aside = place.index.is_multiple_of(modulus).then(|| Reject {
                    offset: place.offset,
                    reason: format!("a multiple of {modulus}"),
                    data: place.index.to_string().into_bytes(),
                    bytes: 10,
                    is_exact: true,
                    records: 1,
                    ..Reject::default()
                });
                seen.extend(&bytes);
                Ok((bytes, set_aside.into_iter().collect()))
            }),
        )
    };
    for kind in [Kind::Transformer, Kind::Aggregator] {
        let stages = [picky(Kind::Transformer, Scope::Chunk, 2), picky(kind, Scope::Source, 3)];
        let chained = chain(&stages, FIXED);
        for max in [None, Some(17), Some(16), Some(9), Some(0)]
            .map(|max| max.map(RejectsMax::Records))
            .into_iter()
            .chain([Some(RejectsMax::Percent(0)), Some(RejectsMax::Percent(1))])
        {
            let with = |threads| Run { rejects_max: max, ..settings(threads, 4096) };
            let expected = run(&chained, FIXED, &paths, &with(1), Sink::Stream);
            let message = match max {
                None | Some(RejectsMax::Records(17) | RejectsMax::Percent(1)) => 0,
                Some(RejectsMax::Records(9..)) => 2,
                Some(_) => 3,
            };
            assert_eq!(expected.failures.len(), message, "{max:?}");
            assert!(
                message > 0
                    || String::from_utf8(expected.rejects.clone()).unwrap().lines().count()
                        == 17 + 17 + 8
            );
            for threads in [2, 3, 5] {
                let ran = run(&chained, FIXED, &paths, &with(threads), Sink::Stream);
                let case = format!("{threads} workers, {kind:?}, {max:?}");
                assert_eq!(ran.failures, expected.failures, "{case}");
                assert!(ran.rejects == expected.rejects, "{case}");
                assert!(ran.out == expected.out, "{case}");
            }
        }
    }
}

#[test]
fn what_is_fatal_in_the_tail_ends_the_job_and_waits_for_nobody() {
    let tree = Tree::new();
    let paths = ["a", "b", "c"].map(|name| tree.file(name, chunks(200)));
    for kind in [Kind::Transformer, Kind::Aggregator] {
        for threads in [2, 4] {
            let head = Made::of_chunks(|_, _, bytes| Ok(bytes));
            let tail = tail(kind, |source, place| match (source, place.index) {
                ("b", 7) => Err(Failure::new(FailureKind::Fatal, "nothing can work")),
                _ => Ok(()),
            });
            let ran = run(
                &chain(&[head, tail.clone()], FIXED),
                FIXED,
                &paths,
                &settings(threads, 1024),
                Sink::Stream,
            );
            let message = ran.ended.unwrap_err().to_string();
            assert_eq!(message, "b: nothing can work");
            assert_eq!(tail.begun.load(Ordering::SeqCst), 0, "instances are gone");
        }
    }
}

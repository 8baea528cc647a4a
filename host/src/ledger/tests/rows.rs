//! What is put in comes out: entries, jobs, and what is forgotten of them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::thread;

use super::*;
use crate::settings::limits::{LEDGER_BOUND_BYTES_MAX, LEDGER_MESSAGE_BYTES_MAX};

#[test]
fn committed_rows_come_back_whole() {
    let (_dir, path) = place();
    let bytes = b"a/\xff\n\0";
    let output = Some(PathBuf::from(OsStr::from_bytes(b"out/\xfe")));
    let given = Entry { output, ..entry(bytes) };
    let kept = Kept { result: Some(b"{}".to_vec()), saved: Some(Vec::new()), ..Kept::default() };
    {
        let ledger = Ledger::open(&path).unwrap();
        let job = job(&ledger);
        ledger.commit(job, given.clone(), kept.clone()).unwrap();
        commit(&ledger, job, failed("b"));
        ledger.close().unwrap();
    }
    let ledger = Ledger::open(&path).unwrap();
    let job = job(&ledger);
    let reader = ledger.reader().unwrap();
    assert_eq!(reader.entry(job, bytes).unwrap(), Some(given));
    assert_eq!(kept_of(&reader, job, bytes), Some(kept));
    assert_eq!(reader.entry(job, b"b").unwrap(), Some(failed("b")));
    assert_eq!(kept_of(&reader, job, b"b"), Some(Kept::default()));
    assert_eq!(reader.entry(job, b"c").unwrap(), None);
    let other = ledger.job(Digest::of(["other"]), "").unwrap();
    assert_eq!(reader.entry(other, b"b").unwrap(), None);
    assert_eq!(reader.check().unwrap(), Vec::<String>::new());
}

#[test]
fn the_latest_entry_of_a_source_is_the_only_one() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    let job = job(&ledger);
    let kept = Kept { result: Some(b"old".to_vec()), saved: None, ..Kept::default() };
    ledger.commit(job, entry("a"), kept).unwrap();
    commit(&ledger, job, failed("a"));
    let again = Entry { identity: Identity::new("file").with("size", 8), ..entry("a") };
    commit(&ledger, job, again.clone());
    ledger.flush().unwrap();
    let reader = ledger.reader().unwrap();
    assert_eq!(reader.entry(job, b"a").unwrap(), Some(again));
    assert_eq!(kept_of(&reader, job, b"a"), Some(Kept::default()));
    assert_eq!(names(&reader, None, Entries::All), ["a"]);
}

#[test]
fn a_done_version_is_distinguished_from_a_new_one() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    let (job, other) = (job(&ledger), ledger.job(Digest::of(["other"]), "").unwrap());
    commit(&ledger, job, failed("a"));
    commit(&ledger, job, entry("a"));
    commit(&ledger, job, failed("b"));
    commit(&ledger, other, entry("c"));
    ledger.flush().unwrap();
    let done = ledger.reader().unwrap().done(job, Needs::NOTHING).unwrap();
    assert_eq!((done.committed(), done.failed()), (1, 1));
    let (same, new) = (entry("").identity, Identity::new("file").with("size", 8));
    assert_eq!(done.look(b"a", &same), Known::Committed);
    assert_eq!(done.look(b"a", &new), Known::Changed);
    assert_eq!(done.look(b"b", &same), Known::Failed);
    assert_eq!(done.look(b"b", &new), Known::Changed);
    assert_eq!(done.look(b"c", &same), Known::Nothing);
}

#[test]
fn jobs_are_listed_with_their_counts_the_latest_last() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    let (new, old) = (job(&ledger), ledger.job(Digest::of(["old"]), "old").unwrap());
    let empty = ledger.job(Digest::of(["empty"]), "empty").unwrap();
    assert_eq!(job(&ledger), new);
    assert_eq!(ledger.job(Digest::of(["old"]), "renamed").unwrap(), old);
    for entry in [entry("a"), entry("b"), failed("c")] {
        commit(&ledger, new, entry);
    }
    let at = UNIX_EPOCH + Duration::from_secs(5);
    commit(&ledger, old, Entry { at, ..entry("a") });
    ledger.flush().unwrap();
    let jobs = ledger.reader().unwrap().jobs().unwrap();
    let summary = |id, digest, description: &str| JobSummary {
        id,
        digest: Digest::of([digest]),
        description: description.into(),
        committed: 1,
        failed: 0,
        bytes_in: 7,
        bytes_out: 3,
        rejects: 1,
        latest: at,
    };
    let latest = entry("a").at;
    let expected = JobSummary {
        committed: 2,
        failed: 1,
        bytes_in: 21,
        bytes_out: 9,
        rejects: 3,
        latest,
        ..summary(new, "job", "a job")
    };
    assert_eq!(jobs, [summary(old, "old", "renamed"), expected]);
    // The name of a job holds as long as the ledger is open, entries or not.
    commit(&ledger, empty, entry("a"));
    ledger.close().unwrap();
}

#[test]
fn forgotten_entries_are_gone_and_counted() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    let (one, two) = (job(&ledger), ledger.job(Digest::of(["two"]), "two").unwrap());
    for job in [one, two] {
        for entry in [entry("a"), entry("b"), failed("c"), failed("d")] {
            commit(&ledger, job, entry);
        }
    }
    let forget = |selections: Vec<(Option<JobId>, Entries)>| {
        let select = |(job, entries)| Selection { job, entries };
        ledger.forget(selections.into_iter().map(select).collect()).unwrap()
    };
    let of = |name: &str| Entries::Of(name.as_bytes().to_vec());
    let reader = ledger.reader().unwrap();
    assert_eq!(forget(vec![(Some(one), of("a")), (None, of("x")), (None, of("b"))]), [1, 0, 2]);
    assert_eq!(names(&reader, Some(one), Entries::All), ["c", "d"]);
    assert_eq!(names(&reader, Some(two), Entries::All), ["a", "c", "d"]);
    assert_eq!(names(&reader, None, of("c")), ["c", "c"]);
    assert_eq!(forget(vec![(Some(two), Entries::Failed)]), [2]);
    assert_eq!(names(&reader, None, Entries::Failed), ["c", "d"]);
    assert_eq!(forget(vec![(None, Entries::Failed), (None, Entries::All)]), [2, 1]);
    commit(&ledger, one, entry("again"));
    ledger.flush().unwrap();
    assert_eq!(names(&reader, None, Entries::All), ["again"]);
}

#[test]
fn a_hundred_thousand_commits_of_eight_threads_are_all_there() {
    const THREADS: usize = 8;
    const EACH: usize = 12_500;
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    let job = job(&ledger);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let ledger = &ledger;
            scope.spawn(move || {
                let mut before = None;
                for row in 0..EACH {
                    let ticket = commit(ledger, job, entry(format!("{row}/{thread}")));
                    assert!(before < Some(ticket));
                    before = Some(ticket);
                }
                ledger.wait(before.unwrap()).unwrap();
                assert!(before <= Some(ledger.durable()));
            });
        }
    });
    drop(ledger); // what waits is written without a word, too
    let reader = Reader::open(&path).unwrap();
    assert_eq!(reader.jobs().unwrap()[0].committed, (THREADS * EACH) as u64);
    for thread in 0..THREADS {
        for row in (0..EACH).step_by(997) {
            let name = format!("{row}/{thread}");
            assert_eq!(reader.entry(job, name.as_bytes()).unwrap(), Some(entry(name)));
        }
    }
    assert_eq!(reader.check().unwrap(), Vec::<String>::new());
}

#[test]
fn what_is_too_long_is_refused_and_the_ledger_goes_on() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    let job = job(&ledger);
    let name = vec![b'x'; LEDGER_NAME_BYTES_MAX + 1];
    let text = String::from_utf8(name.clone()).unwrap();
    let blob = Some(vec![0; LEDGER_KEPT_BYTES_MAX + 1]);
    let kept = Kept::default();
    let refused = [
        ledger.commit(job, entry(&name), kept.clone()),
        ledger.commit(job, Entry { identity: Identity::new(&text), ..entry("a") }, kept.clone()),
        ledger.commit(job, Entry { output: Some(text.clone().into()), ..entry("a") }, kept),
        ledger.commit(job, entry("a"), Kept { result: blob.clone(), ..Kept::default() }),
        ledger.commit(job, entry("a"), Kept { saved: blob, ..Kept::default() }),
    ];
    for error in refused.into_iter().map(Result::unwrap_err) {
        assert!(matches!(error, Error::TooLong { .. }), "{error}");
    }
    assert!(matches!(ledger.job(Digest::of(["b"]), &text), Err(Error::TooLong { .. })));
    // What is as long as it may be is kept, all of it at once.
    let longest = Entry {
        identity: Identity::new(&text[1..]),
        output: Some(text[1..].into()),
        ..entry(&name[1..])
    };
    let blob = Some(vec![7; LEDGER_KEPT_BYTES_MAX]);
    let kept = Kept { result: blob.clone(), saved: blob, ..Kept::default() };
    ledger.commit(job, longest.clone(), kept.clone()).unwrap();
    ledger.flush().unwrap();
    let reader = ledger.reader().unwrap();
    assert_eq!(reader.entry(job, &name[1..]).unwrap(), Some(longest));
    assert!(kept_of(&reader, job, &name[1..]) == Some(kept));
}

#[test]
fn values_of_any_length_take_the_place_of_each_other() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    let job = job(&ledger);
    let reader = ledger.reader().unwrap();
    // The digest is behind a value, so it may make a long one of it.
    let bound = LEDGER_BOUND_BYTES_MAX;
    let lengths = [None, Some(0), Some(bound - 16), Some(bound - 15), Some(bound), Some(9 * bound)];
    let value = |length: Option<usize>| Some((0..=u8::MAX).cycle().take(length?).collect());
    for result in lengths {
        for saved in lengths {
            let kept = Kept { result: value(result), saved: value(saved), ..Kept::default() };
            ledger.commit(job, entry("a"), kept.clone()).unwrap();
            ledger.flush().unwrap();
            assert!(kept_of(&reader, job, b"a") == Some(kept), "{result:?} and {saved:?}");
        }
    }
    assert_eq!(reader.check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_long_message_is_cut_between_characters() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    let job = job(&ledger);
    let message = format!("x{}", "ä".repeat(LEDGER_MESSAGE_BYTES_MAX));
    let state = State::Failed { kind: "trap".into(), message: message.clone() };
    commit(&ledger, job, Entry { state, ..entry("a") });
    ledger.flush().unwrap();
    let kept = ledger.reader().unwrap().entry(job, b"a").unwrap().unwrap();
    let State::Failed { message: kept, .. } = kept.state else { panic!("it failed") };
    assert_eq!(kept.len(), LEDGER_MESSAGE_BYTES_MAX - 1);
    assert!(message.starts_with(&kept));
}

#[test]
fn times_and_counts_out_of_range_become_the_nearest() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    let job = job(&ledger);
    let before = UNIX_EPOCH - Duration::from_secs(1);
    let after = UNIX_EPOCH + Duration::from_hours(90_000_000);
    commit(&ledger, job, Entry { at: before, bytes_in: u64::MAX, ..entry("before") });
    commit(&ledger, job, Entry { at: after, ..entry("after") });
    ledger.flush().unwrap();
    let reader = ledger.reader().unwrap();
    let kept = reader.entry(job, b"before").unwrap().unwrap();
    assert_eq!((kept.at, kept.bytes_in), (UNIX_EPOCH, i64::MAX.cast_unsigned()));
    let last = UNIX_EPOCH + Duration::from_millis(253_402_300_799_999);
    assert_eq!(reader.entry(job, b"after").unwrap().unwrap().at, last);
}

//! Every call to the kernel fails once: a named error, nothing seen, nothing left.

use super::*;

/// What a worker does with one output, over directories that are not there.
fn write(root: &Root, exists: Exists) -> Result<Committed, FileError> {
    let file = match Pending::create(root, Path::new("x/y/a"), exists)? {
        Created::Pending(file) => file,
        Created::Skipped => return Ok(Committed::Skipped),
    };
    file.write_at(b"hello, ", 0)?;
    file.write_at(b"world and more", 7)?;
    file.truncate(12)?;
    file.commit()
}

/// Runs with the `nth` call failing, from the opening of the root on; returns which call that was.
fn run(nth: usize, cause: Errno, exists: Exists, durable: Durable) -> Option<Call> {
    let dir = scratch();
    let out = dir.path().join("new/out");
    let before = match exists {
        Exists::Replace => {
            fs::create_dir_all(out.join("x/y")).unwrap();
            fs::write(out.join("x/y/a"), "old").unwrap();
            one("new/out/x/y/a", "old")
        }
        Exists::Fail | Exists::Skip => BTreeMap::new(),
    };
    let after = one("new/out/x/y/a", "hello, world");
    let calls = calls(move |at, _| (at == nth).then_some(cause));
    let script = Arc::clone(&calls.script);
    let written = Root::open_by(calls, &out, durable).and_then(|root| write(&root, exists));
    let failed = script.made.lock().get(nth).copied();

    let found = files(dir.path());
    match (written, failed) {
        (Ok(committed), None) => {
            assert_eq!((committed, found), (Committed::Visible, after));
        }
        (Ok(_), Some(call)) => panic!("{call:?} failed with {cause}, and nobody was told"),
        (Err(error), Some(call)) => {
            let message = error.to_string();
            let reason = std::io::Error::from(cause).to_string();
            let path = dir.path().display().to_string();
            assert!(message.starts_with(&path), "{message}");
            assert!(message.contains(": cannot ") && message.ends_with(&reason), "{message}");
            match call {
                // What was there is gone by then, and the new file is whole.
                Call::SyncDirectory if exists == Exists::Replace => assert_eq!(found, after),
                _ => assert_eq!(found, before, "after {call:?}"),
            }
        }
        (Err(error), None) => panic!("{error}, and no call failed"),
    }
    failed
}

#[test]
fn whichever_call_fails_it_is_named_and_nothing_is_seen() {
    for cause in [Errno::NOSPC, Errno::IO, Errno::ACCESS] {
        for exists in Exists::ALL.iter().copied() {
            for durable in Durable::ALL.iter().copied() {
                let calls: Vec<_> =
                    (0..).map_while(|nth| run(nth, cause, exists, durable)).collect();
                let mut expected = vec![
                    Call::OpenRoot,
                    Call::OpenBeneath,
                    Call::Look,
                    Call::Create,
                    Call::Lock,
                    Call::CheckNamed,
                    Call::Write,
                    Call::Write,
                    Call::Truncate,
                ];
                match exists {
                    Exists::Replace => expected.push(Call::Replace),
                    Exists::Fail | Exists::Skip => {
                        expected.extend([Call::Rename, Call::MakeDirectory, Call::OpenChild]);
                    }
                }
                if durable == Durable::Synced {
                    expected.extend([Call::Sync, Call::SyncDirectory]);
                }
                for call in expected {
                    let there = calls.iter().filter(|made| **made == call).count();
                    assert!(there > 0, "{call:?} was never made to fail: {calls:?}");
                }
            }
        }
    }
}

#[test]
fn bytes_are_on_the_disk_before_the_name_and_the_name_before_it_is_said() {
    let dir = scratch();
    let made = |durable: Durable| {
        let calls = Calls::default();
        let script = Arc::clone(&calls.script);
        let out = dir.path().join("new").join(durable.word());
        let root = Root::open_by(calls, &out, durable).unwrap();
        assert_eq!(write(&root, Exists::Fail).unwrap(), Committed::Visible);
        let made = script.made.lock();
        let wanted =
            [Call::MakeDirectory, Call::Write, Call::Sync, Call::Rename, Call::SyncDirectory];
        made.iter().copied().filter(|call| wanted.contains(call)).collect::<Vec<_>>()
    };
    let directory = [Call::MakeDirectory, Call::SyncDirectory];
    let file = [Call::Write, Call::Write, Call::Sync, Call::Rename, Call::SyncDirectory];
    let expected = [&directory[..], &directory, &directory, &directory, &file].concat();
    assert_eq!(made(Durable::Synced), expected);
    let expected = [&[Call::MakeDirectory; 3][..], &[Call::Write, Call::Write, Call::Rename]];
    assert_eq!(made(Durable::Fast), expected.concat());
}

#[test]
fn only_what_could_not_be_removed_is_left() {
    let dir = scratch();
    let calls = calls(|_, call| match call {
        Call::Write => Some(Errno::NOSPC),
        Call::Remove => Some(Errno::IO),
        _ => None,
    });
    let root = Root::open_by(calls, dir.path(), Durable::Fast).unwrap();
    let file = pending(&root, "a", Exists::Fail);
    let error = file.write_at(b"x", 0).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("/a: cannot write at byte 0: No space left on device (os error 28)")
    );
    let error = file.discard().unwrap_err();
    assert!(error.to_string().contains("cannot remove its temporary file"), "{error}");
    let left: Vec<_> = files(dir.path()).into_keys().collect();
    assert!(matches!(&left[..], [name] if is_temporary(name.as_os_str().as_encoded_bytes())));

    let swept = sweep(&Root::open(dir.path(), Durable::Fast).unwrap());
    assert_eq!((swept.removed, swept.in_use, swept.failed), (1, 0, 0));
    assert!(files(dir.path()).is_empty());
}

#[test]
fn a_full_disk_is_reported() {
    let full = Target::open(Path::new("/dev/full"), Exists::Fail, Durable::Fast).unwrap();
    let Target::Device(mut device) = full else { panic!("{full:?}") };
    let error = std::io::Write::write(&mut device, b"x").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
}

#[test]
fn dropped_uncommitted_it_leaves_nothing() {
    let dir = scratch();
    let root = Root::open(dir.path(), Durable::Synced).unwrap();
    let file = pending(&root, "a", Exists::Fail);
    file.write_at(b"half", 0).unwrap();
    assert_eq!(files(dir.path()).len(), 1);
    drop(file);
    pending(&root, "b", Exists::Fail).discard().unwrap();
    assert!(files(dir.path()).is_empty());
}

#[test]
fn a_file_system_without_locks_is_written_to_but_not_swept() {
    for missing in [Errno::NOSYS, Errno::NOTSUP, Errno::NOLCK] {
        let dir = scratch();
        let calls = calls(move |_, call| (call == Call::Lock).then_some(missing));
        let root = Root::open_by(calls, dir.path(), Durable::Fast).unwrap();
        assert_eq!(write(&root, Exists::Fail).unwrap(), Committed::Visible);
        let file = pending(&root, "b", Exists::Fail);
        let swept = sweep(&root);
        assert_eq!((swept.removed, swept.failed), (0, 1));
        assert_eq!(file.commit().unwrap(), Committed::Visible);
    }
}

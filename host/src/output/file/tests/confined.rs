//! Nothing that others do to the tree leads output out of it.

use super::*;

/// With the call that resolves a whole path at once, and without it, as on kernels before 5.6 and
/// under old guards.
fn each_way(test: impl Fn(Calls)) {
    test(Calls::default());
    for missing in [Errno::NOSYS, Errno::PERM] {
        test(calls(move |_, call| (call == Call::OpenBeneath).then_some(missing)));
    }
}

#[test]
fn a_link_below_the_root_is_not_followed() {
    each_way(|calls| {
        let (dir, outside) = (scratch(), scratch());
        fs::create_dir(dir.path().join("real")).unwrap();
        symlink(outside.path(), dir.path().join("away")).unwrap();
        symlink("real", dir.path().join("near")).unwrap();
        symlink(outside.path(), dir.path().join("real/away")).unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let root = Root::open_by(calls, dir.path(), Durable::Synced).unwrap();
        for (name, at) in [
            ("away/a", "away"),
            ("near/a", "near"),
            ("real/away/x/a", "real/away"),
            ("file/a", "file"),
        ] {
            let error = Pending::create(&root, Path::new(name), Exists::Replace).unwrap_err();
            assert!(
                matches!(&error, FileError::NotDirectory(path) if *path == dir.path().join(at)),
                "{error}"
            );
            assert!(error.hint().is_some());
        }
        assert!(files(outside.path()).is_empty());
    });
}

#[test]
fn a_link_in_the_place_of_a_file_is_replaced_not_followed() {
    let (dir, outside) = (scratch(), scratch());
    let target = outside.path().join("precious");
    fs::write(&target, "precious").unwrap();
    symlink(&target, dir.path().join("a")).unwrap();
    symlink("nowhere", dir.path().join("b")).unwrap();
    let root = Root::open(dir.path(), Durable::Fast).unwrap();
    for name in ["a", "b"] {
        let error = Pending::create(&root, Path::new(name), Exists::Fail).unwrap_err();
        assert!(matches!(error, FileError::Exists(_)), "{error}");
        let file = pending(&root, name, Exists::Replace);
        file.write_at(b"new", 0).unwrap();
        assert_eq!(file.commit().unwrap(), Committed::Visible);
        assert!(dir.path().join(name).symlink_metadata().unwrap().is_file());
    }
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
}

#[test]
fn a_path_that_leads_up_or_to_the_root_is_refused() {
    each_way(|calls| {
        let dir = scratch();
        fs::create_dir(dir.path().join("out")).unwrap();
        let root = Root::open_by(calls, &dir.path().join("out"), Durable::Fast).unwrap();
        for name in ["../a", "x/../../a", "/a", "..", "", ".", "x/.."] {
            let error = Pending::create(&root, Path::new(name), Exists::Replace).unwrap_err();
            assert!(matches!(error, FileError::NotBeneath(_)), "{name}: {error}");
        }
        assert!(files(dir.path()).is_empty());
    });
}

#[test]
fn the_root_may_be_named_over_links_and_is_then_fixed() {
    let (dir, outside) = (scratch(), scratch());
    fs::create_dir(dir.path().join("real")).unwrap();
    symlink("real", dir.path().join("out")).unwrap();
    let root = Root::open(&dir.path().join("out"), Durable::Fast).unwrap();
    fs::remove_file(dir.path().join("out")).unwrap();
    symlink(outside.path(), dir.path().join("out")).unwrap();
    assert_eq!(pending(&root, "a/b", Exists::Fail).commit().unwrap(), Committed::Visible);
    assert!(dir.path().join("real/a/b").exists());
    assert!(files(outside.path()).is_empty());
}

#[test]
fn directories_swapped_for_links_all_the_time_lead_nowhere() {
    each_way(|calls| {
        let (dir, outside) = (scratch(), scratch());
        let (real, link) = (dir.path().join("x"), dir.path().join("link"));
        fs::create_dir(&real).unwrap();
        symlink(outside.path(), &link).unwrap();
        let root = Root::open_by(calls, dir.path(), Durable::Fast).unwrap();
        let (mut written, mut refused) = (0, 0);
        std::thread::scope(|scope| {
            let done = Done::default();
            let is_done = done.watch();
            scope.spawn(move || {
                let (cwd, swap) = (rustix::fs::CWD, rustix::fs::RenameFlags::EXCHANGE);
                while !is_done() {
                    rustix::fs::renameat_with(cwd, &real, cwd, &link, swap).unwrap();
                }
            });
            for at in 0.. {
                if written >= 200 && refused >= 200 {
                    break;
                }
                assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
                let name = format!("x/y{}/{at}", at % 7);
                match Pending::create(&root, Path::new(&name), Exists::Replace) {
                    Ok(Created::Pending(file)) => {
                        file.write_at(b"x", 0).unwrap();
                        assert_eq!(file.commit().unwrap(), Committed::Visible);
                        written += 1;
                    }
                    Ok(Created::Skipped) => panic!("{name} was skipped"),
                    Err(FileError::NotDirectory(_)) => refused += 1,
                    Err(error) => panic!("{error}"),
                }
            }
        });
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    });
}

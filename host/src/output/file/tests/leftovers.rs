//! Temporary files whose run was killed are removed; others stay.

use std::process::{Command, Stdio};

use super::*;

const LEFT: &str = ".a.gristmill-0123456789abcdef.part";

fn swept(dir: &Path) -> (u64, u64, u64) {
    let swept = sweep(&Root::open(dir, Durable::Fast).unwrap());
    assert_eq!(swept.failed > 0, swept.first_failure.is_some());
    (swept.removed, swept.in_use, swept.failed)
}

#[test]
fn leftovers_go_and_files_in_use_stay() {
    let dir = scratch();
    let root = Root::open(dir.path(), Durable::Fast).unwrap();
    let file = pending(&root, "x/y/held", Exists::Fail);
    file.write_at(b"held", 0).unwrap();
    for left in [LEFT.to_string(), format!("x/{LEFT}"), format!("x/y/{LEFT}")] {
        fs::write(dir.path().join(left), "left").unwrap();
    }
    fs::write(dir.path().join("x/.other.part"), "theirs").unwrap();
    assert_eq!(swept(dir.path()), (3, 1, 0));
    assert_eq!(swept(dir.path()), (0, 1, 0));
    assert_eq!(file.commit().unwrap(), Committed::Visible);
    assert_eq!(swept(dir.path()), (0, 0, 0));
    let (theirs, held) = (one("x/.other.part", "theirs"), one("x/y/held", "held"));
    assert_eq!(files(dir.path()), theirs.into_iter().chain(held).collect());
}

#[test]
fn a_lock_that_another_process_holds_counts_and_ends_with_it() {
    let dir = scratch();
    let left = dir.path().join(LEFT);
    fs::write(&left, "left").unwrap();
    // `cat` runs with the lock until its standard input ends, and says so by what it passes on.
    let mut holder = Command::new("flock")
        .args(["--no-fork".as_ref(), left.as_os_str(), "cat".as_ref()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(holder.stdin.as_mut().unwrap(), b"!").unwrap();
    std::io::Read::read_exact(holder.stdout.as_mut().unwrap(), &mut [0]).unwrap();
    assert_eq!(swept(dir.path()), (0, 1, 0));
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert_eq!(swept(dir.path()), (1, 0, 0));
    assert!(!left.exists());
}

#[test]
fn links_and_other_things_with_our_names_are_left_alone() {
    let (dir, outside) = (scratch(), scratch());
    let precious = outside.path().join(LEFT);
    fs::write(&precious, "precious").unwrap();
    symlink(&precious, dir.path().join(LEFT)).unwrap();
    symlink(outside.path(), dir.path().join("away")).unwrap();
    fs::create_dir(dir.path().join(".b.gristmill-0123456789abcdef.part")).unwrap();
    assert_eq!(swept(dir.path()), (0, 0, 0));
    assert!(precious.exists() && dir.path().join(LEFT).is_symlink());
}

#[test]
fn a_sweep_that_finds_a_new_file_first_only_costs_its_writer_another_name() {
    let dir = scratch();
    let out = dir.path().to_path_buf();
    // Swept between its creation and its lock, the first two times.
    let left = Mutex::new(2);
    let calls = calls(move |_, call| {
        let mut left = left.lock();
        if call == Call::Lock && *left > 0 {
            *left -= 1;
            assert_eq!(swept(&out), (1, 0, 0));
        }
        None
    });
    let root = Root::open_by(calls, dir.path(), Durable::Fast).unwrap();
    let file = pending(&root, "a", Exists::Fail);
    file.write_at(b"x", 0).unwrap();
    assert_eq!(file.commit().unwrap(), Committed::Visible);
    assert_eq!(files(dir.path()), one("a", "x"));
}

#[test]
fn sweeps_and_writers_at_once_lose_nothing() {
    let dir = scratch();
    let root = Root::open(dir.path(), Durable::Fast).unwrap();
    std::thread::scope(|scope| {
        let done = Done::default();
        let is_done = done.watch();
        let dir = dir.path();
        scope.spawn(move || {
            while !is_done() {
                assert_eq!(swept(dir).2, 0);
            }
        });
        for at in 0..2000 {
            let file = pending(&root, &format!("{}/{at}", at % 3), Exists::Fail);
            file.write_at(at.to_string().as_bytes(), 0).unwrap();
            assert_eq!(file.commit().unwrap(), Committed::Visible);
        }
    });
    let found = files(dir.path());
    assert_eq!(found.len(), 2000);
    assert!(found.iter().all(|(path, text)| path.file_name().unwrap() == text.as_str()));
}

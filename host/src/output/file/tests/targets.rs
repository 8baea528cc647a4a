//! The one file that a user names for all output.

use std::io::{Read, Write};
use std::process::Command;

use super::*;

fn open(path: &Path, exists: Exists) -> Result<Target, FileError> {
    Target::open(path, exists, Durable::Synced)
}

#[test]
fn a_new_file_is_seen_when_it_is_whole() {
    let dir = scratch();
    let path = dir.path().join("a");
    let Target::File(file) = open(&path, Exists::Fail).unwrap() else { panic!() };
    file.write_at(b"x", 0).unwrap();
    assert!(!path.exists());
    assert_eq!(file.commit().unwrap(), Committed::Visible);
    assert!(matches!(open(&path, Exists::Fail).unwrap_err(), FileError::Exists(_)));
    assert!(matches!(open(&path, Exists::Skip).unwrap(), Target::Skipped));
    let Target::File(file) = open(&path, Exists::Replace).unwrap() else { panic!() };
    file.discard().unwrap();
    assert_eq!(files(dir.path()), one("a", "x"));
}

#[test]
fn a_directory_is_no_file_and_its_directory_must_be_there() {
    let dir = scratch();
    for name in ["", "new/"] {
        let error = open(&dir.path().join(name), Exists::Replace).unwrap_err();
        assert!(matches!(error, FileError::IsDirectory(_)), "{error}");
    }
    let error = open(&dir.path().join("x/a"), Exists::Replace).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("/x: cannot open the directory: No such file or directory (os error 2)"),
        "{error}"
    );
}

#[test]
fn devices_and_pipes_are_written_to_as_they_are() {
    let dir = scratch();
    let Target::Device(mut null) = open(Path::new("/dev/null"), Exists::Fail).unwrap() else {
        panic!()
    };
    null.write_all(b"gone").unwrap();
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());

    let fifo = dir.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let reader = std::thread::spawn({
        let fifo = fifo.clone();
        move || fs::read_to_string(fifo).unwrap()
    });
    let Target::Device(mut pipe) = open(&fifo, Exists::Fail).unwrap() else { panic!() };
    pipe.write_all(b"through").unwrap();
    drop(pipe);
    assert_eq!(reader.join().unwrap(), "through");
    assert!(fs::metadata(&fifo).unwrap().file_type().is_fifo());
}

#[test]
fn standard_output_is_the_one_that_there_is() {
    for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/dev/stderr"] {
        let Target::Device(device) = open(Path::new(name), Exists::Fail).unwrap() else {
            panic!("{name}")
        };
        let ours = if name == "/dev/stderr" { "/dev/fd/2" } else { "/dev/fd/1" };
        let (ours, opened) = (fs::metadata(ours).unwrap(), device.metadata().unwrap());
        assert_eq!((ours.dev(), ours.ino()), (opened.dev(), opened.ino()), "{name}");
    }
}

#[test]
fn a_file_behind_a_descriptor_keeps_what_it_has() {
    let dir = scratch();
    let mut other = fs::File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(dir.path().join("a"))
        .unwrap();
    other.write_all(b"before ").unwrap();
    let name = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&other));
    let Target::Device(mut device) = open(Path::new(&name), Exists::Fail).unwrap() else {
        panic!()
    };
    device.write_all(b"and after").unwrap();
    let mut text = String::new();
    std::io::Seek::rewind(&mut other).unwrap();
    other.read_to_string(&mut text).unwrap();
    assert_eq!(text, "before and after");
}

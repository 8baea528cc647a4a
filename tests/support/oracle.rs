//! Programs that nobody here wrote, to compare results with.

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

/// What a program prints when it is given `stdin`. Fails the test when the program is missing or fails.
pub(crate) fn oracle(program: &str, args: &[&str], stdin: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(args)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; this test compares with it: install it"));
    let mut pipe = child.stdin.take().unwrap();
    let output = thread::scope(|scope| {
        scope.spawn(move || pipe.write_all(stdin).unwrap());
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{program} {args:?}: {}", output.status);
    output.stdout
}

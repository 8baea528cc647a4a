//! Runs that are killed, and enough sources for that.

use std::process::Child;
use std::thread;
use std::time::Duration;

use super::tree::Tree;

/// How many [`sources`] there are.
pub(crate) const SOURCES: usize = 500;

/// A tree of small sources.
pub(crate) fn sources() -> Tree {
    let tree = Tree::new();
    for n in 0..SOURCES {
        // Every 25th has several chunks.
        let lines = if n % 25 == 0 { 3_000 } else { 1 + n % 40 };
        tree.file(&format!("in/{}/{n}.txt", n % 7), format!("line of {n}\n").repeat(lines));
    }
    tree
}

/// Lets it run for so long at most; whether it came to its end.
pub(crate) fn killed_after(mut child: Child, time: Duration) -> bool {
    thread::sleep(time);
    child.kill().unwrap();
    child.wait().unwrap().success()
}

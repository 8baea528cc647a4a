//! The command line as its user meets it: exit code, standard output and standard error of whole
//! calls.

mod cache;
mod doctor;
mod flags;
mod inputs;
mod inspect;
mod installed;
mod interrupt;
mod ledger;
mod local;
mod pipeline;
mod places;
mod results;

use crate::support::host::{Ended, Host};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// Some words, in files and directories.
fn words() -> Tree {
    Tree::with(&[
        ("one.txt", "alpha beta\ngamma\n"),
        ("two.log", "no final newline"),
        ("sub/three.txt", "a b c\n"),
        ("sub/deep/four.txt", ""),
    ])
}

/// `host run --plugin wordcount.wasm ARGS` among those words.
fn wordcount(args: &[&str]) -> Ended {
    let tree = words();
    Host::run(&plugin("wordcount")).within(tree.path()).args(args).ended()
}

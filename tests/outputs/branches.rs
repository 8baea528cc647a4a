//! What is none of the results of several plugins is a failure: never a source, or a total, without
//! rows.

use std::io;

use gristmill::job::Out;
use gristmill::output::Format;
use gristmill::process::{FailureKind, Scope};
use gristmill::settings::Run;

use crate::support::job::{Task, run_lanes};
use crate::support::made::{Made, chain};
use crate::support::tree::Tree;

#[test]
fn bytes_that_are_no_results_of_several_plugins_fail_their_source_and_the_total() {
    let tree = Tree::with(&[("a", "a\n"), ("b", "b\n")]);
    let paths = ["a", "b"].map(|name| tree.path().join(name));
    // Its result is what it has read, though two plugins are said to be behind it.
    let processor = chain(&[Made::collecting(Scope::Chunk)], "lines");
    let task = Task { processor: &processor, framing: "lines", format: Format::Jsonl };
    for threads in [1, 3] {
        let settings = Run { threads, ..Run::default() };
        let out = Out::Stream(Box::new(io::sink()));
        let ran = run_lanes(&["one", "two"], task, &paths, &settings, out);
        let summary = ran.ended.unwrap();
        assert_eq!((ran.failed, summary.total_failed), (2, true));
        let message: Vec<_> = ran.failures.iter().map(|(_, it)| (it.kind, &*it.message)).collect();
        let expected = |form: u8| {
            format!("results of several plugins in form {form}, where this host reads form 2")
        };
        let [a, b] = [b'a', b'b'].map(expected);
        assert_eq!(message[..2], [(FailureKind::Output, &*a), (FailureKind::Output, &*b)]);
        assert_eq!((message.len(), message[2].0), (3, FailureKind::Output));
    }
}

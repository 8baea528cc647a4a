//! Each place where the output of a run in this process may go.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gristmill::job::{Out, TreeOut};
use gristmill::output::{Created, Pending, Root};
use gristmill::settings::{Durable, Exists, Run};

use super::{files, visible};
use crate::support::job::{self, Ran, Task};
use crate::support::tree::Tree;

/// Where output goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sink {
    Stream,
    File,
    Tree,
}

pub(super) const SINKS: [Sink; 3] = [Sink::Stream, Sink::File, Sink::Tree];

/// What a run left: how it ended, and the files below its output directory.
pub(super) struct Left {
    pub(super) ran: Ran,
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

/// Runs a task into a sink; in a tree, `place` names the files of sources and members.
pub(super) fn run_into(
    task: Task<'_>,
    paths: &[PathBuf],
    settings: &Run,
    sink: Sink,
    place: &(dyn Fn(usize, Option<&Path>) -> PathBuf + Sync),
) -> Left {
    let out = Tree::new();
    let root = Root::open(out.path(), Durable::Fast).unwrap();
    let ran = match sink {
        Sink::Stream => job::run(task, paths, settings),
        Sink::File => {
            let created = Pending::create(&root, Path::new("all"), Exists::Fail).unwrap();
            let Created::Pending(file) = created else { panic!("it is not there") };
            job::run_into(task, paths, settings, Out::File(file))
        }
        Sink::Tree => {
            let place = |index: usize, member: Option<&Path>| Ok(place(index, member));
            let tree = TreeOut { root: &root, exists: Exists::Fail, place: &place };
            job::run_into(task, paths, settings, Out::Tree(tree))
        }
    };
    let files = files(out.path());
    assert_eq!(visible(out.path()).len(), files.len(), "nothing temporary is left");
    Left { ran, files }
}

impl Left {
    /// All that came out, of sources in the order of their outputs' names.
    pub(super) fn joined(&self) -> Vec<u8> {
        let files = self.files.values().flatten().copied();
        self.ran.out.iter().copied().chain(files).collect()
    }
}

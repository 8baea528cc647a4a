//! An archive that is changed after its members were listed, or while one is read: the failure
//! `changed`, never a wrong result.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use gristmill::output::Format;
use gristmill::plugin::{Engine, Plugin};
use gristmill::process::FailureKind;
use gristmill::settings::{Io, Run};

use super::bytes::{Zipped, tar, tarred, zip};
use crate::support::guest::Guest;
use crate::support::job::{self, Task};
use crate::support::meddle::Meddled;
use crate::support::tree::Tree;

/// Runs an echo over an archive of three members, while `meddle` happens at the first chunk of the
/// second.
fn assert_changed(plugin: &Plugin, name: &str, archive: &[u8], meddle: &(dyn Fn(&Path) + Sync)) {
    for (threads, io) in [(1, Io::Read), (2, Io::Read), (1, Io::Mmap)] {
        let tree = Tree::new();
        let path = tree.file(name, archive);
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 30);
        File::options().write(true).open(&path).unwrap().set_modified(long_ago).unwrap();
        let meddle = || meddle(&path);
        let processor = Meddled { inner: plugin, victim: "!/b", at: 0, meddle: &meddle };
        let task = Task { processor: &processor, framing: "lines", format: Format::Raw };
        let settings = Run { threads, io, ..Run::default() };
        let ran = job::run(task, std::slice::from_ref(&path), &settings);
        let failed: Vec<_> = ran
            .failures
            .iter()
            .map(|(name, failure)| (&name[name.len() - 1..], failure.kind))
            .collect();
        assert!(
            failed.contains(&("b", FailureKind::Changed)),
            "{name} {threads} {io:?}: {failed:?}"
        );
        if threads == 1 {
            assert_eq!(failed[1], ("c", FailureKind::Changed), "{name} {io:?}");
            // It has a row of its own, and is all of the total.
            assert_eq!(ran.out, b"first\nfirst\n", "{name} {io:?}");
        }
    }
}

#[test]
fn a_member_of_an_archive_that_changed_has_no_result() {
    let (plugins, engine) = (Tree::new(), Engine::new().unwrap());
    let plugin = job::load(&engine, &Guest::default().file(&plugins), &[]);
    let members = [("a", "first\n"), ("b", "second\n"), ("c", "third\n")];
    let stored = members.map(|(name, text)| Zipped::stored(name, text.as_bytes()));
    let deflated = members.map(|(name, text)| Zipped::deflated(name, text.as_bytes()));
    let tarred = members.map(|(name, text)| tarred(name.as_bytes(), b'0', text.as_bytes()));
    for (name, archive) in
        [("s.zip", zip(&stored, None)), ("d.zip", zip(&deflated, None)), ("t.tar", tar(&tarred))]
    {
        // Written to in place, with the same size.
        assert_changed(&plugin, name, &archive, &|path| {
            let file = File::options().write(true).open(path).unwrap();
            std::os::unix::fs::FileExt::write_all_at(
                &file,
                b"?",
                700.min(archive.len() as u64 - 1),
            )
            .unwrap();
        });
        assert_changed(&plugin, name, &archive, &|path| {
            File::options().append(true).open(path).unwrap().set_len(1 << 20).unwrap();
        });
    }
}

/// A reader that opens the name again gets a new file, not the one that was listed.
#[test]
fn an_archive_that_was_replaced_is_not_read() {
    let tree = Tree::with(&[("a.tar", tar(&[tarred(b"a", b'0', b"x\n")]))]);
    let paths = vec![tree.path().join("a.tar")];
    let request = gristmill::source::Request { paths, threads: 1, ..Default::default() };
    let mut listing = gristmill::source::list(&request).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let expansion = gristmill::input::Expansion::new(10, 1, &stop);
    gristmill::input::expand(&mut listing, &expansion).unwrap();
    tree.file("b", tar(&[tarred(b"a", b'0', b"y\n")]));
    fs::rename(tree.path().join("b"), tree.path().join("a.tar")).unwrap();
    let opened = gristmill::input::Input::open(
        &mut gristmill::input::Opener::default(),
        &listing.sources[0],
        &gristmill::input::Access::default(),
    );
    assert_eq!(opened.unwrap_err().to_string(), "changed while it was read: it was written to");
}

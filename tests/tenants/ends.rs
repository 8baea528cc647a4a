//! How jobs end that do not run to their end, and what becomes of the others.

use std::time::Duration;

use gristmill::tenant::{JobError, Limits, Refused};

use super::{echo, endless, files, host, job, out, plugin, tenant, with_timeout};
use crate::support::tree::Tree;

#[test]
fn cancelling_one_leaves_the_other() {
    let tree = Tree::new();
    let host = host(2);
    host.add(tenant(&tree, "a", Limits::default())).unwrap();
    let text = files(&tree, "a", 50, 1000);
    let spin = plugin(&tree, "spin.wasm", &endless());
    let spinning =
        host.submit("a", with_timeout(job(spin, "spun"), Duration::from_secs(5))).unwrap();
    let good = host.submit("a", job(plugin(&tree, "echo.wasm", &echo()), "out")).unwrap();
    spinning.cancel();
    assert!(matches!(&*spinning.wait(), Err(JobError::Cancelled)));
    assert_eq!(good.wait().as_ref().as_ref().unwrap().summary.failed, 0);
    assert_eq!(out(&tree, "a", "out"), text);
    assert!(!tree.path().join("a/out/spun").exists());
    let progress = good.progress();
    let bytes = text.len() as u64;
    assert_eq!((progress.sources, progress.done, progress.failed), (Some(50), 50, 0));
    assert_eq!((progress.bytes_in, progress.bytes_out), (bytes, bytes));
}

#[test]
fn a_job_goes_on_when_its_handle_is_dropped_and_ends_with_its_host() {
    let tree = Tree::new();
    let host = host(1);
    host.add(tenant(&tree, "a", Limits::default())).unwrap();
    let text = files(&tree, "a", 3, 1000);
    let echo = plugin(&tree, "echo.wasm", &echo());
    drop(host.submit("a", job(echo.clone(), "first")).unwrap());
    while host.used("a").unwrap().jobs > 0 {
        std::thread::yield_now();
    }
    assert_eq!(out(&tree, "a", "first"), text);

    let spin = plugin(&tree, "spin.wasm", &endless());
    let spec = with_timeout(job(spin, "second"), Duration::from_secs(5));
    let spinning = host.submit("a", spec).unwrap();
    drop(host);
    assert!(spinning.progress().has_ended);
    assert!(matches!(&*spinning.wait(), Err(JobError::Cancelled)));
}

#[test]
fn what_cannot_be_run_is_reported() {
    let tree = Tree::new();
    let host = host(1);
    host.add(tenant(&tree, "a", Limits::default())).unwrap();
    let broken = tree.file("broken.wasm", "no wasm");
    assert!(matches!(&*host.submit("a", job(broken, "x")).unwrap().wait(), Err(JobError::Spec(_))));
    let plugin = plugin(&tree, "echo.wasm", &echo());
    let unknown = host.submit("b", job(plugin, "x")).err();
    assert_eq!(unknown, Some(Refused::Unknown { name: "b".into() }));
    let again = host.add(tenant(&tree, "a", Limits::default()));
    assert_eq!(again, Err(Refused::Known { name: "a".into() }));
    let mut odd = tenant(&tree, "c", Limits::default());
    odd.name = "../c".into();
    assert!(matches!(host.add(odd), Err(Refused::Name { .. })));
    let mut heavy = tenant(&tree, "d", Limits::default());
    heavy.weight = 0;
    assert_eq!(host.add(heavy), Err(Refused::Weight { weight: 0 }));
}

#[test]
fn a_failing_source_fails_alone_and_is_reported_with_its_name() {
    let tree = Tree::new();
    let host = host(2);
    host.add(tenant(&tree, "a", Limits::default())).unwrap();
    files(&tree, "a", 3, 100);
    let mut spec = job(plugin(&tree, "echo.wasm", &echo()), "out");
    spec.inputs.files.push("nowhere".into());
    let ended = host.submit("a", spec).unwrap().wait();
    let ended = ended.as_ref().as_ref().unwrap();
    assert_eq!((ended.summary.sources, ended.summary.failed), (4, 1));
    assert!(ended.failures[0].0.ends_with("nowhere"), "{:?}", ended.failures);
}

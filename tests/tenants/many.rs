//! Jobs side by side: exact results, and nobody is kept from them.

use std::time::Duration;

use gristmill::settings::Format;
use gristmill::spec::{Size, Time};
use gristmill::tenant::{JobError, Limits};

use super::{echo, endless, files, host, job, out, plugin, tenant, with_timeout};
use crate::support::guest::Guest;
use crate::support::tree::Tree;

#[test]
fn a_hundred_jobs_of_ten_tenants_give_exact_results() {
    let tree = Tree::new();
    let host = host(2);
    let plugin = plugin(&tree, "echo.wasm", &echo());
    let names: Vec<String> = (0..10).map(|tenant| format!("tenant-{tenant}")).collect();
    let mut jobs = Vec::new();
    let mut texts = Vec::new();
    for name in &names {
        texts.push(files(&tree, name, 5, 3000));
        host.add(tenant(&tree, name, Limits::default())).unwrap();
    }
    for number in 0..10 {
        for name in &names {
            let mut spec = job(plugin.clone(), &format!("{number}"));
            spec.inputs.chunk_size = Some(Size(256));
            jobs.push(host.submit(name, spec).unwrap());
        }
    }
    for job in jobs {
        let ended = job.wait();
        let ended = ended.as_ref().as_ref().unwrap();
        assert_eq!((ended.summary.sources, ended.summary.failed), (5, 0));
        assert!(job.progress().has_ended);
    }
    for (name, text) in names.iter().zip(&texts) {
        for number in 0..10 {
            assert_eq!(&out(&tree, name, &number.to_string()), text, "{name} {number}");
        }
        let used = host.used(name).unwrap();
        let bytes = 10 * text.len() as u64;
        assert_eq!((used.bytes_in, used.bytes_out, used.jobs), (bytes, bytes, 0));
        assert!(used.cpu > Duration::ZERO);
    }
}

#[test]
fn who_spins_to_the_deadline_of_every_call_does_not_keep_others_from_their_results() {
    let tree = Tree::new();
    let host = host(2);
    for name in ["hostile", "good"] {
        host.add(tenant(&tree, name, Limits::default())).unwrap();
    }
    files(&tree, "hostile", 400, 100);
    let text = files(&tree, "good", 20, 200_000);
    let spin = plugin(&tree, "spin.wasm", &endless());
    let hostile =
        host.submit("hostile", with_timeout(job(spin, "out"), Duration::from_millis(500)));
    let hostile = hostile.unwrap();
    let good = host.submit("good", job(plugin(&tree, "echo.wasm", &echo()), "out")).unwrap();
    let ended = good.wait();
    assert_eq!(ended.as_ref().as_ref().unwrap().summary.failed, 0);
    assert_eq!(out(&tree, "good", "out"), text);
    // It has 200 s of spinning before it.
    assert!(!hostile.progress().has_ended);
    hostile.cancel();
    assert!(matches!(&*hostile.wait(), Err(JobError::Cancelled)));
}

/// With one turn for all, and a deadline that is longer than the test: it is in the middle of a
/// call that the other has to wait.
#[test]
fn who_is_in_a_long_call_makes_way_within_it() {
    let tree = Tree::new();
    let host = host(1);
    for name in ["hostile", "good"] {
        host.add(tenant(&tree, name, Limits::default())).unwrap();
    }
    files(&tree, "hostile", 1, 100);
    let text = files(&tree, "good", 20, 200_000);
    let spin = plugin(&tree, "spin.wasm", &endless());
    let mut spec = job(spin, "out");
    spec.sandbox.timeout = Time(Duration::from_secs(5));
    let hostile = host.submit("hostile", spec).unwrap();
    while host.used("hostile").unwrap().cpu < Duration::from_millis(50) {
        std::thread::yield_now(); // it is charged at each tick: so it is in its call
    }
    let good = host.submit("good", job(plugin(&tree, "echo.wasm", &echo()), "out")).unwrap();
    assert_eq!(good.wait().as_ref().as_ref().unwrap().summary.failed, 0);
    assert_eq!(out(&tree, "good", "out"), text);
    assert!(!hostile.progress().has_ended, "its only call has not come to its deadline");
    hostile.cancel();
    assert!(matches!(&*hostile.wait(), Err(JobError::Cancelled)));
}

/// All of them at the same time, and each as if nobody else were there.
#[test]
fn who_crashes_or_is_stopped_fails_alone() {
    let tree = Tree::new();
    let host = host(2);
    let grow = "(drop (memory.grow (i32.const 60000))) (unreachable)";
    let guests = [
        ("traps", Guest { push: "(unreachable)", ..echo() }, "trap"),
        ("grows", Guest { push: grow, ..echo() }, "memory"),
        ("spins", endless(), "timeout"),
    ];
    host.add(tenant(&tree, "good", Limits::default())).unwrap();
    let text = files(&tree, "good", 200, 20_000);
    let mut bad = Vec::new();
    for (name, guest, word) in &guests {
        host.add(tenant(&tree, name, Limits::default())).unwrap();
        files(&tree, name, 20, 1000);
        let spec = job(plugin(&tree, &format!("{name}.wasm"), guest), "out");
        bad.push((host.submit(name, with_timeout(spec, Duration::from_millis(20))), word));
    }
    let good = host.submit("good", job(plugin(&tree, "echo.wasm", &echo()), "out")).unwrap();
    for (job, word) in bad {
        let ended = job.unwrap().wait();
        let ended = ended.as_ref().as_ref().unwrap();
        assert_eq!((ended.summary.sources, ended.summary.failed), (20, 20), "{word}");
        for (source, failure) in &ended.failures {
            assert_eq!(failure.kind.word(), *word, "{source}: {failure:?}");
        }
    }
    assert_eq!(good.wait().as_ref().as_ref().unwrap().summary.failed, 0);
    assert_eq!(out(&tree, "good", "out"), text);
    assert_eq!(good.progress().failed, 0);
}

#[test]
fn results_are_those_of_a_run_on_its_own_whatever_its_sources_are() {
    let tree = Tree::new();
    let host = host(1);
    host.add(tenant(&tree, "a", Limits::default())).unwrap();
    let text = files(&tree, "a", 1, 3_000_000);
    let packed = crate::support::pack::gzip(&text);
    tree.file("a/in/0001.gz", &packed);
    let joined = [text.as_slice(), &text].concat();
    for (world, name) in [("transformer", "echo.wasm"), ("aggregator", "joined.wasm")] {
        let guest = Guest { world, ..echo() };
        let mut spec = job(plugin(&tree, name, &guest), name);
        spec.work.threads = Some(8); // one turn, one thread
        if world == "aggregator" {
            spec.output.per_source = true;
            spec.output.format = Some(Format::Raw);
        }
        let ended = host.submit("a", spec).unwrap().wait();
        assert_eq!(ended.as_ref().as_ref().unwrap().summary.sources, 2, "{world}");
        assert_eq!(out(&tree, "a", name), joined, "{world}");
    }
}

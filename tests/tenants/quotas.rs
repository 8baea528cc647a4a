//! What a tenant may ask for and use: each bound ends or refuses a job by its name, with figures.

use std::path::PathBuf;
use std::time::Duration;

use gristmill::job::{fit_window, need};
use gristmill::process::Kind;
use gristmill::settings::{Ceiling, Quotas, Sandbox};
use gristmill::spec::{JobSpec, Size};
use gristmill::tenant::{Host, JobError, Limits, Options, QuotaExceeded, Refused, Which};

use super::{echo, endless, files, host, job, out, plugin, tenant, with_timeout};
use crate::account;
use crate::support::tree::Tree;

fn limits(quotas: Quotas) -> Limits {
    Limits { quotas, ..Limits::default() }
}

/// How a job over 100 files of 1000 bytes ends with these quotas.
fn exceeded(quotas: Quotas, guest: &crate::support::guest::Guest) -> QuotaExceeded {
    let tree = Tree::new();
    let host = host(2);
    host.add(tenant(&tree, "a", limits(quotas))).unwrap();
    files(&tree, "a", 100, 1000);
    let spec = with_timeout(job(plugin(&tree, "p.wasm", guest), "out"), Duration::from_millis(20));
    let ended = host.submit("a", spec).unwrap().wait();
    let Err(JobError::Quota(exceeded)) = &*ended else { panic!("{ended:?}") };
    assert!(!tree.path().join("a/out/out").exists(), "what is not whole is not seen");
    let again = host.submit("a", job(tree.path().join("p.wasm"), "out")).err().unwrap();
    assert!(matches!(again, Refused::Quota(_)), "{again}");
    exceeded.clone()
}

#[test]
fn each_quota_ends_a_job_by_its_name() {
    let quotas = Quotas { bytes_in: Some(50_000), ..Quotas::default() };
    let message = exceeded(quotas, &echo());
    assert_eq!((message.which, message.allowed), (Which::BytesIn, 50_000));
    assert!(message.used > 50_000);

    let quotas = Quotas { bytes_out: Some(50_000), ..Quotas::default() };
    let message = exceeded(quotas, &echo());
    assert_eq!((message.which, message.allowed), (Which::BytesOut, 50_000));
    assert!(message.used > 50_000);

    // 100 calls of 20 ms are more than it may have, on any machine.
    let quotas = Quotas { cpu: Some(Duration::from_millis(300)), ..Quotas::default() };
    let message = exceeded(quotas, &endless());
    assert_eq!((message.which, message.allowed), (Which::Cpu, 300));
    assert!(message.used > 300, "{message}");
}

/// It is charged at each tick, so a call that would go on for long ends with it.
#[test]
fn a_quota_of_processor_time_ends_a_job_within_a_call() {
    let tree = Tree::new();
    let host = host(2);
    let quotas = Quotas { cpu: Some(Duration::from_millis(200)), ..Quotas::default() };
    host.add(tenant(&tree, "a", limits(quotas))).unwrap();
    files(&tree, "a", 1, 100);
    let spin = plugin(&tree, "spin.wasm", &endless());
    let spec = with_timeout(job(spin, "out"), Duration::from_secs(5));
    let ended = host.submit("a", spec).unwrap().wait();
    let Err(JobError::Quota(exceeded)) = &*ended else { panic!("{ended:?}") };
    assert_eq!((exceeded.which, exceeded.allowed), (Which::Cpu, 200));
    // Two ticks beyond it, where nobody else is at the machine; far from its deadline, where
    // somebody is.
    let used = host.used("a").unwrap().cpu;
    assert!(used < Duration::from_secs(1), "{used:?}");
}

#[test]
fn a_tenant_has_so_many_jobs_at_the_same_time() {
    let tree = Tree::new();
    let host = host(1);
    let quotas = Quotas { jobs: Some(2), ..Quotas::default() };
    host.add(tenant(&tree, "a", limits(quotas))).unwrap();
    host.add(tenant(&tree, "b", Limits::default())).unwrap();
    files(&tree, "a", 400, 100);
    let spin = plugin(&tree, "spin.wasm", &endless());
    let submit =
        |name| host.submit(name, with_timeout(job(spin.clone(), name), Duration::from_secs(5)));
    let jobs = [submit("a").unwrap(), submit("a").unwrap()];
    let Err(Refused::Quota(refused)) = submit("a") else { panic!("a third job") };
    assert_eq!((refused.which, refused.used, refused.allowed), (Which::Jobs, 3, 2));
    let other = submit("b").unwrap();
    for job in &jobs {
        job.cancel();
        assert!(matches!(&*job.wait(), Err(JobError::Cancelled)));
    }
    assert_eq!(other.wait().as_ref().as_ref().unwrap().summary.sources, 0);
    let third = submit("a").unwrap();
    third.cancel();
    third.wait();
}

#[test]
fn a_job_stays_below_the_ceiling_of_its_tenant() {
    let tree = Tree::new();
    let host = host(1);
    let (memory_bytes, timeout) = (1 << 20, Duration::from_secs(1));
    let sandbox = Sandbox { memory_bytes, timeout, ..Sandbox::default() };
    let ceiling = Ceiling { sandbox, ..Ceiling::default() };
    host.add(tenant(&tree, "a", Limits { ceiling, ..Limits::default() })).unwrap();
    let plugin = plugin(&tree, "echo.wasm", &echo());
    let mut spec = job(plugin.clone(), "out");
    spec.sandbox.memory = Size(2 << 20);
    let refused = host.submit("a", spec).err().unwrap();
    let message = "memory_bytes is 2097152, more than 1048576, which the tenant may ask for";
    assert_eq!(refused.to_string(), message);
    let mut spec = job(plugin, "out");
    spec.sandbox.memory = Size(1 << 20);
    let refused = host.submit("a", spec).err().unwrap();
    assert!(matches!(
        refused,
        Refused::Ceiling { setting: "timeout_ms", asked: 5000, allowed: 1000 }
    ));
}

#[test]
fn a_job_whose_settings_no_run_can_have_is_refused() {
    let tree = Tree::new();
    let host = host(1);
    host.add(tenant(&tree, "a", Limits::default())).unwrap();
    let plugin = plugin(&tree, "echo.wasm", &echo());
    let refused = |change: fn(&mut JobSpec)| {
        let mut spec = job(plugin.clone(), "out");
        change(&mut spec);
        host.submit("a", spec).err().unwrap().to_string()
    };
    assert_eq!(
        refused(|spec| spec.inputs.chunk_size = Some(Size(0))),
        "`chunk_size` 0 B is not within 64 B and 4.0 GiB"
    );
    assert_eq!(refused(|spec| spec.work.threads = Some(0)), "`threads` 0 is not within 1 and 1024");
    assert!(refused(|spec| spec.sandbox.memory = Size(1)).starts_with("`memory` 1 B is not"));
}

#[test]
fn no_job_reads_or_writes_outside_its_tenants_directories() {
    let tree = Tree::new();
    let host = host(1);
    for name in ["a", "b"] {
        host.add(tenant(&tree, name, Limits::default())).unwrap();
        files(&tree, name, 1, 100);
    }
    std::os::unix::fs::symlink("../../b/in/0000", tree.path().join("a/in/link")).unwrap();
    let plugin = plugin(&tree, "echo.wasm", &echo());
    for name in ["../../b/in/0000", "link"] {
        let mut spec = job(plugin.clone(), "out");
        spec.inputs.files = vec![PathBuf::from(name)];
        let ended = host.submit("a", spec).unwrap().wait();
        assert!(matches!(&*ended, Err(JobError::Outside { .. })), "{name}: {ended:?}");
    }
    let ended = host.submit("a", job(plugin.clone(), "../../b/out/out")).unwrap().wait();
    assert!(matches!(&*ended, Err(JobError::Outside { .. })), "{ended:?}");
    // A link that is found, rather than named, is skipped.
    let ended = host.submit("a", job(plugin, "out")).unwrap().wait();
    assert_eq!(ended.as_ref().as_ref().unwrap().summary.sources, 1);
    assert!(out(&tree, "a", "out").starts_with(b"a 0"));
}

#[test]
fn a_list_is_charged_and_leaves_room_for_a_worker() {
    let tree = Tree::new();
    host(1).add(tenant(&tree, "a", Limits::default())).unwrap(); // makes its directories
    let names = (0..20_000).map(|n| format!("{n}-{}", "a".repeat(200)));
    tree.file("a/in/names.tar", account::tar(names));
    let echo = plugin(&tree, "echo.wasm", &echo());
    let spec = || {
        let mut spec = job(echo.clone(), "out");
        (spec.sandbox.memory, spec.work.threads) = (Size(1 << 20), Some(1));
        spec
    };
    let ended = |memory_bytes| {
        let options =
            Options { slots: Some(1), memory_bytes: Some(memory_bytes), ..Options::default() };
        let host = Host::new(options).unwrap();
        host.add(tenant(&tree, "a", Limits::default())).unwrap();
        host.submit("a", spec()).unwrap().wait()
    };
    let is_beside_a_worker = |memory_bytes: &u64| {
        let mut run = spec().run(1, None).unwrap();
        fit_window(&mut run, *memory_bytes);
        let need = need(1, Kind::Transformer, &run);
        need.once_bytes + need.worker_bytes + (2 << 20) <= *memory_bytes
    };
    let little = (1..4096).map(|mib| mib << 20).find(is_beside_a_worker).unwrap();
    let refused = ended(little);
    let Err(error) = &*refused else { panic!("{refused:?}") };
    assert!(error.to_string().contains("the list of sources takes "), "{error}");
    let done = ended(little + (64 << 20));
    let Ok(done) = &*done else { panic!("{done:?}") };
    let held = done.report.memory_bytes_peak;
    assert!(held > 20_000 * 200, "{held} bytes were charged");
}

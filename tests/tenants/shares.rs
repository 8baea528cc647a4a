//! Processors and memory, as jobs of several tenants share them.

use std::time::Duration;

use gristmill::settings::Quotas;
use gristmill::spec::Size;
use gristmill::tenant::{Host, JobError, Limits, Options};

use super::{echo, endless, files, host, job, out, plugin, tenant, with_timeout};
use crate::support::tree::Tree;

/// Processor time that was charged is compared, so that a busy machine changes nothing.
#[test]
fn a_tenant_of_three_times_the_weight_has_three_times_the_processor_time() {
    let tree = Tree::new();
    let host = host(1);
    let quotas = Quotas { cpu: Some(Duration::from_millis(600)), ..Quotas::default() };
    let mut heavy = tenant(&tree, "heavy", Limits { quotas, ..Limits::default() });
    heavy.weight = 3;
    host.add(heavy).unwrap();
    host.add(tenant(&tree, "light", Limits::default())).unwrap();
    let spin = plugin(&tree, "spin.wasm", &endless());
    for name in ["light", "heavy"] {
        files(&tree, name, 2000, 10);
    }
    let submit = |name| {
        let spec = with_timeout(job(spin.clone(), "out"), Duration::from_millis(10));
        host.submit(name, spec).unwrap()
    };
    let _light = submit("light");
    // It has begun, and what it has used on its own does not count.
    while host.used("light").unwrap().cpu.is_zero() {
        std::thread::yield_now();
    }
    let heavy = submit("heavy");
    let alone = host.used("light").unwrap().cpu;
    let ended = heavy.wait();
    let light = host.used("light").unwrap().cpu.saturating_sub(alone).as_secs_f64();
    let heavy = host.used("heavy").unwrap().cpu.as_secs_f64();
    assert!(matches!(&*ended, Err(JobError::Quota(_))), "{ended:?}");
    // The heavy one begins a little later, and the light one goes on a little.
    let times = heavy / light;
    assert!((2.0..=4.0).contains(&times), "{times} times");
}

#[test]
fn jobs_wait_until_there_is_memory_for_them() {
    let tree = Tree::new();
    let memory_bytes = Some(100 << 20);
    let host = Host::new(Options { slots: Some(2), memory_bytes, ..Options::default() }).unwrap();
    let plugin = plugin(&tree, "echo.wasm", &echo());
    let mut jobs = Vec::new();
    let mut texts = Vec::new();
    for name in ["a", "b", "c"] {
        host.add(tenant(&tree, name, Limits::default())).unwrap();
        texts.push((name, files(&tree, name, 10, 1000)));
    }
    for (name, _) in &texts {
        for number in 0..4 {
            let mut spec = job(plugin.clone(), &number.to_string());
            spec.sandbox.memory = Size(32 << 20);
            jobs.push(host.submit(name, spec).unwrap());
        }
    }
    let spec = job(plugin, "large"); // of 256 MiB an instance
    let ended = host.submit("a", spec).unwrap().wait();
    let Err(JobError::Spec(refused)) = &*ended else { panic!("{ended:?}") };
    let all = format!("more than all of {}", 100 << 20);
    assert!(refused.to_string().ends_with(&all), "{refused}");
    for job in jobs {
        assert_eq!(job.wait().as_ref().as_ref().unwrap().summary.failed, 0);
    }
    for (name, text) in texts {
        for number in 0..4 {
            assert_eq!(out(&tree, name, &number.to_string()), text);
        }
    }
    let peak = host.memory().peak();
    assert!(peak > 0 && peak <= 100 << 20, "{peak}");
}

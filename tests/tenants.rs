//! Several tenants in one host: each gets what it asked for, its share and no more, whatever the
//! others do.

mod agree;
mod ends;
mod many;
mod quotas;
mod shares;

use std::path::PathBuf;
use std::time::Duration;

use gristmill::spec::{JobSpec, Time};
use gristmill::tenant::{Host, Limits, Options, Tenant};

use crate::support::guest::Guest;
use crate::support::tree::Tree;

/// A host with as many turns.
fn host(slots: usize) -> Host {
    Host::new(Options { slots: Some(slots), ..Options::default() }).unwrap()
}

/// A tenant whose directories are in `tree`.
fn tenant(tree: &Tree, name: &str, limits: Limits) -> Tenant {
    let directory = |what: &str| {
        let path = tree.path().join(name).join(what);
        std::fs::create_dir_all(&path).unwrap();
        path
    };
    Tenant {
        name: name.into(),
        weight: 1,
        limits,
        inputs: directory("in"),
        outputs: directory("out"),
    }
}

/// A job of a plugin over all inputs of its tenant, on two threads, into a file of that name.
fn job(plugin: PathBuf, out: &str) -> JobSpec {
    let mut spec = JobSpec::of(plugin, vec![PathBuf::from(".")]);
    spec.output.out = out.into();
    spec.work.threads = Some(2);
    spec
}

/// Gives back what it was given.
fn echo() -> Guest {
    Guest { world: "transformer", ..Guest::default() }
}

/// Never returns from a chunk.
fn endless() -> Guest {
    Guest { push: "(loop $forever (br $forever))", ..echo() }
}

fn plugin(tree: &Tree, name: &str, guest: &Guest) -> PathBuf {
    tree.file(name, guest.module())
}

/// So many files in a directory of `tree`, with what they are joined to.
fn files(tree: &Tree, tenant: &str, count: usize, bytes: usize) -> Vec<u8> {
    let mut joined = Vec::new();
    for file in 0..count {
        let line = format!("{tenant} {file} ").repeat(4) + "\n";
        let text = line.repeat(bytes / line.len() + 1);
        tree.file(&format!("{tenant}/in/{file:04}"), &text);
        joined.extend_from_slice(text.as_bytes());
    }
    joined
}

/// What a tenant's job has written.
fn out(tree: &Tree, tenant: &str, name: &str) -> Vec<u8> {
    std::fs::read(tree.path().join(tenant).join("out").join(name)).unwrap()
}

fn with_timeout(mut spec: JobSpec, timeout: Duration) -> JobSpec {
    spec.sandbox.timeout = Time(timeout);
    spec
}

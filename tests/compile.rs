//! Plugins are compiled in a process of its own: with bounds on its memory and time, and gone when
//! nobody waits for it any more.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use gristmill::settings::Durable;
use gristmill::spec::{JobSpec, Time};
use gristmill::tenant;

use crate::support::host::{Ended, Host};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// A function whose loops and locals the compiler multiplies: as many of them as are let through
/// keep it for longer than any test waits.
fn slow() -> Vec<u8> {
    let locals = 490;
    let mut body = "(loop ".repeat(1000);
    body.extend(
        (0..locals).map(|local| {
            format!("(local.set {local} (i32.add (local.get {local}) (i32.const 1)))")
        }),
    );
    body += &"(br_if 0 (i32.const 0)))".repeat(1000);
    let function = format!("(func (local {}) {body})", "i32 ".repeat(locals));
    wat::parse_str(format!("(component (core module {}))", function.repeat(40))).unwrap()
}

/// Components side by side, each made twice by the next.
fn doubled(times: usize) -> Vec<u8> {
    let first = "(component $c0 (core module $m) (core instance (instantiate $m)))";
    let doubling = (1..=times).map(|n| {
        let before = n - 1;
        let made = format!("(instance (instantiate $c{before}))").repeat(2);
        format!("(component $c{n} (alias outer 1 $c{before} (component $c{before})) {made})")
    });
    let doubled: String = doubling.collect();
    wat::parse_str(format!("(component {first} {doubled} (instance (instantiate $c{times})))"))
        .unwrap()
}

fn tree(plugin: &[u8]) -> Tree {
    Tree::with(&[("in", &b"a\n"[..]), ("p.wasm", plugin)])
}

fn run(tree: &Tree, args: &[&str]) -> Ended {
    let host = Host::new().within(tree.path());
    host.args(["run", "--no-cache", "--plugin", "p.wasm"]).args(args).arg("in").ended().exits(2)
}

#[test]
fn a_bomb_of_instances_is_refused_before_it_is_compiled() {
    let message = run(&tree(&doubled(31)), &[]).stderr;
    assert!(message.starts_with("error: p.wasm: comes to "), "{message}");
    assert!(
        message.contains("instances, aliases and types of components, more than 20000"),
        "{message}"
    );
}

#[test]
fn too_much_memory_to_compile_is_reported_with_the_flag() {
    let tree = tree(&fs::read(plugin("redact")).unwrap());
    let message = run(&tree, &["--compile-memory", "64MiB"]).stderr;
    assert_eq!(
        message,
        "error: p.wasm: takes more than 64 MiB of memory to compile\nhint: raise --compile-memory\n"
    );
}

#[test]
fn a_compiler_takes_no_more_memory_than_the_whole_run_has() {
    let tree = tree(&fs::read(plugin("redact")).unwrap());
    let run = |args: &[&str]| {
        let host = Host::new().within(tree.path());
        host.args(["run", "--no-cache", "--plugin", "p.wasm", "--memory", "4MiB", "in"])
            .args(args)
            .ended()
    };
    let message = "error: p.wasm: takes more than 50 MiB of memory to compile, which is all that the whole run has left\n\
                hint: raise --memory-total: a compiler takes of it, up to --compile-memory\n";
    assert_eq!(run(&["--memory-total", "50MiB"]).exits(2).stderr, message);
    if gristmill::jail::probe().check().is_ok() {
        assert_eq!(run(&["--memory-total", "50MiB", "--jail"]).exits(2).stderr, message);
    }
    let own = run(&["--memory-total", "65MiB", "--compile-memory", "64MiB"]).exits(2).stderr;
    assert!(
        own.ends_with(
            "takes more than 64 MiB of memory to compile\nhint: raise --compile-memory\n"
        ),
        "{own}"
    );
    assert_eq!(run(&["--memory-total", "1GiB"]).exits(0).stderr, "");
}

#[test]
fn a_tenants_compiler_takes_no_more_memory_than_the_host_has() {
    let tree = Tree::with(&[("t/in/a", "a b\n")]);
    fs::create_dir_all(tree.path().join("t/out")).unwrap();
    let memory_bytes = Some(50 << 20);
    let options = tenant::Options { memory_bytes, ..tenant::Options::default() };
    let host = tenant::Host::new(options).unwrap();
    let (inputs, outputs) = (tree.path().join("t/in"), tree.path().join("t/out"));
    let limits = tenant::Limits::default();
    host.add(tenant::Tenant { name: "t".into(), weight: 1, limits, inputs, outputs }).unwrap();
    let job = host.submit("t", JobSpec::of(plugin("redact"), vec!["a".into()])).unwrap();
    let ended = job.wait();
    let message = ended.as_ref().as_ref().unwrap_err().to_string();
    assert!(
        message.contains("takes more than 50 MiB of memory to compile, which is all"),
        "{message}"
    );
}

#[test]
fn what_takes_too_long_to_compile_leaves_nothing_behind() {
    let tree = tree(&slow());
    // A program of its own, so that its compilers are known among those of other tests.
    let own = tree.path().join("host");
    // By another process, so that it is open for writing in none that is started meanwhile.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_host")).arg(&own).status().unwrap();
    assert!(copied.success());
    let mut command = Command::new(&own);
    command.args(["run", "--no-cache", "--compile-timeout", "500ms", "--plugin", "p.wasm", "in"]);
    let ended = command.current_dir(tree.path()).output().unwrap();
    let message = String::from_utf8_lossy(&ended.stderr);
    assert!(message.contains("is not compiled within 500ms"), "{message}");
    assert_eq!(running(&own), Vec::<PathBuf>::new());
}

/// Processes that run a program.
fn running(program: &Path) -> Vec<PathBuf> {
    let program = fs::canonicalize(program).unwrap();
    let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let runs =
        |process: &PathBuf| fs::read_link(process.join("exe")).is_ok_and(|exe| exe == program);
    processes.filter(runs).collect()
}

#[test]
fn no_cache_is_kept_where_the_environment_names_one_and_the_flag_says_none() {
    let tree = tree(&fs::read(plugin("wordcount")).unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_host"));
    command.env("GRISTMILL_CACHE", "cache");
    let host = Host::through(command).within(tree.path());
    host.args(["run", "--no-cache", "--plugin", "p.wasm", "in"]).ended().exits(0);
    assert!(!tree.path().join("cache").exists());
}

#[test]
fn a_tenant_who_compiles_for_long_keeps_no_other_waiting() {
    let tree = tree(&slow());
    let host = tenant::Host::new(tenant::Options { slots: Some(1), ..tenant::Options::default() });
    let host = host.unwrap();
    for name in ["evil", "good"] {
        tree.file(&format!("{name}/in/a"), "a b\n");
        fs::create_dir_all(tree.path().join(name).join("out")).unwrap();
        host.add(tenant::Tenant {
            name: name.into(),
            weight: 1,
            limits: tenant::Limits::default(),
            inputs: tree.path().join(name).join("in"),
            outputs: tree.path().join(name).join("out"),
        })
        .unwrap();
    }
    let job = |name: &str, plugin: PathBuf| {
        let mut spec = JobSpec::of(plugin, vec!["a".into()]);
        spec.output.durable = Durable::Fast;
        spec.sandbox.compile_timeout = Time(Duration::from_mins(1));
        host.submit(name, spec).unwrap()
    };
    let evil = job("evil", tree.path().join("p.wasm"));
    let good = job("good", plugin("wordcount"));
    assert_eq!(good.wait().as_ref().as_ref().unwrap().summary.sources, 1);
    assert!(!evil.progress().has_ended, "the other one still compiles");
    evil.cancel();
    assert!(matches!(&*evil.wait(), Err(tenant::JobError::Cancelled)));
}

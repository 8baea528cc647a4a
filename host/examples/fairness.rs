//! Two tenants in one host, measured: what each is given of the processors, and how long one waits
//! for a chunk beside another that never gives anything back. Prints a line of JSON; `cargo xtask
//! bench fairness` runs it and has the goals.
//!
//! `fairness PLUGIN.wasm SECONDS`: the plugin, a transformer, is what well-behaved tenants run.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is shared with tests may stop as they do"
)]

#[path = "../../tests/support/guest.rs"]
#[allow(dead_code, reason = "most of it is for tests")]
mod guest;
#[path = "../../tests/support/tree.rs"]
#[allow(dead_code, reason = "most of it is for tests")]
mod tree;

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use gristmill::plugin::compile_if_asked;
use gristmill::spec::{JobSpec, Size, Time};
use gristmill::tenant::{Host, JobHandle, Limits, Options, Tenant};
use parking_lot::Mutex;

use guest::Guest;
use tree::Tree;

/// Processors that are shared: as many as the goals are stated for.
const SLOTS: usize = 2;

/// The input of one job, so often that it lasts longer than is measured: between two jobs a tenant
/// wants less than it is due.
const ROUNDS: usize = 200;
const FILES: usize = 64;
const FILE_BYTES: usize = 4 << 20;
const CHUNK_BYTES: u64 = 256 << 10;

/// What the other one spins to in each call.
const DEADLINE: Duration = Duration::from_secs(5);

fn main() -> Result<(), Box<dyn Error>> {
    compile_if_asked();
    let mut words = std::env::args_os().skip(1);
    let plugin = PathBuf::from(words.next().ok_or("the first word is a plugin")?);
    let seconds = words.next().ok_or("the second word is a number of seconds")?;
    let seconds = seconds.to_str().ok_or("no number")?.parse()?;
    let bench = Bench::new(plugin, Duration::from_secs(seconds));
    let alone = bench.alone()?;
    let (share, beside) = bench.beside_one_that_spins()?;
    let times = bench.of_three_times_the_weight()?;
    println!(
        r#"{{"share": {share:.4}, "alone_p99_ms": {:.2}, "beside_p99_ms": {:.2}, "weight_times": {times:.4}}}"#,
        ms(alone),
        ms(beside)
    );
    Ok(())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// What all measurements run over.
struct Bench {
    tree: Tree,
    plugin: PathBuf,
    spinning: PathBuf,
    time: Duration,
}

impl Bench {
    fn new(plugin: PathBuf, time: Duration) -> Self {
        let tree = Tree::new();
        let line =
            b"the quick brown fox jumps over the lazy dog, and nobody knows why it did that\n";
        let text = line.repeat(FILE_BYTES / line.len());
        for file in 0..FILES {
            tree.file(&format!("in/{file:03}"), &text);
        }
        let push = "(loop $forever (br $forever))";
        let spinning = Guest { world: "transformer", push, ..Guest::default() };
        let spinning = tree.file("spinning.wasm", spinning.module());
        Self { tree, plugin, spinning, time }
    }

    fn host(&self, tenants: &[(&str, u32)]) -> Result<Host, Box<dyn Error>> {
        let host = Host::new(Options {
            slots: Some(SLOTS),
            cache: Some(self.tree.path().join("cache")),
            ..Options::default()
        })?;
        for (name, weight) in tenants {
            let outputs = self.tree.path().join(name);
            std::fs::create_dir_all(&outputs)?;
            host.add(Tenant {
                name: (*name).into(),
                weight: *weight,
                limits: Limits::default(),
                inputs: self.tree.path().join("in"),
                outputs,
            })?;
        }
        Ok(host)
    }

    fn spec(plugin: &Path, threads: usize) -> JobSpec {
        let mut spec = JobSpec::of(plugin.into(), vec![PathBuf::from("."); ROUNDS]);
        spec.work.threads = Some(threads);
        spec.inputs.chunk_size = Some(Size(CHUNK_BYTES));
        spec.sandbox.timeout = Time(DEADLINE);
        spec
    }

    /// Runs jobs of that tenant, one after the other, until the time is up.
    fn keep_busy(&self, host: &Host, name: &str, threads: usize, gaps: &Gaps) {
        let begun = Instant::now();
        while begun.elapsed() < self.time {
            gaps.begin();
            let Ok(job) =
                host.submit_into(name, Self::spec(&self.plugin, threads), Box::new(gaps.clone()))
            else {
                return;
            };
            while !job.progress().has_ended && begun.elapsed() < self.time {
                thread::sleep(Duration::from_millis(1));
            }
            job.cancel();
            job.wait();
        }
    }

    /// How long a chunk takes the good tenant at most, of 99 in 100, with nobody else there.
    fn alone(&self) -> Result<Duration, Box<dyn Error>> {
        let host = self.host(&[("good", 1)])?;
        let gaps = Gaps::default();
        self.keep_busy(&host, "good", 1, &gaps);
        Ok(gaps.p99())
    }

    /// The good tenant's share of the processor time, on as many threads as there are processors,
    /// beside one that spins; and how long a chunk takes it on one thread.
    fn beside_one_that_spins(&self) -> Result<(f64, Duration), Box<dyn Error>> {
        let host = self.host(&[("good", 1), ("bad", 1)])?;
        let bad =
            host.submit_into("bad", Self::spec(&self.spinning, SLOTS), Box::new(Gaps::default()))?;
        wait_for(&host, "bad", &bad)?;
        let before = [host.used("good")?.cpu, host.used("bad")?.cpu];
        self.keep_busy(&host, "good", SLOTS, &Gaps::default());
        let good = host.used("good")?.cpu.saturating_sub(before[0]).as_secs_f64();
        let worse = host.used("bad")?.cpu.saturating_sub(before[1]).as_secs_f64();
        let gaps = Gaps::default();
        self.keep_busy(&host, "good", 1, &gaps);
        bad.cancel();
        Ok((good / (good + worse), gaps.p99()))
    }

    /// How many times the processor time a tenant is given that has three times the weight of
    /// another.
    fn of_three_times_the_weight(&self) -> Result<f64, Box<dyn Error>> {
        let host = self.host(&[("heavy", 3), ("light", 1)])?;
        thread::scope(|scope| {
            let busy = |name| self.keep_busy(&host, name, SLOTS, &Gaps::default());
            let jobs = ["heavy", "light"].map(|name| scope.spawn(move || busy(name)));
            for job in jobs {
                drop(job.join());
            }
        });
        Ok(host.used("heavy")?.cpu.as_secs_f64() / host.used("light")?.cpu.as_secs_f64())
    }
}

/// Waits until a job has had its first turns.
fn wait_for(host: &Host, name: &str, job: &JobHandle) -> Result<(), Box<dyn Error>> {
    while host.used(name)?.cpu < Duration::from_millis(50) {
        if job.progress().has_ended {
            return Err(format!("the job of {name} ended: {:?}", job.wait()).into());
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// A stream that keeps when something was written: on one thread, a chunk takes as long as lies
/// between two writes.
#[derive(Clone, Default)]
struct Gaps(Arc<Mutex<(Option<Instant>, Vec<Duration>)>>);

impl Gaps {
    /// What comes next is the first of a job.
    fn begin(&self) {
        self.0.lock().0 = None;
    }

    fn p99(&self) -> Duration {
        let mut gaps = self.0.lock().1.clone();
        gaps.sort_unstable();
        gaps.get(gaps.len() * 99 / 100).copied().unwrap_or_default()
    }
}

impl Write for Gaps {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock();
        let now = Instant::now();
        if let Some(last) = state.0.replace(now) {
            state.1.push(now - last);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! One attack: a guest, the limits that it is held to, and how far the harm may go.
//!
//! Each is run twice. Once by the binary, in a process of its own, whose memory the kernel counts.
//! And once in this process, on the engine of all attacks, while another job runs there again and
//! again: its result must be exact each time. What is stopped by its deadline is timed there, too.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use gristmill::output::Format;
use gristmill::plugin::{Engine, Options, Plugin, Rejects};
use gristmill::process::{FailureKind, Header, Opening, Place, Processor as _};
use gristmill::settings::{Run, Sandbox};
use serde_json::{Value, json};

use crate::support::guest::Guest;
use crate::support::host::{Ended, Host};
use crate::support::job::{self, Ran, Task};
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

/// Three sources; guests do their worst at the second, which begins with `!`.
pub(super) const FILES: [(&str, &str); 3] = [("a", "one\n"), ("bad", "!two\n"), ("c", "three\n")];

/// What a process may take beyond what its guest may have, and what that may hand over.
const SLACK_KIB: u64 = 16 << 10;

/// How long a run may take that is not stuck: a hundred times what the slowest takes.
const STUCK_SECONDS: u32 = 120;

/// What may be said of a run: what a plugin may log of three sources and a total, and what is said
/// beside it.
const SAID_BYTES_MAX: usize = 512 << 10;

const TIMEOUT: Duration = Duration::from_millis(100);
/// What `--timeout` is where it is among the flags of an attack: an attack on another limit is not
/// stopped by this one.
const LONG_TIMEOUT: Duration = Duration::from_secs(30);

/// How much later than that a call may end, and how often it is tried: the machine may be busy with
/// other things; not every time.
const LATE: Duration = Duration::from_millis(100);
const TRIES: u32 = 10;

const MEMORY_MIB: usize = 8;

/// Each attack is a test of that name: how far the harm goes, the guest, and what is said.
macro_rules! attacks {
    ($($name:ident: $harm:ident, $attack:expr, $said:literal;)*) => {$(
        #[test]
        fn $name() {
            let attack: $crate::hostile::attack::Attack = $attack.into();
            insta::assert_snapshot!(attack.harming($crate::hostile::attack::Harm::$harm).said(), @$said);
        }
    )*};
}
pub(super) use attacks;

/// How far the harm goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Harm {
    /// The plugin is not started.
    Start,
    /// The source that begins with `!` fails, and no other.
    Source,
    /// All sources of the plugin's own fail.
    Sources,
    /// The total of the plugin's own results.
    Total,
    /// Every source is processed; what comes out is the plugin's own affair.
    Nothing,
}

/// A plugin file, and how it is run.
pub(super) struct Attack {
    bytes: Vec<u8>,
    harm: Harm,
    flags: Vec<&'static str>,
    settings: Vec<(&'static str, &'static str)>,
    output_mib: usize,
}

impl From<Guest> for Attack {
    fn from(guest: Guest) -> Self {
        Self::bytes(guest.module())
    }
}

impl Attack {
    /// How far the harm may go.
    pub(super) fn harming(self, harm: Harm) -> Self {
        Self { harm, ..self }
    }

    /// By a plugin file.
    pub(super) fn bytes(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            harm: Harm::Nothing,
            flags: Vec::new(),
            settings: Vec::new(),
            output_mib: MEMORY_MIB,
        }
    }

    /// With further flags of `host run`, which the run in this process does without.
    pub(super) fn flags(self, flags: &[&'static str]) -> Self {
        Self { flags: flags.to_vec(), ..self }
    }

    /// With a setting, so that `configure` is given something.
    pub(super) fn set(mut self, key: &'static str, value: &'static str) -> Self {
        self.settings.push((key, value));
        self
    }

    /// Where it may hand over more than its memory holds: by what limit.
    pub(super) fn hands_over(self, output_mib: usize) -> Self {
        Self { output_mib, ..self }
    }

    /// Runs it both ways, and gives back what was said on standard error.
    #[track_caller]
    pub(super) fn said(&self) -> String {
        let (plugins, sources) = (Tree::new(), Tree::with(&FILES));
        let guest = plugins.file("guest.wasm", &self.bytes);
        let (ended, peak_kib) = self.alone(&guest, &sources);
        self.check(&ended);
        let allowed = quiet_kib() + SLACK_KIB + ((MEMORY_MIB + self.output_mib) << 10) as u64;
        assert!(peak_kib <= allowed, "{peak_kib} KiB, more than {allowed}\n{ended}");
        self.beside(&guest, &sources, &ended);
        short(&ended.stderr.replace(&plugins.path().display().to_string(), "[plugins]"))
    }

    /// By the binary, in a process of its own, and the most memory that it had.
    fn alone(&self, guest: &Path, sources: &Tree) -> (Ended, u64) {
        let peak = sources.path().join("peak");
        let host = measured(&peak).args(["run", "--no-cache", "--plugin"]).arg(guest);
        let host = host.within(sources.path()).args(["--memory", "8MiB"]);
        let timeout = ["--timeout", "100ms"];
        let host = if self.flags.contains(&"--timeout") { host } else { host.args(timeout) };
        let settings = self.settings.iter().map(|(key, value)| format!("--set={key}={value}"));
        let host = host.args(settings).args(&self.flags).args(FILES.map(|(name, _)| name));
        let ended = host.env("GRISTMILL_THREADS", "1").ended();
        let message = fs::read_to_string(&peak).unwrap_or_else(|error| panic!("{error}: {ended}"));
        (ended, message.trim().parse().unwrap())
    }

    /// How it must have ended, as far as that is the same for all.
    #[track_caller]
    fn check(&self, ended: &Ended) {
        let result = |source: &str, text: &str| json!({"source": source, "bytes": text.len(), "result": text});
        let whole: Vec<Value> = FILES.iter().map(|(name, text)| result(name, text)).collect();
        match self.harm {
            Harm::Start => {
                assert_eq!((ended.code, ended.text()), (Some(2), ""), "{ended}");
            }
            Harm::Source => {
                assert_eq!(ended.code, Some(1), "{ended}");
                let lines = ended.lines();
                assert_eq!((&lines[0], &lines[2]), (&whole[0], &whole[2]), "{ended}");
                assert!(lines[1]["error"].is_object(), "{ended}");
                let total =
                    json!({"total": "one\nthree\n", "sources": 3, "failed": 1, "bytes": 10});
                assert_eq!(lines[3..], [total], "{ended}");
            }
            Harm::Sources => {
                assert_eq!(ended.code, Some(1), "{ended}");
                assert!(!ended.stderr.is_empty(), "{ended}");
            }
            Harm::Total => {
                assert_eq!(ended.code, Some(1), "{ended}");
                let lines = ended.lines();
                assert_eq!(lines[..3], whole, "{ended}");
                assert_eq!(lines[3]["total"], Value::Null, "{ended}");
            }
            Harm::Nothing => assert_eq!(ended.code, Some(0), "{ended}"),
        }
    }

    /// In this process, while a job of somebody else's runs on the same engine until it is over.
    #[track_caller]
    fn beside(&self, guest: &Path, sources: &Tree, alone: &Ended) {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let neighbour = scope.spawn(|| {
                let mut runs = 0;
                while runs == 0 || !over.load(Ordering::Acquire) {
                    neighbour().assert_exact();
                    runs += 1;
                }
            });
            let ended = self.loaded(guest).map(|plugin| over_files(&plugin, sources));
            over.store(true, Ordering::Release);
            neighbour.join().expect("the job beside it has its exact result");
            match ended {
                Err(said) => {
                    assert!(self.harm == Harm::Start, "{said}\n{alone}");
                    let path = guest.display().to_string();
                    let same = alone.stderr.contains(&said.replace(&path, ""));
                    assert!(same || said.contains(&path), "{said}\n{alone}");
                }
                Ok(ran) => self.check_ran(&ran, alone),
            }
        });
        let timed = self.harm == Harm::Source && !self.flags.contains(&"--timeout");
        if timed && alone.stderr.contains("did not return from") {
            let plugin = self.loaded(guest).unwrap_or_else(|said| panic!("{said}\n{alone}"));
            let soon = (0..TRIES).any(|_| until_stopped(&plugin) <= TIMEOUT + LATE);
            assert!(soon, "ends later than {LATE:?} after its deadline\n{alone}");
        }
    }

    #[track_caller]
    fn check_ran(&self, ran: &Ran, alone: &Ended) {
        let failed = match self.harm {
            Harm::Source => 1,
            // The framing and the format of the results are the command line's.
            Harm::Sources => ran.failed,
            Harm::Start | Harm::Total | Harm::Nothing => 0,
        };
        // Whether its framing is one that the host knows is looked at by the command line.
        assert_eq!(ran.failed, failed, "{:?}\n{alone}", ran.failures);
    }

    fn loaded(&self, guest: &Path) -> Result<Plugin, String> {
        let options = Options {
            settings: self
                .settings
                .iter()
                .map(|&(key, value)| (key.into(), value.into()))
                .collect(),
            sandbox: Sandbox {
                memory_bytes: MEMORY_MIB << 20,
                timeout: if self.flags.contains(&"--timeout") { LONG_TIMEOUT } else { TIMEOUT },
                ..Sandbox::default()
            },
            rejects: if self.flags.contains(&"--rejects") { Rejects::Keep } else { Rejects::Count },
            ..Options::default()
        };
        Plugin::load(engine(), guest, options, None).map_err(|error| error.to_string())
    }
}

/// The last lines of what was said, where that is long; it is never more than a plugin may log of
/// three sources.
#[track_caller]
fn short(said: &str) -> String {
    assert!(said.len() <= SAID_BYTES_MAX, "{} bytes were said", said.len());
    if said.len() <= 1000 {
        return said.trim().to_string();
    }
    let lines: Vec<&str> = said.trim().lines().collect();
    let cut = |line: &str| match line.char_indices().nth(160) {
        Some((end, _)) => format!("{}[…]", &line[..end]),
        None => line.to_string(),
    };
    let last: Vec<String> =
        lines[lines.len().saturating_sub(4)..].iter().map(|line| cut(line)).collect();
    format!("[…]\n{}", last.join("\n"))
}

/// How long a plugin takes with the source at which it does its worst, until it is stopped.
#[track_caller]
fn until_stopped(plugin: &Plugin) -> Duration {
    let [_, (name, text), _] = FILES;
    let place = Place { index: 0, offset: 0, last: true };
    let mut instance = plugin.start().unwrap();
    let begun = Instant::now();
    let ended = instance
        .open(Opening { name, header: Header::NONE })
        .and_then(|()| instance.push(place, &mut text.as_bytes()))
        .and_then(|_| instance.accumulator()?.save())
        .and_then(|_| instance.accumulator()?.finish());
    let took = begun.elapsed();
    assert_eq!(ended.map_err(|failure| failure.kind), Err(FailureKind::Timeout));
    took
}

fn over_files(plugin: &Plugin, sources: &Tree) -> Ran {
    let task = Task { processor: plugin, framing: "lines", format: Format::Jsonl };
    let paths = FILES.map(|(name, _)| sources.path().join(name));
    job::run(task, &paths, &Run::default())
}

/// The engine of all attacks, and of what runs beside them.
pub(super) fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::new().unwrap())
}

/// A job of somebody else's: the words of a text that is known.
pub(super) struct Neighbour {
    plugin: Plugin,
    _tree: Tree,
    path: PathBuf,
}

pub(super) fn neighbour() -> &'static Neighbour {
    static NEIGHBOUR: OnceLock<Neighbour> = OnceLock::new();
    NEIGHBOUR.get_or_init(|| {
        let tree = Tree::new();
        let path = tree.file("text", "one two\nthree\n".repeat(20_000));
        let plugin = job::load(engine(), &plugin("wordcount"), &[]);
        Neighbour { plugin, _tree: tree, path }
    })
}

impl Neighbour {
    #[track_caller]
    pub(super) fn assert_exact(&self) {
        let task = Task { processor: &self.plugin, framing: "lines", format: Format::Raw };
        let settings = Run { chunk_bytes: 64 << 10, ..Run::default() };
        let ran = job::run(task, std::slice::from_ref(&self.path), &settings);
        let out = String::from_utf8(ran.out).unwrap();
        assert!(ran.ended.is_ok() && ran.failures.is_empty(), "{:?}", ran.failures);
        assert!(out.contains(r#""lines":40000,"words":60000,"bytes":280000"#), "{out}");
    }
}

/// The binary in a process of its own; the most memory that was resident there goes to `peak`, in
/// KiB. Python starts it, as what a process had before it became the host would count, and this one
/// has much.
pub(super) fn measured(peak: &Path) -> Host {
    let mut command = Command::new("python3");
    let start = format!(
        "import os, signal, sys
child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
signal.alarm({STUCK_SECONDS})
_, status, used = os.wait4(child, 0)
open(sys.argv[1], 'w').write(str(used.ru_maxrss))
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))"
    );
    command.args(["-S", "-c", &start]).arg(peak).arg(env!("CARGO_BIN_EXE_host"));
    Host::through(command)
}

/// What the process has with a guest that only does what it should.
pub(super) fn quiet_kib() -> u64 {
    static QUIET: OnceLock<u64> = OnceLock::new();
    *QUIET.get_or_init(|| {
        let (plugins, sources) = (Tree::new(), Tree::with(&FILES));
        let guest = Guest::default().file(&plugins);
        let attack = Attack::from(Guest::default());
        let (ended, peak_kib) = attack.alone(&guest, &sources);
        ended.exits(0);
        peak_kib
    })
}

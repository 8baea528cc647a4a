//! Seeded searches: random cases for the readers of what somebody else made, each of which one
//! number makes again.
//!
//! A search runs in a process of its own, this test's program started again: a case that hangs,
//! that takes more memory than stated, or that ends the process fails the search as a panic does,
//! and is reported by its number. `GRISTMILL_FUZZ_SECONDS` has each search go on for that long,
//! over new cases; without it, it is the same few each time. `GRISTMILL_FUZZ_CASE` runs one case
//! alone.

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Resource, Rlimit, setrlimit};

/// How long each search goes on.
const SECONDS: &str = "GRISTMILL_FUZZ_SECONDS";
/// The one case to run.
const CASE: &str = "GRISTMILL_FUZZ_CASE";
/// Set in the process of a search.
const WITHIN: &str = "GRISTMILL_FUZZ_WITHIN";
/// What a case is announced with.
const MARK: &str = "search: case ";

/// A case that takes longer has failed: on a busy machine all take well below a second.
const CASE_MAX: Duration = Duration::from_secs(30);

/// What a search may take.
pub(crate) struct Search {
    /// The test that calls it, by its module and its name.
    pub(crate) module: &'static str,
    pub(crate) test: &'static str,
    /// Cases where nobody asks for more.
    pub(crate) cases: u64,
    /// Memory of its own that the process may take beyond what it begins with.
    pub(crate) memory_bytes_max: u64,
}

impl Search {
    /// Runs `case` with the random numbers of each case.
    pub(crate) fn run(&self, case: impl FnMut(&mut Random)) {
        if env::var_os(WITHIN).is_some() { self.within(case) } else { self.start() }
    }

    /// Starts the process of this search, and waits for it.
    fn start(&self) {
        let (_crate, module) = self.module.split_once("::").unwrap();
        let mut search = Command::new(env::current_exe().unwrap());
        search.arg(format!("{module}::{}", self.test));
        search.args(["--exact", "--nocapture", "--test-threads=1"]).env(WITHIN, "1");
        let mut child = search.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let message = thread::spawn(move || {
            let mut message = Vec::new();
            err.read_to_end(&mut message).map(|_| message)
        });
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            let lines = BufReader::new(out).lines().map_while(Result::ok);
            lines.take_while(|line| send.send(line.clone()).is_ok()).for_each(drop);
        });
        let (mut last, mut count) = (String::from("none"), 0_u64);
        let hung = loop {
            match lines.recv_timeout(CASE_MAX) {
                Ok(line) => {
                    // The harness writes its own line before the first without an end.
                    if let Some((_, number)) = line.split_once(MARK) {
                        (last, count) = (number.to_string(), count + 1);
                    }
                }
                Err(RecvTimeoutError::Timeout) => break true,
                Err(RecvTimeoutError::Disconnected) => break false,
            }
        };
        if hung {
            child.kill().unwrap();
        }
        let status = child.wait().unwrap();
        let message = message.join().unwrap().unwrap();
        let message = String::from_utf8_lossy(&message);
        let how = if hung { "took too long".to_string() } else { status.to_string() };
        let again =
            format!("{CASE}={last} cargo test --release --workspace {module}::{}", self.test);
        assert!(!hung && status.success(), "case {last} {how}\nagain: {again}\n{message}");
        assert!(count > 0, "{module}::{}: no case was run\n{message}", self.test);
        eprintln!("{module}::{}: {count} cases", self.test);
    }

    /// All cases, in the process of the search.
    fn within(&self, mut case: impl FnMut(&mut Random)) {
        let most = own_bytes() + self.memory_bytes_max;
        setrlimit(Resource::Data, Rlimit { current: Some(most), maximum: Some(most) }).unwrap();
        let mut run = |number: u64| {
            println!("{MARK}{number}");
            case(&mut Random::new(number));
        };
        let number = |name| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
        if let Some(only) = number(CASE) {
            return run(only);
        }
        let Some(seconds) = number(SECONDS) else { return (0..self.cases).for_each(run) };
        let (begun, for_long) = (Instant::now(), Duration::from_secs(seconds));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut number = now << 24;
        while begun.elapsed() < for_long {
            run(number);
            number += 1;
        }
    }
}

/// `VmData` (`proc_pid_status(5)`): what `RLIMIT_DATA` is compared with.
fn own_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
}

/// Random numbers of a case: `SplitMix64` (Steele, Lea and Flood, "Fast splittable pseudorandom
/// number generators", 2014).
pub(crate) struct Random(u64);

impl Random {
    fn new(case: u64) -> Self {
        Self(case.wrapping_mul(0xd134_2543_de82_ef95))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    /// Once in so many times.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.below(among.len())]
    }

    /// Damages bytes in a few places, within `range` of them: a bit, a byte that means something to
    /// many formats, a piece that is cut out, doubled, zeroed, or taken from another place, or the
    /// end cut off.
    pub(crate) fn damage(&mut self, bytes: &mut Vec<u8>, range: std::ops::Range<usize>) {
        for _ in 0..=self.below(4) {
            let end = range.end.min(bytes.len());
            if end <= range.start {
                return;
            }
            let at = range.start + self.below(end - range.start);
            let scale = self.below(9);
            let length = (1 + self.below(1 << scale)).min(bytes.len() - at);
            match self.below(9) {
                0 | 1 => bytes[at] ^= 1 << self.below(8),
                2 | 3 => bytes[at] = *self.pick(&[0, 1, 2, 0x40, 0x7f, 0x80, 0xff]),
                4 => drop(bytes.drain(at..at + length)),
                5 => {
                    let piece = bytes[at..at + length].to_vec();
                    bytes.splice(at..at, piece);
                }
                6 => bytes[at..at + length].fill(0),
                7 => {
                    let from = self.below(bytes.len() - length + 1);
                    bytes.copy_within(from..from + length, at);
                }
                _ if self.one_in(4) => bytes.truncate(at),
                _ => bytes[at..at + length].fill(0xff),
            }
        }
    }
}

//! Files as they arrive: how long it takes from the close of a file to its output, how many are
//! done in a second, what a watch costs that has nothing to do, and whether it keeps up with a log.
//! By the clock of this process: nothing of others does the same.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::measure::median;
use super::row::{Goal, Row};
use super::{Bench, Subject};

pub(super) const SUBJECT: Subject = Subject { name: "watch", rows };

/// Files that come at 50 a second, of 64 KB.
const ARRIVING: usize = 400;
const ARRIVING_BYTES: usize = 64 << 10;
const ARRIVING_PAUSE: Duration = Duration::from_millis(20);

/// Files that are there when a watch is begun, of 4 KB.
const MANY: u32 = 100_000;
const MANY_SYNCED: u32 = 10_000;
const MANY_BYTES: usize = 4 << 10;

/// Lines that are appended in a second, in bytes, and for how long.
const APPENDED_BYTES: f64 = 200e6;
const APPENDING: Duration = Duration::from_secs(5);

/// How often is looked whether an output is there.
const LOOK: Duration = Duration::from_micros(300);

/// How long is measured what idleness costs.
const IDLE: Duration = Duration::from_secs(10);

fn rows(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = vec![
        latency(bench, "close to output, --settle 200ms", &[], 220.0)?,
        latency(
            bench,
            "close to output, --settle-mode rename",
            &["--settle-mode", "rename"],
            20.0,
        )?,
    ];
    rows.extend(many(bench, MANY, "fast", 5000.0)?);
    rows.extend(many(bench, MANY_SYNCED, "synced", 1000.0)?);
    rows.push(appended(bench)?);
    Ok(rows)
}

/// A directory on the disk of the target directory, for a watch and its files.
struct Place(PathBuf);

impl Place {
    fn make(bench: &Bench) -> Result<Self> {
        let path = bench.project.target.join("bench-watch");
        if path.exists() {
            fs::remove_dir_all(&path).context("bench-watch")?;
        }
        for directory in ["in", "new"] {
            fs::create_dir_all(path.join(directory)).context("bench-watch")?;
        }
        Ok(Self(path))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn command(&self, bench: &Bench, args: &[&str]) -> Command {
        let mut command = Command::new(bench.project.program("host"));
        command.args(["watch", "in/", "--ledger", "ledger", "--out", "out/", "--plugin"]);
        command.arg(bench.plugins.join("upcase.wasm")).args(args).current_dir(&self.0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// Begins a watch, and waits until it says so.
    fn begin(&self, bench: &Bench, args: &[&str]) -> Result<Watch> {
        let mut child = self.command(bench, args).spawn().context("host watch")?;
        let mut lines = BufReader::new(child.stderr.take().context("stderr")?);
        let mut first = String::new();
        lines.read_line(&mut first).context("host watch")?;
        // Whatever it says later is read, so that it never waits for a reader.
        thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Ok(Watch(child))
    }

    /// Makes so many files in nested directories.
    fn fill(&self, files: u32) -> Result<()> {
        let text = "a line of text\n".repeat(MANY_BYTES / 15 + 1);
        for number in 0..files {
            let directory = self.at(&format!("in/{}/{}", number % 17, number / 1000));
            fs::create_dir_all(&directory).context("in/")?;
            let bytes = text.get(..MANY_BYTES).unwrap_or(&text);
            fs::write(directory.join(format!("{number}.txt")), bytes).context("in/")?;
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{}: cannot delete: {error}", self.0.display());
        }
    }
}

/// A watch that runs, until it is dropped.
struct Watch(Child);

impl Watch {
    /// Of the first line of a table in `/proc/PID` that begins with a word: its number
    /// (`proc_pid_status(5)`).
    fn status(&self, key: &str) -> Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.0.id())).context("status")?;
        let line = text.lines().find_map(|line| line.strip_prefix(key)).context("status")?;
        line.split_whitespace().next().context("status")?.parse().context("status")
    }

    /// Processor time that it took so far, in ticks of 10 ms (`proc_pid_stat(5)`, utime and stime).
    fn ticks(&self) -> Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).context("stat")?;
        let behind_name = text.rsplit(')').next().context("stat")?;
        let fields = behind_name.split_whitespace().skip(11).take(2);
        fields.map(|field| field.parse::<f64>().context("stat")).sum()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn latency(bench: &Bench, name: &str, args: &[&str], most_ms: f64) -> Result<Row> {
    let place = Place::make(bench)?;
    let watch = place.begin(bench, args)?;
    let bytes = vec![b'x'; ARRIVING_BYTES];
    let moves_in = args.contains(&"rename");
    let mut times = Vec::with_capacity(ARRIVING);
    let (closed, closing) = std::sync::mpsc::channel::<(usize, Instant)>();
    thread::scope(|scope| -> Result<()> {
        let looker = scope.spawn(|| {
            for (number, at) in closing {
                let output = place.at(&format!("out/{number}"));
                while !output.exists() {
                    thread::sleep(LOOK);
                }
                times.push(at.elapsed());
            }
        });
        for number in 0..ARRIVING {
            let to = place.at(&format!("in/{number}"));
            if moves_in {
                let from = place.at(&format!("new/{number}"));
                fs::write(&from, &bytes).context("in/")?;
                fs::rename(from, to).context("in/")?;
            } else {
                fs::write(to, &bytes).context("in/")?;
            }
            closed.send((number, Instant::now())).context("in/")?;
            thread::sleep(ARRIVING_PAUSE);
        }
        drop(closed);
        looker.join().map_err(|_| anyhow::anyhow!("a thread panicked"))
    })?;
    drop(watch);
    times.sort_unstable();
    let most = times.get(times.len() * 99 / 100).copied().unwrap_or_default();
    let detail = format!(
        "99 of 100; median {:.1} ms",
        1000.0 * median(times.iter().map(Duration::as_secs_f64).collect())
    );
    Ok(row(
        format!("{name}, 64 KB at 50/s"),
        Goal::MillisecondsAtMost(most_ms),
        1000.0 * most.as_secs_f64(),
        detail,
    ))
}

/// How many files are done in a second, and what a watch costs afterwards.
fn many(bench: &Bench, files: u32, durable: &str, least: f64) -> Result<Vec<Row>> {
    let place = Place::make(bench)?;
    place.fill(files)?;
    let args = ["--durable", durable, "--settle-mode", "min-age:0s"];
    let begun = Instant::now();
    let ended = place.command(bench, &[&args[..], &["--once"]].concat()).output();
    let ended = ended.context("host watch")?;
    let took = begun.elapsed();
    let said = String::from_utf8_lossy(&ended.stderr);
    anyhow::ensure!(said.contains(&format!("{files} files done, 0 failed")), "{said}");
    let per_second = f64::from(files) / took.as_secs_f64();
    let name = format!("{files} files of 4 KB, --durable {durable}");
    let detail = format!("{:.1} s", took.as_secs_f64());
    let mut rows = vec![row(name, Goal::PerSecondAtLeast(least), per_second, detail)];
    if files < MANY {
        return Ok(rows);
    }
    let begun = Instant::now();
    let watch = place.begin(bench, &args)?;
    // The first scan is over when a new file has its output.
    fs::write(place.at("in/late.txt"), "late\n").context("in/")?;
    while !place.at("out/late.txt").exists() {
        thread::sleep(LOOK);
    }
    let start = begun.elapsed().as_secs_f64() * 1000.0;
    let before = watch.ticks()?;
    thread::sleep(IDLE);
    let idle = (watch.ticks()? - before) * 10.0 / IDLE.as_secs_f64();
    let peak = watch.status("VmHWM:")? / 1024.0;
    let over = format!("over {files} files that are done");
    rows.push(row(format!("start {over}"), Goal::MillisecondsAtMost(5000.0), start, String::new()));
    rows.push(row(
        format!("idle {over}, of a second"),
        Goal::MillisecondsAtMost(10.0),
        idle,
        format!("processor time over {} s", IDLE.as_secs()),
    ));
    rows.push(row(format!("memory {over}"), Goal::MebibytesAtMost(160.0), peak, String::new()));
    Ok(rows)
}

/// How old the newest line is that has no output yet, while a log grows fast.
fn appended(bench: &Bench) -> Result<Row> {
    let place = Place::make(bench)?;
    let watch = place.begin(bench, &["--append"])?;
    let line = "a line of a log that is about eighty bytes long, as lines of logs mostly are..\n";
    let block = line.repeat(1 << 14).into_bytes();
    let mut log = File::create(place.at("in/a.log")).context("in/a.log")?;
    let output = place.at("out/a.log");
    let block_bytes = u32::try_from(block.len()).context("a block")?;
    let (begun, mut blocks, mut most) = (Instant::now(), 0_u32, Duration::ZERO);
    let mut ends: std::collections::VecDeque<(u64, Instant)> = std::collections::VecDeque::new();
    while begun.elapsed() < APPENDING {
        log.write_all(&block).context("in/a.log")?;
        blocks += 1;
        ends.push_back((u64::from(blocks) * u64::from(block_bytes), Instant::now()));
        let done = size(&output);
        while ends.front().is_some_and(|(end, _)| *end <= done) {
            ends.pop_front();
        }
        most = most.max(ends.front().map(|(_, at)| at.elapsed()).unwrap_or_default());
        let due =
            Duration::from_secs_f64(f64::from(blocks) * f64::from(block_bytes) / APPENDED_BYTES);
        thread::sleep(due.saturating_sub(begun.elapsed()));
    }
    let rate = f64::from(blocks) * f64::from(block_bytes) / begun.elapsed().as_secs_f64() / 1e6;
    drop(watch);
    Ok(row(
        "lag behind a log that grows".into(),
        Goal::MillisecondsAtMost(1000.0),
        1000.0 * most.as_secs_f64(),
        format!("at most, at {rate:.0} MB/s"),
    ))
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

fn row(name: String, goal: Goal, measured: f64, detail: String) -> Row {
    let command = "host watch in/ --plugin upcase.wasm --out out/".to_owned();
    Row { name, goal, measured: Some(measured), detail, commands: vec![command], times: None }
}

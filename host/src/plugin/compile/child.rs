//! The host's side: starts a compiler, gives it a plugin, and waits for what it answers, for as
//! long as it may take.
//!
//! The plugin is handed over in memory that the compiler has as its standard input, so nobody waits
//! for the other to read. What is left of a compiler when its time is up, when the run is cancelled
//! or when it has said too much is killed and waited for: none outlives the call.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::Signal;

use super::order::{Order, answered};
use super::worker::{ASKED, is_served_here};
use crate::platform;
use crate::plugin::error::Refusal;
use crate::plugin::sealed::check_room;
use crate::settings::limits::{COMPILE_STDERR_BYTES_MAX, WAIT};

/// What this library's own program is called.
const HOST: &str = "host";

/// Compiles a plugin that has the shape of one; gives the code.
pub(super) fn compile(order: &Order, plugin: &[u8], stop: &AtomicBool) -> Result<Vec<u8>, Refusal> {
    let begun = Instant::now();
    let failed = |error: io::Error| Refusal::new(format!("cannot be compiled: {error}"));
    let mut child = Compiler(start(order, plugin)?);
    let answer = Answer::of(&mut child.0, order.memory_bytes).map_err(failed)?;
    let (bytes, stderr) =
        answer.read(stop, begun + order.timeout).map_err(|ended| match ended {
            Ended::Cancelled => cancelled(),
            Ended::Timeout => late(order),
            Ended::Failed(error) => failed(error),
        })?;
    let status = child.0.wait().map_err(failed)?;
    match answered(bytes) {
        Some(answer) if status.success() => answer,
        _ => Err(died(order, status, &stderr)),
    }
}

/// A compiler that runs; killed where it still does when this is dropped.
struct Compiler(Child);

impl Drop for Compiler {
    fn drop(&mut self) {
        // Neither can fail for a child that nobody has waited for, and both do nothing for one that
        // has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(order: &Order, plugin: &[u8]) -> Result<Child, Refusal> {
    let failed = |error: io::Error| Refusal::new(format!("no compiler can be started: {error}"));
    let input = handed_over(order, plugin).map_err(failed)?;
    let mut command = Command::new(program()?);
    command.arg(ASKED).env_clear().current_dir("/");
    // Where the program's own libraries are, if somebody has to say so (ld.so(8)).
    if let Some(path) = std::env::var_os("LD_LIBRARY_PATH") {
        command.env("LD_LIBRARY_PATH", path);
    }
    command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Of a group of its own: what a terminal sends to the host is for the host, which ends it.
    command.process_group(0).spawn().map_err(failed)
}

/// The order and the plugin, in memory that can be read from its start.
fn handed_over(order: &Order, plugin: &[u8]) -> io::Result<File> {
    let line = order.to_line();
    check_room((line.len() + plugin.len()) as u64)?;
    let mut file = platform::nameless_file("plugin")?;
    file.write_all(&line)?;
    file.write_all(plugin)?;
    file.rewind()?;
    Ok(file)
}

/// What compiles: this program, where it has said that it does, or the host beside it or above.
fn program() -> Result<PathBuf, Refusal> {
    if is_served_here() {
        let failed = |error| Refusal::new(format!("cannot find this program: {error}"));
        return platform::this_program().map_err(failed);
    }
    let own = std::env::current_exe().unwrap_or_default();
    let beside = own.ancestors().skip(1).take(2).map(|dir| dir.join(HOST));
    beside.into_iter().find(|path| path.is_file()).ok_or_else(|| {
        Refusal::new("cannot be compiled: this program starts no compiler").hint(
            "call gristmill::plugin::compile_if_asked() at the start of main, or put the program `host` beside this one",
        )
    })
}

/// Why nothing more is read.
enum Ended {
    Cancelled,
    Timeout,
    Failed(io::Error),
}

/// What comes from a compiler: its answer, and what it says when it dies.
struct Answer {
    code: ChildStdout,
    stderr: ChildStderr,
    bytes_max: u64,
}

impl Answer {
    fn of(child: &mut Child, bytes_max: u64) -> io::Result<Self> {
        let missing = || io::Error::other("a compiler without streams");
        let code = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        unblock(&code)?;
        unblock(&stderr)?;
        Ok(Self { code, stderr, bytes_max })
    }

    /// Reads both to their ends.
    fn read(mut self, stop: &AtomicBool, deadline: Instant) -> Result<(Vec<u8>, Vec<u8>), Ended> {
        let (mut bytes, mut stderr) = (Vec::new(), Vec::new());
        let (mut more_code, mut more_stderr) = (true, true);
        while more_code || more_stderr {
            if stop.load(Ordering::Acquire) {
                return Err(Ended::Cancelled);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Ended::Timeout);
            }
            self.wait(more_code, more_stderr, left.min(WAIT)).map_err(Ended::Failed)?;
            more_code = more_code && drain(&mut self.code, &mut bytes).map_err(Ended::Failed)?;
            more_stderr =
                more_stderr && drain(&mut self.stderr, &mut stderr).map_err(Ended::Failed)?;
            stderr.truncate(COMPILE_STDERR_BYTES_MAX);
            if bytes.len() as u64 > self.bytes_max {
                let error = io::Error::other("what it compiles to has no end");
                return Err(Ended::Failed(error));
            }
        }
        Ok((bytes, stderr))
    }

    /// Waits until there is something to read, or for that time.
    fn wait(&self, more_code: bool, more_stderr: bool, time: Duration) -> io::Result<()> {
        let mut streams = Vec::with_capacity(2);
        streams.extend(more_code.then(|| PollFd::new(&self.code, PollFlags::IN)));
        streams.extend(more_stderr.then(|| PollFd::new(&self.stderr, PollFlags::IN)));
        let time = Timespec { tv_sec: 0, tv_nsec: i64::from(time.subsec_nanos()) };
        match poll(&mut streams, Some(&time)) {
            Err(error) if error != rustix::io::Errno::INTR => Err(error.into()),
            _ => Ok(()),
        }
    }
}

fn unblock(stream: &impl AsFd) -> io::Result<()> {
    Ok(fcntl_setfl(stream, fcntl_getfl(stream)? | OFlags::NONBLOCK)?)
}

/// Takes what is there. Whether there may be more.
fn drain(stream: &mut impl Read, into: &mut Vec<u8>) -> io::Result<bool> {
    match stream.read_to_end(into) {
        Ok(_) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
        Err(error) => Err(error),
    }
}

pub(super) fn cancelled() -> Refusal {
    Refusal::new("was not compiled: the run was cancelled")
}

fn late(order: &Order) -> Refusal {
    Refusal::new(format!("is not compiled within {:?}", order.timeout))
        .hint("raise ⟦compile_timeout⟧")
}

fn lacking(order: &Order) -> Refusal {
    let most = match order.memory_bytes {
        bytes if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        bytes => format!("{bytes} bytes"),
    };
    let takes = format!("takes more than {most} of memory to compile");
    if order.is_all_memory {
        let refusal = Refusal::new(format!("{takes}, which is all that the whole run has left"));
        return refusal
            .hint("raise ⟦memory_total⟧: a compiler takes of it, up to ⟦compile_memory⟧");
    }
    Refusal::new(takes).hint("raise ⟦compile_memory⟧")
}

/// What became of a compiler that has not answered.
fn died(order: &Order, status: ExitStatus, stderr: &[u8]) -> Refusal {
    let stderr = String::from_utf8_lossy(stderr);
    // What std says of memory that cannot be had, for data (`handle_alloc_error`), mappings
    // (ENOMEM) and threads (EAGAIN).
    let lacked_memory =
        ["memory allocation of", "Cannot allocate memory", "Resource temporarily unavailable"];
    if lacked_memory.iter().any(|words| stderr.contains(words)) {
        return lacking(order);
    }
    if status.signal() == Some(Signal::XCPU.as_raw()) {
        return late(order);
    }
    let said = stderr.lines().last().map(|line| format!(": {line}")).unwrap_or_default();
    Refusal::new(format!("does not compile: the compiler crashed ({status}){said}"))
}

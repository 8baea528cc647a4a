//! `rustup target add`, in a bounded time.
//!
//! Where the network swallows packets rustup would wait for minutes, on every call: so it is
//! stopped after [`PATIENCE`], and a refusal is remembered for [`MEMORY`].

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::TARGET;

/// How long rustup may take. The download has 20 MB.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long it is not asked again after it failed.
const MEMORY: Duration = Duration::from_hours(1);

/// Adds the target to the active toolchain, or says in one line why that failed.
pub(super) fn add_target(notes: &Path) -> Result<(), String> {
    let note = notes.join(".rustup-failed");
    if is_recent(&note) {
        return Err(format!("it failed within the hour (delete {} to retry)", note.display()));
    }
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]);
    rustup.env_remove("LD_LIBRARY_PATH").env_remove("RUST_BACKTRACE");
    let result = run_within(rustup, PATIENCE);
    if result.is_err() {
        // Without the note the next call only takes longer.
        let _ = File::create(&note);
    }
    result
}

fn is_recent(note: &Path) -> bool {
    let written = fs::metadata(note).and_then(|note| note.modified());
    written.is_ok_and(|written| written.elapsed().is_ok_and(|age| age < MEMORY))
}

/// Runs a program to its end, or kills it when `patience` is over. An error is what it wrote to
/// stderr after `error: `, up to the causes behind it, or else its last line.
fn run_within(mut command: Command, patience: Duration) -> Result<(), String> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let stderr = child.stderr.take();
    let (sender, ended) = mpsc::channel();
    let reader = thread::spawn(move || {
        let text = read_lossy(stderr);
        // Nobody listens any more when time was up.
        let _ = sender.send(());
        text
    });
    // The program has closed stderr: it ends, or has ended.
    let timed_out = ended.recv_timeout(patience) == Err(RecvTimeoutError::Timeout);
    if timed_out {
        child.kill().map_err(|error| error.to_string())?;
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    let text = reader.join().unwrap_or_default();
    if timed_out {
        return Err(format!("no answer within {} s", patience.as_secs()));
    }
    if status.success() {
        return Ok(());
    }
    let reason = text.lines().find_map(|line| line.strip_prefix("error: "));
    let reason = reason.and_then(|reason| reason.split(": ").next());
    let reason = reason.or_else(|| text.lines().last());
    Err(reason.map_or_else(|| status.to_string(), |line| line.trim().to_owned()))
}

/// What the program wrote, as far as it can be read.
fn read_lossy(source: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut source) = source {
        // A broken pipe leaves what came before it, which is all there is to report.
        let _ = source.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_program_that_hangs_is_stopped() {
        let result = run_within(shell("exec sleep 60"), Duration::from_millis(20));
        assert_eq!(result, Err("no answer within 0 s".to_owned()));
    }

    #[test]
    fn one_line_says_what_is_wrong() {
        let error = |script| run_within(shell(script), PATIENCE).unwrap_err();
        assert_eq!(error("echo one >&2; echo two >&2; exit 3"), "two");
        assert_eq!(error("echo 'error: no net: refused' >&2; echo trace >&2; exit 3"), "no net");
        assert_eq!(error("exit 3"), "exit status: 3");
        assert_eq!(run_within(shell("echo fine >&2"), PATIENCE), Ok(()));
    }
}

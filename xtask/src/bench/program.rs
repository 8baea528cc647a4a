//! One program run to its end: wall time, peak memory, and what it printed.

use std::ffi::OsString;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use wait4::Wait4;

/// A command line with a name for the table.
#[derive(Clone)]
pub(super) struct Program {
    /// How the table calls it.
    pub(super) name: String,
    executable: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(&'static str, &'static str)>,
    output: Output,
}

/// Where a program prints.
#[derive(Clone, Copy)]
enum Output {
    /// To us.
    Captured,
    /// To /dev/null, where a write costs the least it can.
    Discarded,
}

/// What one run took.
pub(super) struct Run {
    /// From the start of the process to its end.
    pub(super) wall: Duration,
    /// The most memory that was resident, as the kernel counts it (`ru_maxrss` of `wait4`). It is at least
    /// what *this* program had resident, which the kernel carries over `exec`: so nothing here holds an
    /// input in memory.
    pub(super) peak_bytes: u64,
    /// All that was printed; nothing when that was discarded.
    pub(super) stdout: String,
}

impl Program {
    /// A command without arguments.
    pub(super) fn new(name: impl Into<String>, program: impl Into<OsString>) -> Self {
        let (arguments, environment, output) = (Vec::new(), Vec::new(), Output::Captured);
        Self { name: name.into(), executable: program.into(), arguments, environment, output }
    }

    /// Adds an argument.
    pub(super) fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    pub(super) fn args<'a>(mut self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        self.arguments.extend(arguments.into_iter().map(OsString::from));
        self
    }

    /// Sets a variable of the environment.
    pub(super) fn env(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    /// Sends what it prints to /dev/null.
    pub(super) fn silenced(mut self) -> Self {
        self.output = Output::Discarded;
        self
    }

    /// The command as one would type it.
    pub(super) fn command_line(&self) -> String {
        let variables = self.environment.iter().map(|(name, value)| format!("{name}={value}"));
        let words = [&self.executable].into_iter().chain(&self.arguments);
        let words = words.map(|word| quoted(&word.to_string_lossy()));
        let redirection = match self.output {
            Output::Captured => None,
            Output::Discarded => Some("> /dev/null".to_owned()),
        };
        variables.chain(words).chain(redirection).collect::<Vec<_>>().join(" ")
    }

    /// Runs it once. An exit code other than 0 is an error.
    pub(super) fn run(&self) -> Result<Run> {
        let mut command = Command::new(&self.executable);
        command.args(&self.arguments).envs(self.environment.iter().copied());
        command.env_remove("LD_LIBRARY_PATH").stdin(Stdio::null()).stdout(match self.output {
            Output::Captured => Stdio::piped(),
            Output::Discarded => Stdio::null(),
        });
        let context = || self.command_line();
        let started = Instant::now();
        let mut child = command.spawn().with_context(context)?;
        let mut stdout = String::new();
        if let Some(mut pipe) = child.stdout.take() {
            pipe.read_to_string(&mut stdout).with_context(context)?;
        }
        let used = child.wait4().with_context(context)?;
        let wall = started.elapsed();
        ensure!(used.status.success(), "{}: {}", self.command_line(), used.status);
        Ok(Run { wall, peak_bytes: used.rusage.maxrss, stdout })
    }
}

/// The word, quoted where a shell would take it apart.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./:,@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_typed() {
        let program =
            Program::new("name", "/bin/echo").env("LC_ALL", "C").args(["a b", "it's", ""]);
        let command = r"LC_ALL=C /bin/echo 'a b' 'it'\''s' ''";
        assert_eq!(program.command_line(), command);
        assert_eq!(program.silenced().command_line(), format!("{command} > /dev/null"));
    }

    #[test]
    fn a_run_has_output_time_and_memory() {
        let run = Program::new("name", "sh").args(["-c", "echo 1 2 3"]).run().unwrap();
        assert_eq!(run.stdout, "1 2 3\n");
        assert!(run.wall > Duration::ZERO);
        assert!(run.peak_bytes > 0);
        assert_eq!(Program::new("name", "echo").silenced().run().unwrap().stdout, "");
        assert!(Program::new("name", "sh").args(["-c", "exit 1"]).run().is_err());
    }
}

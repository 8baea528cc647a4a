//! One program run to its end: wall time, peak memory, and what it printed.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
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
    /// What it reads from its standard input, where it does.
    input: Option<PathBuf>,
    output: Output,
    /// What it ends with.
    exit: i32,
}

/// Where a program prints.
#[derive(Clone)]
enum Output {
    /// To us.
    Captured,
    /// To /dev/null, where a write costs the least it can.
    Discarded,
    /// To this file.
    Saved(PathBuf),
    /// To us, and what counts into this file, which it was told of.
    Written(PathBuf),
}

/// A reader that takes its time.
#[derive(Clone, Copy)]
pub(super) struct SlowReader {
    /// What it takes in a second.
    pub(super) bytes_a_second: u64,
    /// When it goes away.
    pub(super) seconds: u64,
}

/// What one run took.
#[derive(Clone)]
pub(super) struct Run {
    /// From the start of the process to its end.
    pub(super) wall: Duration,
    /// The most memory that was resident, as the kernel counts it (`ru_maxrss` of `wait4`). It is
    /// at least what *this* program had resident, which the kernel carries over `exec`: so nothing
    /// here holds an input in memory.
    pub(super) peak_bytes: u64,
    /// All that was printed; nothing when that was discarded.
    pub(super) stdout: String,
}

impl Program {
    /// A command without arguments.
    pub(super) fn new(name: impl Into<String>, program: impl Into<OsString>) -> Self {
        let (arguments, environment, output) = (Vec::new(), Vec::new(), Output::Captured);
        let (name, executable) = (name.into(), program.into());
        Self { name, executable, arguments, environment, input: None, output, exit: 0 }
    }

    /// The same, which is to fail with this exit code.
    pub(super) fn exiting(mut self, exit: i32) -> Self {
        self.exit = exit;
        self
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

    /// Gives it another name in the table.
    pub(super) fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Sends what it prints to /dev/null.
    pub(super) fn silenced(mut self) -> Self {
        self.output = Output::Discarded;
        self
    }

    /// Sends what it prints to a file, which is new in each run.
    pub(super) fn saved(mut self, path: &Path) -> Self {
        self.output = Output::Saved(path.to_owned());
        self
    }

    /// Says which file it was told to write, so that it is new in each run.
    pub(super) fn writing(mut self, path: &Path) -> Self {
        self.output = Output::Written(path.to_owned());
        self
    }

    /// Gives it a file as its standard input.
    pub(super) fn reading(mut self, path: &Path) -> Self {
        self.input = Some(path.to_owned());
        self
    }

    /// The file that it makes, where it makes one.
    pub(super) fn made(&self) -> Option<&Path> {
        match &self.output {
            Output::Saved(path) | Output::Written(path) => Some(path),
            Output::Captured | Output::Discarded => None,
        }
    }

    /// The command as one would type it.
    pub(super) fn command_line(&self) -> String {
        let variables = self.environment.iter().map(|(name, value)| format!("{name}={value}"));
        let words = [&self.executable].into_iter().chain(&self.arguments);
        let words = words.map(|word| quoted(&word.to_string_lossy()));
        let file = |path: &Path| quoted(&path.to_string_lossy());
        let input = self.input.iter().map(|path| format!("< {}", file(path)));
        let redirection = match &self.output {
            Output::Captured | Output::Written(_) => None,
            Output::Discarded => Some("> /dev/null".to_owned()),
            Output::Saved(path) => Some(format!("> {}", file(path))),
        };
        variables.chain(words).chain(input).chain(redirection).collect::<Vec<_>>().join(" ")
    }

    /// Runs it once. An exit code other than 0 is an error.
    pub(super) fn run(&self) -> Result<Run> {
        let context = || self.command_line();
        let mut command = self.command().with_context(context)?;
        let started = Instant::now();
        let mut child = command.spawn().with_context(context)?;
        let mut stdout = String::new();
        if let Some(mut pipe) = child.stdout.take() {
            pipe.read_to_string(&mut stdout).with_context(context)?;
        }
        let used = child.wait4().with_context(context)?;
        let wall = started.elapsed();
        ensure!(used.status.code() == Some(self.exit), "{}: {}", self.command_line(), used.status);
        Ok(Run { wall, peak_bytes: used.rusage.maxrss, stdout })
    }

    /// Runs it until `reader`, which takes what it prints, goes away, or all is printed. What it
    /// says to a reader that is gone is its own affair.
    pub(super) fn run_read_by(&self, reader: SlowReader) -> Result<Run> {
        let context = || self.command_line();
        let mut command = self.command().with_context(context)?;
        let started = Instant::now();
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().with_context(context)?;
        if let Some(pipe) = child.stdout.take() {
            reader.read(pipe).with_context(context)?;
        }
        let used = child.wait4().with_context(context)?;
        let (wall, peak_bytes) = (started.elapsed(), used.rusage.maxrss);
        Ok(Run { wall, peak_bytes, stdout: String::new() })
    }

    /// What is to be started. The file that it makes is gone: to free the memory of an old one
    /// takes time.
    fn command(&self) -> io::Result<Command> {
        if let Some(path) = self.made().filter(|path| path.exists()) {
            fs::remove_file(path)?;
        }
        let mut command = Command::new(&self.executable);
        command.args(&self.arguments).envs(self.environment.iter().copied());
        command.env_remove("LD_LIBRARY_PATH");
        command.stdin(match &self.input {
            Some(path) => File::open(path)?.into(),
            None => Stdio::null(),
        });
        command.stdout(match &self.output {
            Output::Captured | Output::Written(_) => Stdio::piped(),
            Output::Discarded => Stdio::null(),
            Output::Saved(path) => File::create(path)?.into(),
        });
        Ok(command)
    }
}

impl SlowReader {
    /// Takes a tenth of what it takes in a second, ten times a second: it waits for the clock, not
    /// for the program.
    fn read(self, pipe: impl Read) -> io::Result<()> {
        let mut pipe = pipe.take(self.bytes_a_second / 10);
        for _ in 0..self.seconds * 10 {
            io::copy(&mut pipe, &mut io::sink())?;
            pipe.set_limit(self.bytes_a_second / 10);
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
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
        assert_eq!(program.clone().silenced().command_line(), format!("{command} > /dev/null"));
        let program = program.reading("in".as_ref()).saved("a b".as_ref());
        assert_eq!(program.command_line(), format!("{command} < in > 'a b'"));
    }

    #[test]
    fn a_file_is_read_and_one_is_made_anew() {
        let directory = tempfile::tempdir().unwrap();
        let (input, output) = (directory.path().join("in"), directory.path().join("out"));
        fs::write(&input, "text").unwrap();
        fs::write(&output, "longer than text").unwrap();
        let program = Program::new("name", "cat").reading(&input).saved(&output);
        assert_eq!(program.run().unwrap().stdout, "");
        assert_eq!(fs::read_to_string(program.made().unwrap()).unwrap(), "text");
        let program = Program::new("name", "cat").reading(&input).writing(&output);
        assert_eq!(program.run().unwrap().stdout, "text");
        assert!(!output.exists());
    }

    #[test]
    fn a_slow_reader_goes_away() {
        let reader = SlowReader { bytes_a_second: 100, seconds: 1 };
        let run = Program::new("name", "yes").run_read_by(reader).unwrap();
        assert!(run.wall >= Duration::from_secs(1));
        assert!(run.peak_bytes > 0);
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

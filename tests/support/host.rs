//! The binary as a user calls it, and how it ended.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;

use rustix::process::geteuid;
use serde_json::Value;

/// A call of the binary. Its standard input is empty unless [`stdin`](Self::stdin) is called.
pub(crate) struct Host {
    command: Command,
    stdin: Vec<u8>,
    markers: Vec<(String, &'static str)>,
}

impl Host {
    /// The binary without arguments, and without the settings of the user who runs the tests.
    pub(crate) fn new() -> Self {
        Self::through(Command::new(env!("CARGO_BIN_EXE_host")))
    }

    /// A command that ends up calling the binary.
    pub(crate) fn through(mut command: Command) -> Self {
        for (name, _) in std::env::vars_os() {
            let stores = ["GRISTMILL_", "AWS_", "GOOGLE_", "AZURE_"];
            if stores.iter().any(|store| name.to_string_lossy().starts_with(store)) {
                command.env_remove(name);
            }
        }
        command.env_remove("COLUMNS");
        Self { command, stdin: Vec::new(), markers: Vec::new() }
    }

    /// The binary called by somebody to whom things can be forbidden: nobody, where we are root. It
    /// goes into the directory, which everybody may enter from then on.
    pub(crate) fn unprivileged(dir: &Path) -> Self {
        if !geteuid().is_root() {
            return Self::new();
        }
        fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).expect("it is ours");
        let binary = dir.join("host");
        // Copied by another process: a file that we have open for writing is open, too, in whatever
        // another thread starts at that moment, and cannot be executed until that is gone.
        if !binary.exists() {
            let mut copy = Command::new("cp");
            copy.arg(env!("CARGO_BIN_EXE_host")).arg(&binary);
            assert!(copy.status().expect("there is a cp").success());
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"]);
        command.arg(binary);
        Self::through(command)
    }

    /// `host run` with a plugin, which is compiled once for all tests of this process.
    pub(crate) fn run(plugin: &Path) -> Self {
        Self::new()
            .arg("run")
            .arg("--plugin")
            .arg(plugin)
            .arg("--cache")
            .arg(shared_cache())
            .hide(plugin.parent().expect("a plugin is in a directory"), "[plugins]")
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs in a directory, which is `[dir]` in messages.
    pub(crate) fn within(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self.hide(dir, "[dir]")
    }

    /// Shows a path that differs from run to run as `marker`.
    pub(crate) fn hide(mut self, path: &Path, marker: &'static str) -> Self {
        self.markers.push((path.display().to_string(), marker));
        self
    }

    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Starts it with all three streams piped, and leaves them to the caller.
    pub(crate) fn start(mut self) -> Child {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", self.command))
    }

    /// Runs it to its end.
    pub(crate) fn ended(mut self) -> Ended {
        let (given, markers) = (std::mem::take(&mut self.stdin), std::mem::take(&mut self.markers));
        let mut child = self.start();
        let mut stdin = child.stdin.take().unwrap();
        // A host that does not read its input closes it early: that is its own affair.
        let writer = thread::spawn(move || drop(stdin.write_all(&given)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Ended {
            code: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).expect("standard error is text"),
            markers,
        }
    }
}

/// How a call ended.
pub(crate) struct Ended {
    /// The exit code; `None` after a signal.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    markers: Vec<(String, &'static str)>,
}

impl Ended {
    /// The same, when the exit code is this one.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("standard output is text")
    }

    /// Standard output as a JSON document a line.
    #[track_caller]
    pub(crate) fn lines(&self) -> Vec<Value> {
        let parse = |line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}\n{self}"))
        };
        self.text().lines().map(parse).collect()
    }
}

/// Exit code and both streams, for snapshots.
impl fmt::Display for Ended {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.map_or("by a signal".to_string(), |code| code.to_string());
        let stdout = String::from_utf8_lossy(&self.stdout);
        let message = format!("exit: {code}\n--- stdout\n{stdout}--- stderr\n{}", self.stderr);
        let hide = |text: String, (path, marker): &(String, &str)| text.replace(path, marker);
        out.write_str(self.markers.iter().fold(message, hide).trim_end())
    }
}

/// Compiled plugins of this test process. Those that earlier processes left behind are removed.
pub(crate) fn shared_cache() -> &'static Path {
    static CACHE: OnceLock<PathBuf> = OnceLock::new();
    CACHE.get_or_init(|| {
        let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
        for entry in fs::read_dir(parent).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(pid) = name.strip_prefix("cache-")
                && !Path::new("/proc").join(pid).exists()
            {
                let _ = fs::remove_dir_all(entry.path()); // another process may be at it, too
            }
        }
        parent.join(format!("cache-{}", std::process::id()))
    })
}

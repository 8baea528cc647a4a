//! moto, which stands for Amazon S3 in other people's tests, too: a server in a process of its own,
//! from an environment of Python that is made once in the target directory. Where that cannot be
//! made, what needs it is skipped, and says so.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// The version that the tests were written with.
const PACKAGE: &str = "moto[server]==5.2.5";

/// Prints the port that it was given, and ends when nobody holds the other end of its standard
/// input.
const SERVE: &str = "
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
";

/// What shows that somebody asks: an object is not for everybody. Whether it is signed is not
/// looked at.
const KNOWN: &str = "AWS4-HMAC-SHA256 Credential=AKIDTEST/20260101/us-east-1/s3/aws4_request, \
    SignedHeaders=host, Signature=0";

/// Whose requests are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Callers {
    Anybody,
    /// Only those who have an account, of whom there are none.
    Known,
}

/// A server that ends when it is dropped.
pub(crate) struct Moto {
    server: Child,
    port: u16,
}

impl Moto {
    /// Starts a server; `None`, having said why, where there is no moto.
    pub(crate) fn start(callers: Callers) -> Option<Self> {
        let python = python().as_ref().inspect_err(|why| eprintln!("skipped: no moto: {why}"));
        let mut command = Command::new(python.ok()?);
        command.args(["-c", SERVE]).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(Stdio::null());
        if callers == Callers::Known {
            command.env("INITIAL_NO_AUTH_ACTION_COUNT", "0");
        }
        let mut server = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap_or_else(|_| panic!("moto said {line:?}"));
        Some(Self { server, port })
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn bucket(&self, bucket: &str) {
        self.put(&format!("/{bucket}"), b"");
    }

    /// Puts an object; `path` is that of the bucket and key, encoded.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        let (head, body) = self.ask("PUT", path, bytes);
        let message = String::from_utf8_lossy(&body);
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}{message}");
    }

    /// What is in an object; `None` where there is none.
    pub(crate) fn get(&self, path: &str) -> Option<Vec<u8>> {
        let (head, body) = self.ask("GET", path, b"");
        head.starts_with("HTTP/1.1 200").then_some(body)
    }

    /// The head of the answer to a question about an object, in lower case.
    pub(crate) fn head(&self, path: &str) -> String {
        self.ask("HEAD", path, b"").0.to_ascii_lowercase()
    }

    /// The keys in a bucket, in order.
    pub(crate) fn keys(&self, bucket: &str) -> Vec<String> {
        let listed = self.get(&format!("/{bucket}?list-type=2")).unwrap();
        let listed = String::from_utf8(listed).unwrap();
        let keys = listed.split("<Key>").skip(1);
        keys.map(|rest| rest.split("</Key>").next().unwrap().to_string()).collect()
    }

    /// How many uploads of a bucket are neither whole nor given up.
    pub(crate) fn uploads(&self, bucket: &str) -> usize {
        let listed = String::from_utf8(self.get(&format!("/{bucket}?uploads")).unwrap()).unwrap();
        assert!(listed.contains("ListMultipartUploadsResult"), "{listed}");
        listed.matches("<Upload>").count()
    }

    /// The head and body of an answer.
    fn ask(&self, method: &str, path: &str, bytes: &[u8]) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = bytes.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: {length}\r\n\
            Authorization: {KNOWN}\r\nConnection: close\r\n\r\n",
            self.port
        );
        // In one: a second little packet would wait for an answer to the first.
        stream.write_all(&[head.as_bytes(), bytes].concat()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        let body = answer.split_off(end);
        (String::from_utf8(answer).unwrap(), body)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

/// A Python that knows moto.
fn python() -> &'static Result<PathBuf, String> {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let tests = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let version = PACKAGE.rsplit('=').next().unwrap();
        let made = tests.parent().unwrap().join(format!("moto-{version}"));
        if !made.is_dir() {
            // Under another name until it is whole: somebody else may make one, too.
            let making = tests.join(format!("moto-{}", std::process::id()));
            make(&making)?;
            if let Err(error) = fs::rename(&making, &made)
                && !made.is_dir()
            {
                return Err(error.to_string());
            }
        }
        Ok(made.join("bin/python"))
    })
}

fn make(directory: &Path) -> Result<(), String> {
    let run = |program: &Path, args: &[&str]| {
        let output = Command::new(program).args(args).output();
        let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
        let message = String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(()) } else { Err(format!("{args:?}: {message}")) }
    };
    let shown = directory.to_str().unwrap();
    run(Path::new("python3"), &["-m", "venv", shown])?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE];
    run(&directory.join("bin/python"), &install)
}

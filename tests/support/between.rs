//! Between the host and a store: passes requests on, remembers what was asked for, and does
//! otherwise where a test says so.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A request: its path with the query, its headers by their names in lower case.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Arc<Vec<u8>>,
}

impl Asked {
    /// Whether it brings a part of an object.
    pub(crate) fn is_part(&self) -> bool {
        self.path.contains("partNumber=") || self.path.contains("comp=block&")
    }

    /// What it is, for people.
    pub(crate) fn kind(&self) -> String {
        let Self { method, path, .. } = self;
        let query = path.split_once('?').map_or("", |(_, query)| query);
        let word = |name| query.split('&').any(|pair| pair.split('=').next() == Some(name));
        let what = ["uploads", "partNumber", "uploadId"].into_iter().find(|name| word(name));
        match what {
            Some(what) => format!("{method} {what}"),
            None => method.clone(),
        }
    }
}

/// What becomes of a request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Pass,
    /// It waits for [`Between::release`], and is passed on then.
    Hold,
    /// It is answered with this.
    Answer(&'static str, &'static str),
    /// The connection breaks off.
    Break,
}

type Rule = dyn Fn(&Asked) -> Act + Send + Sync;

#[derive(Default)]
struct State {
    asked: Vec<Asked>,
    open: Vec<TcpStream>,
    held: usize,
    parts_at_once: usize,
    parts_at_once_max: usize,
    released: bool,
    ended: bool,
}

struct Shared {
    /// Where requests are passed on to.
    to: String,
    rule: Box<Rule>,
    state: Mutex<State>,
    changed: Condvar,
}

/// Runs until it is dropped.
pub(crate) struct Between {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

impl Between {
    /// Passes on to `endpoint` what `rule` lets pass.
    pub(crate) fn new(
        endpoint: &str,
        rule: impl Fn(&Asked) -> Act + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let to = endpoint.trim_start_matches("http://").to_string();
        let (state, changed) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { to, rule: Box::new(rule), state, changed });
        let accepting = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Self { address, shared, accepting: Some(accepting) }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was asked for until now.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.state.lock().unwrap().asked.clone()
    }

    /// The same, in words.
    pub(crate) fn kinds(&self) -> Vec<String> {
        self.asked().iter().map(Asked::kind).collect()
    }

    /// The most parts that were on their way at once.
    pub(crate) fn parts_at_once_max(&self) -> usize {
        self.shared.state.lock().unwrap().parts_at_once_max
    }

    /// Waits until so many requests are held.
    pub(crate) fn wait_until_held(&self, requests: usize) {
        let state = self.shared.state.lock().unwrap();
        let few = |state: &mut State| state.held < requests;
        let patience = Duration::from_mins(1);
        let waited = self.shared.changed.wait_timeout_while(state, patience, few).unwrap();
        assert!(!waited.1.timed_out(), "only {} are held", waited.0.held);
    }

    /// Lets all go on, also those that come.
    pub(crate) fn release(&self) {
        self.shared.state.lock().unwrap().released = true;
        self.shared.changed.notify_all();
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock().unwrap();
        state.ended = true;
        for stream in state.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both); // the other end may have closed it
        }
        drop(state);
        self.release();
        drop(TcpStream::connect(self.address)); // wakes whoever accepts
        self.accepting.take().unwrap().join().unwrap();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut serving = Vec::new();
    for stream in listener.incoming() {
        let stream = stream.unwrap();
        let mut state = shared.state.lock().unwrap();
        if state.ended {
            break;
        }
        state.open.push(stream.try_clone().unwrap());
        drop(state);
        let shared = Arc::clone(shared);
        // The client may be gone in the middle of a request.
        serving.push(thread::spawn(move || drop(serve(&stream, &shared))));
    }
    for thread in serving {
        thread.join().unwrap();
    }
}

/// One request a connection: the end of an answer is the end of it.
fn serve(stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    let Some((head, asked)) = read(&mut BufReader::new(stream))? else { return Ok(()) };
    let is_part = asked.is_part();
    let mut state = shared.state.lock().unwrap();
    state.asked.push(asked.clone());
    state.parts_at_once += usize::from(is_part);
    state.parts_at_once_max = state.parts_at_once_max.max(state.parts_at_once);
    drop(state);
    let answer = answer(shared, &head, &asked);
    // Before the client can have the answer, and send the next request.
    shared.state.lock().unwrap().parts_at_once -= usize::from(is_part);
    let answered = answer.and_then(|answer| (&*stream).write_all(&answer));
    stream.shutdown(Shutdown::Both)?;
    answered
}

fn answer(shared: &Shared, head: &str, asked: &Asked) -> std::io::Result<Vec<u8>> {
    match (shared.rule)(asked) {
        Act::Answer(status, body) => {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status}\r\nETag: \"one\"\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            return Ok([head.as_bytes(), body.as_bytes()].concat());
        }
        Act::Break => return Ok(Vec::new()),
        Act::Pass => {}
        Act::Hold => {
            let mut state = shared.state.lock().unwrap();
            state.held += 1;
            shared.changed.notify_all();
            drop(shared.changed.wait_while(state, |state| !state.released).unwrap());
        }
    }
    let mut to = TcpStream::connect(&shared.to)?;
    to.write_all(&[head.as_bytes(), &asked.body].concat())?;
    let mut answer = Vec::new();
    to.read_to_end(&mut answer)?;
    Ok(answer)
}

/// The head as it is passed on, and the request.
fn read(reader: &mut impl BufRead) -> std::io::Result<Option<(String, Asked)>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ').map(str::to_string);
    let (method, path) = (words.next().unwrap(), words.next().unwrap_or_default());
    let (mut head, mut headers) = (line, HashMap::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_string());
        head.push_str(&line);
    }
    head.push_str("Connection: close\r\n\r\n");
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some((head, Asked { method, path, headers, body: Arc::new(body) })))
}

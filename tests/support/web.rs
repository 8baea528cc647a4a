//! A web server of our own on the loopback: it gives ranges, and misbehaves on demand.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What is served by one path, and how.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) bytes: Arc<Vec<u8>>,
    /// Its tag, quotes and all.
    pub(crate) tag: Option<&'static str>,
    /// When it was last written.
    pub(crate) date: Option<&'static str>,
    /// Whether a part can be asked for.
    pub(crate) ranges: bool,
    /// Whether answers state their length.
    pub(crate) length: bool,
    /// Whether conditions are heeded.
    pub(crate) conditions: bool,
    pub(crate) fault: Fault,
}

/// What goes wrong.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    None,
    /// So many requests are answered with 503.
    Unavailable(usize),
    /// So many bodies break off in their middle.
    BreaksOff(usize),
    /// After so many requests it is another page.
    Becomes(usize, Box<Page>),
    /// After so many requests nothing comes of a body but its first half, or, if it is asked for,
    /// not even an answer.
    Hangs {
        after: usize,
        answers: bool,
    },
    /// Every request is answered with this.
    Status(&'static str, &'static str),
}

const LONG_AGO: &str = "Sat, 10 Jan 2004 13:37:04 GMT";

impl Page {
    /// A page as good servers have it.
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: Arc::new(bytes.into()),
            tag: Some("\"one\""),
            date: Some(LONG_AGO),
            ranges: true,
            length: true,
            conditions: true,
            fault: Fault::None,
        }
    }

    pub(crate) fn fault(self, fault: Fault) -> Self {
        Self { fault, ..self }
    }
}

/// What was asked for: a path with its query, and the part of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) range: Option<Range<u64>>,
    pub(crate) headers: HashMap<String, String>,
}

#[derive(Debug, Default)]
struct State {
    pages: HashMap<String, Page>,
    asked: Vec<Request>,
    open: Vec<TcpStream>,
    hanging: usize,
    ended: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// Runs until it is dropped.
pub(crate) struct Web {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

impl Web {
    /// A server of these pages, each by its path, which begins with a slash.
    pub(crate) fn new(pages: impl IntoIterator<Item = (String, Page)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = State { pages: pages.into_iter().collect(), ..State::default() };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let accepting = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Self { address, shared, accepting: Some(accepting) }
    }

    /// Of one page.
    pub(crate) fn of(path: &str, page: Page) -> Self {
        Self::new([(path.to_string(), page)])
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What was asked for until now.
    pub(crate) fn asked(&self) -> Vec<Request> {
        self.shared.state.lock().unwrap().asked.clone()
    }

    /// Waits until so many requests hang.
    pub(crate) fn wait_until_hanging(&self, requests: usize) {
        let state = self.shared.state.lock().unwrap();
        let hang = |state: &mut State| state.hanging < requests;
        let patience = Duration::from_secs(30);
        let waited = self.shared.changed.wait_timeout_while(state, patience, hang).unwrap();
        assert!(!waited.1.timed_out(), "nothing hangs");
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock().unwrap();
        state.ended = true;
        for stream in state.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both); // the other end may have closed it
        }
        drop(state);
        self.shared.changed.notify_all();
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
        // The client may be gone in the middle of an answer.
        serving.push(thread::spawn(move || drop(serve(stream, &shared))));
    }
    for thread in serving {
        thread.join().unwrap();
    }
}

fn serve(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    while let Some((method, request)) = read_request(&mut reader)? {
        let page = shared.page(&request);
        let answer = match page {
            Some(page) => answer(&request, page),
            None => Answer::status("404 Not Found", ""),
        };
        if !answer.send(&method, &mut stream, shared)? {
            break;
        }
    }
    stream.shutdown(Shutdown::Both)
}

fn read_request(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<(String, Request)>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ');
    let method = words.next().unwrap().to_string();
    let path = words.next().unwrap_or_default().to_string();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_string());
    }
    let range = headers.get("range").map(|range| {
        let (start, end) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        start.parse().unwrap()..end.parse::<u64>().unwrap() + 1
    });
    Ok(Some((method, Request { path, range, headers })))
}

impl Shared {
    /// The page as it is now; counts the request.
    fn page(&self, request: &Request) -> Option<Page> {
        let mut state = self.state.lock().unwrap();
        state.asked.push(request.clone());
        let path = request.path.split('?').next().unwrap();
        let page = state.pages.get_mut(path)?;
        let now = page.clone();
        match &mut page.fault {
            Fault::Unavailable(times) | Fault::BreaksOff(times) => *times = times.saturating_sub(1),
            Fault::Becomes(0, next) => {
                let next = (**next).clone();
                *page = next.clone();
                return Some(next);
            }
            Fault::Becomes(times, _) | Fault::Hangs { after: times, .. } => {
                *times = times.saturating_sub(1);
            }
            Fault::None | Fault::Status(..) => {}
        }
        Some(now)
    }

    /// Until the server ends.
    fn hang(&self) {
        let mut state = self.state.lock().unwrap();
        state.hanging += 1;
        self.changed.notify_all();
        drop(self.changed.wait_while(state, |state| !state.ended).unwrap());
    }
}

struct Answer {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    page: Arc<Vec<u8>>,
    body: Range<usize>,
    length: bool,
    fault: Fault,
}

impl Answer {
    fn status(status: &'static str, body: &str) -> Self {
        Self {
            status,
            headers: Vec::new(),
            page: Arc::new(body.as_bytes().to_vec()),
            body: 0..body.len(),
            length: true,
            fault: Fault::None,
        }
    }

    /// Says whether the connection goes on.
    fn send(self, method: &str, stream: &mut TcpStream, shared: &Shared) -> std::io::Result<bool> {
        let hangs = matches!(self.fault, Fault::Hangs { after: 0, .. });
        if matches!(self.fault, Fault::Hangs { after: 0, answers: false }) {
            shared.hang();
        }
        let length = if self.length {
            ("Content-Length", self.body.len().to_string())
        } else {
            ("Transfer-Encoding", "chunked".to_string())
        };
        let mut head = vec![format!("HTTP/1.1 {}", self.status)];
        let headers = self.headers.iter().chain([&length]);
        head.extend(headers.map(|(name, value)| format!("{name}: {value}")));
        stream.write_all((head.join("\r\n") + "\r\n\r\n").as_bytes())?;
        if method == "HEAD" {
            return Ok(true);
        }
        let body = &self.page[self.body];
        let breaks_off = matches!(self.fault, Fault::BreaksOff(1..));
        let half = body.len() / 2;
        let now = if hangs || breaks_off { &body[..half] } else { body };
        if self.length {
            stream.write_all(now)?;
        } else {
            for chunk in now.chunks(100_000) {
                write!(stream, "{:x}\r\n", chunk.len())?;
                stream.write_all(chunk)?;
                stream.write_all(b"\r\n")?;
            }
            if now.len() == body.len() {
                stream.write_all(b"0\r\n\r\n")?;
            }
        }
        if hangs {
            shared.hang();
        }
        Ok(!breaks_off && !hangs)
    }
}

fn answer(request: &Request, page: Page) -> Answer {
    let header = |name: &str| request.headers.get(name).map(String::as_str);
    let other_tag = header("if-match").is_some_and(|tag| page.tag != Some(tag));
    let other_date = header("if-unmodified-since").is_some_and(|date| page.date != Some(date));
    match page.fault {
        Fault::Status(status, body) => return Answer::status(status, body),
        Fault::Unavailable(1..) => return Answer::status("503 Service Unavailable", "not now"),
        _ if page.conditions && (other_tag || other_date) => {
            return Answer::status("412 Precondition Failed", "");
        }
        _ => {}
    }
    let bytes = page.bytes.len() as u64;
    let mut headers: Vec<_> = page.tag.iter().map(|tag| ("ETag", (*tag).to_string())).collect();
    headers.extend(page.date.iter().map(|date| ("Last-Modified", (*date).to_string())));
    let range = request.range.clone().filter(|_| page.ranges);
    let (status, body) = match range {
        None => ("200 OK", 0..bytes),
        Some(range) if range.start >= bytes => {
            return Answer::status("416 Range Not Satisfiable", "");
        }
        Some(range) => {
            let end = range.end.min(bytes);
            headers.push(("Content-Range", format!("bytes {}-{}/{bytes}", range.start, end - 1)));
            ("206 Partial Content", range.start..end)
        }
    };
    let body = usize::try_from(body.start).unwrap()..usize::try_from(body.end).unwrap();
    Answer { status, headers, body, page: page.bytes, length: page.length, fault: page.fault }
}

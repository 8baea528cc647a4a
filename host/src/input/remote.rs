//! The one bridge to object stores and web servers, and the one place where waiting is not blocking.
//!
//! Requests are driven by a small runtime of their own, which starts with the first remote source and never without one. Workers
//! stay as they are: they wait for bytes, or for an answer, and look every so often whether the run is to end. Every answer
//! after the first must be of the version that the first was of. What is held of an object is for [`Object`], what is done
//! about errors for the stores' clients: they ask again, with pauses between, as `settings/limits.rs` bounds it.

mod fault;
mod front;
mod object;
mod piece;
mod stores;
mod target;
mod version;

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::path::Path as FilePath;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::client::{
    HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use object_store::path::Path;
use object_store::{
    GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore, ObjectStoreExt, Result as StoreResult,
};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::Error;
use crate::settings::limits::{
    REMOTE_FRONT_PIECES, REMOTE_PART_BYTES, REMOTE_PAUSE, REMOTE_QUESTIONS, REMOTE_RETRIES,
    REMOTE_THREADS, WAIT,
};
use crate::source::{Address, Filter, Refusal, Scheme, Source, Way};

pub use fault::hint;
pub(super) use front::Front;
pub(super) use object::Object;

use fault::{Fault, Kind, WholeInstead};
use front::Next;
use object::Part;
use piece::{Fetching, Piece};
use stores::Web;
use target::{Target, path};
use version::Version;

/// What remote sources share; there is none where there are no such sources.
#[derive(Debug)]
struct Bridge {
    runtime: Runtime,
    clients: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
    web: Web,
}

static BRIDGE: LazyLock<Result<Bridge, Fault>> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(REMOTE_THREADS)
        .thread_name("remote")
        .enable_all()
        .build()
        .map_err(|error| Fault::new(error.kind(), error.to_string()))?;
    Ok(Bridge { runtime, clients: Mutex::default(), web: Web::default() })
});

/// Why a question has no answer.
enum Unanswered {
    /// The run is to end.
    Stopped,
    Fault(Fault),
}

impl Bridge {
    fn get() -> Result<&'static Self, Fault> {
        BRIDGE.as_ref().map_err(Clone::clone)
    }

    /// Waits for an answer, unless the run is to end.
    fn wait<T>(
        &self,
        stop: &AtomicBool,
        answer: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Unanswered> {
        self.runtime.block_on(async {
            let mut answer = std::pin::pin!(answer);
            loop {
                if stop.load(Ordering::Acquire) {
                    return Err(Unanswered::Stopped);
                }
                if let Ok(answer) = timeout(WAIT, answer.as_mut()).await {
                    return answer.map_err(Unanswered::Fault);
                }
            }
        })
    }

    /// The client for an address; those of stores are kept.
    fn client(&self, address: &Address<'_>, name: &str) -> Result<Arc<dyn ObjectStore>, Fault> {
        let make = || {
            stores::client(address, name, &self.web)
                .map_err(|error| Fault::of(&error, address).with_variables(address))
        };
        if address.scheme == Scheme::Http {
            return make();
        }
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(address.store) {
            return Ok(Arc::clone(client));
        }
        let client = make()?;
        clients.insert(address.store.to_string(), Arc::clone(&client));
        Ok(client)
    }
}

/// A remote source that was opened.
pub(super) enum Opened {
    /// It is had in parts.
    Object(Object),
    /// It only comes from its front.
    Front(Front),
}

/// Opens a remote source, and asks for its first part.
pub(super) fn open(path: &std::path::Path, stop: &Arc<AtomicBool>) -> Result<Opened, Error> {
    let opened = Bridge::get().map_err(Unanswered::Fault).and_then(|bridge| {
        let target = Target::new(bridge, path).map_err(Unanswered::Fault)?;
        match bridge.wait(stop, target.first()) {
            Ok(answer) => Ok(object(bridge, target, answer, stop)),
            Err(Unanswered::Fault(Fault { kind: Kind::NoParts, .. })) => {
                let answer = bridge.wait(stop, target.whole())?;
                Ok(front(bridge, target, answer, stop))
            }
            Err(unanswered) => Err(unanswered),
        }
    });
    opened.map_err(|unanswered| match unanswered {
        Unanswered::Stopped => Error::Open(io::ErrorKind::Interrupted.into()),
        Unanswered::Fault(fault) => fault.opening(),
    })
}

fn object(
    bridge: &'static Bridge,
    target: Target,
    answer: GetResult,
    stop: &Arc<AtomicBool>,
) -> Opened {
    let bytes = answer.meta.size;
    let Range { start, end } = answer.range;
    let fetch = Arc::new(Fetch { bridge, target, version: Version(answer.meta.clone()) });
    let first = (end > start).then(|| {
        let piece = Arc::new(Piece::new(start, end));
        let fetching = Arc::new(fetch.go_on(&piece, Some(answer)));
        Part { piece, _fetching: fetching }
    });
    Opened::Object(Object::new(fetch, bytes, first, Arc::clone(stop)))
}

fn front(
    bridge: &'static Bridge,
    target: Target,
    answer: GetResult,
    stop: &Arc<AtomicBool>,
) -> Opened {
    if answer.meta.size == 0 && answer.extensions.get::<NoLength>().is_none() {
        return object(bridge, target, answer, stop);
    }
    let (sender, receiver) = mpsc::channel(REMOTE_FRONT_PIECES);
    let task = bridge.runtime.spawn(async move {
        let mut pieces = answer.into_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map(Vec::from).map_err(|error| target.fault(&error));
            if sender.send(piece).await.is_err() {
                return; // nobody reads on
            }
        }
    });
    Opened::Front(Front::new(receiver, Fetching::by(task.abort_handle())))
}

/// Where the pieces of a whole come out.
type Receiver = mpsc::Receiver<Result<Vec<u8>, Fault>>;

/// The next piece of a whole, if one comes `within` that time.
fn next_within(receiver: &mut Receiver, within: Duration) -> Result<Next, Fault> {
    let runtime = &Bridge::get()?.runtime;
    match runtime.block_on(async { timeout(within, receiver.recv()).await }) {
        Ok(next) => Ok(next.transpose()?.map_or(Next::End, Next::Piece)),
        Err(_elapsed) => Ok(Next::Late),
    }
}

impl Target {
    async fn first(&self) -> Result<GetResult, Fault> {
        let range = Some(GetRange::Bounded(0..REMOTE_PART_BYTES));
        self.get(GetOptions { range, ..GetOptions::default() }).await
    }

    async fn whole(&self) -> Result<GetResult, Fault> {
        self.get(GetOptions::default()).await
    }

    async fn get(&self, options: GetOptions) -> Result<GetResult, Fault> {
        let answer = self.client.get_opts(&self.path, options).await;
        answer.map_err(|error| self.fault(&error))
    }
}

/// Brings parts of one version of an object.
#[derive(Debug)]
struct Fetch {
    bridge: &'static Bridge,
    target: Target,
    version: Version,
}

impl Fetch {
    /// Asks for all of a piece.
    fn begin(self: &Arc<Self>, piece: &Arc<Piece>) -> Fetching {
        self.go_on(piece, None)
    }

    /// Brings what is missing of a piece, at first from `answer`.
    fn go_on(self: &Arc<Self>, piece: &Arc<Piece>, answer: Option<GetResult>) -> Fetching {
        let (fetch, piece) = (Arc::clone(self), Arc::clone(piece));
        let task = self.bridge.runtime.spawn(async move {
            if let Err(fault) = fetch.fill(&piece, answer).await {
                piece.fail(fault);
            }
        });
        Fetching::by(task.abort_handle())
    }

    /// An answer that breaks off is gone on with where it did.
    async fn fill(&self, piece: &Piece, answer: Option<GetResult>) -> Result<(), Fault> {
        let (mut answer, mut pause, mut tries) = (answer, REMOTE_PAUSE, 0);
        loop {
            let now = match answer.take() {
                Some(answer) => answer,
                None => self.rest(piece).await?,
            };
            let ended = self.drain(now, piece).await;
            if piece.reached() == piece.end {
                return Ok(());
            }
            if tries == REMOTE_RETRIES {
                let short = || Fault::new(io::ErrorKind::UnexpectedEof, "the answer breaks off");
                return Err(ended.err().unwrap_or_else(short));
            }
            tries += 1;
            sleep(pause).await;
            pause *= 2;
        }
    }

    async fn drain(&self, answer: GetResult, piece: &Piece) -> Result<(), Fault> {
        let mut bytes = answer.into_stream();
        while let Some(bytes) = bytes.next().await {
            piece.append(&bytes.map_err(|error| self.target.fault(&error))?);
        }
        Ok(())
    }

    /// Asks for what is missing of a piece, in the version that was found.
    async fn rest(&self, piece: &Piece) -> Result<GetResult, Fault> {
        let answer = self.target.get(self.version.question(piece.reached()..piece.end)).await?;
        match self.version.difference(&answer.meta) {
            None => Ok(answer),
            Some(difference) => Err(Fault::changed(difference)),
        }
    }
}

/// A server that does not say how long its answer is.
#[derive(Debug, Clone, Copy)]
struct NoLength;

/// Sends requests, and makes the answers of plain web servers ones that the clients of stores can take.
#[derive(Debug)]
struct Plain(HttpClient);

#[async_trait::async_trait]
impl HttpService for Plain {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let is_for_part = request.headers().contains_key("range");
        let mut answer = self.0.execute(request).await?;
        if is_for_part && answer.status().as_u16() == 200 {
            return Err(HttpError::new(HttpErrorKind::Unknown, WholeInstead));
        }
        if answer.status().is_success() && !answer.headers().contains_key("content-length") {
            answer.headers_mut().insert("content-length", 0.into());
            answer.extensions_mut().insert(NoLength);
        }
        Ok(answer)
    }
}

/// Puts the objects below each [`Way::Prefix`] in its place, in the order of their keys; those that `filter` takes. One that
/// is an object itself stays, and one that cannot be listed stays with the reason. Ends early, with what there was, when
/// `stop` is set.
pub fn expand_prefixes(sources: Vec<Source>, filter: &Filter, stop: &AtomicBool) -> Vec<Source> {
    if sources.iter().all(|source| source.way != Way::Prefix) {
        return sources;
    }
    let found = Bridge::get().map_err(Unanswered::Fault).and_then(|bridge| {
        let below = |source| below(bridge, source, filter);
        let all = stream::iter(&sources).map(below).buffered(REMOTE_QUESTIONS).collect::<Vec<_>>();
        bridge.wait(stop, async { Ok(all.await) })
    });
    // Who opens them is told why there is none to ask.
    let Ok(found) = found else { return sources };
    let each = sources.into_iter().zip(found);
    each.flat_map(|(source, found)| found.unwrap_or_else(|| vec![source])).collect()
}

/// What there is in the place of a source; `None` where it stays.
async fn below(bridge: &Bridge, source: &Source, filter: &Filter) -> Option<Vec<Source>> {
    let address = Address::of(&source.path).filter(|_| source.way == Way::Prefix)?;
    let object = |listed| Source { path: source.path.clone(), listed, way: Way::Object };
    match objects(bridge, &address, &source.name(), filter).await {
        Ok(Found::Itself(bytes)) => Some(vec![object(Ok(Some(bytes)))]),
        Ok(Found::Below(found)) => Some(found),
        Ok(Found::Unknown) => Some(vec![object(Ok(None))]),
        Err(fault) => Some(vec![object(Err(Refusal::Io(fault.io())))]),
    }
}

/// What is found by an address.
enum Found {
    /// An object of that size.
    Itself(u64),
    Below(Vec<Source>),
    /// Nothing that could be seen: who opens it is told why.
    Unknown,
}

async fn objects(
    bridge: &Bridge,
    address: &Address<'_>,
    name: &str,
    filter: &Filter,
) -> Result<Found, Fault> {
    let prefix = path(address)?;
    let client = bridge.client(address, name)?;
    if !address.is_prefix() {
        match client.head(&prefix).await.map_err(|error| Fault::of(&error, address)) {
            Ok(meta) => return Ok(Found::Itself(meta.size)),
            Err(Fault { kind: Kind::Io(io::ErrorKind::NotFound), .. }) => {}
            Err(_) => return Ok(Found::Unknown),
        }
    }
    let listed = list(client.as_ref(), &prefix).await;
    let listed = listed.map_err(|error| Fault::of(&error, address))?;
    if listed.is_empty() {
        let nothing = Fault::new(io::ErrorKind::NotFound, "there are no objects below it");
        return if address.is_prefix() { Err(nothing) } else { Ok(Found::Unknown) };
    }
    let root = FilePath::new(prefix.as_ref());
    let taken =
        listed.iter().filter(|meta| filter.takes(root, FilePath::new(meta.location.as_ref())));
    let source = |meta: &ObjectMeta| Source {
        path: format!("{}/{}", address.store, meta.location).into(),
        listed: Ok(Some(meta.size)),
        way: Way::Object,
    };
    Ok(Found::Below(taken.map(source).collect()))
}

/// The objects below a prefix, in the order of their keys.
async fn list(client: &dyn ObjectStore, prefix: &Path) -> StoreResult<Vec<ObjectMeta>> {
    let listed: Vec<_> = client.list(Some(prefix)).try_collect().await?;
    let there = stream::iter(listed).map(async |meta| {
        // The marker of a directory, whose key ends with a slash, is listed without it: it is no object of that name.
        let is_marker = meta.size == 0
            && matches!(
                client.head(&meta.location).await,
                Err(object_store::Error::NotFound { .. })
            );
        (!is_marker).then_some(meta)
    });
    let mut there: Vec<_> =
        there.buffered(REMOTE_QUESTIONS).filter_map(std::future::ready).collect().await;
    there.sort_unstable_by(|a, b| a.location.as_ref().cmp(b.location.as_ref()));
    Ok(there)
}

//! Sources in object stores and on web servers, over the bridge in `remote/`.
//!
//! Workers stay as they are: they wait for bytes, or for an answer, and look every so often whether
//! the run is to end. Every answer after the first must be of the version that the first was of.
//! What is held of an object is for [`Object`].

mod fault;
mod front;
mod object;
mod piece;
mod version;

use std::io;
use std::ops::Range;
use std::path::Path as FilePath;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{
    Attribute, GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore, ObjectStoreExt,
    Result as StoreResult,
};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::{Access, Error};
use crate::remote::{
    Bridge, Fault, Kind, NoLength, Target, Unanswered, by_pieces, charged, path, unmarked,
};
use crate::settings::limits::{
    REMOTE_FRONT_PIECES, REMOTE_PART_BYTES, REMOTE_PAUSE, REMOTE_QUESTIONS, REMOTE_RETRIES,
};
use crate::source::{Address, Directories, Filter, Refusal, Room, Source, TooManySources, Way};
use crate::stats::{Charge, MemoryBudget};

pub use crate::remote::hint;
pub(super) use front::SequentialBody;
pub(super) use object::Object;

use front::Next;
use object::Part;
use piece::{Fetching, ObjectPart};
use version::Version;

/// A remote source that was opened.
pub(super) enum Opened {
    /// It is had in parts.
    Object(Object),
    /// It only comes from its front.
    Front(SequentialBody),
}

/// Opens a remote source, and asks for its first part. Says what its server says that it is encoded
/// in.
pub(super) fn open(
    path: &std::path::Path,
    access: &Access,
) -> Result<(Opened, Option<Box<str>>), Error> {
    let Access { stop, memory, .. } = access;
    let opened = Bridge::get().map_err(Unanswered::Fault).and_then(|bridge| {
        let target = Target::new(bridge, path).map_err(Unanswered::Fault)?;
        match bridge.wait(stop, charged(memory, target.first())) {
            Ok(answer) => {
                let coding = coding(&answer);
                Ok((object(bridge, target, answer, access), coding))
            }
            Err(Unanswered::Fault(Fault { kind: Kind::NoParts, .. })) => {
                let answer = bridge.wait(stop, charged(memory, target.whole()))?;
                let coding = coding(&answer);
                Ok((front(bridge, target, answer, access), coding))
            }
            Err(unanswered) => Err(unanswered),
        }
    });
    opened.map_err(|unanswered| match unanswered {
        Unanswered::Stopped => Error::Open(io::ErrorKind::Interrupted.into()),
        Unanswered::Fault(fault) => fault.opening(),
    })
}

fn coding(answer: &GetResult) -> Option<Box<str>> {
    let coding = answer.attributes.get(&Attribute::ContentEncoding)?;
    Some(coding.as_ref().into())
}

fn object(bridge: &'static Bridge, target: Target, answer: GetResult, access: &Access) -> Opened {
    let bytes = answer.meta.size;
    let Range { start, end } = answer.range;
    let (version, memory) = (Version(answer.meta.clone()), Arc::clone(&access.memory));
    let fetch = Arc::new(Fetch { bridge, target, version, memory });
    let first = (end > start).then(|| {
        let piece = Arc::new(ObjectPart::new(start, end, &access.memory));
        let fetching = Arc::new(fetch.go_on(&piece, Some(answer)));
        Part { piece, _fetching: fetching }
    });
    Opened::Object(Object::new(fetch, bytes, first, Arc::clone(&access.stop)))
}

fn front(bridge: &'static Bridge, target: Target, answer: GetResult, access: &Access) -> Opened {
    if answer.meta.size == 0 && answer.extensions.get::<NoLength>().is_none() {
        return object(bridge, target, answer, access);
    }
    let (sender, receiver) = mpsc::channel(REMOTE_FRONT_PIECES);
    let memory = Arc::clone(&access.memory);
    let task = bridge.runtime.spawn(async move {
        let mut pieces = answer.into_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece
                .map(|bytes| Came { _held: memory.hold(bytes.len() as u64), bytes: bytes.into() });
            let piece = piece.map_err(|error| target.fault(&error));
            if sender.send(piece).await.is_err() {
                return; // nobody reads on
            }
        }
    });
    Opened::Front(SequentialBody::new(receiver, Fetching::by(task.abort_handle())))
}

/// Where the pieces of a whole come out.
type Receiver = mpsc::Receiver<Result<Came, Fault>>;

/// A piece of a whole, charged while it waits and is read.
#[derive(Debug)]
struct Came {
    bytes: Vec<u8>,
    _held: Charge,
}

/// The next piece of a whole, if one comes `within` that time.
fn next_within(receiver: &mut Receiver, within: Duration) -> Result<Next, Fault> {
    let runtime = &Bridge::get()?.runtime;
    match runtime.block_on(async { timeout(within, receiver.recv()).await }) {
        Ok(next) => Ok(next.transpose()?.map_or(Next::End, Next::ObjectPart)),
        Err(_elapsed) => Ok(Next::Late),
    }
}

impl Target {
    async fn first(&self) -> Result<GetResult, Fault> {
        self.get(by_pieces(Some(GetRange::Bounded(0..REMOTE_PART_BYTES)))).await
    }

    async fn whole(&self) -> Result<GetResult, Fault> {
        self.get(by_pieces(None)).await
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
    /// What its parts are charged to.
    memory: Arc<MemoryBudget>,
}

impl Fetch {
    /// Asks for all of a piece.
    fn begin(self: &Arc<Self>, piece: &Arc<ObjectPart>) -> Fetching {
        self.go_on(piece, None)
    }

    /// Brings what is missing of a piece, at first from `answer`.
    fn go_on(self: &Arc<Self>, piece: &Arc<ObjectPart>, answer: Option<GetResult>) -> Fetching {
        let (fetch, piece) = (Arc::clone(self), Arc::clone(piece));
        let task = self.bridge.runtime.spawn(async move {
            if let Err(fault) = charged(&fetch.memory, fetch.fill(&piece, answer)).await {
                piece.fail(fault);
            }
        });
        Fetching::by(task.abort_handle())
    }

    /// An answer that breaks off is gone on with where it did.
    async fn fill(&self, piece: &ObjectPart, answer: Option<GetResult>) -> Result<(), Fault> {
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

    async fn drain(&self, answer: GetResult, piece: &ObjectPart) -> Result<(), Fault> {
        let mut bytes = answer.into_stream();
        while let Some(bytes) = bytes.next().await {
            piece.append(&bytes.map_err(|error| self.target.fault(&error))?);
        }
        Ok(())
    }

    /// Asks for what is missing of a piece, in the version that was found.
    async fn rest(&self, piece: &ObjectPart) -> Result<GetResult, Fault> {
        let answer = self.target.get(self.version.question(piece.reached()..piece.end)).await?;
        match self.version.difference(&answer.meta) {
            None => Ok(answer),
            Some(difference) => Err(Fault::changed(difference)),
        }
    }
}

/// Puts the objects below each [`Way::Prefix`] in its place, in the order of their keys; those that
/// `filter` takes. One that is an object itself stays, and one that cannot be listed stays with the
/// reason. Ends early, with what there was, when `stop` is set. Pages of lists are charged to
/// `memory`; what they name is counted in `room`.
///
/// # Errors
/// When there are more of them than there is room for.
pub fn expand_prefixes(
    sources: Vec<Source>,
    filter: &Filter,
    room: &Arc<Room>,
    (stop, memory): (&AtomicBool, &Arc<MemoryBudget>),
) -> Result<Vec<Source>, TooManySources> {
    if sources.iter().all(|source| source.way != Way::Prefix) {
        return Ok(sources);
    }
    let found = Bridge::get().map_err(Unanswered::Fault).and_then(|bridge| {
        let below = |source| below(bridge, source, filter, room);
        let all = stream::iter(&sources).map(below).buffered(REMOTE_QUESTIONS).collect::<Vec<_>>();
        bridge.wait(stop, charged(memory, async { Ok(all.await) }))
    });
    // Opening one reports why there is no client.
    let Ok(found) = found else { return Ok(sources) };
    room.check()?;
    let each = sources.into_iter().zip(found);
    Ok(each.flat_map(|(source, found)| found.unwrap_or_else(|| vec![source])).collect())
}

/// What there is in the place of a source; `None` where it stays.
async fn below(
    bridge: &Bridge,
    source: &Source,
    filter: &Filter,
    room: &Arc<Room>,
) -> Option<Vec<Source>> {
    if source.way != Way::Prefix {
        return None;
    }
    let path = source.path.to_path();
    let address = Address::of(&path)?;
    let object = |listed| Source { path: source.path.clone(), listed, way: Way::Object };
    match objects(bridge, &address, &path.to_string_lossy(), (filter, room)).await {
        Ok(Found::Itself(bytes)) => Some(vec![object(Ok(Some(bytes)))]),
        Ok(Found::Below(found)) => Some(found),
        Ok(Found::Unknown) => Some(vec![object(Ok(None))]),
        Err(fault) => Some(vec![object(Err(Refusal::Io(fault.io()).into()))]),
    }
}

/// What is found by an address.
enum Found {
    /// An object of that size.
    Itself(u64),
    Below(Vec<Source>),
    /// Nothing could be seen of it: opening it reports why.
    Unknown,
}

async fn objects(
    bridge: &Bridge,
    address: &Address<'_>,
    name: &str,
    (filter, within): (&Filter, &Arc<Room>),
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
    let listed = list(client.as_ref(), address, &prefix, (filter, within)).await;
    match listed.map_err(|error| Fault::of(&error, address))? {
        Some(found) => Ok(Found::Below(found)),
        None if address.is_prefix() => {
            Err(Fault::new(io::ErrorKind::NotFound, "there are no objects below it"))
        }
        None => Ok(Found::Unknown),
    }
}

/// The objects below a prefix that the filter takes, in the order of their keys; `None` where there
/// are none at all. Each is counted as it comes, and nothing is asked for once they are too many:
/// what stands there then is not all.
async fn list(
    client: &dyn ObjectStore,
    address: &Address<'_>,
    prefix: &Path,
    (filter, within): (&Filter, &Arc<Room>),
) -> StoreResult<Option<Vec<Source>>> {
    let there = client.list(Some(prefix)).map(async |meta| {
        let meta: ObjectMeta = match meta {
            Ok(meta) => meta,
            Err(error) => return StoreResult::Err(error),
        };
        // The marker of a directory, whose key ends with a slash, is listed without it: it is no
        // object of that name.
        let is_marker = meta.size == 0
            && unmarked(meta.location.as_ref()).is_none()
            && matches!(
                client.head(&meta.location).await,
                Err(object_store::Error::NotFound { .. })
            );
        Ok((!is_marker).then_some(meta))
    });
    let mut there = pin!(there.buffered(REMOTE_QUESTIONS));
    let root = FilePath::new(prefix.as_ref());
    let mut directories = Directories::within(within);
    let mut found: Option<Vec<Source>> = None;
    while let Some(meta) = there.try_next().await? {
        let Some(meta) = meta else { continue };
        let found = found.get_or_insert_default();
        if filter.takes(root, FilePath::new(meta.location.as_ref())) {
            let source = listed(&meta, address, &mut directories);
            within.add(&source);
            found.push(source);
        }
        if within.check().is_err() {
            break;
        }
    }
    Ok(found.map(|mut found| {
        found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        found
    }))
}

/// An object of a listing, as a source.
fn listed(meta: &ObjectMeta, address: &Address<'_>, directories: &mut Directories) -> Source {
    let unfit = unmarked(meta.location.as_ref());
    let unread = || {
        Fault::new(
            io::ErrorKind::InvalidInput,
            "its key has an empty part, `.`, `..` or a control character, and is not read",
        )
    };
    let key = unfit.as_deref().unwrap_or(meta.location.as_ref());
    Source {
        listed: match &unfit {
            None => Ok(Some(meta.size)),
            Some(_) => Err(Refusal::Io(unread().io()).into()),
        },
        path: directories.path(format!("{}/{key}", address.store).as_bytes()),
        way: Way::Object,
    }
}

//! A store that objects are written to: whether one is there, and what is asked of the store for
//! one that is small, or made of parts.
//!
//! With permission to write only, every lookup is refused: then only the store knows what is there,
//! and says so when it is given an object.

use std::io::ErrorKind;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    Error as StoreError, GetRange, MultipartId, ObjectStore, PutMode, PutOptions, PutPayload,
};

use super::answers::charged;
use super::bridge::{Bridge, Unanswered};
use super::clients::{self, To, Wish, Writing};
use super::fault::{Fault, Kind};
use super::http::{Completes, by_pieces};
use super::target::path;
use crate::settings::Exists;
use crate::settings::limits::REMOTE_QUESTIONS;
use crate::source::Address;
use crate::stats::MemoryBudget;

/// What is wanted of the objects of an outlet.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// What to do about one that is there.
    pub(crate) exists: Exists,
    /// Their media type.
    pub(crate) content_type: Option<String>,
    /// Is set when the run is to end.
    pub(crate) stop: Arc<AtomicBool>,
    /// What is charged for bytes that the store does not have yet.
    pub(crate) memory: Arc<MemoryBudget>,
}

/// A bucket or container, and how it is written to.
pub(crate) struct Outlet {
    pub(super) bridge: &'static Bridge,
    objects: Arc<dyn ObjectStore>,
    parts: Arc<dyn MultipartStore>,
    completes: Completes,
    exists: Exists,
    /// Scheme and bucket.
    store: String,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) memory: Arc<MemoryBudget>,
}

/// What a look finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looked {
    There,
    Absent,
    /// Whoever asks may not see it.
    Hidden,
}

/// Why an object is not written.
#[derive(Debug)]
pub(crate) enum Unsent {
    /// The run is to end.
    Stopped,
    /// There is one.
    There,
    Fault(Fault),
}

impl Outlet {
    /// The store that `name` is an address in, and the key that it has there.
    pub(crate) fn open(name: &FilePath, wanted: Wanted) -> Result<(Self, Path), Fault> {
        let none = || Fault::new(ErrorKind::InvalidInput, "it is no address");
        let address = Address::of(name).ok_or_else(none)?;
        let key = path(&address)?;
        Ok((Self::of(&address, wanted)?, key))
    }

    fn of(address: &Address<'_>, wanted: Wanted) -> Result<Self, Fault> {
        let Wanted { exists, content_type, stop, memory } = wanted;
        let completes = match exists {
            Exists::Replace => Completes::Over,
            Exists::Fail | Exists::Skip => Completes::Beside,
        };
        let writing = clients::writing(address, Wish { content_type, completes, to: To::Write })
            .map_err(|error| Fault::of(&error, address).with_variables(address))?;
        let none = || Fault::new(ErrorKind::Unsupported, "a web server takes no output");
        let Writing { objects, parts, completes } = writing.ok_or_else(none)?;
        let (bridge, store) = (Bridge::get()?, address.store.to_string());
        Ok(Self { bridge, objects, parts, completes, exists, store, stop, memory })
    }

    /// One that writes into that store.
    #[cfg(test)]
    pub(super) fn within(
        store: Arc<object_store::memory::InMemory>,
        memory: &Arc<MemoryBudget>,
    ) -> Result<Self, Fault> {
        Ok(Self {
            bridge: Bridge::get()?,
            objects: Arc::clone(&store) as Arc<dyn ObjectStore>,
            parts: store,
            completes: Completes::Over,
            exists: Exists::Replace,
            store: "s3://tested".into(),
            stop: Arc::default(),
            memory: Arc::clone(memory),
        })
    }

    /// Looks whether there is an object of that key.
    pub(crate) fn look(&self, key: &Path) -> Result<Looked, Unsent> {
        self.wait(self.looked(key))
    }

    /// How many of these keys have objects; those that cannot be seen have none.
    pub(crate) fn there(&self, keys: Vec<Path>) -> Result<usize, Unsent> {
        self.wait(async {
            let looks = stream::iter(keys).map(async |key| self.looked(&key).await);
            let looks: Vec<_> = looks.buffered(REMOTE_QUESTIONS).try_collect().await?;
            Ok(looks.into_iter().filter(|looked| *looked == Looked::There).count())
        })
    }

    pub(super) fn wait<T>(
        &self,
        answer: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Unsent> {
        let answer = charged(&self.memory, answer);
        self.bridge.wait(&self.stop, answer).map_err(|unanswered| match unanswered {
            Unanswered::Stopped => Unsent::Stopped,
            Unanswered::Fault(fault) => Unsent::Fault(fault),
        })
    }

    /// Asks for its first byte and not for its head: only so a store says that it is the bucket
    /// which is not there.
    async fn looked(&self, key: &Path) -> Result<Looked, Fault> {
        let range = Some(GetRange::Bounded(0..1));
        let Err(error) = self.objects.get_opts(key, by_pieces(range)).await else {
            return Ok(Looked::There);
        };
        let fault = self.fault(&error);
        match fault.kind {
            // It is empty.
            Kind::NoParts => Ok(Looked::There),
            Kind::Io(ErrorKind::NotFound) if !fault.is_without_bucket() => Ok(Looked::Absent),
            Kind::Io(ErrorKind::PermissionDenied) if fault.is_hidden() => Ok(Looked::Hidden),
            Kind::Io(_) | Kind::Changed => Err(fault),
        }
    }

    /// Says whether there is none of that key, where it is this that asks, and not the store that
    /// says so in the end.
    async fn is_free(&self, key: &Path) -> Result<bool, Fault> {
        let blind = || {
            Fault::new(ErrorKind::PermissionDenied, "it cannot be seen whether there is one")
                .hinting("⟦exists⟧ replace does not look; looking takes the permission to read")
        };
        match self.looked(key).await? {
            Looked::Absent => Ok(true),
            Looked::There => Ok(false),
            Looked::Hidden if self.completes == Completes::Beside => Ok(true),
            Looked::Hidden => Err(blind()),
        }
    }

    /// Puts a whole object, unless there is one; says whether it did.
    pub(super) async fn put(&self, key: &Path, bytes: PutPayload) -> Result<bool, Fault> {
        let put = async |mode| {
            let options = PutOptions { mode, ..PutOptions::default() };
            self.objects.put_opts(key, bytes.clone(), options).await
        };
        if self.exists == Exists::Replace {
            return self.wrote(put(PutMode::Overwrite).await.map(drop));
        }
        match put(PutMode::Create).await {
            Err(StoreError::NotImplemented { .. }) if self.is_free(key).await? => {
                self.wrote(put(PutMode::Overwrite).await.map(drop))
            }
            Err(StoreError::NotImplemented { .. }) => Ok(false),
            other => self.wrote(other.map(drop)),
        }
    }

    /// Begins an object of parts, unless there is one.
    pub(super) async fn begin(&self, key: &Path) -> Result<Option<MultipartId>, Fault> {
        if self.exists != Exists::Replace && !self.is_free(key).await? {
            return Ok(None);
        }
        let begun = self.parts.create_multipart(key).await;
        begun.map(Some).map_err(|error| self.fault(&error))
    }

    /// Brings a part. One that came before under the same number is replaced.
    pub(super) async fn part(
        &self,
        (key, id): (&Path, &MultipartId),
        index: usize,
        bytes: PutPayload,
    ) -> Result<PartId, Fault> {
        let put = charged(&self.memory, self.parts.put_part(key, id, index, bytes)).await;
        put.map_err(|error| self.fault(&error))
    }

    /// Makes the object of its parts, unless there is one; says whether it did.
    pub(super) async fn complete(
        &self,
        (key, id): (&Path, &MultipartId),
        parts: Vec<PartId>,
    ) -> Result<bool, Fault> {
        let asks = self.exists != Exists::Replace && self.completes == Completes::Over;
        if asks && !self.is_free(key).await? {
            return Ok(false);
        }
        self.wrote(self.parts.complete_multipart(key, id, parts).await.map(drop))
    }

    /// Has the store forget the parts of an object that is not to be.
    pub(super) async fn abort(&self, (key, id): (&Path, &MultipartId)) -> Result<(), Fault> {
        match self.parts.abort_multipart(key, id).await.map_err(|error| self.fault(&error)) {
            // It has forgotten them.
            Err(Fault { kind: Kind::Io(ErrorKind::NotFound), .. }) | Ok(()) => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    fn wrote(&self, answer: Result<(), StoreError>) -> Result<bool, Fault> {
        match answer {
            Ok(()) => Ok(true),
            Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. })
                if self.exists != Exists::Replace =>
            {
                Ok(false)
            }
            Err(error) => Err(self.fault(&error)),
        }
    }

    fn fault(&self, error: &StoreError) -> Fault {
        match Address::of(FilePath::new(&self.store)) {
            Some(address) => Fault::of(error, &address).writing(&address),
            None => Fault::new(ErrorKind::Other, "is no address"),
        }
    }
}

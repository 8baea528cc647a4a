//! The runtime that drives requests, and the clients that stores are asked by: one of each for the
//! process. Both start with the first address of a store, and never without one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use object_store::ObjectStore;
use parking_lot::Mutex;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::clients::{self, Web};
use super::fault::Fault;
use crate::settings::limits::{REMOTE_THREADS, UPLOAD_FLIGHT_KIB, WAIT};
use crate::source::{Address, Scheme};

/// What all that is remote shares; there is none where there is nothing remote.
#[derive(Debug)]
pub(crate) struct Bridge {
    pub(crate) runtime: Runtime,
    clients: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
    web: Web,
    /// The room for parts of objects that are on their way out, in KiB.
    pub(super) flight: Arc<Semaphore>,
}

static BRIDGE: LazyLock<Result<Bridge, Fault>> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(REMOTE_THREADS)
        .thread_name("remote")
        .enable_all()
        .build()
        .map_err(|error| Fault::new(error.kind(), error.to_string()))?;
    let flight = Arc::new(Semaphore::new(UPLOAD_FLIGHT_KIB as usize));
    Ok(Bridge { runtime, clients: Mutex::default(), web: Web::default(), flight })
});

/// Why a question has no answer.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// The run is to end.
    Stopped,
    Fault(Fault),
}

impl Bridge {
    pub(crate) fn get() -> Result<&'static Self, Fault> {
        BRIDGE.as_ref().map_err(Clone::clone)
    }

    /// Waits for an answer, unless the run is to end.
    pub(crate) fn wait<T>(
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
    pub(crate) fn client(
        &self,
        address: &Address<'_>,
        name: &str,
    ) -> Result<Arc<dyn ObjectStore>, Fault> {
        let make = || {
            clients::client(address, name, &self.web)
                .map_err(|error| Fault::of(&error, address).with_variables(address))
        };
        if address.scheme == Scheme::Http {
            return make();
        }
        let mut clients = self.clients.lock();
        if let Some(client) = clients.get(address.store) {
            return Ok(Arc::clone(client));
        }
        let client = make()?;
        clients.insert(address.store.to_string(), Arc::clone(&client));
        Ok(client)
    }
}

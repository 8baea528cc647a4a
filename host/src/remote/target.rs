//! What is asked for, and whom.

use std::io;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::path::Path;

use super::bridge::Bridge;
use super::fault::Fault;
use crate::source::{Address, Scheme};

/// An object, by the client that knows its store.
#[derive(Debug)]
pub(crate) struct Target {
    name: PathBuf,
    pub(crate) client: Arc<dyn ObjectStore>,
    pub(crate) path: Path,
}

impl Target {
    pub(crate) fn new(bridge: &Bridge, name: &FilePath) -> Result<Self, Fault> {
        let address = Address::of(name)
            .ok_or_else(|| Fault::new(io::ErrorKind::InvalidInput, "is no address"))?;
        let path = path(&address)?;
        let client = bridge.client(&address, &name.to_string_lossy())?;
        Ok(Self { name: name.to_path_buf(), client, path })
    }

    pub(crate) fn fault(&self, error: &object_store::Error) -> Fault {
        match Address::of(&self.name) {
            Some(address) => Fault::of(error, &address),
            None => Fault::new(io::ErrorKind::Other, "is no address"),
        }
    }
}

/// The key of an address as the clients take it; a web server's is in its URL already.
pub(crate) fn path(address: &Address<'_>) -> Result<Path, Fault> {
    let unfit = |message: String| Fault::new(io::ErrorKind::InvalidInput, message);
    if address.scheme == Scheme::Http {
        return Ok(Path::default());
    }
    // The clients take any name, and panic when they make a URL of one that fits into none.
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-$@".contains(c);
    if address.authority.is_empty() || !address.authority.chars().all(fits) {
        let named = match address.authority.rsplit_once('@') {
            Some((asks, bucket)) if asks.contains(':') => format!("***@{bucket}"),
            _ => address.authority.into(),
        };
        return Err(unfit(format!("{named:?} is no name of a bucket")));
    }
    Path::parse(address.key).map_err(|error| unfit(error.to_string()))
}

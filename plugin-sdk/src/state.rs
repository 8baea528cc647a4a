//! How the state of an aggregator travels from one instance to another.

use serde::{Serialize, de::DeserializeOwned};

use crate::Error;

/// What an aggregator accumulates.
///
/// Every type with serde's `Serialize` and `DeserializeOwned` is one, written as
/// [postcard](https://postcard.jamesmunns.com/wire-format). A type that is large and knows a better
/// layout leaves serde out and implements this trait itself.
pub trait State: Sized + 'static {
    /// The state as bytes. Only the same version of the same plugin reads them.
    ///
    /// # Errors
    /// The state cannot be written.
    fn save(&self) -> Result<Vec<u8>, Error>;

    /// The state that [`State::save`] wrote.
    ///
    /// # Errors
    /// `saved` is not such a state.
    fn load(saved: &[u8]) -> Result<Self, Error>;
}

impl<T: Serialize + DeserializeOwned + 'static> State for T {
    fn save(&self) -> Result<Vec<u8>, Error> {
        postcard::to_stdvec(self)
            .map_err(|error| Error::fatal(format_args!("the state cannot be saved: {error}")))
    }

    fn load(saved: &[u8]) -> Result<Self, Error> {
        postcard::from_bytes(saved)
            .map_err(|error| Error::fatal(format_args!("not a saved state: {error}")))
    }
}

//! What there is between this process and stores of objects: one small runtime, the clients of the
//! stores, and what their answers mean. Who reads objects (`input/remote.rs`) and who writes them
//! (`output/object.rs`) share it.
//!
//! Here, and where objects are read, waiting is not blocking. Everybody else waits as for a file,
//! and sees a run that is to end. What is done about errors is for the stores' clients: they ask
//! again, with pauses between, as `settings/limits.rs` bounds it.

mod answers;
mod bridge;
mod clients;
mod fault;
mod http;
mod keys;
mod outlet;
mod patience;
mod redirects;
mod target;
mod upload;

pub(crate) use object_store::path::Path as Key;

pub(crate) use answers::charged;
pub(crate) use bridge::{Bridge, Unanswered};
pub use fault::hint;
pub(crate) use fault::{Fault, Kind};
pub(crate) use http::{NoLength, by_pieces};
pub(crate) use keys::unmarked;
pub(crate) use outlet::{Looked, Outlet, Unsent, Wanted};
pub use redirects::allow_private;
pub(crate) use target::{Target, path};
pub(crate) use upload::Upload;

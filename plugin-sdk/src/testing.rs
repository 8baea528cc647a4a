//! Drives a plugin natively as a host would, cut wherever a host may cut, so that `cargo test` says
//! whether `push`, `save`, `merge` and `finish` agree. There is no sandbox and no thread in it.
//!
//! ```
//! # use gristmill_sdk::{Chunk, Error, Manifest, Settings, Source, Transformer, manifest, testing};
//! # struct Upcase;
//! # impl Transformer for Upcase {
//! #     type State = ();
//! #     fn manifest() -> Manifest { manifest!("Turns ASCII letters into capitals.") }
//! #     fn configure(_: &Settings) -> Result<Self, Error> { Ok(Self) }
//! #     fn open(&self, _: Source) {}
//! #     fn push(&self, _: &mut (), _: Chunk, mut data: Vec<u8>) -> Result<Vec<u8>, Error> {
//! #         data.make_ascii_uppercase();
//! #         Ok(data)
//! #     }
//! # }
//! let output = testing::transform_every_cut::<Upcase>(&[], b"one\ntwo\n");
//! assert_eq!(output, Ok(b"ONE\nTWO\n".to_vec()));
//! ```

mod aggregate;
mod cuts;
mod host;
pub(crate) mod recorder;
mod transform;

pub use crate::host::Level;
pub use aggregate::{aggregate, aggregate_every_cut, total};
pub use recorder::{Recorded, Rejected, recorded};
pub use transform::{configured, transform, transform_every_cut};

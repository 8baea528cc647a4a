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
pub(crate) mod recorder;
mod transform;

pub use crate::host::Level;
pub use aggregate::{aggregate, aggregate_every_cut, total};
pub use recorder::{Recorded, Rejected, recorded};
pub use transform::{transform, transform_every_cut};

use crate::{Chunk, Error, Manifest, Settings, Source};

/// The name of the source that data is said to come from.
const SOURCE_NAME: &str = "test";

fn settings(manifest: &Manifest, given: &[(&str, &str)]) -> Result<Settings, Error> {
    let given = given.iter().map(|&(key, value)| (key.into(), value.into())).collect();
    Settings::check(manifest, given)
}

fn source(manifest: &Manifest, name: &str, data: &[u8]) -> Source {
    let header = cuts::header(manifest.framing, data, manifest.header_records);
    Source { name: name.into(), header: header.to_vec(), properties: Vec::new() }
}

/// The pieces of one source with what the host says of each. An empty source has one empty chunk.
fn numbered<'a>(pieces: &[&'a [u8]]) -> Vec<(Chunk, &'a [u8])> {
    let pieces = if pieces.is_empty() { &[&[][..]] } else { pieces };
    let mut offset = 0;
    let mut chunks = Vec::with_capacity(pieces.len());
    for (index, piece) in pieces.iter().enumerate() {
        let last = index + 1 == pieces.len();
        chunks.push((Chunk { index: index as u64, offset, last }, *piece));
        offset += piece.len() as u64;
    }
    chunks
}

/// An output that should not depend on how the input was cut, but did.
fn differs(how: &str, cuts: [usize; 2], found: &[u8], expected: &[u8]) -> Error {
    let [found, expected] = [found, expected].map(String::from_utf8_lossy);
    let [first, second] = cuts;
    Error::fatal(format_args!(
        "cut at {first} and {second}, {how}: got `{found}`, expected `{expected}`"
    ))
}

//! Write Gristmill plugins in Rust.
//!
//! A plugin is a type of yours: its fields are the settings of the run, its methods say what to do
//! with bytes. It is either an [`Aggregator`] (bytes in, one result out) or a [`Transformer`]
//! (bytes in, bytes out). This crate owns everything between such a type and the contract in
//! `wit/plugin.wit`: resources, checked settings, saved states, the text of a panic. It does not
//! know what a plugin computes, and it reaches nothing that the contract does not offer: [`log`],
//! [`count`], [`reject`].
//!
//! # A whole plugin
//!
//! ```
//! use gristmill_sdk::{Aggregator, Chunk, Error, Framing, Manifest, Settings, Source, manifest};
//!
//! struct CountLines;
//!
//! impl Aggregator for CountLines {
//!     type State = u64;
//!     fn manifest() -> Manifest { manifest!("Counts lines.").framing(Framing::Lines) }
//!     fn configure(_: &Settings) -> Result<Self, Error> { Ok(Self) }
//!     fn open(&self, _: Source) -> u64 { 0 }
//!     fn push(&self, lines: &mut u64, _: Chunk, data: &[u8]) -> Result<(), Error> {
//!         *lines += data.iter().filter(|&&byte| byte == b'\n').count() as u64;
//!         Ok(())
//!     }
//!     fn merge(&self, lines: &mut u64, next: u64) -> Result<(), Error> { *lines += next; Ok(()) }
//!     fn finish(&self, lines: u64) -> Result<Vec<u8>, Error> { Ok(format!("{lines}\n").into()) }
//! }
//!
//! gristmill_sdk::export_aggregator!(CountLines);
//! # let counted = gristmill_sdk::testing::aggregate_every_cut::<CountLines>(&[], b"a\nb\n\nc");
//! # assert_eq!(counted, Ok(b"3\n".to_vec()));
//! ```
//!
//! The crate that holds it is a library with `crate-type = ["cdylib", "rlib"]`, built for
//! `wasm32-unknown-unknown` with `-C target-feature=+simd128`: WebAssembly cannot detect SIMD when
//! it runs. With `-C link-arg=--initial-memory=1441792` it begins with memory that this crate's
//! allocator takes as it is: a fresh sandbox that need not grow costs half.
//!
//! # Speed
//!
//! Each turn of a loop asks whether the deadline of the call has come, and the compiler saves
//! vector registers around that question. A loop of few instructions a turn is two to four times
//! faster over blocks: `data.as_chunks::<128>()`, and an inner loop over each block that is
//! unrolled.
//!
//! # Testing
//!
//! On every other target the export macros only check the type, so a plugin's logic is tested with
//! `cargo test`; [`testing`] drives it as a host would, cut wherever a host may cut.

mod aggregator;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod bindings;
mod call;
mod error;
mod framing;
#[cfg(target_family = "wasm")]
mod heap;
mod host;
mod kept;
pub mod log;
mod manifest;
pub mod records;
mod settings;
mod source;
mod state;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
mod text;
mod transformer;

pub use aggregator::Aggregator;
pub use error::Error;
pub use framing::{Framing, Prefix};
pub use host::{count, reject};
pub use kept::Kept;
pub use manifest::{Manifest, Order, Scope, Setting};
pub use settings::Settings;
pub use source::{Chunk, Source};
pub use state::State;
pub use transformer::Transformer;

//! Between the contract and the plain types of this crate: WebAssembly only, and not for authors.
//!
//! Bindings are generated a piece at a time, `lifecycle` and one of `aggregate` and `transform`:
//! the macros that export a world's interfaces are named after the interface, so that two worlds
//! that share one cannot be generated in one crate. Joined, the pieces that a plugin exports are
//! the contract's world `aggregator` or `transformer`. Nothing outside this folder sees generated
//! types.

pub mod aggregate;
pub(crate) mod calls;
mod convert;
mod crash;
mod held;
pub mod lifecycle;
pub mod transform;

use self::lifecycle::generated::gristmill::plugin::{host, types};

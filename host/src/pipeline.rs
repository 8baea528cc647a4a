//! Several plugins as one: a chain, in which each takes what the one before it gives, and a fan, in
//! which all take the same. Both are processors of processors: `work` sees no difference.

mod chain;
mod fan;
mod links;
mod reframe;
mod stretch;
mod trace;

pub use chain::{Chain, ChainError};
pub use fan::{Branch, Fan, SharedError, shared_framing};
pub use stretch::Stage;

//! Fuzz targets: what reads bytes that somebody else made, one function for each kind.
//!
//! A target takes any bytes, and says whether the host accepted them. It panics where the host
//! does, and where the host contradicts itself: a reader that is given the same bytes in other
//! pieces has to say the same. Knows nothing of how the bytes are found; `tests/smoke.rs` gives
//! each target a few thousand, libFuzzer any number.

mod archive;
mod decoder;
mod frame;
mod pass;
mod spec;

pub use archive::{tar, zip};
pub use decoder::decoders;
pub use frame::framing;
pub use spec::{json, toml};

/// A target and its name, which is that of the directory with its seeds.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// All of them.
pub const TARGETS: [Target; 6] = [
    ("tar", tar),
    ("zip", zip),
    ("framing", framing),
    ("decoders", decoders),
    ("toml", toml),
    ("json", json),
];

//! SHA-256 (FIPS 180-4) of a source: `{"sha256":"e3b0c4..."}`.
//!
//! A digest needs the bytes in order and cannot be merged from digests of pieces, so the scope is a
//! whole source: sources run in parallel, the chunks of one do not. A total over sources is not the
//! digest of any file and does not look like one: `{"sources":2,"sha256_of_digests":"..."}` is the
//! digest of the sources' digests (32 bytes each, one after the other, in the order of the
//! sources). Where `sha256sum` prints the digests:
//!
//! ```sh
//! sha256sum FILES | cut -c1-64 | xxd -r -p | sha256sum
//! ```

mod plugin;

pub use plugin::{Checksum, Sums};

gristmill_sdk::export_aggregator!(Checksum);

//! Seeded searches over what a host reads that others have made, through the library: ledgers, kept
//! failures, words of a manifest.
//!
//! Those over plugin files are beside the code that reads them (`host/src/plugin/seeded.rs`).

mod account;
mod bundles;
mod framings;
mod ledgers;

const MIB: u64 = 1 << 20;

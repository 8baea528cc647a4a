//! What a user sees, and what the pieces promise one another: one module for each subject.
//!
//! Needs the built plugins (`cargo xtask test` builds them first), and programs to compare with:
//! `python3`, and what every Linux has (`wc`, `gzip`, `sha256sum`, `xargs`, `mkfifo`, `bash`,
//! `diff`, `setpriv`).

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod account;
mod beneath;
mod changing;
mod cli;
mod compile;
mod contract;
mod docs;
mod edges;
mod examples;
mod fill;
mod guests;
mod hostile;
mod inputs;
mod jail;
mod jsonlines;
mod kernel;
mod layering;
mod ledger;
mod losses;
mod memory;
mod oracle;
mod outputs;
mod packing;
mod paths;
mod piping;
mod recall;
mod redaction;
mod seeded;
mod spec;
mod specs;
mod support;
mod tenants;
mod transformers;
mod watch;

// `fill.rs` of the host is compiled into this crate, too: there it finds what it uses under these
// names.
use gristmill::{process, slices};

//! Turns ASCII letters into capitals, as `LC_ALL=C tr a-z A-Z` does: every other byte stays what it
//! is, so UTF-8 stays UTF-8 and letters beyond ASCII stay small.
//!
//! It is the smallest transformer there is, and the one that shows what a transformer costs: the
//! bytes are edited where the host has put them, nothing is allocated, and the loop runs at the
//! speed of memory. What it returns is of the type it was given, so it names none
//! (`application/octet-stream`).

mod plugin;

pub use plugin::Upcase;

gristmill_sdk::export_transformer!(Upcase);

//! Where results go: into the order of the inputs, into a format, into a writer.
//!
//! Knows names, bytes and words for errors; not where results come from.

mod format;
mod json;
mod table;
mod value;
mod window;

pub use format::{Fault, Format, Formatter, Row, Total};
pub use table::{Align, Grid};
pub use value::{OutputType, Value, ValueError};
pub use window::Window;

//! Where results go: into the order of the inputs, into a format, into a writer; and where output
//! of any size goes: under which name, compressed how, into which file or object.
//!
//! Knows names, bytes and words for errors; not where results come from.

mod cells;
mod digest;
mod escape;
mod file;
mod format;
mod formatter;
mod grid;
mod json;
mod naming;
mod object;
mod pack;
mod rejects;
mod table;
mod value;
mod window;

pub use digest::Content;
pub use escape::{pretty_json, write_json};
pub use file::{
    Attempt, Committed, Created, FileError, Looked, Pending, Root, SequentialWriter, Swept, Target,
    is_temporary, sweep,
};
pub use format::{Fault, Formatter, Row, Shown, Total};
pub use formatter::Format;
pub use grid::{Align, Grid};
pub use naming::{
    Clash, Collision, Distinct, NameError, Naming, Origin, Stored, Template, TemplateError,
};
pub use object::{Object, ObjectError, Objects, Writing};
pub use pack::{CannotPack, Packer, Written};
pub use rejects::{Rejected, write_reject};
pub use value::{OutputType, Value, ValueError};
pub use window::{Room, Window};

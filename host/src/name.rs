//! Names of files and objects: what kind of name one is, and how it is shown to people.
//!
//! All other modules may use this one, and it uses none: a name in a message is shown by [`Shown`].

mod address;
mod number;
mod shown;
mod text;

pub use address::{Address, Scheme};
pub use number::number;
pub use shown::{Shown, is_url, shown_name};
pub use text::name_text;

//! A hostile plugin can hurt nobody. Each attack is a test: what is said of it is a snapshot, and
//! [`attack::Attack`] holds the rest for all of them: other sources, the process, its memory, and a
//! job beside it on the same engine.
//!
//! `host/docs/security.md` lists every test of this folder, and [`listed`] fails where it does not.

mod attack;
mod calls;
mod damage;
mod floods;
mod growth;
mod listed;
mod manifests;
mod memory;
mod outputs;
mod places;
mod resources;
mod rust;
mod shapes;
mod tampering;
mod texts;

//! The types of `gristmill:plugin@0.1.0` as the engine passes them, and the names that they are
//! found by.

use wasmtime::component::{ComponentType, Lift, Lower};

use super::guest_write::{Beginning, Lent};
use crate::process;
use crate::settings::limits::MESSAGE_BYTES_MAX;

/// The interfaces, by the lowest version of 0.1: the engine takes any other 0.1.x for it.
pub(super) const HOST: &str = "gristmill:plugin/host@0.1.0";
pub(super) const LIFECYCLE: &str = "gristmill:plugin/lifecycle@0.1.0";
pub(super) const AGGREGATE: &str = "gristmill:plugin/aggregate@0.1.0";
pub(super) const TRANSFORM: &str = "gristmill:plugin/transform@0.1.0";

/// What a plugin may import: interfaces of these names, in any version that the engine matches.
pub(super) const IMPORTS: [&str; 2] = ["gristmill:plugin/types@0.1.", "gristmill:plugin/host@0.1."];

#[derive(Debug, Clone, Copy, PartialEq, Eq, ComponentType, Lift, Lower)]
#[expect(dead_code, reason = "made by lifting alone")]
#[component(enum)]
#[repr(u8)]
pub(super) enum Scope {
    #[component(name = "chunk")]
    Chunk,
    #[component(name = "source")]
    Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ComponentType, Lift, Lower)]
#[expect(dead_code, reason = "made by lifting alone")]
#[component(enum)]
#[repr(u8)]
pub(super) enum Order {
    #[component(name = "kept")]
    Kept,
    #[component(name = "any")]
    Any,
}

#[derive(Debug, Clone, PartialEq, Eq, ComponentType, Lift, Lower, serde::Serialize)]
#[component(record)]
/// A word and what it stands for.
pub struct Entry {
    /// The word.
    pub key: String,
    /// What it stands for.
    pub value: String,
}

#[derive(Debug, Clone, PartialEq, Eq, ComponentType, Lift, Lower, serde::Serialize)]
#[component(record)]
/// A setting that a plugin takes.
pub struct Setting {
    /// Its name.
    pub key: String,
    /// What it does.
    pub summary: String,
    /// Used when none is given; without one the setting is required.
    pub default: Option<String>,
}

#[derive(Debug, Clone, ComponentType, Lift, Lower)]
#[component(record)]
pub(super) struct Manifest {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) summary: String,
    pub(super) framing: String,
    pub(super) scope: Scope,
    pub(super) order: Order,
    #[component(name = "header-records")]
    pub(super) header_records: u32,
    #[component(name = "output-type")]
    pub(super) output_type: String,
    pub(super) settings: Vec<Setting>,
    pub(super) properties: Vec<Entry>,
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) header: Lent,
    pub(super) properties: Vec<Entry>,
}

#[derive(Debug, Clone, Copy, ComponentType, Lift, Lower)]
#[component(record)]
pub(super) struct Chunk {
    pub(super) index: u64,
    pub(super) offset: u64,
    pub(super) last: bool,
}

/// What a guest says while it runs, and of how that ended.
pub(super) type Said = Beginning<MESSAGE_BYTES_MAX>;

#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct Flaw {
    pub(super) offset: u64,
    pub(super) reason: Said,
}

#[derive(ComponentType, Lift)]
#[component(variant)]
pub(super) enum Error {
    #[component(name = "invalid-data")]
    InvalidData(Flaw),
    #[component(name = "fatal")]
    Fatal(Said),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ComponentType, Lift, Lower)]
#[expect(dead_code, reason = "made by lifting alone")]
#[component(enum)]
#[repr(u8)]
pub(super) enum Level {
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
}

impl From<Scope> for process::Scope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Chunk => Self::Chunk,
            Scope::Source => Self::Source,
        }
    }
}

impl From<Order> for process::Order {
    fn from(order: Order) -> Self {
        match order {
            Order::Kept => Self::Kept,
            Order::Any => Self::Any,
        }
    }
}

impl From<process::Place> for Chunk {
    fn from(place: process::Place) -> Self {
        let process::Place { index, offset, last } = place;
        Self { index, offset, last }
    }
}

//! What a plugin says of itself.

use super::contract::{self, Entry, Setting};
use crate::process::{Kind, Order, Scope, Traits};

/// What a plugin says of itself.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Manifest {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it does, in a sentence.
    pub summary: String,
    /// Where a source may be cut.
    pub framing: String,
    /// How far the chunks of a source may be spread.
    pub scope: Scope,
    /// Whether their order matters.
    pub order: Order,
    /// Leading records that every resource is given.
    pub header_records: u32,
    /// Media type of its results.
    pub output_type: String,
    /// The settings that it takes.
    pub settings: Vec<Setting>,
    /// Further properties.
    pub properties: Vec<Entry>,
}

impl From<contract::Manifest> for Manifest {
    fn from(manifest: contract::Manifest) -> Self {
        Self {
            name: manifest.name,
            version: manifest.version,
            summary: manifest.summary,
            framing: manifest.framing,
            scope: manifest.scope.into(),
            order: manifest.order.into(),
            header_records: manifest.header_records,
            output_type: manifest.output_type,
            settings: manifest.settings,
            properties: manifest.properties,
        }
    }
}

impl Manifest {
    /// The part that the scheduler needs.
    pub(super) fn traits(&self, kind: Kind) -> Traits {
        let Self { scope, order, header_records, .. } = *self;
        Traits { kind, scope, order, header_records }
    }
}

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

/// The property that names the setting by which a header begins further down: with `skip:3` there,
/// the plugin is given three records more than it asks for.
const HEADER_SETTING: &str = "header-setting";

/// What stands there before the number of records.
const SKIP: &str = "skip:";

impl Manifest {
    /// The part that the scheduler needs, with these settings.
    pub(super) fn traits(&self, kind: Kind, given: &[(String, String)]) -> Traits {
        let Self { scope, order, header_records, .. } = *self;
        let header_records = header_records.saturating_add(self.skipped_records(given));
        Traits { kind, scope, order, header_records }
    }

    /// A property's value.
    pub(super) fn property(&self, key: &str) -> Option<&str> {
        self.properties.iter().find(|it| it.key == key).map(|it| it.value.as_str())
    }

    /// What a setting is: what was given, or its default.
    pub(super) fn value<'a>(
        &'a self,
        setting: &str,
        given: &'a [(String, String)],
    ) -> Option<&'a str> {
        let given = given.iter().find(|(key, _)| key == setting);
        let default = || self.settings.iter().find(|own| own.key == setting)?.default.as_deref();
        given.map(|(_, value)| value.as_str()).or_else(default)
    }

    /// Records before the header. What is no such number is the plugin's to refuse.
    fn skipped_records(&self, given: &[(String, String)]) -> u32 {
        let value = self.property(HEADER_SETTING).and_then(|setting| self.value(setting, given));
        let count = value.and_then(|value| value.strip_prefix(SKIP));
        count.and_then(|count| count.parse().ok()).unwrap_or(0)
    }
}

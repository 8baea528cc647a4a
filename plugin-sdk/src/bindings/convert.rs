//! The contract's types from this crate's, and back.

use super::{host, types};
use crate::host::Level;
use crate::{Chunk, Error, Manifest, Order, Scope, Setting, Source};

impl From<types::Source> for Source {
    fn from(source: types::Source) -> Self {
        let properties = source.properties.into_iter().map(|entry| (entry.key, entry.value));
        Self { name: source.name, header: source.header, properties: properties.collect() }
    }
}

impl From<types::Chunk> for Chunk {
    fn from(types::Chunk { index, offset, last }: types::Chunk) -> Self {
        Self { index, offset, last }
    }
}

impl From<Error> for types::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidData { offset, reason } => {
                Self::InvalidData(types::Flaw { offset, reason })
            }
            Error::Fatal(reason) => Self::Fatal(reason),
        }
    }
}

impl From<Manifest> for types::Manifest {
    fn from(manifest: Manifest) -> Self {
        let properties = manifest.properties.into_iter();
        Self {
            name: manifest.name,
            version: manifest.version,
            summary: manifest.summary,
            framing: manifest.framing.to_string(),
            scope: manifest.scope.into(),
            order: manifest.order.into(),
            header_records: manifest.header_records,
            output_type: manifest.output_type,
            settings: manifest.settings.into_iter().map(Into::into).collect(),
            properties: properties.map(|(key, value)| types::Entry { key, value }).collect(),
        }
    }
}

impl From<Setting> for types::Setting {
    fn from(Setting { key, summary, default }: Setting) -> Self {
        Self { key, summary, default }
    }
}

impl From<Scope> for types::Scope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Chunk => Self::Chunk,
            Scope::Source => Self::Source,
        }
    }
}

impl From<Order> for types::Order {
    fn from(order: Order) -> Self {
        match order {
            Order::Kept => Self::Kept,
            Order::Any => Self::Any,
        }
    }
}

impl From<Level> for host::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
        }
    }
}

//! The first records of a source, held once for all who open resources with them: there may be
//! megabytes.

use std::ops::Deref;
use std::sync::Arc;

use crate::slices;
use crate::stats::Held;

/// See the module; empty by default.
#[derive(Debug, Clone, Default)]
pub struct Header {
    held: Option<Arc<Held>>,
    /// How many of those bytes.
    bytes: usize,
}

impl Header {
    /// No records.
    pub const NONE: &'static Self = &Self::EMPTY;

    const EMPTY: Self = Self { held: None, bytes: 0 };

    /// The first of these bytes, so many, which are still held once.
    #[must_use]
    pub fn first(&self, bytes: usize) -> Self {
        Self { held: self.held.clone(), bytes: self.bytes.min(bytes) }
    }
}

impl From<Held> for Header {
    fn from(held: Held) -> Self {
        let bytes = held.len();
        Self { held: (bytes > 0).then(|| Arc::new(held)), bytes }
    }
}

impl Deref for Header {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let all = self.held.as_ref().map_or(&[][..], |held| held);
        slices::part(all, ..self.bytes)
    }
}

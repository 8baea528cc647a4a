//! Archives that were read as the files that they are: how many, and the first of them in the order
//! of the sources.

use std::collections::BTreeSet;

use serde::Serialize;

/// Such archives, while a run goes on. One that is seen again counts once.
#[derive(Debug, Default)]
pub(super) struct Unopened {
    places: BTreeSet<(usize, u64)>,
    /// Name of the first.
    first: String,
}

/// The same, as it is reported.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct UnopenedArchives {
    /// How many.
    pub sources: u64,
    /// Name of the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
}

impl Unopened {
    /// Counts the archive at that place: the position of a source, and that of a member in it.
    pub(super) fn add(&mut self, place: (usize, u64), name: &str) {
        if self.places.insert(place) && self.places.first() == Some(&place) {
            self.first = name.to_string();
        }
    }

    pub(super) fn describe(&self) -> UnopenedArchives {
        let first = (!self.places.is_empty()).then(|| self.first.clone());
        UnopenedArchives { sources: self.places.len() as u64, first }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_that_of_the_sources_and_each_counts_once() {
        let mut unopened = Unopened::default();
        assert_eq!(unopened.describe(), UnopenedArchives::default());
        for (place, name) in [((3, 1), "c"), ((2, 0), "b"), ((2, 0), "b"), ((4, 0), "d")] {
            unopened.add(place, name);
        }
        assert_eq!(unopened.describe(), UnopenedArchives { sources: 3, first: Some("b".into()) });
    }
}

//! The plugin.

use gristmill_sdk::{
    Aggregator, Chunk, Error, Framing, Manifest, Order, Settings, Source, State, manifest,
};

use crate::Table;
use crate::top::top;
use crate::words::words;

/// The plugin, with the settings of a run.
#[derive(Clone, Copy, Debug)]
pub struct TopWords {
    /// How many words are told.
    n: usize,
}

impl Aggregator for TopWords {
    type State = Table;

    fn manifest() -> Manifest {
        manifest!()
            .framing(Framing::Lines)
            .order(Order::Any)
            .output_type("application/json")
            .setting("n", "10", "How many words.")
    }

    fn configure(settings: &Settings) -> Result<Self, Error> {
        Ok(Self { n: settings.parse("n")? })
    }

    fn open(&self, _: Source) -> Table {
        Table::default()
    }

    fn push(&self, table: &mut Table, _: Chunk, data: &[u8]) -> Result<(), Error> {
        words(data, |word| table.add(word, 1))
    }

    fn merge(&self, table: &mut Table, next: Table) -> Result<(), Error> {
        table.merge_saved(&next.save()?)
    }

    fn merge_saved(&self, table: &mut Table, saved: &[u8]) -> Result<(), Error> {
        table.merge_saved(saved)
    }

    fn finish(&self, table: Table) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(&top(&table, self.n)).map_err(Error::fatal)
    }
}

//! The plugin.

use gristmill_sdk::{
    Aggregator, Chunk, Error, Framing, Manifest, Order, Settings, Source, State, manifest,
};

use crate::Table;
use crate::top::top;

/// The plugin, with the settings of a run.
#[derive(Clone, Copy, Debug)]
pub struct TopWords {
    /// How many words the result has.
    n: usize,
}

impl Aggregator for TopWords {
    type State = Table;

    fn manifest() -> Manifest {
        manifest!()
            .framing(Framing::Lines)
            .reads_all_of_text()
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
        table.count(data)
    }

    fn merge(&self, table: &mut Table, next: Table) -> Result<(), Error> {
        table.merge_saved(next.save()?)
    }

    fn merge_saved(&self, table: &mut Table, saved: Vec<u8>) -> Result<(), Error> {
        table.merge_saved(saved)
    }

    fn finish(&self, table: Table) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(&top(table, self.n)?).map_err(Error::fatal)
    }
}

#[cfg(test)]
mod tests {
    use gristmill_sdk::testing;

    use super::*;

    fn json(settings: &[(&str, &str)], data: &[u8]) -> String {
        let output = testing::aggregate_every_cut::<TopWords>(settings, data);
        String::from_utf8(output.unwrap()).unwrap()
    }

    #[test]
    fn every_cut_finds_the_same_words() {
        let text = b"b a c\na b\n\nd b\ta\nc c d";
        assert_eq!(json(&[("n", "2")], text), r#"[{"word":"a","count":3},{"word":"b","count":3}]"#);
        assert_eq!(json(&[("n", "1")], text), r#"[{"word":"a","count":3}]"#);
        assert_eq!(json(&[("n", "0")], text), "[]");
        assert_eq!(json(&[], text).matches("count").count(), 4);
        assert_eq!(json(&[], b""), "[]");
    }

    #[test]
    fn what_json_cannot_hold_is_escaped_or_replaced() {
        let expected =
            [r#"[{"word":"\"\u0001\\","count":1},"#, "{\"word\":\"\u{fffd}\",\"count\":1}]"];
        assert_eq!(json(&[], b"\"\x01\\ \xff"), expected.concat());
    }

    #[test]
    fn a_damaged_state_is_refused() {
        let plugin = TopWords { n: 10 };
        for damaged in [&b""[..], b"short", &[0; 8], &[0xff; 4000]] {
            let mut table = Table::default();
            let merged = plugin.merge_saved(&mut table, damaged.to_vec());
            assert!(merged.and_then(|()| plugin.finish(table)).is_err());
        }
    }
}

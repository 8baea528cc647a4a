//! The plugin: what is counted for whom, and how it is said.

use std::fmt::Write as _;

use gristmill_sdk::{
    Aggregator, Chunk, Error, Framing, Manifest, Order, Settings, Source, manifest,
};
use serde::{Deserialize, Serialize};

use crate::chars::{chars, longest};
use crate::{Counts, count};

/// The plugin, with the settings of a run.
#[derive(Clone, Copy, Debug)]
pub struct WordCount {
    chars: bool,
    longest: bool,
}

/// What accumulates.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Totals {
    counts: Counts,
    chars: u64,
    longest: u64,
}

impl Aggregator for WordCount {
    type State = Totals;

    fn manifest() -> Manifest {
        manifest!()
            .framing(Framing::Lines)
            .reads_all_of_text()
            .order(Order::Any)
            .output_type("application/json")
            .setting("chars", "false", "Count UTF-8 characters, too.")
            .setting("longest", "false", "Say how many characters the longest line has.")
    }

    fn configure(settings: &Settings) -> Result<Self, Error> {
        Ok(Self { chars: settings.parse("chars")?, longest: settings.parse("longest")? })
    }

    fn open(&self, _: Source) -> Totals {
        Totals::default()
    }

    fn push(&self, totals: &mut Totals, _: Chunk, data: &[u8]) -> Result<(), Error> {
        totals.counts.add(count(data));
        if self.chars {
            totals.chars += chars(data);
        }
        if self.longest {
            totals.longest = longest(data, totals.longest);
        }
        Ok(())
    }

    fn merge(&self, totals: &mut Totals, next: Totals) -> Result<(), Error> {
        totals.counts.add(next.counts);
        totals.chars += next.chars;
        totals.longest = totals.longest.max(next.longest);
        Ok(())
    }

    fn finish(&self, totals: Totals) -> Result<Vec<u8>, Error> {
        let Counts { lines, words, bytes } = totals.counts;
        let mut json = format!(r#"{{"lines":{lines},"words":{words},"bytes":{bytes}"#);
        for (wanted, key, value) in
            [(self.chars, "chars", totals.chars), (self.longest, "longest", totals.longest)]
        {
            if wanted {
                write!(json, r#","{key}":{value}"#).map_err(Error::fatal)?;
            }
        }
        json.push('}');
        Ok(json.into())
    }
}

#[cfg(test)]
mod tests {
    use gristmill_sdk::testing;

    use super::*;

    const TEXT: &[u8] = b"one  two\n\tthree\r\n\n\xc3\xa9t\xc3\xa9 \xff\xff\x0bend";

    fn counted(settings: &[(&str, &str)], data: &[u8]) -> String {
        let output = testing::aggregate_every_cut::<WordCount>(settings, data);
        String::from_utf8(output.unwrap()).unwrap()
    }

    #[test]
    fn every_cut_counts_the_same() {
        assert_eq!(counted(&[], TEXT), r#"{"lines":3,"words":6,"bytes":30}"#);
        assert_eq!(counted(&[], b""), r#"{"lines":0,"words":0,"bytes":0}"#);
    }

    #[test]
    fn characters_and_the_longest_line_are_counted_if_asked_for() {
        assert_eq!(
            counted(&[("longest", "true"), ("chars", "true")], TEXT),
            r#"{"lines":3,"words":6,"bytes":30,"chars":28,"longest":10}"#
        );
        assert_eq!(
            counted(&[("longest", "true")], b"a\nbc"),
            r#"{"lines":1,"words":2,"bytes":4,"longest":2}"#
        );
    }

    #[test]
    fn a_total_adds_sources_up() {
        let total = testing::total::<WordCount>(&[], &[("a", b"x y"), ("b", b"z\n")]).unwrap();
        assert_eq!(total, br#"{"lines":1,"words":3,"bytes":5}"#);
    }

    #[test]
    fn a_setting_of_another_kind_is_refused() {
        let error = testing::aggregate::<WordCount>(&[("chars", "yes")], &[]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "setting `chars` cannot be `yes`: provided string was not `true` or `false`"
        );
    }
}

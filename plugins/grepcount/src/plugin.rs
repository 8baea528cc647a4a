//! The plugin: how many lines match.

use gristmill_sdk::{
    Aggregator, Chunk, Error, Framing, Manifest, Order, Settings, Source, manifest,
};
use matching::Pattern;

/// The plugin, with the settings of a run.
#[derive(Clone, Debug)]
pub struct GrepCount {
    pattern: Pattern,
    invert: bool,
}

impl Aggregator for GrepCount {
    /// Lines.
    type State = u64;

    fn manifest() -> Manifest {
        let manifest = manifest!().framing(Framing::Lines).order(Order::Any).reads_text();
        matching::settings(manifest.output_type("application/json"))
    }

    fn configure(settings: &Settings) -> Result<Self, Error> {
        Ok(Self { pattern: Pattern::configure(settings)?, invert: settings.parse("invert")? })
    }

    fn open(&self, _: Source) -> u64 {
        0
    }

    fn push(&self, lines: &mut u64, _: Chunk, data: &[u8]) -> Result<(), Error> {
        let matching = self.matching(data);
        *lines += if self.invert { all(data) - matching } else { matching };
        Ok(())
    }

    fn merge(&self, lines: &mut u64, next: u64) -> Result<(), Error> {
        *lines += next;
        Ok(())
    }

    fn finish(&self, lines: u64) -> Result<Vec<u8>, Error> {
        Ok(format!(r#"{{"lines":{lines}}}"#).into())
    }
}

impl GrepCount {
    fn matching(&self, data: &[u8]) -> u64 {
        let (mut lines, mut next) = (0, 0);
        while let Some(line) = self.pattern.next_line(data, next) {
            lines += 1;
            next = line.end;
        }
        lines
    }
}

/// How many lines there are: the last one may lack its line feed.
fn all(data: &[u8]) -> u64 {
    let ended = memchr::memchr_iter(b'\n', data).count() as u64;
    ended + u64::from(data.last().is_some_and(|&byte| byte != b'\n'))
}

#[cfg(test)]
mod tests {
    use gristmill_sdk::testing;

    use super::*;

    fn counted(given: &[(&str, &str)], text: &[u8]) -> String {
        let output = testing::aggregate_every_cut::<GrepCount>(given, text);
        String::from_utf8(output.unwrap()).unwrap()
    }

    #[test]
    fn lines_are_counted_however_they_are_cut() {
        let text = b"one\ntwo\n\nthree and one";
        assert_eq!(counted(&[("pattern", "one")], text), r#"{"lines":2}"#);
        assert_eq!(counted(&[("pattern", "o"), ("invert", "true")], text), r#"{"lines":1}"#);
        assert_eq!(counted(&[("pattern", "[a-z]+$")], text), r#"{"lines":3}"#);
        assert_eq!(counted(&[("pattern", "")], b""), r#"{"lines":0}"#);
        assert_eq!(counted(&[("pattern", "x"), ("invert", "true")], b"a\n"), r#"{"lines":1}"#);
    }

    #[test]
    fn a_total_adds_sources_up() {
        let sources = [("a", &b"x\ny\n"[..]), ("b", b"x")];
        let total = testing::total::<GrepCount>(&[("pattern", "x")], &sources);
        assert_eq!(total, Ok(br#"{"lines":2}"#.to_vec()));
    }
}

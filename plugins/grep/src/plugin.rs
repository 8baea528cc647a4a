//! The plugin: which lines stay.

use gristmill_sdk::{
    Chunk, Error, Framing, Kept, Manifest, Settings, Source, Transformer, manifest,
};
use matching::Pattern;

/// The plugin, with the settings of a run.
#[derive(Clone, Debug)]
pub struct Grep {
    pattern: Pattern,
    invert: bool,
}

impl Transformer for Grep {
    type State = ();

    fn manifest() -> Manifest {
        matching::settings(manifest!().framing(Framing::Lines).reads_text())
    }

    fn configure(settings: &Settings) -> Result<Self, Error> {
        Ok(Self { pattern: Pattern::configure(settings)?, invert: settings.parse("invert")? })
    }

    fn open(&self, _: Source) {}

    fn push(&self, (): &mut (), _: Chunk, data: Vec<u8>) -> Result<Vec<u8>, Error> {
        let mut kept = Kept::of(data);
        let mut next = 0;
        while let Some(line) = self.pattern.next_line(kept.data(), next) {
            let before = next..line.start;
            next = line.end;
            kept.keep(if self.invert { before } else { line });
        }
        if self.invert {
            kept.keep(next..kept.data().len());
        }
        Ok(kept.into_output())
    }
}

#[cfg(test)]
mod tests {
    use gristmill_sdk::testing;
    use proptest::prelude::*;

    use super::*;

    fn kept(given: &[(&str, &str)], text: &str) -> String {
        let output = testing::transform_every_cut::<Grep>(given, text.as_bytes());
        String::from_utf8(output.unwrap()).unwrap()
    }

    #[test]
    fn lines_stay_as_they_are() {
        let text = "one\r\ntwo\n\nthree and one";
        assert_eq!(kept(&[("pattern", "one")], text), "one\r\nthree and one");
        assert_eq!(kept(&[("pattern", "one"), ("invert", "true")], text), "two\n\n");
        assert_eq!(kept(&[("pattern", "four")], text), "");
        assert_eq!(kept(&[("pattern", "four"), ("invert", "true")], text), text);
        assert_eq!(kept(&[("pattern", "")], text), text);
        assert_eq!(kept(&[("pattern", ""), ("invert", "true")], text), "");
        assert_eq!(kept(&[("pattern", "^$"), ("invert", "true")], ""), "");
    }

    proptest! {
        #[test]
        fn what_is_kept_and_what_is_not_are_all_lines(
            text in "[abc\\n]{0,200}",
            pattern in prop::sample::select(&["a", "^b", "c$", "ab|ca", "b.c", "^$", "^"][..]),
            fixed: bool,
        ) {
            let found = regex::Regex::new(pattern).unwrap();
            let matches = |line: &&str| {
                let bare = line.strip_suffix('\n').unwrap_or(line);
                if fixed { bare.contains(pattern) } else { found.is_match(bare) }
            };
            let (matching, others): (String, String) =
                text.split_inclusive('\n').partition(matches);
            let fixed = if fixed { "true" } else { "false" };
            for (invert, expected) in [("false", matching), ("true", others)] {
                let given = [("pattern", pattern), ("fixed", fixed), ("invert", invert)];
                let output = testing::transform::<Grep>(&given, &[text.as_bytes()]).unwrap();
                prop_assert_eq!(String::from_utf8(output).unwrap(), expected);
            }
        }
    }
}

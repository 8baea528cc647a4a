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
    only_matching: bool,
}

impl Transformer for Grep {
    type State = ();

    fn manifest() -> Manifest {
        matching::settings(manifest!().framing(Framing::Lines).reads_text()).setting(
            "only-matching",
            "false",
            "Write what matches, each on a line, instead of the lines.",
        )
    }

    fn configure(settings: &Settings) -> Result<Self, Error> {
        let pattern = Pattern::configure(settings)?;
        let (invert, only_matching) = (settings.parse("invert")?, settings.parse("only-matching")?);
        if invert && only_matching {
            return Err(Error::fatal("settings `invert` and `only-matching` exclude each other"));
        }
        Ok(Self { pattern, invert, only_matching })
    }

    fn open(&self, _: Source) {}

    fn push(&self, (): &mut (), _: Chunk, data: Vec<u8>) -> Result<Vec<u8>, Error> {
        if self.only_matching {
            return Ok(self.matches(&data));
        }
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

impl Grep {
    /// Everything that matches and is not empty, each with a line feed.
    fn matches(&self, data: &[u8]) -> Vec<u8> {
        let mut output = Vec::new();
        let mut next = 0;
        while let Some(found) = self.pattern.next_match(data, next) {
            next = found.end.max(found.start + 1);
            if !found.is_empty() {
                output.extend_from_slice(data.get(found).unwrap_or_default());
                output.push(b'\n');
            }
        }
        output
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

    #[test]
    fn matches_are_kept_instead_of_lines() {
        let only =
            |pattern| kept(&[("pattern", pattern), ("only-matching", "true")], "a1 b22\n\nc x333");
        assert_eq!(only("[0-9]+"), "1\n22\n333\n");
        assert_eq!(only("x*"), "x\n");
        assert_eq!(only("^."), "a\nc\n");
        assert_eq!(only("22\nc"), "22\nc\n");
        assert_eq!(only("q"), "");
        let both = [("pattern", "a"), ("only-matching", "true"), ("invert", "true")];
        assert!(testing::transform::<Grep>(&both, &[]).is_err());
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

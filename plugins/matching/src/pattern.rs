//! A pattern, from the settings of a plugin, and the lines that it finds.

use std::fmt;
use std::ops::Range;

use gristmill_sdk::{Error, Manifest, Settings};
use memchr::memmem::Finder;
use memchr::{memchr, memrchr};
use regex_automata::meta::{Config, Regex};
use regex_automata::{Input, nfa::thompson::WhichCaptures};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;

use crate::lines::{AsksForLineFeed, within_lines};

/// What a compiled expression may take, in bytes; the default of the crate `regex`.
pub(crate) const REGEX_BYTES_MAX: usize = 10 << 20;

/// What an expression may keep of the automaton that it makes as it goes, in bytes. With less, one
/// with Unicode classes forgets and begins again many times in a chunk.
pub(crate) const CACHE_BYTES: usize = 4 << 20;

/// Declares the settings that make a [`Pattern`].
pub fn settings(manifest: Manifest) -> Manifest {
    manifest
        .required_setting("pattern", "What a line has to hold: a regular expression, or one of several, on a line each.")
        .setting("fixed", "false", "The pattern is plain text, in which no character is special.")
        .setting("ignore-case", "false", "Capital and small letters are the same.")
        .setting(
            "unicode",
            "true",
            "Classes, word boundaries and case are those of Unicode; without it, of ASCII, which can be faster.",
        )
        .setting("invert", "false", "Take the lines that do not match.")
}

/// What a line has to hold.
#[derive(Clone, Debug)]
pub struct Pattern(Way);

#[derive(Clone, Debug)]
enum Way {
    Literal(Box<Finder<'static>>),
    Expression(Regex),
}

impl Pattern {
    /// The pattern that the settings declared by [`settings`] name.
    ///
    /// # Errors
    /// The pattern is no regular expression, too large a one, or asks for a line feed.
    pub fn configure(settings: &Settings) -> Result<Self, Error> {
        let text: String = settings.parse("pattern")?;
        let fixed: bool = settings.parse("fixed")?;
        let ignore_case: bool = settings.parse("ignore-case")?;
        let several = text.contains('\n');
        if fixed && !ignore_case && !several {
            return Ok(Self(Way::Literal(Box::new(Finder::new(&text).into_owned()))));
        }
        let mut parser = ParserBuilder::new();
        parser
            .utf8(false)
            .unicode(settings.parse("unicode")?)
            .case_insensitive(ignore_case)
            .multi_line(true);
        // As in `grep`, a line feed parts one pattern from the next. One at the end is none.
        let mut alternatives = Vec::new();
        for one in text.strip_suffix('\n').unwrap_or(&text).split('\n') {
            let source = if fixed { regex_syntax::escape(one) } else { one.to_owned() };
            let parsed = parser.build().parse(&source).map_err(|error| refused(one, error))?;
            let lines = within_lines(&parsed)
                .map_err(|AsksForLineFeed| refused(one, ASKS_FOR_LINE_FEED))?;
            alternatives.push(lines);
        }
        let lines = Hir::alternation(alternatives);
        // With no captures at all the engine finds nothing: the implicit one is the match as a
        // whole.
        let config = Config::new()
            .utf8_empty(false)
            .which_captures(WhichCaptures::Implicit)
            .nfa_size_limit(Some(REGEX_BYTES_MAX))
            .hybrid_cache_capacity(CACHE_BYTES);
        let regex = Regex::builder().configure(config).build_from_hir(&lines);
        Ok(Self(Way::Expression(regex.map_err(|error| refused(&text, error))?)))
    }

    /// The first line that matches, with its line feed if it has one, of those that begin at `from`
    /// or after it. A line begins at `from`.
    #[inline]
    pub fn next_line(&self, data: &[u8], from: usize) -> Option<Range<usize>> {
        let rest = data.get(from..).filter(|rest| !rest.is_empty())?;
        // Somewhere in the line, or at its line feed.
        let inside = match &self.0 {
            Way::Literal(finder) => finder.find(rest)?,
            Way::Expression(regex) => {
                let input = Input::new(data).range(from..).earliest(true);
                regex.search_half(&input)?.offset().saturating_sub(from)
            }
        };
        let (before, after) = rest.split_at_checked(inside)?;
        let start = memrchr(b'\n', before).map_or(0, |at| at + 1);
        let end = memchr(b'\n', after).map_or(rest.len(), |at| inside + at + 1);
        // What is found behind the last line feed is in no line.
        (start < rest.len()).then(|| from + start..from + end)
    }
}

impl Pattern {
    /// The first match that begins at `from` or after it: it may be empty. Of several patterns that
    /// match there, it is that of the first one.
    #[inline]
    pub fn next_match(&self, data: &[u8], from: usize) -> Option<Range<usize>> {
        let rest = data.get(from..)?;
        match &self.0 {
            Way::Literal(finder) => {
                let start = from + finder.find(rest)?;
                Some(start..start + finder.needle().len())
            }
            Way::Expression(regex) => {
                regex.find(Input::new(data).range(from..)).map(|found| found.range())
            }
        }
    }
}

pub(crate) const ASKS_FOR_LINE_FEED: &str = "it asks for a line feed, and no line has one";

fn refused(text: &str, why: impl fmt::Display) -> Error {
    Error::fatal(format_args!("setting `pattern` cannot be `{text}`: {why}"))
}

#[cfg(test)]
mod tests {
    use gristmill_sdk::{Aggregator, Chunk, Order, Source, manifest, testing};
    use proptest::prelude::*;
    use regex::bytes::RegexBuilder;

    use super::*;

    /// The lines that match, one after the other.
    struct Lines(Pattern);

    impl Aggregator for Lines {
        type State = Vec<u8>;

        fn manifest() -> Manifest {
            settings(manifest!().framing(gristmill_sdk::Framing::Lines).order(Order::Kept))
        }

        fn configure(settings: &Settings) -> Result<Self, Error> {
            Pattern::configure(settings).map(Self)
        }

        fn open(&self, _: Source) -> Vec<u8> {
            Vec::new()
        }

        fn push(&self, lines: &mut Vec<u8>, _: Chunk, data: &[u8]) -> Result<(), Error> {
            let mut from = 0;
            while let Some(line) = self.0.next_line(data, from) {
                from = line.end;
                lines.extend_from_slice(&data[line]);
            }
            Ok(())
        }

        fn merge(&self, lines: &mut Vec<u8>, next: Vec<u8>) -> Result<(), Error> {
            lines.extend(next);
            Ok(())
        }

        fn finish(&self, lines: Vec<u8>) -> Result<Vec<u8>, Error> {
            Ok(lines)
        }
    }

    fn found(given: &[(&str, &str)], text: &[u8]) -> String {
        let lines = testing::aggregate_every_cut::<Lines>(given, text).unwrap();
        String::from_utf8_lossy(&lines).into_owned()
    }

    fn matching(pattern: &str, text: &str) -> String {
        found(&[("pattern", pattern)], text.as_bytes())
    }

    fn refused(given: &[(&str, &str)]) -> String {
        testing::aggregate::<Lines>(given, &[]).unwrap_err().to_string()
    }

    #[test]
    fn ends_are_those_of_the_line() {
        let text = "ab\n\nb\na\r\nab";
        assert_eq!(matching("^b", text), "b\n");
        assert_eq!(matching("b$", text), "ab\nb\nab");
        assert_eq!(matching("\\Ab\\z", text), "b\n");
        assert_eq!(matching("^$", text), "\n");
        assert_eq!(matching("a$", text), "");
        assert_eq!(matching("(?R)a$", text), "a\r\n");
        assert_eq!(matching("x*", text), text);
        assert_eq!(matching("", text), text);
        assert_eq!(matching("$", "a\n"), "a\n");
        assert_eq!(matching("^", ""), "");
    }

    #[test]
    fn nothing_matches_beyond_a_line() {
        for pattern in ["a\\sb", "a[^x]b", "(?s)a.b", "a\\Wb", "(?s-u)a.b", "a[[:space:]]+b"] {
            assert_eq!(matching(pattern, "a\nb\na b\n"), "a b\n", "{pattern}");
        }
        assert_eq!(matching("a[^x]*", "a\nb\n"), "a\n");
        for pattern in ["a\\nb|c", "[\\n]", "(?-u:\\x0a)"] {
            let error = refused(&[("pattern", pattern)]);
            assert!(error.ends_with("it asks for a line feed, and no line has one"), "{error}");
        }
    }

    #[test]
    fn plain_text_has_no_special_characters() {
        let text = "a.b\naxb\nA.B\n\n".as_bytes();
        let fixed = |pattern| found(&[("pattern", pattern), ("fixed", "true")], text);
        assert_eq!(fixed("a.b"), "a.b\n");
        assert_eq!(fixed(""), "a.b\naxb\nA.B\n\n");
        assert_eq!(fixed("b"), "a.b\naxb\n");
        let both = [("pattern", "a.b"), ("fixed", "true"), ("ignore-case", "true")];
        assert_eq!(found(&both, text), "a.b\nA.B\n");
    }

    #[test]
    fn patterns_on_a_line_each_are_several() {
        let text = "ab\nb.\nc\nB.\n";
        assert_eq!(matching("^b\nc$", text), "b.\nc\n");
        assert_eq!(matching("c\n", text), "c\n");
        assert_eq!(matching("c\n\nx", text), text);
        let fixed = [("pattern", "b.\nc"), ("fixed", "true")];
        assert_eq!(found(&fixed, text.as_bytes()), "b.\nc\n");
        let both = [("pattern", "b.\nx"), ("fixed", "true"), ("ignore-case", "true")];
        assert_eq!(found(&both, text.as_bytes()), "b.\nB.\n");
        let error = refused(&[("pattern", "a\nb(")]);
        assert!(error.starts_with("setting `pattern` cannot be `b(`: "), "{error}");
    }

    #[test]
    fn unicode_is_a_setting() {
        let text = "\u{e9}t\u{e9}\n\u{c9}T\u{c9}\nete\n";
        let of = |pattern, unicode| {
            let given = [("pattern", pattern), ("ignore-case", "true"), ("unicode", unicode)];
            found(&given, text.as_bytes())
        };
        assert_eq!(of("^\\w+$", "true"), text);
        assert_eq!(of("^\\w+$", "false"), "ete\n");
        assert_eq!(of("\u{e9}t", "true"), "\u{e9}t\u{e9}\n\u{c9}T\u{c9}\n");
        assert_eq!(of("^.t", "false"), "ete\n");
    }

    #[test]
    fn what_is_not_utf_8_is_searched_around() {
        let text = b"\xff\xfeabc\n\xffb\xff\n\xff\n";
        assert_eq!(found(&[("pattern", "b")], text), "\u{fffd}\u{fffd}abc\n\u{fffd}b\u{fffd}\n");
        assert_eq!(found(&[("pattern", "^.$")], text), "");
        assert_eq!(found(&[("pattern", "(?-u)^.$")], text), "\u{fffd}\n");
    }

    #[test]
    fn a_pattern_that_is_none_is_refused() {
        assert!(refused(&[("pattern", "a(")]).contains("unclosed group"));
        let large = refused(&[("pattern", "\\w{1000}{1000}")]);
        assert!(large.starts_with("setting `pattern` cannot be `\\w{1000}{1000}`: "), "{large}");
        assert!(refused(&[]).starts_with("setting `pattern` is required: "));
    }

    const PATTERNS: [&str; 22] = [
        "a", "ab", "a|b", "^a", "a$", "^$", "^a?$", "\\bab\\b", "\\Bb", "a.b", "[^a]b", "a\\s+b",
        "(?s)a.*b", "\\w+", "\\W", "a{2,}", "(a|bb)+$", "\\Aa", "b\\z", "(?R)a$", "\u{e9}", "x*",
    ];

    proptest! {
        #[test]
        fn lines_are_those_that_match_alone(
            text in "[ab \u{e9}\\r\\n]{0,60}",
            pattern in prop::sample::select(&PATTERNS[..]),
            ignore_case: bool,
            unicode: bool,
        ) {
            prop_assume!(unicode || pattern != "\u{e9}");
            let alone = RegexBuilder::new(pattern)
                .case_insensitive(ignore_case)
                .unicode(unicode)
                .multi_line(true)
                .build()
                .unwrap();
            let bare = |line: &str| line.strip_suffix('\n').unwrap_or(line).to_owned();
            let lines = text.split_inclusive('\n');
            let expected: String = lines.filter(|line| alone.is_match(bare(line).as_bytes())).collect();
            let given = [
                ("pattern", pattern),
                ("ignore-case", if ignore_case { "true" } else { "false" }),
                ("unicode", if unicode { "true" } else { "false" }),
            ];
            let lines = testing::aggregate::<Lines>(&given, &[text.as_bytes()]).unwrap();
            prop_assert_eq!(String::from_utf8(lines).unwrap(), expected);
        }
    }
}

//! One expression, and where in lines it matches.

use std::ops::Range;

use regex_automata::meta::{Config, Regex};
use regex_automata::{Input, nfa::thompson::WhichCaptures};
use regex_syntax::ParserBuilder;

use crate::lines::{AsksForLineFeed, within_lines};
use crate::pattern::{ASKS_FOR_LINE_FEED, CACHE_BYTES, REGEX_BYTES_MAX};

/// A regular expression that never leaves a line.
#[derive(Clone, Debug)]
pub struct Expression(Regex);

impl Expression {
    /// Classes, word boundaries and case are those of Unicode.
    ///
    /// # Errors
    /// Why it is none.
    pub fn new(text: &str) -> Result<Self, String> {
        Self::build(text, true)
    }

    /// Classes, word boundaries and case are those of ASCII.
    ///
    /// # Errors
    /// Why it is none.
    pub fn ascii(text: &str) -> Result<Self, String> {
        Self::build(text, false)
    }

    fn build(text: &str, unicode: bool) -> Result<Self, String> {
        let mut parser = ParserBuilder::new();
        parser.utf8(false).unicode(unicode).multi_line(true);
        let parsed = parser.build().parse(text).map_err(|error| error.to_string())?;
        let lines = within_lines(&parsed).map_err(|AsksForLineFeed| ASKS_FOR_LINE_FEED)?;
        let config = Config::new()
            .utf8_empty(false)
            .which_captures(WhichCaptures::Implicit)
            .nfa_size_limit(Some(REGEX_BYTES_MAX))
            .hybrid_cache_capacity(CACHE_BYTES);
        let regex = Regex::builder().configure(config).build_from_hir(&lines);
        regex.map(Self).map_err(|error| error.to_string())
    }

    /// The first match that begins at `from` or after it. What stands before `from` is seen by `^`
    /// and `\b`.
    #[inline]
    pub fn find(&self, data: &[u8], from: usize) -> Option<Range<usize>> {
        if from > data.len() {
            return None;
        }
        self.0.find(Input::new(data).range(from..)).map(|found| found.range())
    }
}

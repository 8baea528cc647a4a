//! The plugin: which lines stay, and what is written before them.

use std::collections::VecDeque;
use std::io::Write as _;

use gristmill_sdk::{
    Chunk, Error, Framing, Manifest, Scope, Settings, Source, Transformer, manifest, records,
};
use matching::Pattern;

/// Lines before or behind one that matches, at most: those before are kept in memory.
const LINES_MAX: usize = 10_000;

/// The plugin, with the settings of a run.
#[derive(Clone, Debug)]
pub struct GrepContext {
    pattern: Pattern,
    invert: bool,
    line_numbers: bool,
    before: usize,
    after: usize,
}

/// What has been seen of a source.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Lines so far.
    lines: u64,
    /// The number of the last line that was written.
    written: Option<u64>,
    /// The last lines that were not, as many as may be asked for.
    before: VecDeque<Vec<u8>>,
    /// How many of the next lines are written whatever they are.
    after: usize,
}

impl Transformer for GrepContext {
    type State = Seen;

    fn manifest() -> Manifest {
        let manifest = manifest!().framing(Framing::Lines).scope(Scope::Source).reads_text();
        matching::settings(manifest)
            .setting("line-numbers", "true", "Write the number of a line before it.")
            .setting("before", "0", "How many lines before one that matches are kept.")
            .setting("after", "0", "How many lines behind one that matches are kept.")
    }

    fn configure(settings: &Settings) -> Result<Self, Error> {
        let lines = |key: &str| {
            let lines: usize = settings.parse(key)?;
            if lines > LINES_MAX {
                return Err(Error::fatal(format_args!(
                    "setting `{key}` cannot be `{lines}`: it is at most {LINES_MAX}"
                )));
            }
            Ok(lines)
        };
        Ok(Self {
            pattern: Pattern::configure(settings)?,
            invert: settings.parse("invert")?,
            line_numbers: settings.parse("line-numbers")?,
            before: lines("before")?,
            after: lines("after")?,
        })
    }

    fn open(&self, _: Source) -> Seen {
        Seen::default()
    }

    fn push(&self, seen: &mut Seen, _: Chunk, data: Vec<u8>) -> Result<Vec<u8>, Error> {
        let mut output = Vec::new();
        if self.invert || self.before + self.after > 0 {
            self.each_line(seen, &data, &mut output);
        } else {
            self.matches(seen, &data, &mut output);
        }
        Ok(output)
    }
}

impl GrepContext {
    /// Looks at lines that match only.
    fn matches(&self, seen: &mut Seen, data: &[u8], output: &mut Vec<u8>) {
        let mut next = 0;
        while let Some(line) = self.pattern.next_line(data, next) {
            seen.lines += lines(data.get(next..line.start).unwrap_or_default()) + 1;
            next = line.end;
            self.write(seen.lines, b':', data.get(line).unwrap_or_default(), output);
        }
        seen.lines += lines(data.get(next..).unwrap_or_default());
    }

    fn each_line(&self, seen: &mut Seen, data: &[u8], output: &mut Vec<u8>) {
        let mut matching = self.pattern.next_line(data, 0);
        let mut start = 0;
        for line in records::lines_with_end(data) {
            let matches = matching.as_ref().is_some_and(|found| found.start == start);
            start += line.len();
            if matches {
                matching = self.pattern.next_line(data, start);
            }
            seen.lines += 1;
            if matches != self.invert {
                self.write_before(seen, output);
                self.write(seen.lines, b':', line, output);
                seen.written = Some(seen.lines);
                seen.after = self.after;
            } else if seen.after > 0 {
                seen.after -= 1;
                self.write(seen.lines, b'-', line, output);
                seen.written = Some(seen.lines);
            } else if self.before > 0 {
                // The memory of the oldest one is that of the next.
                let mut kept = if seen.before.len() < self.before {
                    Vec::new()
                } else {
                    seen.before.pop_front().unwrap_or_default()
                };
                kept.clear();
                kept.extend_from_slice(line);
                seen.before.push_back(kept);
            }
        }
    }

    /// Writes the lines before the current one, and what parts them from those before.
    fn write_before(&self, seen: &mut Seen, output: &mut Vec<u8>) {
        let first = seen.lines - seen.before.len() as u64;
        let parted = seen.written.is_some_and(|written| written + 1 < first);
        if parted && self.before + self.after > 0 {
            output.extend_from_slice(b"--\n");
        }
        for (number, line) in (first..).zip(seen.before.drain(..)) {
            self.write(number, b'-', &line, output);
        }
    }

    fn write(&self, number: u64, sign: u8, line: &[u8], output: &mut Vec<u8>) {
        if self.line_numbers {
            // Writing to memory never fails.
            let _ = write!(output, "{number}");
            output.push(sign);
        }
        output.extend_from_slice(line);
    }
}

/// How many lines there are: the last one may lack its line feed.
fn lines(data: &[u8]) -> u64 {
    let ended = memchr::memchr_iter(b'\n', data).count() as u64;
    ended + u64::from(data.last().is_some_and(|&byte| byte != b'\n'))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use gristmill_sdk::testing;
    use proptest::prelude::*;

    use super::*;

    fn kept(given: &[(&str, &str)], text: &str) -> String {
        let output = testing::transform_every_cut::<GrepContext>(given, text.as_bytes());
        String::from_utf8(output.unwrap()).unwrap()
    }

    #[test]
    fn lines_have_their_numbers_and_neighbours() {
        let text = "a\nb\nx1\nc\nd\ne\nx2\nx3\nf";
        assert_eq!(kept(&[("pattern", "x")], text), "3:x1\n7:x2\n8:x3\n");
        let around = [("pattern", "x"), ("before", "1"), ("after", "1")];
        assert_eq!(kept(&around, text), "2-b\n3:x1\n4-c\n--\n6-e\n7:x2\n8:x3\n9-f");
        let bare = [("pattern", "x[12]"), ("after", "3"), ("line-numbers", "false")];
        assert_eq!(kept(&bare, text), "x1\nc\nd\ne\nx2\nx3\nf");
        assert_eq!(
            kept(&[("pattern", "[a-e]"), ("invert", "true")], text),
            "3:x1\n7:x2\n8:x3\n9:f"
        );
        assert_eq!(kept(&[("pattern", "x"), ("before", "9")], ""), "");
        let error = testing::transform::<GrepContext>(&[("pattern", "x"), ("after", "10001")], &[]);
        assert!(error.unwrap_err().to_string().contains("at most 10000"));
    }

    proptest! {
        #[test]
        fn lines_around_are_those_of_a_list(
            text in "[abx\\n]{0,60}",
            before in 0_usize..4,
            after in 0_usize..4,
            invert: bool,
        ) {
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            let selected: Vec<bool> = lines.iter().map(|line| line.contains('x') != invert).collect();
            let mut expected = String::new();
            let mut last = None;
            for (at, line) in lines.iter().enumerate() {
                let around = at.saturating_sub(after)..(at + before + 1).min(lines.len());
                if selected[around].contains(&true) {
                    if last.is_some_and(|last| last + 1 < at) && before + after > 0 {
                        expected += "--\n";
                    }
                    last = Some(at);
                    let sign = if selected[at] { ':' } else { '-' };
                    write!(expected, "{}{sign}{line}", at + 1).unwrap();
                }
            }
            let (before, after) = (before.to_string(), after.to_string());
            let given = [("pattern", "x"), ("before", before.as_str()), ("after", after.as_str()), ("invert", if invert { "true" } else { "false" })];
            prop_assert_eq!(kept(&given, &text), expected);
        }
    }
}

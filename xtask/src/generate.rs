//! Text that is generated: logs, CSV and JSON lines that look like those of a service.
//!
//! The same kind, size and seed give the same bytes on every machine. Nothing here knows who reads
//! them.

use std::io::{self, Write};

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Lines of a log, with e-mail and IP addresses.
    Log,
    /// CSV with a header; some fields are in quotes, with commas and quotes inside. No field is
    /// empty.
    Csv,
    /// A JSON object on each line, with one object inside.
    JsonLines,
}

/// A generator of numbers: splitmix64 (Steele, Lea, Flood 2014, figure 17).
struct Random(u64);

const FIRST_NAMES: [&str; 12] = [
    "ada", "björn", "chloe", "dmitri", "emeka", "fatima", "grace", "hiro", "ines", "jonas",
    "kirsten", "lucia",
];
const LAST_NAMES: [&str; 12] = [
    "almeida",
    "brandt",
    "castro",
    "dahl",
    "eriksen",
    "fischer",
    "garcia",
    "haugen",
    "ivanova",
    "jensen",
    "kowalski",
    "lindqvist",
];
const COUNTRIES: [&str; 10] = ["NO", "SE", "DE", "FR", "BR", "JP", "US", "NG", "IN", "PL"];
const LEVELS: [&str; 8] = ["info", "info", "info", "info", "debug", "debug", "warn", "error"];
const METHODS: [&str; 5] = ["GET", "GET", "GET", "POST", "PUT"];
const PATHS: [&str; 8] =
    ["orders", "invoices", "users", "carts", "search", "sessions", "shipments", "prices"];
const STATUS: [&str; 8] = ["200", "200", "200", "201", "204", "302", "404", "503"];
const MESSAGES: [&str; 8] = [
    "request served from cache",
    "request served",
    "row written to the primary",
    "token of the session renewed",
    "upstream timed out, will try again",
    "queue is almost full",
    "connection closed by the client",
    "payload is larger than expected",
];
const NOTES: [&str; 5] = [
    "paid by card",
    "\"deliver to the back door, please\"",
    "gift",
    "\"said \"\"ring twice\"\" on the phone\"",
    "nothing to add",
];

/// Writes whole lines, and stops behind the first that reaches `bytes_min`. Returns how many bytes
/// it wrote.
pub(crate) fn write(
    kind: Kind,
    bytes_min: u64,
    seed: u64,
    output: &mut impl Write,
) -> io::Result<u64> {
    let mut random = Random(seed);
    let mut line = Vec::with_capacity(512);
    if kind == Kind::Csv {
        line.extend_from_slice(b"id,time,name,email,country,amount,note\n");
    }
    let (mut written, mut number) = (0, 0);
    while written < bytes_min {
        number += 1;
        match kind {
            Kind::Log => random.log(number, &mut line)?,
            Kind::Csv => random.csv(number, &mut line)?,
            Kind::JsonLines => random.json(number, &mut line)?,
        }
        output.write_all(&line)?;
        written += u64::try_from(line.len()).unwrap_or(u64::MAX);
        line.clear();
    }
    Ok(written)
}

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn pick<'a, const N: usize>(&mut self, words: &[&'a str; N]) -> &'a str {
        let at = usize::try_from(self.next() >> 32).unwrap_or(0) % N.max(1);
        words.get(at).copied().unwrap_or_default()
    }

    /// A second of November 2026, later for later lines.
    fn time(&mut self, number: u64) -> String {
        let seconds = number / 40;
        let (day, second) = (seconds / 86_400 % 30 + 1, seconds % 86_400);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let millisecond = self.below(1000);
        format!("2026-11-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
    }

    fn email(&mut self) -> String {
        let first = self.pick(&FIRST_NAMES).replace('ö', "o");
        format!("{first}.{}{}@example.com", self.pick(&LAST_NAMES), self.below(900))
    }

    fn log(&mut self, number: u64, line: &mut Vec<u8>) -> io::Result<()> {
        let (time, level) = (self.time(number), self.pick(&LEVELS));
        let (method, path, id) = (self.pick(&METHODS), self.pick(&PATHS), self.below(50_000));
        write!(line, "{time} {level} api-{} {method} /v1/{path}/{id} ", self.below(8))?;
        write!(line, "{} ms={} ", self.pick(&STATUS), self.below(2000))?;
        write!(line, "from 10.{}.{}.{} ", self.below(200), self.below(200), self.below(200))?;
        if self.below(4) == 0 {
            write!(line, "user <{}> ", self.email())?;
        }
        writeln!(line, "{}", self.pick(&MESSAGES))
    }

    fn csv(&mut self, number: u64, line: &mut Vec<u8>) -> io::Result<()> {
        write!(line, "{number},{},", self.time(number))?;
        write!(line, "{} {},", self.pick(&FIRST_NAMES), self.pick(&LAST_NAMES))?;
        write!(line, "{},{},", self.email(), self.pick(&COUNTRIES))?;
        writeln!(line, "{}.{:02},{}", self.below(900), self.below(100), self.pick(&NOTES))
    }

    fn json(&mut self, number: u64, line: &mut Vec<u8>) -> io::Result<()> {
        let (time, level) = (self.time(number), self.pick(&LEVELS));
        write!(line, r#"{{"time":"{time}","level":"{level}","service":"api-{}","#, self.below(8))?;
        let (method, path, id) = (self.pick(&METHODS), self.pick(&PATHS), self.below(50_000));
        write!(line, r#""method":"{method}","path":"/v1/{path}/{id}","#)?;
        write!(line, r#""status":{},"ms":{},"#, self.pick(&STATUS), self.below(2000))?;
        write!(line, r#""user":{{"id":{},"email":"{}","#, self.below(100_000), self.email())?;
        write!(line, r#""country":"{}"}},"#, self.pick(&COUNTRIES))?;
        writeln!(line, r#""message":"{}"}}"#, self.pick(&MESSAGES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    const KINDS: [Kind; 3] = [Kind::Log, Kind::Csv, Kind::JsonLines];

    fn generated(kind: Kind, seed: u64) -> String {
        let mut bytes = Vec::new();
        let written = write(kind, 10_000, seed, &mut bytes).unwrap();
        assert_eq!(written, u64::try_from(bytes.len()).unwrap());
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_seed_decides_every_byte() {
        for kind in KINDS {
            assert_eq!(generated(kind, 1), generated(kind, 1));
            assert_ne!(generated(kind, 1), generated(kind, 2));
        }
    }

    #[test]
    fn the_text_is_as_long_as_asked_and_ends_with_a_line() {
        for kind in KINDS {
            let text = generated(kind, 1);
            assert!((10_000..10_500).contains(&text.len()) && text.ends_with('\n'), "{kind:?}");
        }
    }

    #[test]
    fn every_json_line_is_an_object() {
        for line in generated(Kind::JsonLines, 1).lines() {
            let value: Value = serde_json::from_str(line).unwrap();
            assert!(value["user"]["country"].is_string() && value["ms"].is_u64(), "{line}");
        }
    }
}

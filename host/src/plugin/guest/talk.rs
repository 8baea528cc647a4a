//! What a guest asks of the host while it runs: lines in the log, counters, records set aside. Each
//! has its bounds.

use std::time::Instant;

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, WasmList};

use super::{Guest, TooManyRejects};
use crate::plugin::contract::{self, Flaw, Level, Said};
use crate::plugin::guest_write::Beginning;
use crate::plugin::options::Rejects;
use crate::process::{LogLevel, Reject, trace_line};
use crate::settings::limits::{
    COUNTER_NAME_BYTES_MAX, COUNTERS_MAX, LOG_LINE_BYTES_MAX, LOG_LINE_COST_BYTES,
    REJECT_BYTES_MAX, is_only_shown,
};
use crate::slices;
use crate::stats::Charged;

/// Offers guests what the contract says they may ask for, and nothing else.
pub(in crate::plugin) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut host = linker.instance(contract::HOST)?;
    host.func_wrap(
        "log",
        |mut cx: StoreContextMut<'_, Guest>, (level, Beginning(message)): (Level, Said)| {
            let line = clean(&message);
            cx.data_mut().log(level, &line);
            Ok(())
        },
    )?;
    host.func_wrap(
        "count",
        |mut cx: StoreContextMut<'_, Guest>, (Beginning(name), by): (Said, u64)| {
            cx.data_mut().count(&name, by);
            Ok(())
        },
    )?;
    host.func_wrap(
        "reject",
        |mut cx: StoreContextMut<'_, Guest>, (flaw, data): (Flaw, WasmList<u8>)| {
            let Flaw { offset, reason: Beginning(reason) } = flaw;
            let data = data.as_le_slice(&cx);
            let record = match cx.data().keeps() {
                Keeps::All => Record::of(offset, &reason, data, REJECT_BYTES_MAX),
                Keeps::Place => Record::of(offset, &reason, data, 0),
                Keeps::Count => Record { bytes: data.len() as u64, ..Record::default() },
            };
            Ok(cx.data_mut().reject(record)?)
        },
    )
}

/// What is kept of the next record that a guest sets aside.
enum Keeps {
    All,
    Place,
    Count,
}

/// What is taken out of a guest's memory of a record that it sets aside, which may be as large as
/// that.
#[derive(Debug, Default)]
pub(super) struct Record {
    offset: u64,
    reason: String,
    head: Vec<u8>,
    bytes: u64,
    lines: u64,
}

impl Record {
    /// The place of one, and no more of its bytes than that.
    pub(super) fn of(offset: u64, reason: &str, data: &[u8], bytes_max: usize) -> Self {
        let head = data.get(..bytes_max).unwrap_or(data).to_vec();
        let (bytes, lines) = (data.len() as u64, lines(data));
        Self { offset, reason: clean(reason), head, bytes, lines }
    }
}

impl Guest {
    pub(super) fn log(&mut self, level: Level, line: &str) {
        if level == Level::Error {
            self.last_error = Some(line.to_string());
        }
        if self.logged_bytes > self.limits.log_bytes {
            return;
        }
        if self.budget.line(Instant::now()) > self.limits.log_lines {
            if !self.is_told_of_lines {
                self.is_told_of_lines = true;
                let lines = self.limits.log_lines;
                self.print(
                    Level::Warn,
                    &format!(
                        "logs more than {lines} lines in a second: not all are shown (⟦log_lines⟧)"
                    ),
                );
            }
            return;
        }
        self.logged_bytes = self.logged_bytes.saturating_add(line.len() + LOG_LINE_COST_BYTES);
        self.print(level, line);
        if self.logged_bytes > self.limits.log_bytes {
            let bytes = self.limits.log_bytes;
            self.print(
                Level::Warn,
                &format!("logs more than {bytes} bytes of one source: the rest is not shown (⟦log_bytes⟧)"),
            );
        }
    }

    fn print(&self, level: Level, line: &str) {
        let level = match level {
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        };
        match &self.log {
            Some(log) => log.log(&self.plugin, level, line),
            None => trace_line(&self.plugin, level, line),
        }
    }

    pub(super) fn count(&mut self, name: &str, by: u64) {
        if let Some((_, value)) = self.counters.iter_mut().find(|(known, _)| known == name) {
            *value = value.saturating_add(by);
        } else if is_counter_name(name) && self.counters.len() < COUNTERS_MAX {
            self.counters.push((name.to_string(), by));
        } else {
            let message = clean(&format!("counter `{name}` is not counted: {COUNTER_RULE}"));
            self.log(Level::Warn, &message);
        }
    }

    fn keeps(&self) -> Keeps {
        match self.rejects {
            Rejects::Keep => Keeps::All,
            Rejects::Count if self.kept.is_empty() => Keeps::Place,
            Rejects::Count => Keeps::Count,
        }
    }

    pub(super) fn reject(&mut self, record: Record) -> Result<(), TooManyRejects> {
        self.rejected += 1;
        let Record { offset, reason, head: data, bytes, lines } = record;
        let is_first = match (self.rejects, self.kept.first_mut()) {
            (Rejects::Count, Some(first)) => {
                first.records += 1;
                first.bytes += bytes;
                return Ok(());
            }
            (Rejects::Count, None) => true,
            (Rejects::Keep, _) => false,
        };
        let records = if is_first { 0 } else { self.budget.reject() };
        if records > self.limits.rejects {
            return Err(TooManyRejects::Records { max: self.limits.rejects });
        }
        let offset = self.chunk_offset.saturating_add(offset);
        let place = Reject { offset, is_exact: true, reason, data, ..Reject::default() };
        let held = place.held_bytes();
        let bytes_more = usize::try_from(held).unwrap_or(usize::MAX);
        self.kept_bytes = self.kept_bytes.saturating_add(bytes_more);
        if self.kept_bytes > self.rejects_bytes_max {
            let (bytes, max) = (self.kept_bytes, self.rejects_bytes_max);
            return Err(TooManyRejects::Bytes { bytes, max });
        }
        let charged = Charged::within(self.stats.memory(), held).map_err(TooManyRejects::Total)?;
        self.kept.push(Reject { bytes, lines, records: 1, charged, ..place });
        Ok(())
    }
}

/// Over how many lines a record goes, the end of the last included or not.
fn lines(data: &[u8]) -> u64 {
    let data = data.strip_suffix(b"\n").unwrap_or(data);
    memchr::memchr_iter(b'\n', data).count() as u64 + 1
}

const COUNTER_RULE: &str = "a plugin has at most 16, named in lower case, digits and _";

fn is_counter_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=COUNTER_NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(allowed)
}

/// One line without control characters, which could rewrite a terminal.
fn clean(message: &str) -> String {
    beginning(message).trim_end().chars().map(|c| if is_only_shown(c) { c } else { ' ' }).collect()
}

/// As much of it as a line may have.
fn beginning(text: &str) -> &str {
    slices::text(text, ..text.floor_char_boundary(LOG_LINE_BYTES_MAX))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::plugin::options::Options;
    use crate::settings::Sandbox;
    use crate::stats::{Full, MemoryBudget, Stats};

    #[test]
    fn log_lines_are_cut_and_cannot_touch_a_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\nc\n"), "a [2Jb c");
        assert_eq!(clean(&"ä".repeat(LOG_LINE_BYTES_MAX)).len(), LOG_LINE_BYTES_MAX);
    }

    #[test]
    fn counters_are_few_and_plainly_named() {
        let mut guest = Guest::new("test".into(), &Options::default());
        for n in 0..100 {
            guest.count(&format!("counter_{n}"), 1);
        }
        guest.count("Bad Name", 1);
        assert!(is_counter_name(&"a".repeat(COUNTER_NAME_BYTES_MAX)));
        assert!(!is_counter_name(&"a".repeat(COUNTER_NAME_BYTES_MAX + 1)));
        guest.count("counter_0", 2);
        assert_eq!(guest.counters.len(), COUNTERS_MAX);
        assert_eq!(guest.counters[0], ("counter_0".to_string(), 3));
    }

    #[test]
    fn a_reject_is_cut_where_it_is_long() {
        let options = Options { rejects: Rejects::Keep, ..Options::default() };
        let mut guest = Guest::new("test".into(), &options);
        guest.begin_call(0);
        let data = vec![b'x'; REJECT_BYTES_MAX + 1];
        guest.reject(Record::of(1, "no\nmonth", &data, REJECT_BYTES_MAX)).unwrap();
        let kept = guest.take_rejects();
        assert_eq!((kept[0].data.len(), kept[0].bytes), (REJECT_BYTES_MAX, 65_537));
        assert_eq!(kept[0].reason, "no month");
    }

    #[test]
    fn of_a_long_record_only_what_is_kept_is_held_and_charged() {
        let memory = Arc::new(MemoryBudget::new(100_000));
        let stats = Arc::new(Stats::within(Arc::clone(&memory)));
        let options = Options { rejects: Rejects::Keep, stats, ..Options::default() };
        let mut guest = Guest::new("test".into(), &options);
        guest.begin_call(0);
        let data = vec![7; 100 * REJECT_BYTES_MAX];
        let record = || Record::of(0, "", &data, REJECT_BYTES_MAX);
        guest.reject(record()).unwrap();
        assert_eq!(guest.kept[0].bytes, 100 * REJECT_BYTES_MAX as u64);
        assert_eq!(memory.charged(), guest.kept[0].held_bytes());
        let more = guest.reject(record()).unwrap_err();
        assert!(matches!(more, TooManyRejects::Total(Full { bytes_max: 100_000, .. })), "{more}");
        drop(guest.take_rejects());
        assert_eq!(memory.charged(), 0);
    }

    #[test]
    fn empty_lines_have_an_end() {
        let sandbox = Sandbox { log_lines: u64::MAX, ..Sandbox::default() };
        let mut guest = Guest::new("test".into(), &Options { sandbox, ..Options::default() });
        for _ in 0..=sandbox.log_bytes / LOG_LINE_COST_BYTES {
            guest.log(Level::Debug, "");
        }
        assert!(guest.logged_bytes > sandbox.log_bytes);
        let most = guest.logged_bytes;
        guest.log(Level::Debug, "");
        assert_eq!(guest.logged_bytes, most, "it is not shown");
    }
}

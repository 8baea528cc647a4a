//! Reports at the end of a run what was lost of its sources: how many records plugins rejected,
//! where the first was, and whether the run counts as failed because of them.
//!
//! A record that is rejected although no flag allows it, and that no file keeps, is lost: the exit
//! status says so, because output alone does not.

use std::sync::atomic::Ordering;

use super::Exit;
use super::say::{self, Teller};
use crate::name::{Shown, number};
use crate::spec::OutputSpec;
use crate::stats::{SetAside, Stats, UnopenedArchives};

/// What a run reports.
pub(super) struct Losses<'a> {
    output: &'a OutputSpec,
    teller: &'a Teller,
    stats: &'a Stats,
}

impl<'a> Losses<'a> {
    pub(super) fn of(output: &'a OutputSpec, teller: &'a Teller, stats: &'a Stats) -> Self {
        Self { output, teller, stats }
    }

    /// Whether records are lost that the user has not said may be.
    pub(super) fn are_unasked(&self, records: u64) -> bool {
        records > 0 && self.output.rejects.is_none() && self.output.max_rejects.is_none()
    }

    /// One line for all bytes that were no text in their encoding.
    pub(super) fn report_replaced(&self) {
        let replaced = self.stats.replaced().load(Ordering::Relaxed);
        if replaced > 0 {
            let of = number(replaced, "place", "places");
            say::line(&format!("{of} in other encodings: no text there, U+FFFD instead"));
        }
    }

    /// One line for all archives that were read as text.
    pub(super) fn report_unopened(&self) {
        let UnopenedArchives { sources, first } = self.stats.unopened();
        let Some(first) = first else { return };
        let (one, many) =
            ("source is an archive, and was read", "sources are archives, and were read");
        let read = number(sources, one, many);
        say::line(&format!("{read} as text (first: {first})"));
        say::line(
            "hint: a name that ends in .tar, .tar.gz or .zip has one looked into; --no-archives reads all as they are",
        );
    }

    /// One line for all records that were set aside.
    pub(super) fn report(&self, set_aside: &SetAside) {
        let SetAside { records, sources, first } = set_aside;
        let Some(first) = first else { return };
        let records = number(*records, "record", "records");
        let place = match (first.line, first.offset) {
            (Some(line), _) => format!("{}:{line}", first.source),
            (None, Some(offset)) => format!("{} at byte {offset}", first.source),
            (None, None) => first.source.clone(),
        };
        let stage = first.stage.as_ref().map(|stage| format!("{stage}: ")).unwrap_or_default();
        let were = if set_aside.records == 1 { "was" } else { "were" };
        let of = number(*sources, "source", "sources");
        say::line(&format!(
            "{records} of {of} {were} set aside (first: {place}: {stage}{})",
            first.reason
        ));
        match &self.output.rejects {
            Some(path) if path.as_os_str() == "-" => {}
            Some(path) => say::hint(&format!("they are in {}", Shown::of(&path))),
            None => say::hint("--rejects FILE keeps them"),
        }
    }

    /// How a run ends whose output was not read to its end.
    pub(super) fn so_far(&self) -> Exit {
        let rejected = self.stats.rejected();
        if rejected > 0 {
            say::line(&format!("{} set aside", number(rejected, "record", "records")));
        }
        if self.teller.has_failures() || self.are_unasked(rejected) {
            Exit::Failed
        } else {
            Exit::Done
        }
    }
}

//! Words of many files: the host with a list beside a native loop of open, read, close.
//!
//! The loop computes a total. That is what is compared; what results for each file cost on top is
//! reported.

use anyhow::Result;

use super::corpus::{self, Input};
use super::measure::{check_agreement, pairs};
use super::row::{Goal, Row};
use super::{Bench, Subject, THREADS};

pub(super) const SUBJECT: Subject = Subject { name: "files", rows };

fn rows(bench: &Bench) -> Result<Vec<Row>> {
    let list = corpus::tree(bench)?;
    let input = Input::List(list.clone());
    // The tree holds a few compressed files, and the loop takes them as they are.
    let each = bench.host("wordcount", THREADS).args(["--decompress", "none", "--files-from"]);
    let each = each.arg(&list);
    let total = each.clone().arg("--total");
    let native = bench.native("files", THREADS).arg(&list);
    let mut rows = Vec::new();
    for (name, host, goal) in [
        ("total of 36,000 files, vs native", total, Goal::RatioAtLeast(0.7)),
        ("total and each of 36,000 files, vs native", each, Goal::RatioReported),
    ] {
        check_agreement(&host, &native)?;
        let pairs = pairs(&host, &native, &input, bench.runs)?;
        rows.push(Row::ratio(name, goal, [&host, &native], &pairs));
    }
    Ok(rows)
}

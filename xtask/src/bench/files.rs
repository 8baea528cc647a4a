//! Words of many files: the host with a list beside a native loop of open, read, close.

use anyhow::Result;

use super::corpus::{self, Input};
use super::measure::{check_agreement, pairs};
use super::row::Row;
use super::{Bench, Subject, THREADS};

pub(super) const SUBJECT: Subject = Subject { name: "files", rows };

fn rows(bench: &Bench) -> Result<Vec<Row>> {
    let list = corpus::tree(bench)?;
    let input = Input::List(list.clone());
    let host = bench.host("wordcount", THREADS).arg("--files-from").arg(&list);
    let native = bench.native("files", THREADS).arg(&list);
    check_agreement(&host, &native)?;
    let pairs = pairs(&host, &native, &input, bench.runs)?;
    Ok(vec![Row::ratio("words of 36,000 files, vs native", 0.7, [&host, &native], &pairs)])
}

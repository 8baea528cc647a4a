//! A plugin with a large state: how much a second thread helps when states must be merged.

use anyhow::Result;

use super::corpus::{self, Input};
use super::measure::pairs;
use super::row::{Goal, Row};
use super::{Bench, Subject, THREADS};

pub(super) const SUBJECT: Subject = Subject { name: "topwords", rows };

fn rows(bench: &Bench) -> Result<Vec<Row>> {
    let text = corpus::text(bench)?;
    let input = Input::File(text.clone());
    let host = |threads| bench.host("topwords", threads).args(["--memory", "2GiB"]).arg(&text);
    let (many, one) = (host(THREADS), host(1));
    let pairs = pairs(&many, &one, &input, bench.runs)?;
    let goal = Goal::RatioAtLeast(1.7);
    Ok(vec![Row::ratio("top words of 1 GB, 2 thr. vs 1", goal, [&many, &one], &pairs)])
}

//! Compares what the tool and the host make of a file.

use anyhow::Result;
use serde_json::json;

use super::host::{Came, Host, Way};
use super::samples::Sample;
use super::tool;

/// Files, by their names, of which we and the tool do not think the same, and why.
const DIFFERENCES: [(&str, &str); 0] = [];

/// What the two came to.
pub(super) enum Verdict {
    /// The same bytes.
    Same,
    /// Refused by both.
    Refused,
    /// Not the same, as listed, with the reason.
    Different(&'static str),
    /// Not the same, or not in each way, or no named error.
    Wrong(String),
}

/// Reads a file in each way.
pub(super) fn of(host: &Host, sample: &Sample) -> Result<Verdict> {
    let verdict = match tool::decode(sample.tool, &sample.path)? {
        Some(plain) => accepted(host, sample, &plain)?,
        None => refused(host, sample)?,
    };
    let listed = DIFFERENCES.iter().find(|(name, _)| *name == sample.name());
    Ok(match (verdict, listed) {
        (Verdict::Wrong(_), Some((_, reason))) => Verdict::Different(reason),
        (_, Some(_)) => Verdict::Wrong("listed as different, and is not".to_string()),
        (verdict, None) => verdict,
    })
}

fn accepted(host: &Host, sample: &Sample, plain: &[u8]) -> Result<Verdict> {
    let sum = Came::Result(json!({ "sha256": tool::sha256(plain)? }));
    let counts = host.plain(plain)?;
    for (way, expected) in
        [(Way::File, &sum), (Way::Pipe, &sum), (Way::PipeFound, &sum), (Way::Pieces, &counts)]
    {
        let came = host.packed(sample, way)?;
        if came != *expected {
            let tool = sample.tool.program;
            return Ok(Verdict::Wrong(format!("{way:?}: {came:?}, by {tool} {expected:?}")));
        }
    }
    Ok(Verdict::Same)
}

fn refused(host: &Host, sample: &Sample) -> Result<Verdict> {
    for way in [Way::File, Way::Pipe, Way::Pieces] {
        let came = host.packed(sample, way)?;
        if !matches!(came, Came::Refused(_)) {
            let tool = sample.tool.program;
            return Ok(Verdict::Wrong(format!("{way:?}: {came:?}, and {tool} refuses it")));
        }
    }
    Ok(Verdict::Refused)
}

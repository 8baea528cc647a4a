//! Words of whatever is not one plain file: compressed text, and a hundred thousand small files.

mod compressed;
pub(super) mod packed;
mod small;

use anyhow::Result;

use super::row::Row;
use super::{Bench, Subject};

/// The most memory that a run over any of these inputs may have resident.
const MOST_MIB: f64 = 128.0;

pub(super) const SUBJECT: Subject = Subject { name: "inputs", rows };

fn rows(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = compressed::rows(bench)?;
    rows.extend(small::rows(bench)?);
    Ok(rows)
}

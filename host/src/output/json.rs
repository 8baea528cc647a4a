//! Results as JSON: an object a line (`jsonl`), or one document (`json`).

use std::io::{self, Write};

use super::escape::write_json;
use super::format::{Fault, Formatter, Row, Shown, Total};
use crate::settings::Show;

/// `{"source":…,"bytes":…,"result":…}` or `{"source":…,"error":{…}}` a line; last
/// `{"total":…,"sources":…,…}`.
pub(super) struct Lines;

impl Formatter for Lines {
    fn row(&mut self, out: &mut dyn Write, row: &Row<'_>) -> io::Result<()> {
        source(out, row)?;
        out.write_all(b"\n")
    }

    fn end(&mut self, out: &mut dyn Write, total: Option<&Total<'_>>) -> io::Result<()> {
        let Some(total) = total else { return Ok(()) };
        out.write_all(b"{")?;
        write_total(out, total.results)?;
        counts(out, total)?;
        out.write_all(b"}\n")
    }
}

/// `{"results":[…],"total":…,"sources":…,…}`, a source a line. Where only a total was asked for,
/// `"failures":[…]` are the sources that failed: a list of results would look as if there were
/// no sources.
pub(super) struct Document {
    begun: bool,
    list: &'static str,
}

impl Document {
    pub(super) fn of(show: Show) -> Self {
        Self { begun: false, list: if show.per_source { "results" } else { "failures" } }
    }

    fn begin(&mut self, out: &mut dyn Write) -> io::Result<&'static [u8]> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(b",\n");
        }
        writeln!(out, "{{\"{}\":[", self.list)?;
        Ok(b"")
    }
}

impl Formatter for Document {
    fn row(&mut self, out: &mut dyn Write, row: &Row<'_>) -> io::Result<()> {
        let separator = self.begin(out)?;
        out.write_all(separator)?;
        source(out, row)
    }

    fn end(&mut self, out: &mut dyn Write, total: Option<&Total<'_>>) -> io::Result<()> {
        if !self.begun {
            self.begin(out)?;
        }
        out.write_all(b"\n]")?;
        if let Some(total) = total {
            out.write_all(b",\n")?;
            write_total(out, total.results)?;
            counts(out, total)?;
        }
        out.write_all(b"}\n")
    }
}

fn source(out: &mut dyn Write, row: &Row<'_>) -> io::Result<()> {
    out.write_all(b"{\"source\":")?;
    string(out, row.source)?;
    if let Some(plugin) = row.plugin {
        out.write_all(b",\"plugin\":")?;
        string(out, plugin)?;
    }
    match &row.result {
        Ok(value) => {
            write!(out, ",\"bytes\":{},\"result\":", row.bytes)?;
            value.write_json(out)?;
            out.write_all(b"}")
        }
        Err(fault) => {
            out.write_all(b",")?;
            error(out, fault)?;
            out.write_all(b"}")
        }
    }
}

/// `"total":…,`, or `"total":{"<plugin>":…,…},` where there are several.
fn write_total(out: &mut dyn Write, results: &[Shown<'_>]) -> io::Result<()> {
    match results {
        [] => Ok(()),
        [Shown { plugin: None, result: Ok(value) }] => {
            out.write_all(b"\"total\":")?;
            value.write_json(out)?;
            out.write_all(b",")
        }
        [Shown { plugin: None, result: Err(fault) }] => {
            out.write_all(b"\"total\":null,")?;
            error(out, fault)?;
            out.write_all(b",")
        }
        several => {
            out.write_all(b"\"total\":")?;
            let mut before: &[u8] = b"{";
            for Shown { plugin, result } in several {
                out.write_all(before)?;
                string(out, plugin.unwrap_or_default())?;
                out.write_all(b":")?;
                match result {
                    Ok(value) => value.write_json(out)?,
                    Err(fault) => {
                        out.write_all(b"{")?;
                        error(out, fault)?;
                        out.write_all(b"}")?;
                    }
                }
                before = b",";
            }
            out.write_all(b"},")
        }
    }
}

fn counts(out: &mut dyn Write, total: &Total<'_>) -> io::Result<()> {
    let Total { sources, failed, bytes, .. } = total;
    write!(out, "\"sources\":{sources},\"failed\":{failed},\"bytes\":{bytes}")
}

fn error(out: &mut dyn Write, fault: &Fault<'_>) -> io::Result<()> {
    out.write_all(b"\"error\":{\"kind\":")?;
    string(out, fault.kind)?;
    out.write_all(b",\"message\":")?;
    string(out, fault.message)?;
    out.write_all(b"}")
}

fn string(out: &mut dyn Write, text: &str) -> io::Result<()> {
    write_json(out, text)
}

//! Tasks on records: CSV to JSON lines, and JSON lines by conditions, plain and from gzip.

use std::path::PathBuf;

use super::answer::Answer;
use super::{Other, Peers, Task};
use crate::bench::tools::{DUCKDB, GZIP, JQ, MILLER, POLARS};

/// What a line has to be to stay.
const WHERE: &str = "where=.level=error && .ms>=500";

/// The columns as `DuckDB` has to take them: a time that it knows as one is written in another
/// form.
const COLUMNS: &str = "{time: 'VARCHAR', level: 'VARCHAR', service: 'VARCHAR', method: 'VARCHAR', path: 'VARCHAR', \
    status: 'BIGINT', ms: 'BIGINT', user: 'STRUCT(id BIGINT, email VARCHAR, country VARCHAR)', message: 'VARCHAR'}";

pub(super) fn tasks(peers: &Peers) -> Vec<Task> {
    let data = &peers.data;
    vec![
        csv(peers, "CSV to JSON lines, 230 MB", &data.csv.plain, Stored::Plain),
        csv(peers, "The same CSV in gzip", &data.csv.gzip, Stored::Gzip),
        json(peers, "JSON lines by two conditions, 340 MB", &data.json.plain, Stored::Plain),
        json(peers, "The same JSON lines in gzip", &data.json.gzip, Stored::Gzip),
    ]
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stored {
    Plain,
    Gzip,
}

/// Every field becomes a string: nobody guesses types.
fn csv(peers: &Peers, name: &'static str, input: &PathBuf, stored: Stored) -> Task {
    let (from, to) = (input.display(), peers.their_output());
    let to = to.display();
    let others = vec![
        peers.python(
            "DuckDB",
            DUCKDB,
            &format!(
                "duckdb.sql(\"COPY (FROM read_csv('{from}', header=true, all_varchar=true)) TO '{to}' (FORMAT json)\")"
            ),
        ),
        peers.python(
            "Polars",
            POLARS,
            &format!("polars.scan_csv('{from}', infer_schema=False).sink_ndjson('{to}')"),
        ),
        miller(peers, input, stored, "--icsv", &["cat"]),
    ];
    let ours = peers.ours("csv2jsonl", &[]).arg(input).saved(&peers.our_output());
    Task { name, input: input.clone(), ours, others, answer: Answer::JsonLines }
}

/// The lines with both, whole.
fn json(peers: &Peers, name: &'static str, input: &PathBuf, stored: Stored) -> Task {
    let (from, to) = (input.display(), peers.their_output());
    let saved = |other: Other| Other {
        found: other.found.map(|(version, program)| (version, program.saved(&to))),
        ..other
    };
    let to = to.display();
    let filter = "select(.level == \"error\" and .ms >= 500)";
    let jq = match stored {
        Stored::Plain => peers.tool("jq", JQ, |jq| jq.args(["-c", filter]).arg(input)),
        Stored::Gzip => {
            let line = format!("gzip -dc \"$1\" | jq -c '{filter}'");
            peers.shell("gzip | jq", &[JQ, GZIP], &line, input)
        }
    };
    let others = vec![
        peers.python(
            "DuckDB",
            DUCKDB,
            &format!(
                "duckdb.sql(\"COPY (FROM read_ndjson('{from}', columns={COLUMNS}) \
                 WHERE level = 'error' AND ms >= 500) TO '{to}' (FORMAT json)\")"
            ),
        ),
        peers.python(
            "Polars",
            POLARS,
            &format!(
                "c = polars.col; polars.scan_ndjson('{from}').filter((c('level') == 'error') & (c('ms') >= 500)).sink_ndjson('{to}')"
            ),
        ),
        miller(peers, input, stored, "--ijsonl", &["filter", "$level == \"error\" && $ms >= 500"]),
        saved(jq),
    ];
    let ours = peers.ours("jsonfilter", &[WHERE]).arg(input).saved(&peers.our_output());
    Task { name, input: input.clone(), ours, others, answer: Answer::JsonLines }
}

fn miller(peers: &Peers, input: &PathBuf, stored: Stored, from: &str, verb: &[&str]) -> Other {
    peers.tool("Miller", MILLER, |mlr| {
        let mlr = mlr.args([from, "--ojsonl"]);
        // Strings of CSV stay strings; numbers of JSON are compared as such.
        let mlr = if from == "--icsv" { mlr.arg("-S") } else { mlr };
        let mlr = if stored == Stored::Gzip { mlr.arg("--gzin") } else { mlr };
        mlr.args(verb.iter().copied()).arg(input).saved(&peers.their_output())
    })
}

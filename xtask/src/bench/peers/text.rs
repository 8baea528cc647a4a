//! Tasks on lines: masking, searching, counting and digests, and some of them from gzip.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use super::answer::Answer;
use super::{Other, Peers, Task};
use crate::bench::tools::{
    GREP, GZIP, MAWK, PARALLEL, PIGZ, PYTHON, RIPGREP, SED, SHA256SUM, Tool, WC,
};

/// Some lines of the log, of all of its services half.
const PATTERN: &str = "(warn|error) api-[0-3] .* ms=1[5-9][0-9][0-9] ";

/// E-mail addresses and IP addresses, as `sed -E` finds them in this log.
const EMAIL: &str = "s/[[:alnum:]._%+-]+@[[:alnum:]-]+(\\.[[:alnum:]-]+)+/[EMAIL]/g";
const ADDRESS: &str = "s/\\b([0-9]{1,3}\\.){3}[0-9]{1,3}\\b/[IP]/g";

/// The words, most frequent first.
const TOP: &str = "mawk '{ for (i = 1; i <= NF; i++) n[$i]++ } END { for (w in n) print n[w], w }' \"$1\" \
    | sort -k1,1nr | head -n 10";

pub(super) fn tasks(peers: &Peers) -> Result<Vec<Task>> {
    let log = &peers.data.log;
    Ok(vec![
        redact(peers, &log.plain),
        grep(peers, &log.plain),
        grep_gzip(peers, &log.gzip),
        words(peers, &log.plain)?,
        words_gzip(peers, &log.gzip),
        top(peers, &log.plain),
        digest(peers, &log.plain),
    ])
}

/// A tool in the C locale that prints what becomes a file: the faster of its ways.
fn printing(
    peers: &Peers,
    name: &'static str,
    tool: Tool,
    arguments: &[&str],
    input: &PathBuf,
) -> Other {
    peers.tool(name, tool, |program| {
        let program = program.env("LC_ALL", "C").args(arguments.iter().copied());
        program.arg(input).saved(&peers.their_output())
    })
}

fn redact(peers: &Peers, log: &PathBuf) -> Task {
    let others = vec![printing(peers, "sed -E", SED, &["-E", "-e", EMAIL, "-e", ADDRESS], log)];
    let ours = peers.ours("redact", &["kinds=email,ip", "replace=label"]);
    Task {
        name: "Mask e-mail and IP addresses, 230 MB",
        input: log.clone(),
        ours: ours.arg(log).saved(&peers.our_output()),
        others,
        answer: Answer::Bytes,
    }
}

fn grep(peers: &Peers, log: &PathBuf) -> Task {
    let others = vec![
        printing(peers, "ripgrep", RIPGREP, &[PATTERN], log),
        printing(peers, "GNU grep", GREP, &["-E", PATTERN], log),
    ];
    let ours = peers.ours("grep", &[&format!("pattern={PATTERN}")]);
    Task {
        name: "Lines that match a pattern, 230 MB",
        input: log.clone(),
        ours: ours.arg(log).saved(&peers.our_output()),
        others,
        answer: Answer::Bytes,
    }
}

fn grep_gzip(peers: &Peers, log: &PathBuf) -> Task {
    let others = vec![
        printing(peers, "ripgrep -z", RIPGREP, &["-z", PATTERN], log),
        peers.shell(
            "gzip | grep",
            &[GREP, GZIP],
            &format!("gzip -dc \"$1\" | grep -E '{PATTERN}'"),
            log,
        ),
    ];
    let others = others.into_iter().map(|other| Other {
        found: other
            .found
            .map(|(version, program)| (version, program.saved(&peers.their_output()))),
        ..other
    });
    let ours = peers.ours("grep", &[&format!("pattern={PATTERN}")]);
    Task {
        name: "The same lines of a log in gzip",
        input: log.clone(),
        ours: ours.arg(log).saved(&peers.our_output()),
        others: others.collect(),
        answer: Answer::Bytes,
    }
}

fn words(peers: &Peers, log: &PathBuf) -> Result<Task> {
    let script = peers.bench.directory().join("peers").join("words.py");
    fs::write(&script, include_str!("words.py"))?;
    let sum = "awk '{ l += $1; w += $2 } END { print l, w }'";
    let parallel =
        format!("parallel --will-cite --pipepart --block -1 -j2 -a \"$1\" wc -lw | {sum}");
    let others = vec![
        peers.tool("wc", WC, |wc| wc.env("LC_ALL", "C").arg("-lw").arg(log)),
        peers.shell("parallel wc", &[PARALLEL], &parallel, log),
        peers.tool("Python, a pool", PYTHON, |python| python.arg(&script).arg(log)),
    ];
    Ok(Task {
        name: "Lines and words, 230 MB",
        input: log.clone(),
        ours: peers.ours("wordcount", &[]).args(["--format", "json"]).arg(log),
        others,
        answer: Answer::Numbers,
    })
}

fn words_gzip(peers: &Peers, log: &PathBuf) -> Task {
    let others = vec![
        peers.shell("gzip | wc", &[GZIP, WC], "gzip -dc \"$1\" | wc -lw", log),
        peers.shell("pigz | wc", &[PIGZ, WC], "pigz -dc \"$1\" | wc -lw", log),
    ];
    Task {
        name: "Lines and words of a log in gzip",
        input: log.clone(),
        ours: peers.ours("wordcount", &[]).args(["--format", "json"]).arg(log),
        others,
        answer: Answer::Numbers,
    }
}

fn top(peers: &Peers, log: &PathBuf) -> Task {
    Task {
        name: "The ten most frequent words, 230 MB",
        input: log.clone(),
        ours: peers
            .ours("topwords", &["n=10"])
            .args(["--format", "json", "--memory", "2GiB"])
            .arg(log),
        others: vec![peers.shell("mawk | sort", &[MAWK], TOP, log)],
        answer: Answer::Numbers,
    }
}

fn digest(peers: &Peers, log: &PathBuf) -> Task {
    Task {
        name: "SHA-256, 230 MB",
        input: log.clone(),
        ours: peers.ours("checksum", &[]).args(["--format", "json"]).arg(log),
        others: vec![peers.tool("sha256sum", SHA256SUM, |sum| sum.arg(log))],
        answer: Answer::Numbers,
    }
}

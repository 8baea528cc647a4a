//! `host/docs/limits.md` is made of the help and of `settings/limits`: with `GRISTMILL_WRITE_DOCS`
//! set, this writes it.

use std::fmt::Write;
use std::fs;

use super::super::support::host::Host;
use super::root;

const HEAD: &str = "# Limits

Every bound of the host, with its flag where it has one. A plugin that exceeds a limit fails its source; a limit of the whole run ends the run.
A size is a number of bytes (`32` is 32 bytes), or has a unit: `64KiB`, `1GiB`, `10MB`. A time has a unit, too: `100ms`, `5s`, `1m 30s`.

";

/// A flag with a default, as the help has it.
struct Flag {
    name: String,
    text: String,
    default: String,
}

fn flags(help: &str) -> Vec<Flag> {
    let mut found = Vec::new();
    for entry in help.split("\n      --").skip(1) {
        let entry = entry.split("\n\n  [").next().unwrap();
        let (name, rest) = entry.split_once('\n').unwrap_or((entry, ""));
        let rest = rest.split("Possible values:").next().unwrap();
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = words(rest);
        let Some((before, default)) = text.split_once("[default: ") else { continue };
        let default = default.split(']').next().unwrap();
        let text = before.trim().to_string();
        let takes_amount = ["<SIZE>", "<TIME>", "<N>"].iter().any(|kind| name.contains(kind));
        if takes_amount {
            found.push(Flag { name: words(name), text, default: default.to_string() });
        }
    }
    found
}

/// A bound in the code: its name, its value, and the first sentence of what is said of it.
fn bounds(code: &str) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    let mut message = String::new();
    for line in code.lines() {
        if let Some(text) = line.strip_prefix("///") {
            message.push_str(text);
        } else if let Some(rest) = line.strip_prefix("pub const ") {
            let (name, rest) = rest.split_once(':').unwrap();
            let value = rest.split_once("= ").map_or("", |(_, value)| value.trim_end_matches(';'));
            let message = std::mem::take(&mut message);
            let first = message.trim().split(": ").next().unwrap().split(". ").next().unwrap();
            let first = first.trim_end_matches('.').replace('|', "\\|");
            found.push((name.to_string(), shown(name, value), first));
        } else {
            message.clear();
        }
    }
    found
}

/// A value with its unit, where the name says which it has.
fn shown(name: &str, value: &str) -> String {
    let plain = value.replace('_', "");
    let number = match plain.split_once(" << ") {
        Some((number, by)) => number.parse::<u64>().ok().zip(by.parse::<u32>().ok()),
        None => plain.parse::<u64>().ok().map(|number| (number, 0)),
    };
    let number = number.map(|(number, by)| number << by);
    let duration = value.strip_prefix("Duration::from_").and_then(|rest| rest.split_once('('));
    if let Some((unit, amount)) = duration {
        let unit = match unit {
            "secs" => "s",
            "millis" => "ms",
            "micros" => "µs",
            "mins" => "min",
            other => other,
        };
        return format!("{} {unit}", amount.trim_end_matches(')'));
    }
    match number {
        Some(bytes) if name.contains("BYTES") => {
            let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
            let unit = units.iter().find(|(by, _)| bytes >= 1 << by && bytes % (1 << by) == 0);
            unit.map_or(format!("{bytes} B"), |(by, unit)| format!("{} {unit}", bytes >> by))
        }
        Some(number) => number.to_string(),
        None => format!("`{value}`"),
    }
}

#[test]
fn the_page_of_limits_is_that_of_the_code_and_the_help() {
    let help = Host::new().args(["run", "--help"]).ended().exits(0).stdout;
    let mut page = HEAD.to_string();
    page.push_str("## Flags\n\n| flag | what it bounds | default |\n|---|---|---|\n");
    let flags = flags(&String::from_utf8(help).unwrap());
    assert!(flags.len() > 15, "{} flags", flags.len());
    for Flag { name, text, default } in flags {
        writeln!(page, "| `--{name}` | {text} | {default} |").unwrap();
    }
    page.push_str("\n## All bounds\n\nConstants of `host/src/settings/limits`.\n");
    let code = root().join("host/src/settings");
    let files = ["limits.rs", "limits/plugin.rs", "limits/decode.rs", "limits/remote.rs"];
    for (file, title) in files.into_iter().zip([
        "The host",
        "Plugins",
        "Decompression and archives",
        "Remote stores",
    ]) {
        writeln!(page, "\n### {title}\n\n| name | value | what it bounds |\n|---|---|---|")
            .unwrap();
        for (name, value, message) in bounds(&fs::read_to_string(code.join(file)).unwrap()) {
            writeln!(page, "| `{name}` | {value} | {message} |").unwrap();
        }
    }
    let path = root().join("host/docs/limits.md");
    if std::env::var_os("GRISTMILL_WRITE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let is_same = fs::read_to_string(&path).unwrap() == page;
    assert!(
        is_same,
        "docs/limits.md is not that of the code: run this with GRISTMILL_WRITE_DOCS=1"
    );
}

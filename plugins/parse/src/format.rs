//! Forms that many programs write.

use crate::form::{Form, Kind};

/// What `format` can be, but for `logfmt`.
pub(crate) fn named(name: &str) -> Option<Result<Vec<Form>, String>> {
    let request = r#""(?:(?<method>[A-Z]+) (?<path>[^" ]+) (?<protocol>HTTP/[0-9.]+)|(?<request>(?:[^"\\]|\\.)*))""#;
    let common = format!(
        r"^(?<host>\S+) (?<ident>\S+) (?<user>.+?) \[(?<time>[^\]]+)\] {request} (?<status>[0-9]{{3}}) (?<bytes>[0-9]+|-)"
    );
    let combined = r#" "(?<referer>(?:[^"\\]|\\.)*)" "(?<agent>(?:[^"\\]|\\.)*)""#;
    let expressions = match name {
        "common" => vec![common + "$"],
        "combined" => vec![common + combined + "(?: |$)"],
        "syslog" => vec![SYSLOG.to_owned(), OLD_SYSLOG.to_owned()],
        _ => return None,
    };
    let number = |name: &str| match name {
        "status" | "bytes" | "priority" => Kind::Number,
        _ => Kind::Text,
    };
    let forms = expressions.iter().map(|expression| Form::new(expression, Some("-"), number));
    Some(forms.collect())
}

/// RFC 5424, section 6.
const SYSLOG: &str = concat!(
    r"^<(?<priority>[0-9]{1,3})>[1-9][0-9]{0,2} (?<time>\S+) (?<host>\S+) (?<app>\S+) (?<pid>\S+) (?<id>\S+) ",
    r#"(?<data>-|(?:\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\])+)(?: \x{feff}?(?<message>.*))?$"#,
);

/// RFC 3164, section 4.1, also as it stands in files: without a priority, or with a time of RFC
/// 3339.
const OLD_SYSLOG: &str = concat!(
    r"^(?:<(?<priority>[0-9]{1,3})>)?(?<time>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}T\S+) ",
    r"(?<host>\S+) (?:(?<app>[^\s:\[]+)(?:\[(?<pid>[^\]]*)\])?: ?)?(?<message>.*)$",
);

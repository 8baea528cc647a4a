//! Expressions with `%{NAME:field}` in them, as Logstash's grok filter documents them.
//!
//! Names: WORD NOTSPACE SPACE DATA GREEDYDATA INT POSINT NONNEGINT NUMBER BASE10NUM BASE16NUM
//! QUOTEDSTRING QS UUID MAC IPV4 IPV6 IP HOSTNAME IPORHOST HOST HOSTPORT USERNAME USER EMAILADDRESS
//! PATH UNIXPATH WINPATH URIPROTO URIHOST URIPATH URIPARAM URIPATHPARAM URI MONTH MONTHNUM MONTHDAY
//! DAY YEAR HOUR MINUTE SECOND TIME DATE DATE\_US DATE\_EU TZ `ISO8601_TIMEZONE`
//! `TIMESTAMP_ISO8601` HTTPDATE SYSLOGTIMESTAMP PROG SYSLOGPROG SYSLOGHOST LOGLEVEL COMMONAPACHELOG
//! COMBINEDAPACHELOG.

use regex::Regex;

/// Patterns in patterns, at most.
const DEPTH_MAX: usize = 8;

const PATTERNS: [(&str, &str); 61] = [
    ("WORD", r"\b\w+\b"),
    ("NOTSPACE", r"\S+"),
    ("SPACE", r"\s*"),
    ("DATA", r".*?"),
    ("GREEDYDATA", r".*"),
    ("INT", r"[+-]?[0-9]+"),
    ("POSINT", r"\b[1-9][0-9]*\b"),
    ("NONNEGINT", r"\b[0-9]+\b"),
    ("BASE10NUM", r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"),
    ("NUMBER", r"%{BASE10NUM}"),
    ("BASE16NUM", r"[+-]?(?:0x)?[0-9A-Fa-f]+"),
    ("QUOTEDSTRING", r#""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"#),
    ("QS", r"%{QUOTEDSTRING}"),
    ("UUID", r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"),
    ("MAC", r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}"),
    ("IPV4", r"(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})"),
    ("IPV6", r"(?:[0-9A-Fa-f]{0,4}:){2,7}(?:%{IPV4}|[0-9A-Fa-f]{0,4})(?:%[0-9A-Za-z]+)?"),
    ("IP", r"%{IPV4}|%{IPV6}"),
    ("HOSTNAME", r"\b[0-9A-Za-z](?:[0-9A-Za-z_-]{0,62})(?:\.[0-9A-Za-z_-]{1,63})*\.?"),
    ("IPORHOST", r"%{IP}|%{HOSTNAME}"),
    ("HOST", r"%{HOSTNAME}"),
    ("HOSTPORT", r"(?:%{IPORHOST}):%{POSINT}"),
    ("USERNAME", r"[0-9A-Za-z._-]+"),
    ("USER", r"%{USERNAME}"),
    ("EMAILADDRESS", r"[0-9A-Za-z!#$%&'*+/=?^_`{|}~.-]+@%{HOSTNAME}"),
    ("UNIXPATH", r"(?:/[0-9A-Za-z_%!$@:.,+~-]*)+"),
    ("WINPATH", r"(?:[A-Za-z]:|\\)(?:\\[^\\?*\s]*)+"),
    ("PATH", r"%{UNIXPATH}|%{WINPATH}"),
    ("URIPROTO", r"[A-Za-z][0-9A-Za-z+.-]*"),
    ("URIHOST", r"(?:%{IPORHOST})(?::%{POSINT})?"),
    ("URIPATH", r"(?:/[0-9A-Za-z$.+!*'(){},~:;=@#%&_-]*)+"),
    ("URIPARAM", r"\?[0-9A-Za-z$.+!*'|(){},~@#%&/=:;_?\[\]<>-]*"),
    ("URIPATHPARAM", r"%{URIPATH}(?:%{URIPARAM})?"),
    ("URI", r"%{URIPROTO}://(?:%{USER}(?::[^@\s]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?"),
    (
        "MONTH",
        r"\b(?:[Jj]an(?:uary)?|[Ff]eb(?:ruary)?|[Mm]ar(?:ch)?|[Aa]pr(?:il)?|[Mm]ay|[Jj]une?|[Jj]uly?|[Aa]ug(?:ust)?|[Ss]ep(?:tember)?|[Oo]ct(?:ober)?|[Nn]ov(?:ember)?|[Dd]ec(?:ember)?)\b",
    ),
    ("MONTHNUM", r"1[0-2]|0?[1-9]"),
    ("MONTHDAY", r"3[01]|[12][0-9]|0?[1-9]"),
    (
        "DAY",
        r"\b(?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?)\b",
    ),
    ("YEAR", r"[0-9]{4}|[0-9]{2}"),
    ("HOUR", r"2[0-3]|[01]?[0-9]"),
    ("MINUTE", r"[0-5][0-9]"),
    ("SECOND", r"(?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?"),
    ("TIME", r"%{HOUR}:%{MINUTE}(?::%{SECOND})?"),
    ("DATE_US", r"%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}"),
    ("DATE_EU", r"%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}"),
    ("DATE", r"%{DATE_US}|%{DATE_EU}"),
    ("TZ", r"[A-Z]{3,4}"),
    ("ISO8601_TIMEZONE", r"Z|[+-]%{HOUR}(?::?%{MINUTE})"),
    (
        "TIMESTAMP_ISO8601",
        r"[0-9]{4}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?(?:%{ISO8601_TIMEZONE})?",
    ),
    ("HTTPDATE", r"%{MONTHDAY}/%{MONTH}/[0-9]{4}:%{TIME} [+-][0-9]{4}"),
    ("SYSLOGTIMESTAMP", r"%{MONTH} +%{MONTHDAY} %{TIME}"),
    ("PROG", r"[!-Z\\^-~]+"),
    ("SYSLOGPROG", r"%{PROG:program}(?:\[%{POSINT:pid}\])?"),
    ("SYSLOGHOST", r"%{IPORHOST}"),
    (
        "LOGLEVEL",
        r"(?i:trace|debug|notice|info(?:rmation)?|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|severe|alert|emerg(?:ency)?|panic)",
    ),
    (
        "COMMONAPACHELOG",
        r#"%{IPORHOST:clientip} %{NOTSPACE:ident} %{NOTSPACE:auth} \[%{HTTPDATE:timestamp}\] "(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})" %{INT:response} (?:%{INT:bytes}|-)"#,
    ),
    ("COMBINEDAPACHELOG", r"%{COMMONAPACHELOG} %{QS:referrer} %{QS:agent}"),
    ("SYSLOGBASE", r"%{SYSLOGTIMESTAMP:timestamp} %{SYSLOGHOST:logsource} %{SYSLOGPROG}:"),
    ("YEAR4", r"[0-9]{4}"),
    ("BOOL", r"\b(?:true|false)\b"),
    ("HEX", r"[0-9A-Fa-f]+"),
];

/// An expression without references, and the names whose values are numbers.
#[derive(Debug, Default)]
pub(crate) struct Expanded {
    pub(crate) expression: String,
    pub(crate) numbers: Vec<String>,
}

/// Puts the patterns in place of their names.
///
/// # Errors
/// A name is not known, or a reference is none.
pub(crate) fn expand(text: &str) -> Result<Expanded, String> {
    let reference = Regex::new(r"%\{([^}]*)\}").map_err(|error| error.to_string())?;
    let mut expanded = Expanded { expression: text.to_owned(), numbers: Vec::new() };
    for _ in 0..DEPTH_MAX {
        let Some(_) = reference.find(&expanded.expression) else { return Ok(expanded) };
        let mut next = String::new();
        let mut end = 0;
        for found in reference.captures_iter(&expanded.expression) {
            let (Some(whole), Some(inside)) = (found.get(0), found.get(1)) else { continue };
            next += expanded.expression.get(end..whole.start()).unwrap_or_default();
            next += &referred(inside.as_str(), &mut expanded.numbers)?;
            end = whole.end();
        }
        next += expanded.expression.get(end..).unwrap_or_default();
        expanded.expression = next;
    }
    Err("its patterns refer to one another".into())
}

fn referred(inside: &str, numbers: &mut Vec<String>) -> Result<String, String> {
    let mut parts = inside.split(':');
    let name = parts.next().unwrap_or_default();
    let Some((_, pattern)) = PATTERNS.iter().find(|(known, _)| *known == name) else {
        return Err(format!("there is no pattern `{name}`"));
    };
    let field = parts.next();
    match (field, parts.next()) {
        (None, _) => return Ok(format!("(?:{pattern})")),
        (Some(field), Some("int" | "float")) => numbers.push(field.to_owned()),
        (Some(_), None) => {}
        (Some(_), Some(other)) => return Err(format!("`{other}` is neither int nor float")),
    }
    let field = field.unwrap_or_default();
    // A letter first, then letters, digits and the signs that the crate `regex` has in names.
    Ok(format!("(?<{field}>{pattern})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_an_expression_and_is_there_once() {
        for (at, (name, _)) in PATTERNS.iter().enumerate() {
            let expanded = expand(&format!("^%{{{name}}}$")).unwrap();
            assert!(Regex::new(&expanded.expression).is_ok(), "{name}");
            assert!(PATTERNS.iter().skip(at + 1).all(|(other, _)| other != name), "{name}");
        }
    }

    #[test]
    fn patterns_match_what_they_are_called() {
        for (name, texts, others) in [
            (
                "IP",
                &["192.0.2.1", "2001:db8::1", "::1", "::ffff:192.0.2.1"][..],
                &["192.0.2.256", "a"][..],
            ),
            ("NUMBER", &["1", "-1.5", ".5", "+3"], &["1e", "x"]),
            (
                "TIMESTAMP_ISO8601",
                &["2024-01-02T03:04:05.678Z", "2024-01-02 03:04:05,678", "2024-01-02T03:04+01:00"],
                &["2024-1"],
            ),
            ("HTTPDATE", &["10/Oct/2000:13:55:36 -0700"], &["10/Okt/2000:13:55:36 -0700"]),
            ("SYSLOGTIMESTAMP", &["Oct  9 22:33:20", "Mar 12 10:01:02"], &["10 Oct 2000"]),
            ("EMAILADDRESS", &["a.b+c@example.org"], &["a@"]),
            ("UUID", &["123e4567-e89b-12d3-a456-426614174000"], &["123e4567"]),
            ("URI", &["https://example.org:8080/a?b=c"], &["//x"]),
            ("LOGLEVEL", &["ERROR", "warn", "Info"], &["loud"]),
            ("QS", &[r#""a \" b""#, "'x'"], &["\"x"]),
            ("MAC", &["00:1a:2b:3c:4d:5e"], &["00:1a"]),
        ] {
            let regex =
                Regex::new(&expand(&format!("^(?:%{{{name}}})$")).unwrap().expression).unwrap();
            assert!(texts.iter().all(|text| regex.is_match(text)), "{name}");
            assert!(others.iter().all(|text| !regex.is_match(text)), "{name}");
        }
    }
}

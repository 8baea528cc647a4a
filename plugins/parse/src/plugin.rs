//! The plugin: its settings, and what becomes of a line.

use gristmill_sdk::{
    Chunk, Error, Framing, Manifest, Settings, Source, Transformer, manifest, records, reject,
};

use crate::form::{Form, Kind, push_string};
use crate::{format, grok, logfmt};

/// The plugin, with the settings of a run.
#[derive(Clone, Debug)]
pub struct Parse {
    way: Way,
    unmatched: Unmatched,
}

#[derive(Clone, Debug)]
enum Way {
    /// The first that matches counts.
    Forms(Vec<Form>),
    Logfmt(Kind),
}

/// What becomes of lines that do not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unmatched {
    Reject,
    Keep,
    Drop,
}

impl Transformer for Parse {
    type State = ();

    fn manifest() -> Manifest {
        manifest!()
            .framing(Framing::Lines)
            .reads_text()
            .output_type("application/x-ndjson")
            .setting("format", "", "A form by name: common, combined, syslog or logfmt.")
            .setting("pattern", "", "A form as a regular expression with named groups.")
            .setting("grok", "", "A form as an expression with %{NAME:field} in it.")
            .setting("types", "off", "on: all that is a number becomes one.")
            .setting("unmatched", "reject", "What becomes of other lines: reject, keep or drop.")
    }

    fn configure(settings: &Settings) -> Result<Self, Error> {
        let text = |key: &str| settings.parse::<String>(key);
        let kind = match text("types")?.as_str() {
            "off" => Kind::Text,
            "on" => Kind::Number,
            other => return Err(not_one_of("types", other, "off or on")),
        };
        let unmatched = match text("unmatched")?.as_str() {
            "reject" => Unmatched::Reject,
            "keep" => Unmatched::Keep,
            "drop" => Unmatched::Drop,
            other => return Err(not_one_of("unmatched", other, "reject, keep or drop")),
        };
        let way = way(&text("format")?, &text("pattern")?, &text("grok")?, kind)?;
        Ok(Self { way, unmatched })
    }

    fn open(&self, _: Source) {}

    fn push(&self, (): &mut (), _: Chunk, data: Vec<u8>) -> Result<Vec<u8>, Error> {
        let mut output = Vec::with_capacity(data.len() * 2);
        let mut places: Vec<_> = match &self.way {
            Way::Forms(forms) => forms.iter().map(|form| (form, form.places())).collect(),
            Way::Logfmt(_) => Vec::new(),
        };
        for line in records::lines(&data) {
            let bare = line.strip_suffix(b"\r").unwrap_or(line);
            if bare.trim_ascii().is_empty() {
                continue;
            }
            let text = match simdutf8::compat::from_utf8(bare) {
                Ok(text) => text,
                Err(error) => {
                    let at = error.valid_up_to();
                    let why = format!("is not UTF-8 at byte {at} of the line");
                    reject(records::offset(&data, line), &why, line);
                    continue;
                }
            };
            let matches = match self.way {
                Way::Forms(_) => {
                    places.iter_mut().any(|(form, places)| form.push(text, places, &mut output))
                }
                Way::Logfmt(kind) => logfmt::push(text, kind, &mut output),
            };
            match self.unmatched {
                _ if matches => {}
                Unmatched::Drop => {}
                Unmatched::Reject => {
                    reject(records::offset(&data, line), "does not match", line);
                }
                Unmatched::Keep => {
                    output.extend_from_slice(br#"{"unmatched":"#);
                    push_string(text, &mut output);
                    output.extend_from_slice(b"}\n");
                }
            }
        }
        Ok(output)
    }
}

fn way(name: &str, pattern: &str, grok: &str, kind: Kind) -> Result<Way, Error> {
    let refused = |key: &str, text: &str, why: &dyn std::fmt::Display| {
        Error::fatal(format_args!("setting `{key}` cannot be `{text}`: {why}"))
    };
    match (name, pattern, grok) {
        ("logfmt", "", "") => Ok(Way::Logfmt(kind)),
        ("", "", "") => Err(Error::fatal("setting `format` is required, or `pattern`, or `grok`")),
        (name, "", "") => match format::named(name) {
            Some(forms) => forms.map(Way::Forms).map_err(|why| refused("format", name, &why)),
            None => Err(not_one_of("format", name, "common, combined, syslog or logfmt")),
        },
        ("", pattern, "") => {
            let form = Form::new(pattern, None, |_| kind);
            form.map(|form| Way::Forms(vec![form])).map_err(|why| refused("pattern", pattern, &why))
        }
        ("", "", text) => {
            let expanded = grok::expand(text).map_err(|why| refused("grok", text, &why))?;
            let is_number = |name: &str| expanded.numbers.iter().any(|number| number == name);
            let kind = |name: &str| if is_number(name) { Kind::Number } else { kind };
            let form = Form::new(&expanded.expression, None, kind);
            form.map(|form| Way::Forms(vec![form])).map_err(|why| refused("grok", text, &why))
        }
        _ => Err(Error::fatal("settings `format`, `pattern` and `grok` exclude each other")),
    }
}

fn not_one_of(setting: &str, value: &str, values: &str) -> Error {
    Error::fatal(format_args!("setting `{setting}` cannot be `{value}`: it is {values}"))
}

#[cfg(test)]
mod tests {
    use gristmill_sdk::testing;
    use proptest::prelude::*;

    use super::*;

    fn parsed(given: &[(&str, &str)], text: &str) -> String {
        let output = testing::transform_every_cut::<Parse>(given, text.as_bytes());
        String::from_utf8(output.unwrap()).unwrap()
    }

    fn refused(given: &[(&str, &str)]) -> String {
        testing::transform::<Parse>(given, &[]).unwrap_err().to_string()
    }

    #[test]
    fn logs_of_web_servers_have_their_formats() {
        let common =
            r#"192.0.2.1 - ann lee [10/Oct/2000:13:55:36 -0700] "GET /a?b=c HTTP/1.0" 200 2326"#;
        let fields = r#"{"host":"192.0.2.1","ident":null,"user":"ann lee","time":"10/Oct/2000:13:55:36 -0700","method":"GET","path":"/a?b=c","protocol":"HTTP/1.0","request":null,"status":200,"bytes":2326"#;
        assert_eq!(
            parsed(&[("format", "common")], &format!("{common}\r\n")),
            format!("{fields}}}\n")
        );
        let combined = format!(r#"{common} "-" "a \"b\"""#);
        assert_eq!(
            parsed(&[("format", "combined")], &combined),
            format!("{fields},\"referer\":null,\"agent\":\"a \\\\\\\"b\\\\\\\"\"}}\n")
        );
        let odd = r#"::1 - - [t] "\x16\x03" 400 -"#;
        assert!(parsed(&[("format", "common")], odd).contains(r#""method":null,"path":null,"protocol":null,"request":"\\x16\\x03","status":400,"bytes":null"#));
        testing::recorded();
    }

    #[test]
    fn syslog_has_an_old_form_and_a_new_one() {
        let of = |line: &str| parsed(&[("format", "syslog")], line);
        assert_eq!(
            of("<34>1 2003-10-11T22:14:15.003Z host su - ID47 [a b=\"]\"] text: x"),
            "{\"priority\":34,\"time\":\"2003-10-11T22:14:15.003Z\",\"host\":\"host\",\"app\":\"su\",\"pid\":null,\"id\":\"ID47\",\"data\":\"[a b=\\\"]\\\"]\",\"message\":\"text: x\"}\n"
        );
        assert_eq!(
            of("Oct  9 22:33:20 mx postfix/smtp[17]: to=<a>"),
            "{\"priority\":null,\"time\":\"Oct  9 22:33:20\",\"host\":\"mx\",\"app\":\"postfix/smtp\",\"pid\":\"17\",\"message\":\"to=<a>\"}\n"
        );
        testing::recorded();
    }

    #[test]
    fn logfmt_has_pairs() {
        let of = |line: &str| parsed(&[("format", "logfmt"), ("types", "on")], line);
        assert_eq!(
            of("a=1 b=\"x \\\"y\\\"\\n\" c d= e=-1.5 f=0x1 a=2"),
            "{\"a\":1,\"b\":\"x \\\"y\\\"\\n\",\"c\":true,\"d\":\"\",\"e\":-1.5,\"f\":\"0x1\",\"a_2\":2}\n"
        );
        // Nothing of a line is lost, also where it has a carriage return in it.
        assert_eq!(of("a=1 a_2=x\ra=2 a=3"), "{\"a\":1,\"a_2\":\"x\",\"a_3\":2,\"a_4\":3}\n");
        assert_eq!(of("no pairs here\n=x\na=\"open\n"), "");
        assert_eq!(testing::recorded().rejects.len(), 3);
    }

    #[test]
    fn groups_and_groks_are_fields() {
        let pattern = [("pattern", r"(?<level>[A-Z]+): (?:(?<n>\d+)|(?<word>\w+))")];
        assert_eq!(
            parsed(&pattern, "x WARN: 17\nERROR: a\n\nnone"),
            "{\"level\":\"WARN\",\"n\":\"17\",\"word\":null}\n{\"level\":\"ERROR\",\"n\":null,\"word\":\"a\"}\n"
        );
        assert_eq!(testing::recorded().rejects[0].offset, 21);
        let grok =
            [("grok", "%{IP:client.ip} %{WORD:verb} %{NUMBER:ms:float}ms"), ("unmatched", "keep")];
        assert_eq!(
            parsed(&grok, "192.0.2.1 GET 1.50ms\nodd \"x\""),
            "{\"client.ip\":\"192.0.2.1\",\"verb\":\"GET\",\"ms\":1.50}\n{\"unmatched\":\"odd \\\"x\\\"\"}\n"
        );
        assert_eq!(
            parsed(&[("pattern", "(?<a>x)"), ("unmatched", "drop")], "y\nx"),
            "{\"a\":\"x\"}\n"
        );
        assert_eq!(testing::recorded().rejects, []);
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        assert!(refused(&[]).contains("is required"));
        assert!(refused(&[("format", "x")]).contains("common, combined, syslog or logfmt"));
        assert!(refused(&[("format", "syslog"), ("pattern", "x")]).contains("exclude each other"));
        assert!(refused(&[("pattern", "x")]).contains("no group with a name"));
        assert!(refused(&[("grok", "%{NOPE}")]).contains("there is no pattern `NOPE`"));
        assert!(refused(&[("grok", "%{INT:a:date}")]).contains("neither int nor float"));
    }

    proptest! {
        #[test]
        fn every_line_is_json_or_set_aside(
            text in "[a=\" \\\\\n\u{e9}1-]{0,60}",
            types in prop::sample::select(&["on", "off"][..]),
        ) {
            let output = parsed(&[("format", "logfmt"), ("types", types)], &text);
            let rejects = testing::recorded().rejects.len();
            for line in output.lines() {
                prop_assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{}", line);
            }
            let lines = text.lines().filter(|line| !line.trim_ascii().is_empty()).count();
            prop_assert_eq!(output.lines().count() + rejects, lines);
        }
    }
}

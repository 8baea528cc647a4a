//! The plugin: what is asked of the field, and what becomes of a line.

use gristmill_sdk::{
    Chunk, Error, Framing, Kept, Manifest, Settings, Source, Transformer, manifest, reject,
};
use regex::Regex;
use serde_json::value::RawValue;

use crate::conditions::{Condition, Wanted};
use crate::field::Path;
use crate::lines::Lines;
use crate::prefilter::Prefilter;
use crate::project::{Fields, Form};

/// The plugin, with the settings of a run.
#[derive(Clone, Debug)]
pub struct JsonFilter {
    /// All have to hold.
    conditions: Vec<Condition>,
    invert: bool,
    /// Decides which lines have to be parsed; none if all have.
    prefilter: Option<Prefilter>,
    /// What of a line is kept; none for all.
    fields: Option<Fields>,
}

impl Transformer for JsonFilter {
    type State = ();

    fn manifest() -> Manifest {
        manifest!()
            .framing(Framing::Lines)
            .reads_text()
            .output_type("application/x-ndjson")
            .setting("field", "", "The way to the field, as in .http.headers.0.name.")
            .setting("equals", "", "What the value has to be, as text.")
            .setting("matches", "", "What the value has to match: a regular expression.")
            .setting("where", "", "What else has to hold: .a=x && .n>=5 && .t~^GET, with = != < <= > >= ~ !~ or none.")
            .setting("invert", "false", "Keep the lines that are not so.")
            .setting("check", "all", "needed: skip lines that cannot stay without reading them.")
            .setting("fields", "", "Which fields are kept of a line, as in .user.name,.t; all of it if none.")
            .setting("output", "json", "How `fields` are written: json, or raw: text with tabs between them.")
    }

    fn configure(settings: &Settings) -> Result<Self, Error> {
        let conditions = conditions(settings)?;
        let form = match settings.parse::<String>("output")?.as_str() {
            "json" => Form::Json,
            "raw" => Form::Raw,
            other => {
                return Err(Error::fatal(format_args!(
                    "setting `output` cannot be `{other}`: it is json or raw"
                )));
            }
        };
        let fields = Fields::parse(&settings.parse::<String>("fields")?, form)?;
        if conditions.is_empty() && fields.is_none() {
            return Err(Error::fatal("setting `field` is required, or `where`, or `fields`"));
        }
        if form == Form::Raw && fields.is_none() {
            return Err(Error::fatal("setting `output` is for `fields` only"));
        }
        let invert: bool = settings.parse("invert")?;
        let prefilter = match settings.parse::<String>("check")?.as_str() {
            "all" => None,
            "needed" if invert => None,
            "needed" => conditions.first().and_then(prefilter),
            other => {
                return Err(Error::fatal(format_args!(
                    "setting `check` cannot be `{other}`: it is all or needed"
                )));
            }
        };
        Ok(Self { conditions, invert, prefilter, fields })
    }

    fn open(&self, _: Source) {}

    fn push(&self, (): &mut (), _: Chunk, data: Vec<u8>) -> Result<Vec<u8>, Error> {
        let mut kept = Kept::of(data);
        let mut output = Vec::new();
        let mut lines = Lines::new(self.prefilter.as_ref().map(Prefilter::candidates));
        while let Some(line) = lines.next(kept.data()) {
            let text = kept.data().get(line.clone()).unwrap_or_default();
            let text = text.strip_suffix(b"\n").unwrap_or(text);
            match self.stays(text, &mut output) {
                Ok(true) => kept.keep(line),
                Ok(false) => {}
                Err(why) => reject(line.start as u64, &why, text),
            }
        }
        Ok(if self.fields.is_some() { output } else { kept.into_output() })
    }
}

fn conditions(settings: &Settings) -> Result<Vec<Condition>, Error> {
    let field: String = settings.parse("field")?;
    let wanted = wanted(settings)?;
    let more = Condition::all(&settings.parse::<String>("where")?)?;
    if field.is_empty() {
        return match wanted {
            Wanted::Anything => Ok(more),
            _ => Err(Error::fatal("settings `equals` and `matches` need `field`")),
        };
    }
    let path = Path::parse(&field)
        .map_err(|why| Error::fatal(format_args!("setting `field` cannot be `{field}`: {why}")))?;
    Ok([vec![Condition { path, wanted }], more].concat())
}

fn wanted(settings: &Settings) -> Result<Wanted, Error> {
    let (equals, matches): (String, String) =
        (settings.parse("equals")?, settings.parse("matches")?);
    match (equals.is_empty(), matches.is_empty()) {
        (true, true) => Ok(Wanted::Anything),
        (false, true) => Ok(Wanted::Equal(equals)),
        (true, false) => match Regex::new(&matches) {
            Ok(regex) => Ok(Wanted::Match(regex)),
            Err(error) => {
                Err(Error::fatal(format_args!("setting `matches` cannot be `{matches}`: {error}")))
            }
        },
        (false, false) => Err(Error::fatal("settings `equals` and `matches` exclude each other")),
    }
}

/// Looks for what is rarest: the value, or else the longest name that is no place in an array, too.
fn prefilter(Condition { path, wanted }: &Condition) -> Option<Prefilter> {
    match wanted {
        Wanted::Equal(text) => {
            let may_be_bare = serde_json::from_str::<&RawValue>(text).is_ok();
            return Some(if may_be_bare { Prefilter::bare(text) } else { Prefilter::string(text) });
        }
        // A line without the field stays.
        Wanted::Different(_) | Wanted::NoMatch(_) => return None,
        Wanted::Anything | Wanted::Match(_) | Wanted::Number(..) => {}
    }
    let names = path.steps().iter().filter(|step| step.place.is_none());
    names.map(|step| &step.name).max_by_key(|name| name.len()).map(|name| Prefilter::string(name))
}

impl JsonFilter {
    /// Whether a line stays; its fields are then appended to `output`, if some are asked for.
    ///
    /// # Errors
    /// It is not JSON: why.
    fn stays(&self, line: &[u8], output: &mut Vec<u8>) -> Result<bool, String> {
        if line.trim_ascii().is_empty() {
            return Ok(false);
        }
        let text = simdutf8::compat::from_utf8(line)
            .map_err(|error| format!("is not UTF-8 at byte {} of the line", error.valid_up_to()))?;
        self.takes(text, output).map_err(|error| format!("is not JSON: {error}"))
    }

    fn takes(&self, line: &str, output: &mut Vec<u8>) -> Result<bool, serde_json::Error> {
        let mut holds = true;
        for condition in &self.conditions {
            holds = condition.holds(line)?;
            if !holds {
                break;
            }
        }
        // Without conditions, all lines stay.
        let stays = holds != (self.invert && !self.conditions.is_empty());
        if let (true, Some(fields)) = (stays, &self.fields) {
            fields.push(line, output)?;
        }
        Ok(stays)
    }
}

#[cfg(test)]
mod tests {
    use gristmill_sdk::testing;
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn kept(given: &[(&str, &str)], text: &str) -> String {
        let output = testing::transform_every_cut::<JsonFilter>(given, text.as_bytes());
        String::from_utf8(output.unwrap()).unwrap()
    }

    fn refused(given: &[(&str, &str)]) -> String {
        testing::transform::<JsonFilter>(given, &[]).unwrap_err().to_string()
    }

    const LINES: &str = concat!(
        r#"{"level":"error", "n": 5 }"#,
        "\n",
        r#"{"level":"info","n":"5"}"#,
        "\r\n\n",
        r#"  {"level":"\u0065rror","n":5.0}"#,
        "\n",
        r#"{"level":null,"n":[5]}"#,
        "\n",
        r#"{"n":50,"sub":{"level":"error"}}"#,
    );

    fn line(at: usize) -> &'static str {
        LINES.split_inclusive('\n').nth(at).unwrap()
    }

    #[test]
    fn lines_stay_byte_for_byte() {
        for check in ["all", "needed"] {
            let kept = |given: &[(&str, &str)]| kept(&[given, &[("check", check)]].concat(), LINES);
            assert_eq!(
                kept(&[("field", "level"), ("equals", "error")]),
                line(0).to_owned() + line(3)
            );
            assert_eq!(kept(&[("field", "level"), ("equals", "null")]), line(4));
            assert_eq!(kept(&[("field", "sub.level"), ("equals", "error")]), line(5));
            assert_eq!(kept(&[("field", "n"), ("equals", "5")]), line(0).to_owned() + line(1));
            assert_eq!(kept(&[("field", "n.0")]), line(4));
            assert_eq!(kept(&[("field", "sub")]), line(5));
            assert_eq!(
                kept(&[("field", "level"), ("matches", "^(err|nu)")]),
                [0, 3, 4].map(line).concat()
            );
            assert_eq!(
                kept(&[("field", "n"), ("matches", "^5\\.?0$")]),
                line(3).to_owned() + line(5)
            );
            assert_eq!(kept(&[("field", "level"), ("invert", "true")]), line(5));
            assert_eq!(
                kept(&[("field", "level"), ("equals", "error"), ("invert", "true")]),
                [1, 4, 5].map(line).concat()
            );
            assert!(testing::recorded().rejects.is_empty());
        }
    }

    #[test]
    fn lines_that_are_not_json_are_set_aside() {
        let text = b"{\"a\":1}\n{\"a\":1\n\xff\n \t\r\n{\"a\":1} x\nnull\n{\"a\":\"\\ud800\"}";
        for invert in ["false", "true"] {
            let given = [("field", "a"), ("equals", "1"), ("invert", invert)];
            let output = testing::transform_every_cut::<JsonFilter>(&given, text).unwrap();
            let expected = if invert == "true" { &b"null\n"[..] } else { b"{\"a\":1}\n" };
            assert_eq!(output, expected);
            let rejects = testing::recorded().rejects;
            let found: Vec<_> = rejects.iter().map(|r| (r.offset, &*r.reason, &*r.data)).collect();
            assert_eq!(
                found,
                [
                    (
                        8,
                        "is not JSON: EOF while parsing an object at line 1 column 6",
                        &b"{\"a\":1"[..]
                    ),
                    (15, "is not UTF-8 at byte 0 of the line", b"\xff"),
                    (21, "is not JSON: trailing characters at line 1 column 9", b"{\"a\":1} x"),
                    (
                        36,
                        "is not JSON: unexpected end of hex escape at line 1 column 8",
                        b"{\"a\":\"\\ud800\"}"
                    ),
                ]
            );
        }
    }

    #[test]
    fn only_lines_that_can_stay_are_read_if_asked_for() {
        let text = "{\"a\":\"x\"}\nbad\nbad \"x\"\nbad\\\n{\"a\":\"\\u0078\"}\n";
        let given = [("field", "a"), ("equals", "x"), ("check", "needed")];
        assert_eq!(kept(&given, text), "{\"a\":\"x\"}\n{\"a\":\"\\u0078\"}\n");
        let rejects = testing::recorded().rejects;
        let offsets: Vec<u64> = rejects.iter().map(|rejected| rejected.offset).collect();
        assert_eq!(offsets, [14, 22]);
    }

    #[test]
    fn conditions_have_to_hold_all() {
        let text = "{\"a\":\"x\",\"n\":5}\n{\"a\":\"x\",\"n\":50}\n{\"a\":\"y\",\"n\":\"7.5\"}\n{\"n\":-1e3}\n{\"a\":[],\"n\":{}}\n";
        let of = |conditions: &str| {
            let found = kept(&[("where", conditions)], text);
            let at = |line: &str| text.lines().position(|it| it == line).unwrap();
            found.lines().map(at).collect::<Vec<_>>()
        };
        assert_eq!(of(".a=x && .n<=5"), [0]);
        assert_eq!(of("a = x"), [0, 1]);
        assert_eq!(of(".n>5\n.n<50"), [2]);
        assert_eq!(of(".n>=5 && .n<=50"), [0, 1, 2]);
        assert_eq!(of(".n < 0"), [3]);
        assert_eq!(of(".a!=x"), [2, 3, 4]);
        assert_eq!(of(".a~^[xz]"), [0, 1]);
        assert_eq!(of(".a!~x"), [2, 3, 4]);
        assert_eq!(of(".a"), [0, 1, 2, 4]);
        let both = kept(
            &[("field", ".a"), ("equals", "x"), ("where", ".n=50"), ("check", "needed")],
            text,
        );
        assert_eq!(both.lines().count(), 1);
        assert!(refused(&[("where", ".n>x")]).ends_with("`x` is no number"));
        assert!(refused(&[("where", ".a~(")]).starts_with("setting `where` cannot be `.a~(`: "));
        assert!(refused(&[("where", "..a")]).contains("empty"));
        assert!(refused(&[("equals", "x")]).ends_with("need `field`"));
    }

    #[test]
    fn fields_are_kept_instead_of_lines() {
        let text =
            "{\"user\":{\"name\":\"Z\\u00eb\\tx\"},\"t\": [1, 2] ,\"n\":1e400}\nbad\n{\"t\":null}";
        let json = kept(&[("fields", ".user.name, t,n")], text);
        assert_eq!(
            json,
            "{\"user.name\":\"Z\\u00eb\\tx\",\"t\":[1, 2],\"n\":1e400}\n{\"user.name\":null,\"t\":null,\"n\":null}\n"
        );
        assert_eq!(testing::recorded().rejects.len(), 1);
        let raw = kept(&[("fields", "user.name,t,n"), ("output", "raw")], text);
        assert_eq!(raw, "Z\u{eb}\\tx\t[1, 2]\t1e400\n\tnull\t\n");
        let some = kept(&[("fields", ".n"), ("field", "user")], text);
        assert_eq!(some, "{\"n\":1e400}\n");
        assert!(refused(&[("fields", "a,,b")]).starts_with("setting `fields` cannot hold ``: "));
        assert!(refused(&[("field", "a"), ("output", "raw")]).contains("for `fields` only"));
        testing::recorded();
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        assert_eq!(refused(&[]), "setting `field` is required, or `where`, or `fields`");
        assert_eq!(
            refused(&[("field", "a..b")]),
            "setting `field` cannot be `a..b`: a name between dots is empty"
        );
        assert_eq!(
            refused(&[("field", "a"), ("equals", "x"), ("matches", "x")]),
            "settings `equals` and `matches` exclude each other"
        );
        assert!(
            refused(&[("field", "a"), ("matches", "(")])
                .starts_with("setting `matches` cannot be `(`: ")
        );
        assert_eq!(
            refused(&[("field", "a"), ("check", "no")]),
            "setting `check` cannot be `no`: it is all or needed"
        );
    }

    /// Whether a line stays, by way of a whole value.
    fn stays(line: &str, equals: &str) -> bool {
        let value: Value = serde_json::from_str(line).unwrap();
        match value.get("a").and_then(|a| a.get("b")) {
            Some(Value::String(text)) => text == equals,
            Some(Value::Object(_) | Value::Array(_)) | None => false,
            Some(other) => serde_json::to_string(other).unwrap() == equals,
        }
    }

    proptest! {
        #[test]
        fn lines_are_those_of_a_whole_parser(
            lines in prop::collection::vec(
                prop_oneof![
                    r#"\{"a":\{"(b|\\u0062|c)":("(x|y|\\u0078|\\n|\\")?"|1|null|\[\]|\{\})\}(,"d":"x")?\}"#,
                    r#"\{"a":(1|\["x"\]|"x"),"b":"x"\}"#,
                ],
                0..12,
            ),
            equals in prop::sample::select(&["x", "1", "null", "\n", "\"", "x y"][..]),
            check in prop::sample::select(&["all", "needed"][..]),
        ) {
            let text = lines.join("\n");
            let given = [("field", "a.b"), ("equals", equals), ("check", check)];
            let output = testing::transform::<JsonFilter>(&given, &[text.as_bytes()]).unwrap();
            let lines = text.split_inclusive('\n');
            let expected: String = lines.filter(|line| stays(line, equals)).collect();
            prop_assert_eq!(String::from_utf8(output).unwrap(), expected);
        }
    }
}

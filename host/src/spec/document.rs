//! A spec in TOML: read by the types of specs alone, with the place of whatever is wrong.

use crate::name::Shown;
use crate::settings::{AfterCommit, OnFail};
use std::collections::HashMap;
use std::fmt::Display;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::job::JobText;
use super::{
    BranchSpec, FilePlace, InputSpec, JobSpec, OutputSpec, Problem, SandboxSpec, StageSpec,
    WatchSpec, WorkSpec, fields,
};

type Value<'t> = Spanned<DeValue<'t>>;

/// A spec that was read, and where in its file each setting is said.
#[derive(Debug)]
pub struct Document {
    /// What the file says, and what a spec has for the rest.
    pub spec: JobSpec,
    places: HashMap<String, FilePlace>,
}

impl Document {
    /// Reads what is in the file `name`, to whose directory paths are relative; `is_path` says
    /// which are paths.
    ///
    /// # Errors
    /// When it is no TOML, or says what no spec can; with the place.
    pub fn read(name: &Path, bytes: &[u8], is_path: fn(&Path) -> bool) -> Result<Self, Problem> {
        let text = utf8(name, bytes)?;
        let parse = || DeTable::parse(text.text);
        let table = parse().map_err(|error| {
            let span = error.span().unwrap_or_default();
            Problem::new(error.message()).at(Some(&text.place(&span)))
        })?;
        known(&text, table.get_ref())?;
        one_of_two(&text, table.get_ref())?;
        let read = JobText::deserialize(Deserializer::from(table.clone()));
        let read = read.map_err(|error| wrong(&text, table.get_ref(), &error))?;
        let mut spec = JobSpec::try_from(read).map_err(|message| {
            // What is wrong with a whole file is its version, as two of stage and branch are told.
            let at = table.get_ref().get("version").map(|version| text.place(&version.span()));
            Problem::new(message).at(at.as_ref())
        })?;
        let dir = name.parent().unwrap_or(Path::new(""));
        for path in spec.paths_mut().into_iter().filter(|path| is_path(path)) {
            *path = dir.join(&*path);
        }
        place_stages(&text, table.get_ref(), &mut spec);
        let mut places = HashMap::new();
        for (_, section) in table.get_ref() {
            for (key, value) in section.get_ref().as_table().into_iter().flatten() {
                places.insert(key.get_ref().to_string(), text.place(&value.span()));
            }
        }
        Ok(Self { spec, places })
    }

    /// Takes note that somebody else says a setting, so that the file is not blamed for it.
    pub fn forget(&mut self, key: &str) {
        self.places.remove(key);
    }

    /// Where the file says a setting.
    pub fn place(&self, key: &str) -> Option<&FilePlace> {
        self.places.get(key)
    }
}

impl JobSpec {
    /// All that may be a path in the file system.
    fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        let Self { branches, inputs, output, sandbox, watch, .. } = self;
        let stages = branches.iter_mut().flat_map(|branch| &mut branch.stage);
        let mut paths: Vec<_> = stages.map(|stage| &mut stage.plugin).collect();
        paths.extend(
            inputs.files.iter_mut().chain(&mut inputs.files_from).chain(&mut inputs.beneath),
        );
        paths.push(&mut output.out);
        paths.extend(output.rejects.iter_mut().chain(&mut output.ledger).chain(&mut output.report));
        if let AfterCommit::Move(to) = &mut watch.after {
            paths.push(to);
        }
        if let OnFail::Move(to) = &mut watch.on_fail {
            paths.push(to);
        }
        paths.extend(sandbox.cache.iter_mut().chain(&mut sandbox.repro));
        paths
    }
}

struct Text<'t> {
    name: &'t Path,
    text: &'t str,
}

impl Text<'_> {
    /// The place of a span of bytes: its first, in lines and characters from 1.
    fn place(&self, span: &Range<usize>) -> FilePlace {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.split('\n').count();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        FilePlace(format!("{}:{line}:{column}", Shown::of(&self.name)))
    }

    fn wrong(&self, span: &Range<usize>, message: impl Display) -> Problem {
        Problem::new(message).at(Some(&self.place(span)))
    }
}

/// The text of a file, which TOML says is UTF-8.
fn utf8<'t>(name: &'t Path, bytes: &'t [u8]) -> Result<Text<'t>, Problem> {
    let wrong = match str::from_utf8(bytes) {
        Ok(text) => return Ok(Text { name, text }),
        Err(error) => error.valid_up_to(),
    };
    let good = bytes.get(..wrong).and_then(|good| str::from_utf8(good).ok()).unwrap_or_default();
    let byte = bytes.get(wrong).copied().unwrap_or_default();
    let message = format!("byte 0x{byte:02x} is not UTF-8, which a pipeline file is");
    Err(Text { name, text: good }.wrong(&(wrong..wrong), message))
}

/// The tables of a spec, and the keys of each.
fn sections() -> [(&'static str, &'static [&'static str]); 5] {
    [
        ("inputs", fields::<InputSpec>()),
        ("output", fields::<OutputSpec>()),
        ("work", fields::<WorkSpec>()),
        ("sandbox", fields::<SandboxSpec>()),
        ("watch", fields::<WatchSpec>()),
    ]
}

/// Refuses keys that a spec does not have.
fn known(text: &Text<'_>, root: &DeTable<'_>) -> Result<(), Problem> {
    let sections = sections();
    let all = ["version", "stage", "branch"];
    let home = |key: &str| sections.iter().find(|(_, keys)| keys.contains(&key)).map(|of| of.0);
    let hint = |key: &str, own: &[&str], what: &str| match (home(key), nearest(key, own)) {
        (Some(table), _) => format!("`{key}` is a key of [{table}]"),
        (None, Some(near)) => format!("did you mean `{near}`?"),
        (None, None) => format!("{what} has {}", own.join(", ")),
    };
    let unknown = |at: Range<usize>, key: &str, place: &str, hint: String| {
        let message = format!("unknown key `{key}`{place}");
        Err(text.wrong(&at, message).hint(Some(&hint)))
    };
    for (name, value) in root {
        let key: &str = name.get_ref();
        if let Some((table, keys)) = sections.iter().find(|(table, _)| *table == key) {
            for own in value.get_ref().as_table().into_iter().flat_map(|table| table.keys()) {
                let key: &str = own.get_ref();
                if !keys.contains(&key) {
                    return unknown(
                        own.span(),
                        key,
                        &format!(" in [{table}]"),
                        hint(key, keys, "it"),
                    );
                }
            }
        } else if !all.contains(&key) {
            let own: Vec<_> = sections.iter().map(|of| of.0).chain(all).collect();
            return unknown(name.span(), key, "", hint(key, &own, "a file"));
        }
    }
    let in_table = |table: &Value<'_>, keys: &[&str], what: &str| {
        for own in table.get_ref().as_table().into_iter().flat_map(|table| table.keys()) {
            let key: &str = own.get_ref();
            if !keys.contains(&key) {
                let hint = match nearest(key, keys) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it has {}", keys.join(", ")),
                };
                return unknown(own.span(), key, &format!(" in a [[{what}]]"), hint);
            }
        }
        Ok(())
    };
    for branch in elements(root, "branch") {
        in_table(branch, fields::<BranchSpec>(), "branch")?;
    }
    for stage in stages(root) {
        in_table(stage, fields::<StageSpec>(), "stage")?;
    }
    Ok(())
}

fn one_of_two(text: &Text<'_>, root: &DeTable<'_>) -> Result<(), Problem> {
    let (Some(_), Some(branches)) = (root.get("stage"), root.get("branch")) else { return Ok(()) };
    let at = elements(root, "branch").next().unwrap_or(branches).span();
    let hint = "stages before several branches belong into each of them, as [[branch.stage]]";
    Err(text.wrong(&at, "a file has either [[stage]] or [[branch]], not both").hint(Some(hint)))
}

fn elements<'a, 't>(
    table: &'a DeTable<'t>,
    key: &str,
) -> impl Iterator<Item = &'a Value<'t>> + use<'a, 't> {
    table.get(key).and_then(|value| value.get_ref().as_array()).into_iter().flatten()
}

/// All stages, branch by branch.
fn stages<'a, 't>(root: &'a DeTable<'t>) -> impl Iterator<Item = &'a Value<'t>> {
    let branches = elements(root, "branch").filter_map(|branch| branch.get_ref().as_table());
    elements(root, "stage").chain(branches.flat_map(|branch| elements(branch, "stage")))
}

/// Notes where each plugin and setting is said, and takes numbers as they are written.
fn place_stages(text: &Text<'_>, root: &DeTable<'_>, spec: &mut JobSpec) {
    let specs = spec.branches.iter_mut().flat_map(|branch| &mut branch.stage);
    for (stage, said) in specs.zip(stages(root)) {
        let Some(said) = said.get_ref().as_table() else { continue };
        stage.place = said.get("plugin").map(|plugin| text.place(&plugin.span()));
        let settings = said.get("settings").and_then(|settings| settings.get_ref().as_table());
        for (key, value) in settings.into_iter().flatten() {
            let own = stage.settings.iter_mut().find(|own| own.key == *key.get_ref());
            let Some(own) = own else { continue };
            own.place = Some(text.place(&key.span()));
            if let DeValue::Float(number) = value.get_ref() {
                own.value = number.as_str().to_string();
            }
        }
    }
}

/// What is wrong with a value, in the words of files: serde's are those of Rust.
fn wrong(text: &Text<'_>, root: &DeTable<'_>, error: &toml::de::Error) -> Problem {
    let span = error.span().unwrap_or_default();
    let message = error.message();
    let (key, found) = find(root, &span).unwrap_or(("", "nothing"));
    let expected =
        message.strip_prefix("invalid type: ").or(message.strip_prefix("invalid value: "));
    if let Some((_, expected)) = expected.and_then(|message| message.split_once(", expected ")) {
        let list = matches!(key, "stage" | "branch");
        let expected = match expected {
            _ if list && expected.contains("sequence") => "a list of tables",
            "u8" => "an integer from 0 to 255",
            "u32" | "u64" | "usize" => "an integer",
            "a boolean" => "true or false",
            "path string" => "a string",
            "a map" => "a table",
            other if other.starts_with("struct ") => "a table",
            other => other,
        };
        let got = if message.starts_with("invalid type: ") {
            format!(", got {found}")
        } else {
            String::new()
        };
        let message = text.wrong(&span, format!("`{key}` is {expected}{got}"));
        let above = if key == "stage" && root.contains_key("branch") { "branch." } else { "" };
        return if list {
            message.hint(Some(&format!("write it as [[{above}{key}]]")))
        } else {
            message
        };
    }
    match message {
        "missing field `plugin`" => {
            text.wrong(&span, "a stage has a plugin").hint(Some("plugin = \"PLUGIN.wasm\""))
        }
        "missing field `stage`" => {
            let hint = "each is a [[branch.stage]]";
            text.wrong(&span, "a branch has at least one stage").hint(Some(hint))
        }
        other => text.wrong(&span, other),
    }
}

/// The key whose value is at that span, or has it in it, and what is there, with its article.
fn find<'a>(table: &'a DeTable<'_>, span: &Range<usize>) -> Option<(&'a str, &'static str)> {
    table.iter().find_map(|(key, value)| within(key.get_ref(), value, span))
}

fn within<'a>(
    key: &'a str,
    value: &'a Value<'_>,
    span: &Range<usize>,
) -> Option<(&'a str, &'static str)> {
    let own = value.span();
    // A list of tables is where its first one is.
    if own == *span && value.get_ref().is_array() {
        return Some((key, kind(value.get_ref())));
    }
    let inner = match value.get_ref() {
        DeValue::Array(array) => array.iter().find_map(|element| within(key, element, span)),
        DeValue::Table(table) => find(table, span),
        _ => None,
    };
    let has = own.start <= span.start && span.end <= own.end;
    inner.or_else(|| has.then(|| (key, kind(value.get_ref()))))
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// What is known, and nearest to what was written; what is near enough to be meant comes first to
/// mind.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let scored = known.iter().map(|known| (strsim::jaro_winkler(word, known), *known));
    let best = scored.max_by(|one, other| one.0.total_cmp(&other.0))?;
    // What clap takes for a slip of its flags, too.
    (best.0 > 0.7).then_some(best.1)
}

//! Which plugins a job has, and the settings of each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::FilePlace;
use super::words::tables;

/// A chain of plugins, each of which takes what the one before it gives.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BranchSpec {
    /// The plugins.
    #[serde(deserialize_with = "tables")]
    pub stage: Vec<StageSpec>,
}

/// A plugin of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StageText", into = "StageText")]
pub struct StageSpec {
    /// What it is called: its file's name without the extension, where nobody says otherwise.
    pub name: String,
    /// Its file.
    pub plugin: PathBuf,
    /// Its settings, in the order in which they were given.
    pub settings: Vec<SettingSpec>,
    /// Where a file names it.
    pub place: Option<FilePlace>,
}

/// A setting of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingSpec {
    /// Which setting.
    pub key: String,
    /// What it is.
    pub value: String,
    /// Where a file says so.
    pub place: Option<FilePlace>,
}

impl SettingSpec {
    /// As one word.
    pub fn word(&self) -> String {
        format!("{}={}", self.key, self.value)
    }

    /// The value for people, who may show a plan or a ledger to others: a value that is a secret by
    /// its name is hidden.
    pub fn shown(&self) -> &str {
        let is_secret = SECRETS.iter().any(|end| self.key.ends_with(end));
        if is_secret && !self.value.is_empty() { "***" } else { &self.value }
    }
}

/// Ends of the names of settings whose values are secrets.
const SECRETS: [&str; 4] = ["key", "secret", "password", "token"];

impl StageSpec {
    /// A plugin that has the name of its file, and no settings.
    pub fn of(plugin: PathBuf) -> Self {
        Self { name: Self::default_name(&plugin), plugin, settings: Vec::new(), place: None }
    }

    /// What a plugin is called where nobody says otherwise.
    pub fn default_name(plugin: &Path) -> String {
        plugin.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// A stage as it is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StageText {
    plugin: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    settings: BTreeMap<String, Word>,
}

impl From<StageText> for StageSpec {
    fn from(text: StageText) -> Self {
        let name = text.name.unwrap_or_else(|| Self::default_name(&text.plugin));
        let setting = |(key, Word(value))| SettingSpec { key, value, place: None };
        let settings = text.settings.into_iter().map(setting).collect();
        Self { name, plugin: text.plugin, settings, place: None }
    }
}

impl From<StageSpec> for StageText {
    fn from(stage: StageSpec) -> Self {
        let word = |setting: SettingSpec| (setting.key, Word(setting.value));
        let settings = stage.settings.into_iter().map(word).collect();
        Self { plugin: stage.plugin, name: Some(stage.name), settings }
    }
}

/// A value as a plugin receives it.
#[derive(Debug, Clone, Serialize)]
struct Word(String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordVisitor)
    }
}

struct WordVisitor;

impl<'de> serde::de::Visitor<'de> for WordVisitor {
    type Value = Word;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a string, number or boolean")
    }

    fn visit_str<E>(self, text: &str) -> Result<Word, E> {
        Ok(Word(text.to_string()))
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Word, E> {
        Ok(Word(yes.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Word, E> {
        Ok(Word(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Word, E> {
        Ok(Word(number.to_string()))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Word, E> {
        Ok(Word(number.to_string()))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Word, A::Error> {
        // A date of TOML comes as a table of one key, which no table in a file can have.
        match map.next_entry::<String, String>() {
            Ok(Some((key, date))) if key.starts_with("$__toml_private") => Ok(Word(date)),
            _ => Err(serde::de::Error::invalid_type(serde::de::Unexpected::Map, &self)),
        }
    }

    fn visit_f64<E>(self, number: f64) -> Result<Word, E> {
        Ok(Word(number.to_string()))
    }
}

//! What a plugin says of itself, built step by step.

use crate::Framing;

/// How far the chunks of one source may be spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Each chunk stands alone: chunks of one source run in parallel.
    #[default]
    Chunk,
    /// One state sees every chunk of a source, in order: sources run in parallel.
    Source,
}

/// Whether the order of chunks matters to the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Output follows the input; states are merged with their right-hand neighbour.
    #[default]
    Kept,
    /// Any order will do, also between sources: merging is commutative.
    Any,
}

/// A setting that the plugin takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The name, as in `--set NAME=VALUE`.
    pub key: String,
    /// What it does, in a sentence.
    pub summary: String,
    /// Used when the user gives none; a setting without one is required.
    pub default: Option<String>,
}

/// What a plugin says of itself. Begin with [`manifest!`](crate::manifest!).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Manifest {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) summary: String,
    pub(crate) framing: Framing,
    pub(crate) scope: Scope,
    pub(crate) order: Order,
    pub(crate) header_records: u32,
    pub(crate) output_type: String,
    pub(crate) settings: Vec<Setting>,
    pub(crate) properties: Vec<(String, String)>,
    pub(crate) reads: Reads,
}

/// What a plugin reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Reads {
    /// Any bytes.
    #[default]
    Bytes,
    /// Text, without its mark.
    Text,
    /// Text, with its mark.
    AllOfText,
}

impl Manifest {
    /// A plugin whose source may be cut anywhere, whose chunks stand alone, whose output is in
    /// order and of unknown type, and which takes no settings.
    pub fn new(name: &str, version: &str, summary: &str) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            summary: summary.into(),
            framing: Framing::default(),
            scope: Scope::default(),
            order: Order::default(),
            header_records: 0,
            output_type: "application/octet-stream".into(),
            settings: Vec::new(),
            properties: Vec::new(),
            reads: Reads::default(),
        }
    }

    /// Another name than the crate's.
    pub fn name(self, name: &str) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Where the host may cut: anywhere, unless said otherwise.
    pub fn framing(self, framing: Framing) -> Self {
        Self { framing, ..self }
    }

    /// How far the chunks of a source may be spread: [`Scope::Chunk`], unless said otherwise.
    pub fn scope(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// Whether order matters: [`Order::Kept`], unless said otherwise.
    pub fn order(self, order: Order) -> Self {
        Self { order, ..self }
    }

    /// How many leading records are given as [`Source::header`](crate::Source): none, unless said
    /// otherwise.
    pub fn header_records(self, header_records: u32) -> Self {
        Self { header_records, ..self }
    }

    /// Media type of the output, `application/json` say.
    pub fn output_type(self, output_type: &str) -> Self {
        Self { output_type: output_type.into(), ..self }
    }

    /// A setting with the value it has when the user gives none.
    pub fn setting(mut self, key: &str, default: &str, summary: &str) -> Self {
        self.settings.push(Setting {
            key: key.into(),
            summary: summary.into(),
            default: Some(default.into()),
        });
        self
    }

    /// A setting that the user has to give.
    pub fn required_setting(mut self, key: &str, summary: &str) -> Self {
        self.settings.push(Setting { key: key.into(), summary: summary.into(), default: None });
        self
    }

    /// The plugin reads text in UTF-8, or in what has ASCII in it byte for byte. A byte order mark
    /// of UTF-8 is then dropped from the front of a source and of its header, and a source that is
    /// in UTF-16 or UTF-32, by its mark or by where its zero bytes are, fails by name, as nothing
    /// could be found in it.
    pub fn reads_text(self) -> Self {
        Self { reads: Reads::Text, ..self }
    }

    /// The same for one that counts all bytes of text: a byte order mark of UTF-8 stays.
    pub fn reads_all_of_text(self) -> Self {
        Self { reads: Reads::AllOfText, ..self }
    }

    /// A further property. A host ignores those that it does not know.
    pub fn property(mut self, key: &str, value: &str) -> Self {
        self.properties.push((key.into(), value.into()));
        self
    }
}

/// A [`Manifest`] with the name and version of the crate it stands in. The summary is the argument,
/// or the crate's description.
#[macro_export]
macro_rules! manifest {
    () => {
        $crate::manifest!(env!("CARGO_PKG_DESCRIPTION"))
    };
    ($summary:expr) => {
        $crate::Manifest::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), $summary)
    };
}

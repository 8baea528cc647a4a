//! What flags take that is neither a number nor a text: words with their help, and settings of
//! plugins.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::output::{Template, TemplateError};
use crate::settings::{EncodingErrors, Format, Io, Isolate, Piped};

pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_string(), value.to_string())),
        _ => Err("expected KEY=VALUE".to_string()),
    }
}

/// A template, as it is written.
pub(super) fn template(text: &str) -> Result<String, TemplateError> {
    text.parse::<Template>().map(|_template| text.to_string())
}

macro_rules! helped {
    ($type:ident { $($variant:ident: $help:literal),+ $(,)? }) => {
        impl ValueEnum for $type {
            fn value_variants<'a>() -> &'a [Self] {
                &[$(Self::$variant),+]
            }

            fn to_possible_value(&self) -> Option<PossibleValue> {
                let help = match self {
                    $(Self::$variant => $help,)+
                    #[expect(clippy::allow_attributes, reason = "not all types have further variants")]
                    #[allow(unreachable_patterns, reason = "what is unsaid has no word")]
                    _ => return None,
                };
                Some(PossibleValue::new(self.word()).help(help))
            }
        }
    };
}

helped!(Io {
    Auto: "What measured best: read",
    Read: "Read straight into the sandbox",
    Mmap: "Map into memory, and copy from there",
});

helped!(EncodingErrors {
    Fail: "The source fails, with the place in it",
    Replace: "U+FFFD takes their place",
});

helped!(Piped {
    Tar: "Read as it comes",
    Zip: "Kept in a temporary file first, as what is in it stands at its end",
});

helped!(Format {
    Table: "Aligned columns and a header",
    Jsonl: "A JSON object a line",
    Json: "One JSON document",
    Raw: "What the plugin returns, and nothing else",
});

helped!(Isolate {
    Job: "Runs: a sandbox goes on from one source to the next",
    Source: "Sources: each begins in a fresh sandbox",
    Chunk: "Chunks: each is run in a fresh sandbox",
});

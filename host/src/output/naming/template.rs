//! The pattern for names of outputs: text with fields in braces.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::parts;

/// How names of outputs are made. [`Template::DEFAULT`] is what is taken where nothing is said. The
/// fields:
///
/// - `{dir}`: the directories, without a slash at either end
/// - `{name}`: the name of what is read, so without `.gz` where that is decompressed
/// - `{stored}`: the name of what is stored, with `.gz`
/// - `{stem}` and `{ext}`: the name up to its last dot, and from there on
/// - `{plugin}`: the plugin's name
/// - `{out_ext}`: the extension that the output's media type has, unless the name made so far ends
///   with it, then that of its compression
///
/// Braces themselves are written twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<TemplatePart>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum TemplatePart {
    Text(String),
    Field(Field),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Dir,
    Name,
    Stored,
    Stem,
    Ext,
    Plugin,
    OutExt,
}

/// A template that cannot make names.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// There is no such field.
    #[error(
        "unknown field `{{{0}}}`, expected one of: dir, name, stored, stem, ext, plugin, out_ext"
    )]
    Unknown(String),
    /// A brace opens a field that does not end, or closes none.
    #[error("a brace without the other at character {at}; one that is meant is written twice")]
    Brace {
        /// Where, from 1.
        at: usize,
    },
    /// It names a directory, or nothing.
    #[error("names no file: it is empty or ends with a slash")]
    NoFile,
    /// It leads out of the directory for outputs.
    #[error("leads up: it has `..`")]
    Up,
}

impl Template {
    /// `logs/a.log` goes to `logs/a.log`, JSON lines to `logs/a.log.jsonl`, compressed by gzip to
    /// `logs/a.log.jsonl.gz`.
    pub const DEFAULT: &'static str = "{dir}/{stem}{ext}{out_ext}";

    /// The path that the fields make; it may have slashes too many.
    pub(super) fn fill(&self, fields: &Fields<'_>) -> Vec<u8> {
        let (stem, extension) = parts::split(fields.name);
        let mut path = Vec::new();
        for piece in &self.pieces {
            match piece {
                TemplatePart::Text(text) => path.extend_from_slice(text.as_bytes()),
                TemplatePart::Field(Field::Dir) => path.extend(fields.dir.join(&b'/')),
                TemplatePart::Field(Field::Name) => path.extend_from_slice(fields.name),
                TemplatePart::Field(Field::Stored) => path.extend_from_slice(fields.stored),
                TemplatePart::Field(Field::Stem) => path.extend_from_slice(stem),
                TemplatePart::Field(Field::Ext) => path.extend_from_slice(extension),
                TemplatePart::Field(Field::Plugin) => path.extend_from_slice(fields.plugin),
                TemplatePart::Field(Field::OutExt) => {
                    if !ends_with(&path, fields.extension.as_bytes()) {
                        path.extend_from_slice(fields.extension.as_bytes());
                    }
                    path.extend_from_slice(fields.packed_extension.as_bytes());
                }
            }
        }
        path
    }
}

impl Default for Template {
    fn default() -> Self {
        let fields = [Field::Stem, Field::Ext, Field::OutExt].map(TemplatePart::Field);
        let mut pieces = vec![TemplatePart::Field(Field::Dir), TemplatePart::Text("/".into())];
        pieces.extend(fields);
        Self { pieces }
    }
}

/// What a template is filled with.
pub(super) struct Fields<'a> {
    pub(super) dir: &'a [&'a [u8]],
    pub(super) name: &'a [u8],
    pub(super) stored: &'a [u8],
    pub(super) plugin: &'a [u8],
    pub(super) extension: &'static str,
    pub(super) packed_extension: &'static str,
}

/// Whether the path ends with the extension, in capitals or not.
fn ends_with(path: &[u8], extension: &[u8]) -> bool {
    let start = path.len().saturating_sub(extension.len());
    path.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(extension))
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut characters = text.chars().zip(1..).peekable();
        while let Some((character, at)) = characters.next() {
            let doubled = characters.next_if(|&(next, _)| next == character && "{}".contains(next));
            match character {
                '{' if doubled.is_none() => {
                    let mut word = String::new();
                    loop {
                        match characters.next() {
                            Some(('}', _)) => break,
                            Some((other, _)) if other != '{' => word.push(other),
                            _ => return Err(TemplateError::Brace { at }),
                        }
                    }
                    pieces.push(TemplatePart::Text(std::mem::take(&mut plain)));
                    pieces.push(TemplatePart::Field(field(word)?));
                }
                '}' if doubled.is_none() => return Err(TemplateError::Brace { at }),
                other => plain.push(other),
            }
        }
        pieces.push(TemplatePart::Text(plain));
        pieces.retain(|piece| *piece != TemplatePart::Text(String::new()));
        if text.split('/').any(|part| part == "..") {
            return Err(TemplateError::Up);
        }
        match pieces.last() {
            None => Err(TemplateError::NoFile),
            Some(TemplatePart::Text(end)) if end.ends_with('/') => Err(TemplateError::NoFile),
            Some(_) => Ok(Self { pieces }),
        }
    }
}

fn field(word: String) -> Result<Field, TemplateError> {
    Ok(match word.as_str() {
        "dir" => Field::Dir,
        "name" => Field::Name,
        "stored" => Field::Stored,
        "stem" => Field::Stem,
        "ext" => Field::Ext,
        "plugin" => Field::Plugin,
        "out_ext" => Field::OutExt,
        _ => return Err(TemplateError::Unknown(word)),
    })
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                TemplatePart::Text(text) => {
                    f.write_str(&text.replace('{', "{{").replace('}', "}}"))?;
                }
                TemplatePart::Field(field) => f.write_str(match field {
                    Field::Dir => "{dir}",
                    Field::Name => "{name}",
                    Field::Stored => "{stored}",
                    Field::Stem => "{stem}",
                    Field::Ext => "{ext}",
                    Field::Plugin => "{plugin}",
                    Field::OutExt => "{out_ext}",
                })?,
            }
        }
        Ok(())
    }
}

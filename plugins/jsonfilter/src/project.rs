//! Some fields of a line, instead of all of it.

use gristmill_sdk::Error;

use crate::field::{Path, with_text};

/// The fields that are kept.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    fields: Vec<Field>,
    form: Form,
}

#[derive(Clone, Debug)]
struct Field {
    /// Its name as a string of JSON.
    name: String,
    path: Path,
}

/// How they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// An object.
    Json,
    /// What they say, with tabs between them.
    Raw,
}

impl Fields {
    /// Reads `.user.name,.t`; none for an empty text.
    pub(crate) fn parse(text: &str, form: Form) -> Result<Option<Self>, Error> {
        if text.is_empty() {
            return Ok(None);
        }
        let field = |text: &str| {
            let path = Path::parse(text).map_err(|why| {
                Error::fatal(format_args!("setting `fields` cannot hold `{text}`: {why}"))
            })?;
            let bare = text.strip_prefix('.').unwrap_or(text);
            let name = serde_json::to_string(bare).map_err(Error::fatal)?;
            Ok(Field { name, path })
        };
        let fields = text.split(',').map(|text| field(text.trim())).collect::<Result<_, _>>()?;
        Ok(Some(Self { fields, form }))
    }

    /// Appends the fields of a line, and a line feed; nothing where it is not JSON.
    ///
    /// # Errors
    /// It is not JSON.
    pub(crate) fn push(&self, line: &str, output: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        let start = output.len();
        let pushed = self.fields.iter().enumerate().try_for_each(|(at, Field { name, path })| {
            let value = path.find(line)?;
            match self.form {
                Form::Json => {
                    output.push(if at == 0 { b'{' } else { b',' });
                    output.extend_from_slice(name.as_bytes());
                    output.push(b':');
                    output.extend_from_slice(value.map_or("null", |value| value.get()).as_bytes());
                }
                Form::Raw => {
                    if at > 0 {
                        output.push(b'\t');
                    }
                    let Some(value) = value else { return Ok(()) };
                    let written = with_text(value, |text| push_raw(text, output))?;
                    if written.is_none() {
                        output.extend_from_slice(value.get().as_bytes());
                    }
                }
            }
            Ok(())
        });
        if let Err(error) = pushed {
            output.truncate(start);
            return Err(error);
        }
        output.extend_from_slice(if self.form == Form::Json { b"}\n" } else { b"\n" });
        Ok(())
    }
}

/// What would end a field or a line is written as in `PostgreSQL`'s text format.
fn push_raw(text: &str, output: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'\t' => output.extend_from_slice(b"\\t"),
            b'\n' => output.extend_from_slice(b"\\n"),
            b'\r' => output.extend_from_slice(b"\\r"),
            b'\\' => output.extend_from_slice(br"\\"),
            other => output.push(other),
        }
    }
}

//! Transformers: one, and one a piece where chunks stand alone.

use super::cuts::{pairs, pieces};
use super::host::{SOURCE_NAME, differs, numbered, settings, source};
use crate::{Chunk, Error, Scope, Transformer};

type Given<'a> = &'a [(&'a str, &'a str)];

/// The output over the chunks of one source, all of them pushed to one transformer.
///
/// # Errors
/// Whatever the plugin says.
pub fn transform<T: Transformer>(given: Given<'_>, chunks: &[&[u8]]) -> Result<Vec<u8>, Error> {
    let whole = chunks.concat();
    transform_run::<T>(given, &whole, &numbered(chunks))
}

/// The output over one source, after checking that it is the same however the source is cut in three
/// (with empty pieces) and, unless the scope is [`Scope::Source`], whether one transformer sees all
/// pieces or each sees one. Takes a time that grows with the cube of the data: give it some hundred bytes.
///
/// # Errors
/// Whatever the plugin says, and a cut for which the output differs.
pub fn transform_every_cut<T: Transformer>(
    given: Given<'_>,
    data: &[u8],
) -> Result<Vec<u8>, Error> {
    let manifest = T::manifest();
    let expected = transform::<T>(given, &[data])?;
    let check = |how: &str, cuts, found: &[u8]| {
        if found == expected { Ok(()) } else { Err(differs(how, cuts, found, &expected)) }
    };
    for cuts in pairs(manifest.framing, data) {
        let pieces = pieces(data, cuts);
        check("pushed to one transformer", cuts, &transform::<T>(given, &pieces)?)?;
        if manifest.scope == Scope::Source {
            continue;
        }
        let mut apart = Vec::new();
        for chunk in numbered(&pieces) {
            apart.extend(transform_run::<T>(given, data, &[chunk])?);
        }
        check("pushed to a transformer each", cuts, &apart)?;
    }
    Ok(expected)
}

fn transform_run<T: Transformer>(
    given: Given<'_>,
    whole: &[u8],
    chunks: &[(Chunk, &[u8])],
) -> Result<Vec<u8>, Error> {
    let manifest = T::manifest();
    let plugin = T::configure(&settings(&manifest, given)?)?;
    let mut state = plugin.open(source(&manifest, SOURCE_NAME, whole));
    let mut output = Vec::new();
    for (chunk, data) in chunks {
        output.extend(plugin.push(&mut state, *chunk, data.to_vec())?);
    }
    output.extend(plugin.finish(state)?);
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Manifest, Settings, Source};

    /// Numbers its chunks' bytes by how many it has seen: wrong in scope `chunk`.
    struct Seen;

    impl Transformer for Seen {
        type State = usize;

        fn manifest() -> Manifest {
            Manifest::new("seen", "1.0.0", "How many bytes were seen.")
        }

        fn configure(_: &Settings) -> Result<Self, Error> {
            Ok(Self)
        }

        fn open(&self, _: Source) -> usize {
            0
        }

        fn push(&self, seen: &mut usize, _: Chunk, data: Vec<u8>) -> Result<Vec<u8>, Error> {
            *seen += data.len();
            Ok(Vec::new())
        }

        fn finish(&self, seen: usize) -> Result<Vec<u8>, Error> {
            Ok(seen.to_string().into())
        }
    }

    #[test]
    fn a_state_that_a_cut_loses_is_found() {
        assert_eq!(transform::<Seen>(&[], &[b"ab", b"c"]), Ok(b"3".to_vec()));
        let error = transform_every_cut::<Seen>(&[], b"ab").unwrap_err().to_string();
        assert_eq!(error, "cut at 0 and 0, pushed to a transformer each: got `002`, expected `2`");
    }
}

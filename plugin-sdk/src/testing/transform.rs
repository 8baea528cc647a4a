//! Transformers: one, and one a piece where chunks stand alone.

use super::cuts::{pairs, pieces};
use super::host::{SOURCE_NAME, differs, numbered, settings, source};
use super::recorder::{self, Recorded, Rejected};
use crate::{Chunk, Error, Scope, Transformer, call};

type Given<'a> = &'a [(&'a str, &'a str)];

/// A plugin as a run with these settings has it.
///
/// # Errors
/// Whatever the plugin says of the settings.
pub fn configured<T: Transformer>(given: Given<'_>) -> Result<T, Error> {
    T::configure(&settings(&T::manifest(), given)?)
}

/// The output over the chunks of one source, all of them pushed to one transformer.
///
/// # Errors
/// Whatever the plugin says.
pub fn transform<T: Transformer>(given: Given<'_>, chunks: &[&[u8]]) -> Result<Vec<u8>, Error> {
    let (plugin, mut state) = open::<T>(given, &chunks.concat())?;
    let mut output = Vec::new();
    for (chunk, data) in numbered(chunks) {
        output.extend(call::transform(&plugin, &mut state, chunk, data.to_vec())?);
    }
    output.extend(plugin.finish(state)?);
    Ok(output)
}

/// The output over one source, after checking that it is the same however the source is cut in
/// three (with empty pieces) and, unless the scope is [`Scope::Source`], whether one transformer
/// sees all pieces or each sees one. The same is checked of the records that the plugin sets aside
/// and where they are in the source. Afterwards, [`recorded`](super::recorded) returns what one
/// pass over the whole has recorded. Takes a time that grows with the cube of the data: give it
/// some hundred bytes.
///
/// # Errors
/// Whatever the plugin says, and a cut for which the output or the rejects differ.
pub fn transform_every_cut<T: Transformer>(
    given: Given<'_>,
    data: &[u8],
) -> Result<Vec<u8>, Error> {
    let manifest = T::manifest();
    let before = recorder::take();
    let expected = transform::<T>(given, &[data])?;
    let recorded = recorder::take();
    let check = |how: &str, cuts, (output, rejects): (Vec<u8>, Vec<Rejected>)| {
        if output != expected {
            return Err(differs(how, cuts, &output, &expected));
        }
        if rejects != recorded.rejects {
            let [found, expected] = [&rejects, &recorded.rejects].map(|all| format!("{all:?}"));
            let how = format!("{how}, rejects");
            return Err(differs(&how, cuts, found.as_bytes(), expected.as_bytes()));
        }
        Ok(())
    };
    for cuts in pairs(manifest.framing, data) {
        let numbered = numbered(&pieces(data, cuts));
        check("pushed to one transformer", cuts, run::<T>(given, data, &numbered)?)?;
        if manifest.scope == Scope::Source {
            continue;
        }
        let mut apart = (Vec::new(), Vec::new());
        for chunk in numbered {
            let (output, rejects) = run::<T>(given, data, &[chunk])?;
            apart.0.extend(output);
            apart.1.extend(rejects);
        }
        check("pushed to a transformer each", cuts, apart)?;
    }
    recorder::put(before.and(recorded));
    Ok(expected)
}

/// What one transformer makes of chunks of a source, and sets aside, with offsets in the source.
fn run<T: Transformer>(
    given: Given<'_>,
    whole: &[u8],
    chunks: &[(Chunk, &[u8])],
) -> Result<(Vec<u8>, Vec<Rejected>), Error> {
    let (plugin, mut state) = open::<T>(given, whole)?;
    let (mut output, mut rejects) = (Vec::new(), Vec::new());
    for (chunk, data) in chunks {
        output.extend(call::transform(&plugin, &mut state, *chunk, data.to_vec())?);
        let Recorded { rejects: found, .. } = recorder::take();
        rejects.extend(
            found
                .into_iter()
                .map(|found| Rejected { offset: chunk.offset + found.offset, ..found }),
        );
    }
    output.extend(plugin.finish(state)?);
    Ok((output, rejects))
}

fn open<T: Transformer>(given: Given<'_>, whole: &[u8]) -> Result<(T, T::State), Error> {
    let manifest = T::manifest();
    let plugin = T::configure(&settings(&manifest, given)?)?;
    let state = plugin.open(call::transformed::<T>(source(&manifest, given, SOURCE_NAME, whole)));
    Ok((plugin, state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded;
    use crate::{Framing, Manifest, Settings, Source, records};

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

    /// Rejects lines that begin with `!`, at an offset that is right or that of the chunk.
    struct Picky {
        lazy: bool,
    }

    impl Transformer for Picky {
        type State = ();

        fn manifest() -> Manifest {
            let manifest = Manifest::new("picky", "1.0.0", "Sets bad lines aside.");
            manifest.framing(Framing::Lines).setting("lazy", "false", "Tell no offsets.")
        }

        fn configure(settings: &Settings) -> Result<Self, Error> {
            Ok(Self { lazy: settings.parse("lazy")? })
        }

        fn open(&self, _: Source) {}

        fn push(&self, (): &mut (), _: Chunk, data: Vec<u8>) -> Result<Vec<u8>, Error> {
            for line in records::lines(&data).filter(|line| line.starts_with(b"!")) {
                let offset = if self.lazy { 0 } else { records::offset(&data, line) };
                crate::reject(offset, "begins with !", line);
                crate::count("bad", 1);
            }
            Ok(Vec::new())
        }
    }

    #[test]
    fn rejects_are_reported_once_with_their_place_in_the_source() {
        crate::count("bad", 5);
        let output = transform_every_cut::<Picky>(&[], b"a\n!b\nc\n!d");
        assert_eq!(output, Ok(Vec::new()));
        let seen = recorded();
        let offsets: Vec<u64> = seen.rejects.iter().map(|rejected| rejected.offset).collect();
        assert_eq!(offsets, [2, 7]);
        assert_eq!(seen.counts.get("bad"), Some(&7));
    }

    #[test]
    fn a_reject_that_a_cut_moves_is_found() {
        let output = transform_every_cut::<Picky>(&[("lazy", "true")], b"a\n!b\n");
        let error = output.unwrap_err().to_string();
        assert!(
            error.starts_with("cut at 0 and 2, pushed to one transformer, rejects: got"),
            "{error}"
        );
    }

    #[test]
    fn a_state_that_a_cut_loses_is_found() {
        assert_eq!(transform::<Seen>(&[], &[b"ab", b"c"]), Ok(b"3".to_vec()));
        let error = transform_every_cut::<Seen>(&[], b"ab").unwrap_err().to_string();
        assert_eq!(error, "cut at 0 and 0, pushed to a transformer each: got `002`, expected `2`");
    }
}

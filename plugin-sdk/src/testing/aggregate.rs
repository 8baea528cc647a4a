//! Aggregators: one accumulator, several merged, and every way to make several of one source.

use super::cuts::{pairs, pieces};
use super::host::{SOURCE_NAME, differs, numbered, settings, source};
use crate::{Aggregator, Error, Order, Scope, Source, State, call};

type Given<'a> = &'a [(&'a str, &'a str)];

/// The result over the chunks of one source, all of them pushed to one accumulator.
///
/// # Errors
/// Whatever the plugin says.
pub fn aggregate<A: Aggregator>(given: Given<'_>, chunks: &[&[u8]]) -> Result<Vec<u8>, Error> {
    let whole = source(&A::manifest(), given, SOURCE_NAME, &chunks.concat());
    let (plugin, state) = accumulate::<A>(given, whole, chunks)?;
    plugin.finish(state)
}

/// The result over one source, after checking that it is the same however the source is cut in
/// three (with empty pieces) and, unless the scope is [`Scope::Source`], in whatever grouping, and
/// order if order does not matter, the accumulators of the pieces are merged. Takes a time that
/// grows with the cube of the data: give it some hundred bytes.
///
/// # Errors
/// Whatever the plugin says, and a cut for which the result differs.
pub fn aggregate_every_cut<A: Aggregator>(given: Given<'_>, data: &[u8]) -> Result<Vec<u8>, Error> {
    let manifest = A::manifest();
    let expected = aggregate::<A>(given, &[data])?;
    let check = |how: &str, cuts, found: &[u8]| {
        if found == expected { Ok(()) } else { Err(differs(how, cuts, found, &expected)) }
    };
    for cuts in pairs(manifest.framing, data) {
        let pieces = pieces(data, cuts);
        check("pushed to one accumulator", cuts, &aggregate::<A>(given, &pieces)?)?;
        if manifest.scope == Scope::Source {
            continue;
        }
        let whole = source(&manifest, given, SOURCE_NAME, data);
        let save = |piece| save::<A>(given, whole.clone(), &[piece]);
        let [first, second, third] = pieces;
        let [first, second, third] = [save(first)?, save(second)?, save(third)?];
        let merge = |states: &[&[u8]]| merge::<A>(given, whole.clone(), states);
        let finish = |states: &[&[u8]]| finish::<A>(given, whole.clone(), states);
        check("merged from the left", cuts, &finish(&[&first, &second, &third])?)?;
        let end = merge(&[&second, &third])?;
        check("merged from the right", cuts, &finish(&[&first, &end])?)?;
        if manifest.order == Order::Any {
            check("merged in reverse", cuts, &finish(&[&third, &second, &first])?)?;
        }
    }
    Ok(expected)
}

/// The total over several sources, given as name and data.
///
/// # Errors
/// Whatever the plugin says.
pub fn total<A: Aggregator>(given: Given<'_>, sources: &[(&str, &[u8])]) -> Result<Vec<u8>, Error> {
    let manifest = A::manifest();
    let save = |&(name, data): &(&str, &[u8])| {
        save::<A>(given, source(&manifest, given, name, data), &[data])
    };
    let states = sources.iter().map(save).collect::<Result<Vec<_>, _>>()?;
    let states: Vec<&[u8]> = states.iter().map(Vec::as_slice).collect();
    finish::<A>(given, Source::default(), &states)
}

/// A fresh instance and an accumulator that has seen the chunks.
fn accumulate<A: Aggregator>(
    given: Given<'_>,
    source: Source,
    chunks: &[&[u8]],
) -> Result<(A, A::State), Error> {
    let plugin = A::configure(&settings(&A::manifest(), given)?)?;
    let mut state = plugin.open(call::aggregated::<A>(source));
    for (chunk, data) in numbered(chunks) {
        call::aggregate(&plugin, &mut state, chunk, data)?;
    }
    Ok((plugin, state))
}

fn save<A: Aggregator>(
    given: Given<'_>,
    source: Source,
    chunks: &[&[u8]],
) -> Result<Vec<u8>, Error> {
    accumulate::<A>(given, source, chunks)?.1.save()
}

/// A fresh instance and an accumulator that has seen nothing but saved states.
fn merged<A: Aggregator>(
    given: Given<'_>,
    source: Source,
    states: &[&[u8]],
) -> Result<(A, A::State), Error> {
    let plugin = A::configure(&settings(&A::manifest(), given)?)?;
    let mut state = plugin.open(source);
    for saved in states {
        plugin.merge_saved(&mut state, saved.to_vec())?;
    }
    Ok((plugin, state))
}

fn merge<A: Aggregator>(
    given: Given<'_>,
    source: Source,
    states: &[&[u8]],
) -> Result<Vec<u8>, Error> {
    merged::<A>(given, source, states)?.1.save()
}

fn finish<A: Aggregator>(
    given: Given<'_>,
    source: Source,
    states: &[&[u8]],
) -> Result<Vec<u8>, Error> {
    let (plugin, state) = merged::<A>(given, source, states)?;
    plugin.finish(state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Chunk, Framing, Manifest, Settings};

    /// Keeps the first line and counts them; merging wrongly is a setting.
    struct First {
        wrong: bool,
    }

    impl Aggregator for First {
        type State = (Vec<u8>, u64);

        fn manifest() -> Manifest {
            Manifest::new("first", "1.0.0", "The first line.").framing(Framing::Lines).setting(
                "wrong",
                "false",
                "Keep the last line when merging.",
            )
        }

        fn configure(settings: &Settings) -> Result<Self, Error> {
            Ok(Self { wrong: settings.parse("wrong")? })
        }

        fn open(&self, _: Source) -> Self::State {
            Self::State::default()
        }

        fn push(&self, state: &mut Self::State, _: Chunk, data: &[u8]) -> Result<(), Error> {
            for line in crate::records::lines(data) {
                if state.1 == 0 {
                    state.0 = line.into();
                }
                state.1 += 1;
            }
            Ok(())
        }

        fn merge(&self, state: &mut Self::State, next: Self::State) -> Result<(), Error> {
            if state.1 == 0 || (self.wrong && next.1 > 0) {
                state.0 = next.0;
            }
            state.1 += next.1;
            Ok(())
        }

        fn finish(&self, state: Self::State) -> Result<Vec<u8>, Error> {
            Ok([&state.0, format!(" of {}", state.1).as_bytes()].concat())
        }
    }

    #[test]
    fn a_right_merge_passes_every_cut() {
        let found = aggregate_every_cut::<First>(&[], b"one\ntwo\n\nthree");
        assert_eq!(found, Ok(b"one of 4".to_vec()));
        assert_eq!(aggregate_every_cut::<First>(&[], b""), Ok(b" of 0".to_vec()));
    }

    #[test]
    fn a_wrong_merge_is_found_with_its_cut() {
        let found = aggregate_every_cut::<First>(&[("wrong", "true")], b"one\ntwo\n");
        let expected = "cut at 0 and 4, merged from the left: got `two of 2`, expected `one of 2`";
        assert_eq!(found, Err(Error::fatal(expected)));
    }

    #[test]
    fn a_total_is_merged_from_sources() {
        let found = total::<First>(&[], &[("a", b"1\n2\n"), ("b", b"3\n")]);
        assert_eq!(found, Ok(b"1 of 3".to_vec()));
    }
}

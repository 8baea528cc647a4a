//! The plugin, and its one loop.

use gristmill_sdk::{Chunk, Error, Framing, Manifest, Settings, Source, Transformer, manifest};

/// What makes a capital of a small letter in ASCII.
const CASE: u8 = b'a' ^ b'A';

/// The plugin. It has no settings.
#[derive(Clone, Copy, Debug)]
pub struct Upcase;

impl Transformer for Upcase {
    type State = ();

    fn manifest() -> Manifest {
        manifest!().framing(Framing::Bytes)
    }

    fn configure(_: &Settings) -> Result<Self, Error> {
        Ok(Self)
    }

    fn open(&self, _: Source) {}

    fn push(&self, (): &mut (), _: Chunk, mut data: Vec<u8>) -> Result<Vec<u8>, Error> {
        raise(&mut data);
        Ok(data)
    }
}

/// Bytes in a turn of the loop: each turn asks whether the deadline has come, which costs as much
/// as raising some tens of bytes.
const BLOCK_BYTES: usize = 128;

fn raise(data: &mut [u8]) {
    let (blocks, rest) = data.as_chunks_mut::<BLOCK_BYTES>();
    for block in blocks {
        raise_each(block);
    }
    raise_each(rest);
}

/// Without a branch, so that it is compiled to lanes of whatever width the target has.
fn raise_each(bytes: &mut [u8]) {
    for byte in bytes {
        *byte ^= u8::from(byte.is_ascii_lowercase()) * CASE;
    }
}

#[cfg(test)]
mod tests {
    use gristmill_sdk::testing;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_ascii_letters_are_raised() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        let output = testing::transform::<Upcase>(&[], &[&all]).unwrap();
        let letters = (b'a'..=b'z').zip(b'A'..=b'Z');
        let mut expected = all;
        letters.for_each(|(small, capital)| expected[usize::from(small)] = capital);
        assert_eq!(output, expected);
    }

    #[test]
    fn every_cut_gives_the_same() {
        let output =
            testing::transform_every_cut::<Upcase>(&[], "stra\u{df}e, 1 na\u{ef}ve".as_bytes());
        assert_eq!(output, Ok("STRA\u{df}E, 1 NA\u{ef}VE".as_bytes().to_vec()));
        assert_eq!(testing::transform_every_cut::<Upcase>(&[], b""), Ok(Vec::new()));
    }

    #[test]
    fn the_memory_is_that_of_the_input() {
        let data = b"abc".to_vec();
        let memory = data.as_ptr();
        let chunk = Chunk { index: 0, offset: 0, last: true };
        let output = Upcase.push(&mut (), chunk, data).unwrap();
        assert_eq!((output.as_ptr(), output), (memory, b"ABC".to_vec()));
    }

    proptest! {
        #[test]
        fn lanes_do_what_the_standard_library_does(
            data in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let expected = data.to_ascii_uppercase();
            prop_assert_eq!(testing::transform::<Upcase>(&[], &[&data]), Ok(expected));
        }
    }
}

//! The plugin. What is saved is never a digest in the making but finished ones, in order.

use std::fmt::Write as _;

use gristmill_sdk::{
    Aggregator, Chunk, Error, Framing, Manifest, Order, Scope, Settings, Source, State, manifest,
};
use sha2::{Digest, Sha256};

/// Bytes of a digest.
const DIGEST_BYTES: usize = 32;

/// The plugin. It has no settings.
#[derive(Clone, Copy, Debug)]
pub struct Checksum;

/// What accumulates.
#[derive(Clone, Debug)]
pub enum Sums {
    /// Of a source, in the making.
    Source(Sha256),
    /// Of several sources, one after the other.
    Total(Vec<[u8; DIGEST_BYTES]>),
}

impl Aggregator for Checksum {
    type State = Sums;

    fn manifest() -> Manifest {
        manifest!()
            .framing(Framing::Bytes)
            .scope(Scope::Source)
            .order(Order::Kept)
            .output_type("application/json")
    }

    fn configure(_: &Settings) -> Result<Self, Error> {
        Ok(Self)
    }

    fn open(&self, source: Source) -> Sums {
        if source.is_total() { Sums::Total(Vec::new()) } else { Sums::Source(Sha256::new()) }
    }

    fn push(&self, sums: &mut Sums, _: Chunk, data: &[u8]) -> Result<(), Error> {
        match sums {
            Sums::Source(digest) => digest.update(data),
            Sums::Total(_) => return Err(Error::fatal("a total over sources takes no data")),
        }
        Ok(())
    }

    fn merge(&self, sums: &mut Sums, next: Sums) -> Result<(), Error> {
        match sums {
            Sums::Total(digests) => digests.extend(next.digests()),
            Sums::Source(_) => {
                return Err(Error::fatal("the digest of a source cannot be merged from pieces"));
            }
        }
        Ok(())
    }

    fn finish(&self, sums: Sums) -> Result<Vec<u8>, Error> {
        let json = match sums {
            Sums::Source(digest) => {
                format!(r#"{{"sha256":"{}"}}"#, hexadecimal(&digest.finalize())?)
            }
            Sums::Total(digests) => {
                let digest = Sha256::digest(digests.as_flattened());
                let (sources, digest) = (digests.len(), hexadecimal(&digest)?);
                format!(r#"{{"sources":{sources},"sha256_of_digests":"{digest}"}}"#)
            }
        };
        Ok(json.into())
    }
}

impl Sums {
    fn digests(&self) -> Vec<[u8; DIGEST_BYTES]> {
        match self {
            Self::Source(digest) => vec![digest.clone().finalize().into()],
            Self::Total(digests) => digests.clone(),
        }
    }
}

impl State for Sums {
    /// Finished digests: a source is saved after its last chunk.
    fn save(&self) -> Result<Vec<u8>, Error> {
        Ok(self.digests().into_flattened())
    }

    fn load(saved: &[u8]) -> Result<Self, Error> {
        match saved.as_chunks() {
            (digests, []) => Ok(Self::Total(digests.to_vec())),
            _ => Err(Error::fatal(format_args!(
                "not saved digests: {} bytes are no multiple of {DIGEST_BYTES}",
                saved.len()
            ))),
        }
    }
}

fn hexadecimal(digest: &[u8]) -> Result<String, Error> {
    let mut text = String::with_capacity(2 * digest.len());
    for byte in digest {
        write!(text, "{byte:02x}").map_err(Error::fatal)?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use gristmill_sdk::testing;

    use super::*;

    fn text(output: Result<Vec<u8>, Error>) -> String {
        String::from_utf8(output.unwrap()).unwrap()
    }

    #[test]
    fn digests_are_those_of_the_standard() {
        // Examples of NIST for FIPS 180-4: no bytes, "abc", and 448 bits.
        let cases: [(&[u8], &str); 3] = [
            (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
        ];
        for (data, digest) in cases {
            let output = testing::aggregate_every_cut::<Checksum>(&[], data);
            assert_eq!(text(output), format!(r#"{{"sha256":"{digest}"}}"#));
        }
    }

    #[test]
    fn a_total_is_a_digest_of_digests_in_order() {
        let (first, second) = (("a", &b"abc"[..]), ("b", &b""[..]));
        let digests = [Sha256::digest(b"abc"), Sha256::digest(b"")].concat();
        let digest = hexadecimal(&Sha256::digest(digests)).unwrap();
        let total = |sources: [_; 2]| text(testing::total::<Checksum>(&[], &sources));
        assert_eq!(
            total([first, second]),
            format!(r#"{{"sources":2,"sha256_of_digests":"{digest}"}}"#)
        );
        assert_ne!(total([first, second]), total([second, first]));
    }

    #[test]
    fn totals_merge_in_groups() {
        let one = Sums::Source(Sha256::new()).save().unwrap();
        let mut total = Checksum.open(Source::default());
        for _ in 0..2 {
            Checksum.merge_saved(&mut total, one.clone()).unwrap();
        }
        let mut grouped = Checksum.open(Source::default());
        Checksum.merge_saved(&mut grouped, total.save().unwrap()).unwrap();
        assert_eq!(text(Checksum.finish(grouped)), text(Checksum.finish(total)));
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        let mut source = Sums::Source(Sha256::new());
        let saved = source.save().unwrap();
        assert!(Checksum.merge_saved(&mut source, saved).is_err());
        assert!(Sums::load(b"short").is_err());
    }
}

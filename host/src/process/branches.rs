//! What each of several branches gave, results or states, and the form in which that is bytes.
//!
//! In memory it is a [`BranchResults`]. Where an instance has to give bytes, to the scheduler and
//! by way of it to a ledger, it is encoded: a byte for the form, the length of the rows in eight
//! bytes, little-endian, the rows, and 16 bytes of a digest over all before. A row is a tag of one
//! byte, a length of eight bytes, and as many bytes as that says. Bytes that are anything else are
//! an error, never fewer rows.

use std::sync::Arc;

use thiserror::Error;

use super::{Failure, FailureKind, Held, MemoryBudget};
use crate::slices;

/// What one branch gave, or how it failed.
pub type BranchResult = Result<Held, Failure>;

/// What each branch gave, in their order.
#[derive(Debug, Default)]
pub struct BranchResults(pub Vec<BranchResult>);

/// Bytes are not what branches gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoBranchResults {
    /// They are in the form of another version.
    #[error("results of several plugins in form {found}, where this host reads form {FORM}")]
    OtherForm {
        /// The form that they say.
        found: u8,
    },
    /// They end before, or go on behind, their end.
    #[error("results of several plugins are {found} bytes long, not {expected}")]
    Length {
        /// How many there are.
        found: u64,
        /// How many they say.
        expected: u64,
    },
    /// They are not those that were written.
    #[error("results of several plugins are not what was written: their digest differs")]
    Changed,
    /// Their digest is right, but no host writes such rows.
    #[error("results of several plugins have a row that is none")]
    NoRow,
    /// They are of other branches.
    #[error("results of {found} plugins, not of {expected}")]
    Count {
        /// Of how many.
        found: usize,
        /// Of how many they would have to be.
        expected: usize,
    },
}

impl From<NoBranchResults> for Failure {
    fn from(error: NoBranchResults) -> Self {
        Self::new(FailureKind::Output, error.to_string())
    }
}

/// The form that is written. Before there were forms, the first byte was 0 or 1.
const FORM: u8 = 2;

const BYTES: u8 = 0;
const FAILURE: u8 = 1;
const HINT: u8 = 2;
const DETAIL: u8 = 3;

/// What a tag, or the form, takes with a length.
const HEAD_BYTES: usize = 9;

/// Half a digest: chance lets one change in 10^38 pass.
const DIGEST_BYTES: usize = 16;

/// Sets these digests apart from all others that are made of the same bytes.
const CONTEXT: &str = "gristmill 2026 branch results";

impl BranchResults {
    /// The same as bytes; each row is dropped when it is in.
    pub fn encode(self, memory: &Arc<MemoryBudget>) -> Held {
        let room = |row: &BranchResult| HEAD_BYTES + row.as_ref().map_or(0, |bytes| bytes.len());
        let rows: usize = self.0.iter().map(room).sum();
        let mut encoded = Vec::with_capacity(HEAD_BYTES + rows + DIGEST_BYTES);
        put(&mut encoded, FORM, &[]);
        for row in self.0 {
            match row {
                Ok(bytes) => put(&mut encoded, BYTES, &bytes),
                Err(failure) => put(&mut encoded, FAILURE, &failure_row(&failure)),
            }
        }
        let rows = (encoded.len() - HEAD_BYTES) as u64;
        slices::part_mut(&mut encoded, 1..HEAD_BYTES).copy_from_slice(&rows.to_le_bytes());
        let digest = digest(&encoded);
        encoded.extend(digest);
        Held::within(memory, encoded)
    }

    /// The rows of `encoded`, which are those of `branches`.
    ///
    /// # Errors
    /// When it is anything but what [`encode`](Self::encode) has made of so many.
    pub fn decode(
        encoded: &[u8],
        branches: usize,
    ) -> Result<Vec<Result<&[u8], Failure>>, NoBranchResults> {
        let found = encoded.len() as u64;
        let least = (HEAD_BYTES + DIGEST_BYTES) as u64;
        let short = NoBranchResults::Length { found, expected: least };
        let (form, rest) = encoded.split_first().ok_or(short)?;
        if *form != FORM {
            return Err(NoBranchResults::OtherForm { found: *form });
        }
        let (rows, _) = rest.split_first_chunk::<8>().ok_or(short)?;
        let expected = u64::from_le_bytes(*rows).saturating_add(least);
        if found != expected {
            return Err(NoBranchResults::Length { found, expected });
        }
        let (signed, found) = encoded.split_last_chunk::<DIGEST_BYTES>().ok_or(short)?;
        if digest(signed) != *found {
            return Err(NoBranchResults::Changed);
        }
        let row = |(tag, bytes)| match tag {
            BYTES => Some(Ok(bytes)),
            FAILURE => failure(bytes).map(Err),
            _ => None,
        };
        let rows = parts(slices::part(signed, HEAD_BYTES..));
        let rows: Option<Vec<_>> = rows.and_then(|rows| rows.into_iter().map(row).collect());
        let rows = rows.ok_or(NoBranchResults::NoRow)?;
        if rows.len() != branches {
            return Err(NoBranchResults::Count { found: rows.len(), expected: branches });
        }
        Ok(rows)
    }
}

fn digest(bytes: &[u8]) -> [u8; DIGEST_BYTES] {
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    hasher.update(bytes);
    let mut digest = [0; DIGEST_BYTES];
    hasher.finalize_xof().fill(&mut digest);
    digest
}

fn failure_row(failure: &Failure) -> Vec<u8> {
    let Failure { kind, message, hint, past: _, detail, os_error: _ } = failure;
    let mut row = Vec::new();
    put(&mut row, BYTES, kind.word().as_bytes());
    put(&mut row, BYTES, message.as_bytes());
    if let Some(hint) = hint {
        put(&mut row, HINT, hint.as_bytes());
    }
    if let Some(detail) = detail.as_ref().and_then(|it| serde_json::to_vec(it).ok()) {
        put(&mut row, DETAIL, &detail);
    }
    row
}

fn failure(bytes: &[u8]) -> Option<Failure> {
    let parts = parts(bytes)?;
    let text = |at: usize| {
        let (_, bytes) = parts.get(at)?;
        std::str::from_utf8(bytes).ok()
    };
    let kind = FailureKind::from_word(text(0)?)?;
    let tagged = |tag: u8| parts.iter().find(|(of, _)| *of == tag).map(|(_, bytes)| *bytes);
    let hint = tagged(HINT).and_then(|hint| std::str::from_utf8(hint).ok()).map(str::to_string);
    let detail = tagged(DETAIL).and_then(|detail| serde_json::from_slice(detail).ok());
    Some(Failure { kind, message: text(1)?.to_string(), hint, past: false, detail, os_error: None })
}

fn put(into: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    into.push(tag);
    into.extend((bytes.len() as u64).to_le_bytes());
    into.extend(bytes);
}

fn parts(mut encoded: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut parts = Vec::new();
    while let Some((tag, rest)) = encoded.split_first() {
        let (length, rest) = rest.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let (bytes, rest) = rest.split_at_checked(length)?;
        parts.push((*tag, bytes));
        encoded = rest;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::super::Detail;
    use super::*;

    fn encoded(rows: Vec<BranchResult>) -> Vec<u8> {
        BranchResults(rows).encode(&Arc::default()).to_vec()
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let failure = Failure::new(FailureKind::Memory, "too much").hint("raise ⟦memory⟧");
        let plain = Failure::new(FailureKind::Trap, "crashed");
        let memory = Arc::default();
        let result = Held::within(&memory, b"result".to_vec());
        let rows = vec![Ok(result), Err(failure.clone()), Ok(Held::default()), Err(plain.clone())];
        let encoded = BranchResults(rows).encode(&memory);
        let expected = vec![Ok(&b"result"[..]), Err(failure), Ok(b""), Err(plain)];
        assert_eq!(BranchResults::decode(&encoded, 4), Ok(expected));
        assert!(memory.charged() >= encoded.len() as u64);
    }

    #[test]
    fn a_failure_keeps_what_is_known_of_it() {
        let known = Detail { call: "push".into(), ..Detail::default() };
        let detailed = Failure::new(FailureKind::Trap, "crashed").detail(known);
        let encoded = encoded(vec![Err(detailed.clone())]);
        let decoded = BranchResults::decode(&encoded, 1).unwrap();
        assert_eq!(decoded[0].as_ref().unwrap_err().detail, detailed.detail);
    }

    #[test]
    fn every_truncation_is_an_error_that_names_it() {
        let whole = encoded(vec![Ok(Held::default()), Err(Failure::new(FailureKind::Trap, "x"))]);
        for end in 0..whole.len() {
            let error = BranchResults::decode(&whole[..end], 2).unwrap_err();
            let is_length = |found| found == end as u64;
            assert!(
                matches!(error, NoBranchResults::Length { found, expected }
                    if is_length(found) && expected <= whole.len() as u64),
                "{end} bytes: {error}"
            );
        }
        let longer = [&whole[..], b"\0"].concat();
        assert!(matches!(BranchResults::decode(&longer, 2), Err(NoBranchResults::Length { .. })));
    }

    #[test]
    fn every_flipped_bit_is_an_error_that_names_it() {
        let rows = vec![
            Ok(Held::within(&Arc::default(), b"result".to_vec())),
            Err(Failure::new(FailureKind::Trap, "crashed").hint("h")),
        ];
        let whole = encoded(rows);
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let error = BranchResults::decode(&flipped, 2).unwrap_err();
            let is_named = match bit / 8 {
                0 => error == NoBranchResults::OtherForm { found: flipped[0] },
                1..HEAD_BYTES => matches!(error, NoBranchResults::Length { .. }),
                _ => error == NoBranchResults::Changed,
            };
            assert!(is_named, "bit {bit}: {error}");
        }
    }

    #[test]
    fn rows_of_other_branches_are_an_error() {
        let whole = encoded(vec![Ok(Held::default()), Ok(Held::default())]);
        for expected in [0, 1, 3] {
            let error = NoBranchResults::Count { found: 2, expected };
            assert_eq!(BranchResults::decode(&whole, expected), Err(error));
        }
        // A row of an unknown tag, under a digest that is right.
        let mut strange = Vec::new();
        put(&mut strange, FORM, &[]);
        put(&mut strange, 7, b"");
        strange[1..HEAD_BYTES].copy_from_slice(&(HEAD_BYTES as u64).to_le_bytes());
        let digest = digest(&strange);
        strange.extend(digest);
        assert_eq!(BranchResults::decode(&strange, 1), Err(NoBranchResults::NoRow));
    }
}

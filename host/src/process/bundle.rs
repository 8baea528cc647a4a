//! Several results, states or failures in one row of bytes, as a processor of several plugins gives them.
//!
//! Each is a tag of one byte, a length of eight bytes, little-endian, and as many bytes as that says. Never leaves the process.

use std::sync::Arc;

use super::{Failure, FailureKind, Held, MemoryBudget};

/// What one of several plugins gave, or how it failed.
pub type Lane = Result<Held, Failure>;

const BYTES: u8 = 0;
const FAILURE: u8 = 1;
const HINT: u8 = 2;
const DETAIL: u8 = 3;

/// What a tag and a length take.
const HEAD_BYTES: usize = 9;

/// Packs what each plugin gave; each is dropped when it is in.
pub fn pack(lanes: Vec<Lane>, memory: &Arc<MemoryBudget>) -> Held {
    let room = |lane: &Lane| HEAD_BYTES + lane.as_ref().map_or(0, |bytes| bytes.len());
    let mut packed = Vec::with_capacity(lanes.iter().map(room).sum());
    for lane in lanes {
        match lane {
            Ok(bytes) => put(&mut packed, BYTES, &bytes),
            Err(Failure { kind, message, hint, past: _, detail }) => {
                let mut inner = Vec::new();
                put(&mut inner, BYTES, kind.word().as_bytes());
                put(&mut inner, BYTES, message.as_bytes());
                if let Some(hint) = &hint {
                    put(&mut inner, HINT, hint.as_bytes());
                }
                if let Some(detail) = detail.as_ref().and_then(|it| serde_json::to_vec(it).ok()) {
                    put(&mut inner, DETAIL, &detail);
                }
                put(&mut packed, FAILURE, &inner);
            }
        }
    }
    Held::within(memory, packed)
}

/// What [`pack`] has packed; nothing where it has not.
pub fn unpack(packed: &[u8]) -> Option<Vec<Result<&[u8], Failure>>> {
    let lane = |(tag, bytes)| match tag {
        BYTES => Some(Ok(bytes)),
        FAILURE => failure(bytes).map(Err),
        _ => None,
    };
    parts(packed)?.into_iter().map(lane).collect()
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
    Some(Failure { kind, message: text(1)?.to_string(), hint, past: false, detail })
}

fn put(into: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    into.push(tag);
    into.extend((bytes.len() as u64).to_le_bytes());
    into.extend(bytes);
}

fn parts(mut packed: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut parts = Vec::new();
    while let Some((tag, rest)) = packed.split_first() {
        let (length, rest) = rest.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let (bytes, rest) = rest.split_at_checked(length)?;
        parts.push((*tag, bytes));
        packed = rest;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::super::Detail;
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        let failure = Failure::new(FailureKind::Memory, "too much").hint("raise ⟦memory⟧");
        let plain = Failure::new(FailureKind::Trap, "crashed");
        let memory = Arc::default();
        let lanes = || {
            let result = Held::within(&memory, b"result".to_vec());
            vec![Ok(result), Err(failure.clone()), Ok(Held::default()), Err(plain.clone())]
        };
        let packed = pack(lanes(), &memory);
        let expected = vec![Ok(&b"result"[..]), Err(failure.clone()), Ok(b""), Err(plain.clone())];
        assert_eq!(unpack(&packed), Some(expected));
        assert!(memory.charged() >= packed.len() as u64);
        let known = Detail { call: "push".into(), ..Detail::default() };
        let detailed = Failure::new(FailureKind::Trap, "crashed").detail(known);
        let packed = pack(vec![Err(detailed.clone())], &memory);
        let unpacked = unpack(&packed).unwrap();
        assert_eq!(unpacked[0].as_ref().unwrap_err().detail, detailed.detail);
        assert_eq!(unpack(b""), Some(Vec::new()));
    }

    #[test]
    fn anything_else_is_nothing() {
        let memory = Arc::default();
        let packed = pack(vec![Ok(Held::within(&memory, b"result".to_vec()))], &memory);
        for end in 1..packed.len() {
            assert_eq!(unpack(&packed[..end]), None);
        }
    }
}

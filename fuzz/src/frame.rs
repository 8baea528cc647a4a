//! Cuts between records: chunks of any size, joined in order, are the file.

use gristmill::input::{Csv, Framing, Prefix};

use crate::pass::pass;

/// Cuts a file by a framing, which the first byte chooses; the second one is the size of chunks.
///
/// # Panics
/// When a cut loses, adds or moves a byte.
pub fn framing(data: &[u8]) -> bool {
    let [kind, size, data @ ..] = data else { return false };
    let framing = match kind % 6 {
        0 => Framing::Delimited(b'\n'),
        1 => Framing::Fixed(7),
        2 => Framing::Csv(Csv::default()),
        3 => Framing::Prefixed(Prefix::U32Be),
        4 => Framing::Whole,
        _ => Framing::Bytes,
    };
    if let Ok(passed) = pass("fuzzed.data", data, framing, u64::from(*size).max(1))
        && passed.failed == 0
    {
        assert_eq!(passed.bytes, data, "{framing:?}");
        return true;
    }
    false
}

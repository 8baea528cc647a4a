//! Cutting text into words.

/// Calls `each` with every word of `data` until it fails.
#[inline]
pub fn words<E>(data: &[u8], mut each: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    for word in data.split(|byte| matches!(byte, 9..=13 | b' ')) {
        if !word.is_empty() {
            each(word)?;
        }
    }
    Ok(())
}

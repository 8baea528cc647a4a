//! Control sequences of terminals (ECMA-48, section 5.4): ESC, `[`, parameters and a last byte.
//! They glue to what is coloured, as the `m` of `ESC[31m` does, and are no part of it.

/// What ESC is written as: the byte itself, and what programs write for it.
const ESC: [&[u8]; 9] =
    [b"\x1b", b"u001b", b"\\x1b", b"\\033", b"\\e", b"\\u{1b}", b"%1b", b"&#27;", b"&#x1b;"];

/// Most bytes of ESC as it is written.
const ESC_BYTES_MAX: usize = 6;

/// Parameters that are looked at: colours have up to 17 for each of two.
const PARAMETER_BYTES_MAX: usize = 40;

/// Bytes between parameters and the last byte, at most.
const INTERMEDIATE_BYTES_MAX: usize = 2;

/// Where the sequence ends that `at` is in, or else `at`.
#[inline]
pub(crate) fn behind(text: &[u8], at: usize) -> usize {
    let before = at.checked_sub(1).and_then(|at| text.get(at));
    match before {
        Some(b' '..=b'?' | b'[') => sequence_end(text, at).unwrap_or(at),
        _ => at,
    }
}

/// Whether a sequence ends at `at`.
pub(crate) fn ends_at(text: &[u8], at: usize) -> bool {
    at.checked_sub(1).is_some_and(|last| behind(text, last) == at)
}

fn sequence_end(text: &[u8], at: usize) -> Option<usize> {
    let mut start = at - run(text.get(..at)?.iter().rev(), INTERMEDIATE_BYTES_MAX, is_intermediate);
    start -= run(text.get(..start)?.iter().rev(), PARAMETER_BYTES_MAX, is_parameter);
    let before = text.get(..start)?.strip_suffix(b"[")?;
    let tail = before.get(before.len().saturating_sub(ESC_BYTES_MAX)..)?;
    let is_esc = |esc: &&[u8]| {
        tail.len()
            .checked_sub(esc.len())
            .and_then(|at| tail.get(at..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(esc))
    };
    ESC.iter().find(|esc| is_esc(esc))?;
    let parameters = run(text.get(start..)?.iter(), PARAMETER_BYTES_MAX, is_parameter);
    let end = start + parameters;
    let end = end + run(text.get(end..)?.iter(), INTERMEDIATE_BYTES_MAX, is_intermediate);
    matches!(text.get(end), Some(b'@'..=b'~')).then_some(end + 1)
}

fn run<'a>(bytes: impl Iterator<Item = &'a u8>, bytes_max: usize, class: fn(u8) -> bool) -> usize {
    bytes.take(bytes_max).take_while(|&&byte| class(byte)).count()
}

fn is_parameter(byte: u8) -> bool {
    matches!(byte, b'0'..=b'?')
}

fn is_intermediate(byte: u8) -> bool {
    matches!(byte, b' '..=b'/')
}

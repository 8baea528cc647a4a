//! A byte at a time: for targets without the lanes, and what they are tested against.

use super::masks::{BLOCK_BYTES, Masks};

pub(in crate::scan) fn masks(block: &[u8; BLOCK_BYTES]) -> Masks {
    let of = |class: fn(u8) -> bool| {
        let bits = block.iter().enumerate();
        bits.fold(0, |mask, (bit, byte)| mask | u64::from(class(*byte)) << bit)
    };
    Masks {
        ats: of(|byte| byte == b'@'),
        digits: of(|byte| byte.is_ascii_digit()),
        dots: of(|byte| byte == b'.'),
        colons: of(|byte| byte == b':'),
        gaps: of(|byte| matches!(byte, b' ' | b'-')),
    }
}

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
        gaps: of(|byte| matches!(byte, b' ' | b'-' | b'+')),
        beyond_ascii: !block.is_ascii(),
        odd: of(|byte| matches!(byte, b'\\' | b'%' | b'&' | 0xc2 | 0xe2 | 0xef)),
    }
}

/// The digits and the dots of a lane.
pub(crate) fn digits_and_dots(lane: &[u8; 16]) -> (u16, u16) {
    let of = |class: fn(u8) -> bool| {
        let bits = lane.iter().enumerate();
        bits.fold(0, |mask, (bit, byte)| mask | u16::from(class(*byte)) << bit)
    };
    (of(|byte| byte.is_ascii_digit()), of(|byte| byte == b'.'))
}

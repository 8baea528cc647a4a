//! Wants more time than there is, or more stack.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::hint::black_box;

use gristmill_sdk::Error;

/// All keys are one to it.
#[derive(Default)]
struct Same;

impl Hasher for Same {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, _: &[u8]) {}
}

/// A map all of whose keys collide: each further one is compared with all before it.
pub(crate) fn collide() -> Result<Vec<u8>, Error> {
    let mut map: HashMap<u32, u32, BuildHasherDefault<Same>> = HashMap::default();
    for key in 0..u32::MAX {
        map.insert(key, key);
    }
    Ok(vec![u8::from(map.is_empty())])
}

/// `(a+)+b` over a text that has no `b`, by trying each way to part it.
pub(crate) fn backtrack() -> Result<Vec<u8>, Error> {
    fn matches(text: &[u8]) -> bool {
        let run = text.iter().take_while(|&&byte| byte == b'a').count();
        (1..=run).rev().any(|taken| {
            let rest = &text[taken..];
            rest.first() == Some(&b'b') || matches(rest)
        })
    }
    Ok(vec![u8::from(matches(black_box(&[b'a'; 64])))])
}

/// Sorts what it can hold, again and again.
pub(crate) fn sort() -> Result<Vec<u8>, Error> {
    let mut numbers: Vec<u32> = (0..500_000).collect();
    loop {
        numbers.sort_unstable_by_key(|number| number.wrapping_mul(black_box(0x9E37_79B9)));
        numbers.sort_by_key(|number| black_box(*number));
    }
}

/// Frames that hold next to nothing.
pub(crate) fn recurse() -> Result<Vec<u8>, Error> {
    fn deeper(depth: u64) -> u64 {
        if black_box(depth) == u64::MAX { 0 } else { deeper(depth + 1) ^ black_box(depth) }
    }
    Ok(deeper(0).to_le_bytes().to_vec())
}

/// Frames whose arrays are in linear memory, where the stack ends at address 0.
pub(crate) fn recurse_with_arrays() -> Result<Vec<u8>, Error> {
    fn deeper(depth: usize) -> u8 {
        let array = black_box([7_u8; 16 << 10]);
        if black_box(depth) == usize::MAX {
            return 0;
        }
        array[depth % array.len()] ^ deeper(depth + 1) ^ black_box(array)[0]
    }
    Ok(vec![deeper(0)])
}

/// Boxes in boxes: nothing is called again and again but what drops them.
pub(crate) fn nest() -> Result<Vec<u8>, Error> {
    #[derive(Default)]
    struct Nest(Option<Box<Nest>>);
    let mut nest = Nest::default();
    for _ in 0..150_000 {
        nest = Nest(Some(Box::new(nest)));
    }
    let is_nested = black_box(&nest).0.is_some();
    Ok(vec![u8::from(is_nested)])
}

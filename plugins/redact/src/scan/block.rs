//! From classes of bytes to places that are worth a closer look.

use super::masks::{BLOCK_BYTES, Masks, masks};
use crate::escapes::is_joiner;

/// What is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An e-mail address: the place is its `@`.
    Email,
    /// A card number: the place is the first of those that 12 digits, or digits and gaps, stand
    /// before.
    Card,
    /// An address of IP version 4: the place is the digit after a third dot.
    Ip4,
    /// An address of IP version 6: the place is a colon after another.
    Ip6,
    /// What may be written for another character: the place is its first byte.
    Odd,
}

/// The odd bytes of the block of a place and of the one before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Odd {
    /// Where the block begins.
    at: usize,
    here: u64,
    before: u64,
}

/// What is known of the bytes before a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// Which of the 16 bytes before it are odd: the bit of the last one is the highest.
    Known(u16),
    Unknown,
}

impl Odd {
    /// The odd bytes before `start`.
    #[inline]
    pub(crate) fn before(self, start: usize) -> Before {
        let bits = match (start + BLOCK_BYTES).checked_sub(self.at) {
            Some(0..16) | None => return Before::Unknown,
            Some(64) => self.before,
            Some(in_before @ ..64) => self.before << (64 - in_before),
            Some(in_here @ 65..128) => self.here << (128 - in_here) | self.before >> (in_here - 64),
            Some(_) => self.here,
        };
        Before::Known((bits >> 48) as u16)
    }

    /// Whether any is odd.
    #[inline]
    pub(crate) fn any(self) -> bool {
        self.here | self.before != 0
    }
}

/// What of a text is worth to be known besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bytes {
    /// All are of ASCII.
    Ascii,
    Others,
}

/// Which escapes are enough by themselves, and so which odd bytes are visited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// Those that could make or hide something of the kinds that the scan looks for.
    #[default]
    Needed,
    /// All: for kinds that the scan knows nothing of.
    All,
}

/// What is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds {
    pub(crate) email: bool,
    pub(crate) card: bool,
    pub(crate) ip: bool,
    pub(crate) strictness: Strictness,
}

/// Fewest colons of an address of IP version 6 without `::`: six, and four numbers behind them. It
/// has at most 45 bytes, so they are in one block or in two.
const COLONS_MIN: u32 = 6;

/// Calls `visit` with the places where a match might be, in order.
pub(crate) fn places(text: &[u8], kinds: Kinds, mut visit: impl FnMut(Kind, usize, Odd)) -> Bytes {
    let (pairs, rest) = text.as_chunks::<{ 2 * BLOCK_BYTES }>();
    let mut scan = Scan { kinds, ..Scan::default() };
    for pair in pairs {
        for block in pair.as_chunks::<BLOCK_BYTES>().0 {
            scan.block(block, &mut visit);
        }
    }
    let mut padded = [0; 2 * BLOCK_BYTES];
    padded.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    for block in padded.as_chunks::<BLOCK_BYTES>().0 {
        scan.block(block, &mut visit);
    }
    if scan.beyond_ascii { Bytes::Others } else { Bytes::Ascii }
}

/// What the next block has to know of those before it.
#[derive(Default)]
struct Scan {
    kinds: Kinds,
    /// Where the block begins.
    at: usize,
    before: Masks,
    beyond_ascii: bool,
    /// Runs of digits, and gaps behind three of them: bytes that 0, 1, 3, 7 and 12 others of it
    /// stand before.
    runs: [u64; 5],
    /// The first and second gaps behind three digits.
    gaps: [u64; 2],
    /// Digits behind a dot behind a digit: any, and those that another such stands closely before.
    dotted: [u64; 2],
    /// Colons that another stands closely before.
    close_colons: u64,
}

impl Scan {
    #[inline]
    fn block(&mut self, block: &[u8; BLOCK_BYTES], visit: &mut impl FnMut(Kind, usize, Odd)) {
        let masks = masks(block);
        let ats = if self.kinds.email { masks.ats } else { 0 };
        let cards = if self.kinds.card { self.cards(&masks) } else { 0 };
        let (ip4, ip6) = if self.kinds.ip { (self.ip4(&masks), self.ip6(&masks)) } else { (0, 0) };
        self.beyond_ascii |= masks.beyond_ascii;
        let odd = [self.before.odd, masks.odd];
        self.before = masks;
        let found = [ats, cards, ip4, ip6];
        if masks.odd | ats | cards | ip4 | ip6 != 0 {
            if self.kinds.strictness == Strictness::All {
                visit_all(self.at, odd, masks.odd, found, visit);
            } else {
                visit_telling(block, self.at, odd, found, visit);
            }
        }
        self.at += BLOCK_BYTES;
    }

    /// The first byte of each run that 12 others stand before. A gap has a group of three digits
    /// before it, which dates have not, or one or two gaps behind such a group; one that no digit
    /// follows makes a run longer than it is, which costs a look.
    #[inline]
    fn cards(&mut self, masks: &Masks) -> u64 {
        let [one, two, four, eight, thirteen] = self.runs;
        let (digits, before) = (masks.digits, self.before.digits);
        let behind_group =
            up::<1>(digits, before) & up::<2>(digits, before) & up::<3>(digits, before);
        let first = masks.gaps & behind_group | self.dots_in_number(masks, behind_group);
        let mut run = digits | first;
        // Few gaps have another before them.
        let second = masks.gaps & up::<1>(first, self.gaps[0]);
        if second | self.gaps[1] != 0 {
            run |= second | masks.gaps & up::<1>(second, self.gaps[1]);
        }
        self.gaps = [first, second];
        let two = (run & up::<1>(run, one), two);
        let four = (two.0 & up::<2>(two.0, two.1), four);
        let eight = (four.0 & up::<4>(four.0, four.1), eight);
        let found = eight.0 & up::<5>(eight.0, eight.1);
        self.runs = [run, two.0, four.0, eight.0, found];
        found & !up::<1>(found, thirteen)
    }

    /// Dots behind a group of four or six digits, as in 4111.1111.1111.1111 and 3782.822463.10005:
    /// times have ten before theirs.
    #[inline]
    fn dots_in_number(&self, masks: &Masks, behind_group: u64) -> u64 {
        let dots = masks.dots & behind_group;
        if dots == 0 {
            return 0;
        }
        let (digits, before) = (masks.digits, self.before.digits);
        let [four, five] = [up::<4>(digits, before), up::<5>(digits, before)];
        let six = five & up::<6>(digits, before) & !up::<7>(digits, before);
        dots & four & (!five | six)
    }

    #[inline]
    fn ip4(&mut self, masks: &Masks) -> u64 {
        if masks.dots | self.before.dots == 0 {
            self.dotted = [0; 2];
            return 0;
        }
        let [one, two] = self.dotted;
        let dotted = masks.digits
            & up::<1>(masks.dots, self.before.dots)
            & up::<2>(masks.digits, self.before.digits);
        let twice = dotted & (up::<2>(dotted, one) | up::<3>(dotted, one) | up::<4>(dotted, one));
        self.dotted = [dotted, twice];
        twice & (up::<2>(twice, two) | up::<3>(twice, two) | up::<4>(twice, two))
    }

    /// The second colon of `::`, and where colons are many, each that two others stand closely
    /// before.
    #[inline]
    fn ip6(&mut self, masks: &Masks) -> u64 {
        let (colons, before) = (masks.colons, self.before.colons);
        if colons == 0 {
            self.close_colons = 0;
            return 0;
        }
        let twins = colons & up::<1>(colons, before);
        let close = colons & closely_before(colons, before);
        let third = close & closely_before(close, self.close_colons);
        self.close_colons = close;
        let many = colons.count_ones() + before.count_ones() >= COLONS_MIN;
        if many { twins | third } else { twins }
    }
}

/// The same but for backslashes that tell nothing.
#[inline(never)]
fn visit_telling(
    block: &[u8; BLOCK_BYTES],
    at: usize,
    odd: [u64; 2],
    found: [u64; 4],
    visit: &mut impl FnMut(Kind, usize, Odd),
) {
    let [_, here] = odd;
    let mut telling = here;
    let mut left = here;
    while left != 0 {
        let bit = left & left.wrapping_neg();
        left ^= bit;
        if is_idle(block, bit.trailing_zeros() as usize) {
            telling ^= bit;
        }
    }
    if telling != 0 || found != [0; 4] {
        visit_all(at, odd, telling, found, visit);
    }
}

/// Whether a backslash without a meaning stands at `at`: one that neither a digit, `u`, `U`, `x` or
/// a joiner follows, nor a backslash and then one of these. So are most by far: of quotes, line
/// ends, tabs and paths. The last two bytes of a block are not judged.
#[inline]
fn is_idle(block: &[u8; BLOCK_BYTES], at: usize) -> bool {
    let begins =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'u' | b'U' | b'x') || is_joiner(byte);
    match block.get(at..at + 3) {
        Some([b'\\', b'\\', third]) => !begins(*third),
        Some([b'\\', second, _]) => !begins(*second),
        _ => false,
    }
}

/// Calls `visit` with the places in a block that begins at `at`. It is a call of its own: within
/// the loop over blocks, it takes the registers that hold what bytes are compared with.
#[inline(never)]
fn visit_all(
    at: usize,
    [before, here]: [u64; 2],
    mut telling: u64,
    [mut ats, mut cards, mut ip4, mut ip6]: [u64; 4],
    visit: &mut impl FnMut(Kind, usize, Odd),
) {
    let odd = Odd { at, here, before };
    loop {
        let all = telling | ats | cards | ip4 | ip6;
        if all == 0 {
            return;
        }
        let bit = all & all.wrapping_neg();
        let (kind, taken) = if telling & bit != 0 {
            (Kind::Odd, &mut telling)
        } else if ip4 & bit != 0 {
            (Kind::Ip4, &mut ip4)
        } else if ats & bit != 0 {
            (Kind::Email, &mut ats)
        } else if ip6 & bit != 0 {
            (Kind::Ip6, &mut ip6)
        } else {
            (Kind::Card, &mut cards)
        };
        *taken ^= bit;
        visit(kind, at + bit.trailing_zeros() as usize, odd);
    }
}

/// The bits that another stands before, with one to four in between.
#[inline]
fn closely_before(mask: u64, before: u64) -> u64 {
    up::<2>(mask, before) | up::<3>(mask, before) | up::<4>(mask, before) | up::<5>(mask, before)
}

/// Moves bits up by `BY`, which is 1 to 63, and takes in the last ones of the block before.
#[inline]
fn up<const BY: u32>(mask: u64, before: u64) -> u64 {
    mask << BY | before >> (u64::BITS - BY)
}

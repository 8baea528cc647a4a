//! Numbers as they are written, compared digit by digit: whole numbers beyond 2^53 are not the same
//! because a double cannot tell them apart.

use std::cmp::Ordering;

/// A number that others are compared with.
#[derive(Clone, Debug)]
pub(crate) struct Number {
    text: String,
    double: f64,
}

impl Number {
    /// Reads what Rust reads as a double; none if it is no number.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(|double| Self { text: text.to_owned(), double })
    }

    /// How the number in `text` compares with this one; none if it is no number.
    pub(crate) fn compared(&self, text: &str) -> Option<Ordering> {
        match (Decimal::parse(text), Decimal::parse(&self.text)) {
            (Some(found), Some(wanted)) => Some(found.cmp(&wanted)),
            // `inf`, and exponents that no machine can hold.
            _ => text.parse::<f64>().ok()?.partial_cmp(&self.double),
        }
    }
}

/// A number of digits.
#[derive(Clone, Copy, Debug)]
struct Decimal<'a> {
    is_negative: bool,
    /// From the first digit on that is not zero, with the point where it stands; empty for zero.
    digits: &'a [u8],
    /// Digits before the point, from that digit on; below zero for zeros behind the point.
    places: i64,
}

impl<'a> Decimal<'a> {
    /// Reads digits with a sign, a point and an exponent, as far as JSON has them, or a plus
    /// before.
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.as_bytes();
        let (is_negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] | rest => (false, rest),
        };
        let at = text.iter().position(|byte| matches!(byte, b'e' | b'E'));
        let (number, exponent) = text.split_at(at.unwrap_or(text.len()));
        let exponent: i64 = match exponent.split_first() {
            Some((_, exponent)) => i64::from(str::from_utf8(exponent).ok()?.parse::<i32>().ok()?),
            None => 0,
        };
        let point = number.iter().position(|&byte| byte == b'.').unwrap_or(number.len());
        let (whole, fraction) = number.split_at(point);
        let fraction = fraction.get(1..).unwrap_or_default();
        let all_digits = whole.iter().chain(fraction).all(u8::is_ascii_digit);
        if !all_digits || whole.len() + fraction.len() == 0 {
            return None;
        }
        let first = number.iter().position(|byte| matches!(byte, b'1'..=b'9'));
        let Some(first) = first else {
            return Some(Self { is_negative: false, digits: &[], places: 0 });
        };
        let behind_point = usize::from(first > point);
        let places = i64::try_from(point).ok()? - i64::try_from(first - behind_point).ok()?;
        let digits = number.get(first..)?;
        Some(Self { is_negative, digits, places: places + exponent })
    }

    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_negative, other.is_negative) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self.cmp_size(other),
            (true, true) => other.cmp_size(self),
        }
    }

    /// Without signs.
    fn cmp_size(&self, other: &Self) -> Ordering {
        match (self.digits, other.digits) {
            ([], []) => return Ordering::Equal,
            ([], _) => return Ordering::Less,
            (_, []) => return Ordering::Greater,
            _ => {}
        }
        let digits = |of: &Self| of.digits.iter().filter(|&&byte| byte != b'.');
        let (mut own, mut others) = (digits(self), digits(other));
        let mut order = self.places.cmp(&other.places);
        while order == Ordering::Equal {
            order = match (own.next(), others.next()) {
                (None, None) => return Ordering::Equal,
                (own, others) => own.unwrap_or(&b'0').cmp(others.unwrap_or(&b'0')),
            };
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn compared(found: &str, wanted: &str) -> Option<Ordering> {
        Number::parse(wanted).unwrap().compared(found)
    }

    #[test]
    fn whole_numbers_beyond_doubles_differ() {
        for (less, more) in [
            ("9007199254740992", "9007199254740993"),
            ("-9007199254740993", "-9007199254740992"),
            (
                "99999999999999999999999999999999999999998",
                "99999999999999999999999999999999999999999",
            ),
            ("9007199254740992.9", "9007199254740993"),
            ("1e-400", "1e400"),
            ("-1", "0"),
            ("9", "1e999"),
            ("9", "inf"),
        ] {
            assert_eq!(compared(less, more), Some(Ordering::Less), "{less} {more}");
        }
        for (one, same) in [
            ("1.50", "15e-1"),
            ("-0.0", "0"),
            ("100", "1E+2"),
            ("0.001", "1e-3"),
            ("+5", "5."),
            (".5", "0.5"),
            ("1e99999999999", "inf"),
        ] {
            assert_eq!(compared(one, same), Some(Ordering::Equal), "{one} {same}");
        }
        for none in ["", "-", ".", "e5", "1e", "1.2.3", " 1", "0x1", "nan"] {
            assert_eq!(compared(none, "1"), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_compare_as_integers(a: i128, b: i128, near in -2_i128..3) {
            for b in [b, a.saturating_add(near)] {
                prop_assert_eq!(compared(&a.to_string(), &b.to_string()), Some(a.cmp(&b)));
            }
        }

        #[test]
        fn short_numbers_compare_as_doubles(
            a in "[+-]?[0-9]{0,3}(\\.[0-9]{0,3})?([eE][+-]?[0-9]{1,2})?",
            b in "-?[0-9]{1,3}(\\.[0-9]{0,3})?([eE][+-]?[0-9]{1,2})?",
        ) {
            let expected = a.parse::<f64>().ok().and_then(|a| a.partial_cmp(&b.parse().unwrap()));
            prop_assert_eq!(compared(&a, &b), expected);
        }
    }
}

//! What holds of all texts: what is masked is gone, cuts change nothing, and JSON stays JSON.

use std::fmt::Write as _;

use gristmill_sdk::testing;
use proptest::prelude::*;

use super::*;

/// Pieces that make and hide what is looked for.
fn tricky() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(
        &[
            "bob",
            "@",
            "example.org",
            "a@b.org",
            "%40",
            "%2540",
            "\\u0040",
            "\\\\u0040",
            "\\n",
            "\\\"",
            "\"",
            "&#64;",
            "4111111111111111",
            "4111",
            " ",
            "%20",
            "+",
            "-",
            "\\u0020",
            "\u{a0}",
            "192.0.2.1",
            ".",
            "%2E",
            ":",
            "%3A",
            "::1",
            "fe80::1",
            "{",
            "}",
            "[",
            "]",
            ",",
            "{\"a\":",
            "=",
            "<",
            ">",
            "\n",
            "\u{e9}",
            "\\ud83d\\ude00",
            "\\",
            "0",
            "x",
        ][..],
    );
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(Value::from(4_111_111_111_111_111_u64)),
        any::<i32>().prop_map(Value::from),
        tricky().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(tricky(), inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// As Python writes it: in ASCII.
pub(super) fn in_ascii(text: &str) -> String {
    let mut ascii = String::new();
    for letter in text.chars() {
        if letter.is_ascii() {
            ascii.push(letter);
        } else {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                write!(ascii, "\\u{unit:04x}").unwrap();
            }
        }
    }
    ascii
}

/// The strings of a value, names too.
fn strings(value: &serde_json::Value) -> Vec<&str> {
    use serde_json::Value;
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(strings).collect(),
        Value::Object(map) => map
            .iter()
            .flat_map(|(name, value)| [vec![name.as_str()], strings(value)].concat())
            .collect(),
        _ => Vec::new(),
    }
}

const ALL: &str = "email,card,ip,phone,iban,ssn,token";

proptest! {
    #[test]
    fn what_is_masked_is_not_found_again(
        text in "(([a-f]@[a-f]\\.com|4111 1111 1111 1111|10\\.0\\.[0-9]{1,3}\\.1|fe80::[0-9a-f]|[:.@0-9a]{0,9})[,\n]){0,30}",
    ) {
        let once = testing::transform::<Redact>(&[], &[text.as_bytes()]).unwrap();
        testing::recorded();
        let twice = testing::transform::<Redact>(&[], &[&once]).unwrap();
        prop_assert_eq!(String::from_utf8_lossy(&once), String::from_utf8_lossy(&twice));
    }

    #[test]
    fn cuts_change_nothing(
        lines in prop::collection::vec(tricky(), 0..4),
        format in prop::sample::select(&["auto", "url", "text", "json"][..]),
        replace in prop::sample::select(&["star", "label"][..]),
        kinds in prop::sample::select(&["email,card,ip", ALL][..]),
    ) {
        let given = [("format", format), ("replace", replace), ("kinds", kinds)];
        let output = testing::transform_every_cut::<Redact>(&given, lines.join("\n").as_bytes());
        testing::recorded();
        prop_assert!(output.is_ok(), "{output:?}");
    }

    #[test]
    fn json_stays_json(
        values in prop::collection::vec(json(), 1..4),
        ascii: bool,
        format in prop::sample::select(&["auto", "json"][..]),
        replace in prop::sample::select(&[("replace", "star"), ("replace", "label"), ("mask", "\"\\")][..]),
        kinds in prop::sample::select(&["email,card,ip", ALL][..]),
    ) {
        let lines: Vec<_> = values.iter().map(serde_json::Value::to_string).collect();
        let text = lines.join("\n");
        let text = if ascii { in_ascii(&text) } else { text };
        let given = [("format", format), ("kinds", kinds), replace];
        let output = testing::transform::<Redact>(&given, &[text.as_bytes()]).unwrap();
        prop_assert_eq!(testing::recorded().rejects, []);
        let output = String::from_utf8(output).unwrap();
        prop_assert_eq!(output.lines().count(), values.len());
        for (line, value) in output.lines().zip(&values) {
            // A line that is one string or number is JSON only where that is said.
            if format == "json" || value.is_object() || value.is_array() {
                let masked = serde_json::from_str::<serde_json::Value>(line);
                prop_assert!(masked.is_ok(), "{} became {}", value, line);
                // An address of IP version 6 may begin where another place ends.
                let masked = masked.unwrap();
                for text in strings(&masked).into_iter().filter(|text| !text.contains("::")) {
                    let again = testing::transform::<Redact>(&[("format", "text")], &[text.as_bytes()]).unwrap();
                    testing::recorded();
                    prop_assert_eq!(String::from_utf8_lossy(&again), text, "left in {} of {}", line, value);
                }
            }
        }
    }
}

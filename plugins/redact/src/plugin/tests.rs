//! What comes out, case by case, and what holds for all texts.

use gristmill_sdk::testing;

use super::*;

mod properties;

fn redacted(given: &[(&str, &str)], text: &[u8]) -> String {
    let output = testing::transform_every_cut::<Redact>(given, text);
    String::from_utf8(output.unwrap()).unwrap()
}

fn refused(given: &[(&str, &str)]) -> String {
    testing::transform::<Redact>(given, &[]).unwrap_err().to_string()
}

const TEXT: &str = "from 192.0.2.1 by a@b.org\n4111 1111 1111 1111, ::1\nnothing";

#[test]
fn stars_keep_the_columns() {
    assert_eq!(
        redacted(&[], TEXT.as_bytes()),
        "from ********* by *******\n*******************, ***\nnothing"
    );
    let counts = testing::recorded().counts;
    let counts: Vec<_> = counts.iter().map(|(name, by)| (name.as_str(), *by)).collect();
    assert_eq!(counts, [("cards", 1), ("emails", 1), ("ips", 2)]);
}

#[test]
fn a_text_stands_for_each_place() {
    assert_eq!(
        redacted(&[("mask", "[out]")], TEXT.as_bytes()),
        "from [out] by [out]\n[out], [out]\nnothing"
    );
    assert_eq!(redacted(&[("mask", "")], TEXT.as_bytes()), "from  by \n, \nnothing");
    assert!(refused(&[("mask", "a\nb")]).contains("line feed"));
}

#[test]
fn kinds_are_a_setting() {
    let of = |kinds| redacted(&[("kinds", kinds), ("mask", "X")], TEXT.as_bytes());
    assert_eq!(of("email"), "from 192.0.2.1 by X\n4111 1111 1111 1111, ::1\nnothing");
    assert_eq!(of("card"), "from 192.0.2.1 by a@b.org\nX, ::1\nnothing");
    assert_eq!(of("ip, email"), "from X by X\n4111 1111 1111 1111, X\nnothing");
    let every = "email,card,ip,phone,iban,ssn,token";
    assert_eq!(of("all"), of(every));
    assert_ne!(of("all"), of("email"));
    let error = refused(&[("kinds", "email,name")]);
    assert_eq!(
        error,
        "setting `kinds` cannot be `email,name`: `name` is none of email, card, ip, phone, iban, ssn, token, all"
    );
    assert!(refused(&[("kinds", "")]).contains("`` is none of"));
}

#[test]
fn lines_that_are_not_utf_8_are_set_aside() {
    let text = b"a@b.org\n\xff a@b.org\n\nok \xc3\n\xa4 x\nc@d.org";
    assert_eq!(redacted(&[("mask", "X")], text), "X\n\nX");
    let rejects = testing::recorded().rejects;
    let message: Vec<_> = rejects.iter().map(|r| (r.offset, &*r.reason, &*r.data)).collect();
    assert_eq!(
        message,
        [
            (8, "is not UTF-8 at byte 0 of the line", &b"\xff a@b.org"[..]),
            (19, "is not UTF-8 at byte 3 of the line", b"ok \xc3"),
            (24, "is not UTF-8 at byte 0 of the line", b"\xa4 x"),
        ]
    );
}

#[test]
fn a_chunk_without_a_match_is_given_back() {
    let data = b"12:34:56 level=info v1.2.3 0.5 2024-01-02 a@b\n".to_vec();
    let memory = data.as_ptr();
    let plugin: Redact = testing::configured(&[("mask", "X")]).unwrap();
    let chunk = Chunk { index: 0, offset: 0, last: true };
    let output = plugin.push(&mut (), chunk, data.clone());
    assert_eq!(output, Ok(data.clone()));
    let output = plugin.push(&mut (), chunk, data).unwrap();
    assert_eq!(output.as_ptr(), memory);
}

fn marked(given: &[(&str, &str)], text: &str) -> String {
    redacted(&[&[("replace", "label")], given].concat(), text.as_bytes())
}

#[test]
fn escapes_are_looked_through() {
    let cases = [
        ("mail=bob%40example.org&x=1", "mail=[EMAIL]&x=1"),
        ("mail=bob%2540example.org&x=1", "mail=[EMAIL]&x=1"),
        ("{\"a\":\"bob\\u0040example.org\"}", "{\"a\":\"[EMAIL]\"}"),
        (
            "{\"a\":\"{\\\"b\\\":\\\"bob\\\\u0040example.org\\\"}\"}",
            "{\"a\":\"{\\\"b\\\":\\\"[EMAIL]\\\"}\"}",
        ),
        ("bob&#64;example.org bob&#x40;example&period;org", "[EMAIL] [EMAIL]"),
        ("?u=https%3A%2F%2Fexample.org%2F100%25", "?u=https%3A%2F%2Fexample.org%2F100%25"),
        ("peer%3D192%2E0%2E2%2E1%3A443", "peer%3D[IP]%3A443"),
        ("ip=%5B2001%3Adb8%3A%3A17%5D", "ip=%5B[IP]%5D"),
        ("pan=4111+1111+1111+1111&x", "pan=[CARD]&x"),
        ("pan 4111\u{a0}1111\u{a0}1111\u{a0}1111", "pan [CARD]"),
        ("pan 4111\u{2013}1111\u{2013}1111\u{2013}1111", "pan [CARD]"),
        ("\u{ff42}ob\u{ff20}example\u{ff0e}org", "[EMAIL]"),
        ("a \\x62ob\\100example.org", "a [EMAIL]"),
        // In an expression, in Perl, in Markdown and for a shell.
        ("/^bob\\.smith\\@example\\.org$/", "/^[EMAIL]$/"),
        ("mail bob\\_smith@example.org", "mail [EMAIL]"),
        ("from 192\\.0\\.2\\.55", "from [IP]"),
        ("pan=4111\\ 1111\\ 1111\\ 1111", "pan=[CARD]"),
        ("{\"re\":\"bob\\\\.smith@example\\\\.org\"}", "{\"re\":\"[EMAIL]\"}"),
        // What an escape may stand for goes with what it may be.
        ("C:\\new\\nbob@example.org", "C:\\new[EMAIL]"),
        ("\\q \\u12 %zz %4 & &x; \\", "\\q \\u12 %zz %4 & &x; \\"),
    ];
    for (text, expected) in cases {
        assert_eq!(marked(&[], text), expected, "{text}");
    }
    testing::recorded();
}

#[test]
fn sequences_of_terminals_are_no_part_of_what_they_colour() {
    let secrets = [
        ("fe80::1:2:3:4", "email,card,ip", "[IP]"),
        ("::1", "ip", "[IP]"),
        ("192.0.2.1", "ip", "[IP]"),
        ("4111111111111111", "card", "[CARD]"),
        ("bob@example.org", "email", "[EMAIL]"),
        ("alice=example.org@lists.example.net", "email", "[EMAIL]"),
        ("078-05-1120", "ssn", "[SSN]"),
        ("AKIAIOSFODNN7EXAMPLE", "token", "[TOKEN]"),
        ("sk_live_0123456789abcdef", "token", "[TOKEN]"),
        ("GB82WEST12345698765432", "iban", "[IBAN]"),
        ("0171 1234567", "phone", "[PHONE]"),
    ];
    let escs =
        ["\u{1b}", "\\u001b", "\\u001B", "\\x1b", "\\033", "\\e", "%1B", "&#27;", "\\\\u001b"];
    let colours = ["31m", "m", "1;36m", "38:5:1m", "?25h", "38;2;255;100;100m"];
    for (secret, kinds, label) in secrets {
        let given = [("kinds", kinds)];
        for (esc, colour) in escs.iter().flat_map(|esc| colours.map(|colour| (esc, colour))) {
            let text = format!("x {esc}[{colour}{secret}{esc}[0m y");
            assert_eq!(marked(&given, &text), text.replace(secret, label));
            let line = serde_json::json!({ "a": text }).to_string();
            assert_eq!(marked(&given, &line), line.replace(secret, label));
        }
    }
    testing::recorded();
}

#[test]
fn strings_of_json_are_read_as_text_is() {
    // Beyond ASCII: spaces end an address, what has no width is a part of it, wide letters are
    // letters.
    for (text, masked) in [
        ("\u{a0}@example.org", "\u{a0}@example.org"),
        ("x\u{a0}bob@example.org", "x\u{a0}[EMAIL]"),
        ("bob@example.org\u{3000}x", "[EMAIL]\u{3000}x"),
        ("\u{200b}@example.org", "[EMAIL]"),
        ("x bo\u{200b}b@example.org", "x [EMAIL]"),
        ("\u{ff42}ob\u{ff20}example\u{ff0e}org", "[EMAIL]"),
    ] {
        assert_eq!(marked(&[], text), masked);
        let line = serde_json::json!({ text: null }).to_string();
        let escaped = properties::in_ascii(&line);
        for line in [line, escaped] {
            let output: serde_json::Value = serde_json::from_str(&marked(&[], &line)).unwrap();
            assert_eq!(output, serde_json::json!({ masked: null }), "{line}");
        }
    }
    testing::recorded();
}

#[test]
fn formats_are_what_is_looked_through() {
    let text = "a%40b.org c\\u0040d.org {\"n\":1}";
    assert_eq!(marked(&[("format", "auto")], text), "[EMAIL] [EMAIL] {\"n\":1}");
    assert_eq!(marked(&[("format", "url")], text), "[EMAIL] c\\u0040d.org {\"n\":1}");
    assert_eq!(marked(&[("format", "text")], text), text);
    testing::recorded();
    let lines = "{\"a\":\"c\\u0040d.org\"}\nno a@b.org\n\n\"e@f.org\"\n4111111111111111\n";
    assert_eq!(
        marked(&[("format", "json")], lines),
        "{\"a\":\"[EMAIL]\"}\n\n\"[EMAIL]\"\n\"[CARD]\"\n"
    );
    let rejects = testing::recorded().rejects;
    assert_eq!(rejects.len(), 1);
    assert_eq!((rejects[0].offset, &*rejects[0].reason), (21, "is not JSON"));
    assert!(refused(&[("format", "xml")]).contains("auto, json, url or text"));
}

#[test]
fn numbers_of_json_become_strings_or_stay() {
    let text = "{\"n\":4111111111111111,\"m\":[-4111111111111111,4111111111111111.0],\"k\":12}";
    assert_eq!(marked(&[], text), "{\"n\":\"[CARD]\",\"m\":[\"[CARD]\",\"[CARD]\"],\"k\":12}");
    assert_eq!(marked(&[("numbers", "keep")], text), text);
    assert_eq!(redacted(&[], b"[4111111111111111]"), "[\"****************\"]");
    assert_eq!(
        redacted(&[("mask", "a\"b\\")], b"[4111111111111111, \"a@b.org\"]"),
        "[\"a\\\"b\\\\\", \"a\\\"b\\\\\"]"
    );
    assert_eq!(redacted(&[("mask", "a\"b")], b"to a@b.org"), "to a\"b");
    assert!(refused(&[("numbers", "x")]).contains("string or keep"));
    testing::recorded();
}

#[test]
fn further_kinds_are_asked_for() {
    let cases = [
        (
            "phone",
            "call +49 (0)30 1234-567, 0171 1234567 or (555) 234-5678; 2024-01-02 12:34, 01.02.2024 12:34",
            "call [PHONE], [PHONE] or [PHONE]; 2024-01-02 12:34, 01.02.2024 12:34",
        ),
        (
            "phone",
            "tel=%2B491711234567&t=+1-212-555-0123 1700000000000 0.0123456789",
            "tel=[PHONE]&t=[PHONE] 1700000000000 0.0123456789",
        ),
        (
            "iban",
            "DE89 3704 0044 0532 0130 00 is mine, gb82WEST12345698765432; DE88370400440532013000",
            "[IBAN] is mine, [IBAN]; DE88370400440532013000",
        ),
        (
            "iban",
            "DE89370400440532013000 GB82WEST12345698765432 NO93 8601 1117 947 NO93 8601 1117 947",
            "[IBAN] [IBAN] [IBAN] [IBAN]",
        ),
        (
            "ssn",
            "ssn 078-05-1120, 000-12-3456 123-45-67890 123456789",
            "ssn [SSN], 000-12-3456 123-45-67890 123456789",
        ),
        (
            "token",
            "AKIAIOSFODNN7EXAMPLE ghp_0123456789abcdefghij0123456789abcdef xoxb-1234567890-abc",
            "[TOKEN] [TOKEN] [TOKEN]",
        ),
        (
            "token",
            "Authorization: Bearer abcdef.ghijkl-mno; https://bob:secret@example.org/x",
            "Authorization: Bearer [TOKEN]; https://[TOKEN]@example.org/x",
        ),
        (
            "token",
            "k=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_ risk_live_0123456789",
            "k=[TOKEN] risk_live_0123456789",
        ),
        // An underscore is no part of a value.
        ("ssn", "key_078-05-1120_v2 _078 05 1120_", "key_[SSN]_v2 _[SSN]_"),
        (
            "iban",
            "iban_GB82WEST12345698765432.pdf a_DE89 3704 0044 0532 0130 00_b",
            "iban_[IBAN].pdf a_[IBAN]_b",
        ),
        ("token", "_sk_live_0123456789abcdef_ my_AKIAIOSFODNN7EXAMPLE_", "_[TOKEN]_ my_[TOKEN]_"),
        ("phone", "call_0171 1234567_now _+49 171 1234567_", "call_[PHONE]_now _[PHONE]_"),
    ];
    for (kinds, text, expected) in cases {
        assert_eq!(marked(&[("kinds", kinds)], text), expected, "{text}");
        assert_eq!(marked(&[("kinds", "card")], text), text, "not asked for: {text}");
    }
    testing::recorded();
}

#[test]
fn patterns_are_kinds_of_ones_own() {
    let given = [("kinds", "none"), ("pattern", "user-[0-9]+\n(?i)secret\\S*")];
    assert_eq!(
        marked(&given, "user-17 has SECRETs\nuser-\n18"),
        "[PATTERN] has [PATTERN]\nuser-\n18"
    );
    assert_eq!(marked(&given, "{\"a\":\"user\\u002d17\"}"), "{\"a\":\"[PATTERN]\"}");
    assert!(refused(&[("pattern", "a(")]).starts_with("setting `pattern` cannot be `a(`: "));
    assert!(refused(&[("allow", "a(")]).starts_with("setting `allow` cannot be `a(`: "));
    testing::recorded();
}

#[test]
fn what_is_allowed_stays() {
    let given = [("allow", "@example\\.org$\n^127\\.")];
    let text = "a@example.org b@example.org.evil.net 127.0.0.1 10.127.0.1 a%40example.org";
    assert_eq!(marked(&given, text), "a@example.org [EMAIL] 127.0.0.1 [IP] a%40example.org");
    testing::recorded();
}

#[test]
fn pseudonyms_are_the_same_for_all_forms_of_a_value() {
    let given = [("replace", "hash"), ("key", "a key"), ("kinds", "email,card,ip,phone,iban")];
    let of = |text: &str| redacted(&given, text.as_bytes());
    // HMAC-SHA-256 of "email", a zero byte and the address, as Python's hmac has it.
    assert_eq!(of("Bob@Example.org"), "email-nbfkelkljhmfnjdjdhcc");
    for same in
        ["bob@example.org", "bob%40example.org", "bob\\u0040example.org", "BOB&#64;example.org"]
    {
        assert_eq!(of(same), of("bob@example.org"), "{same}");
    }
    for (one, other) in [
        ("4111 1111 1111 1111", "4111-1111-1111-1111"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("+49 171 1234567", "0049-171-1234567"),
        ("DE89 3704 0044 0532 0130 00", "de89370400440532013000"),
    ] {
        assert_eq!(of(one), of(other));
        assert_ne!(of(one), of("a@b.org"));
    }
    let other = redacted(&[("replace", "hash"), ("key", "another")], b"bob@example.org");
    assert_ne!(other, of("bob@example.org"));
    assert_eq!(of("{\"n\":4111111111111111}").len(), "{\"n\":\"card-12345678901234567890\"}".len());
    testing::recorded();
}

#[test]
fn replacements_that_make_no_sense_are_refused() {
    assert!(refused(&[("replace", "hash")]).contains("without `key`"));
    assert!(refused(&[("replace", "x")]).contains("star, label or hash"));
    assert!(refused(&[("key", "k")]).contains("for `replace=hash` only"));
    assert!(refused(&[("replace", "label"), ("mask", "x")]).contains("exclude each other"));
}

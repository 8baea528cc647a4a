//! What is found and what is not, case by case, and beside regular expressions.

mod expressions;

use proptest::prelude::*;

use super::*;
use crate::scan::Strictness;
use expressions::{cards_by_regex, emails_by_regex, ip4_by_regex, ip6_by_regex};

const EMAIL: Kinds = Kinds { email: true, card: false, ip: false, strictness: Strictness::Needed };
const CARD: Kinds = Kinds { email: false, card: true, ip: false, strictness: Strictness::Needed };
const IP: Kinds = Kinds { email: false, card: false, ip: true, strictness: Strictness::Needed };

/// Places that overlap are one; how many there are of each kind, before that.
struct Found {
    places: Vec<Range<usize>>,
    emails: usize,
    cards: usize,
    ips: usize,
}

fn found(text: &[u8], kinds: Kinds) -> Found {
    let mut hits = Vec::new();
    find(text, kinds, &mut hits, |_, _, _| ());
    let count = |class| hits.iter().filter(|hit| hit.class == class).count();
    let [emails, cards, ips] = [Class::Email, Class::Card, Class::Ip].map(count);
    Found { places: united(hits.into_iter().map(|hit| hit.place).collect()), emails, cards, ips }
}

/// The text with `<` and `>` around each place, wherever it stands in a block.
fn marked(text: &str, kinds: Kinds) -> String {
    let mark = |text: &str| {
        let mut marked = String::new();
        let mut next = 0;
        for place in found(text.as_bytes(), kinds).places {
            marked += &text[next..place.start];
            marked += &["<", &text[place.clone()], ">"].concat();
            next = place.end;
        }
        marked + &text[next..]
    };
    let found = mark(text);
    for moved in 1..140 {
        let padding = "\n".repeat(moved);
        assert_eq!(mark(&(padding.clone() + text)), padding + &found, "moved by {moved}");
    }
    found
}

#[test]
fn email_addresses() {
    let cases = [
        ("a@b.org", "<a@b.org>"),
        ("mail a.b+c@sub.example.co.uk.", "mail <a.b+c@sub.example.co.uk>."),
        ("\"a@b.org\",", "\"<a@b.org>\","),
        ("user=a@b.org&x=1", "user=<a@b.org>&x=1"),
        ("<mailto:a@b.org>", "<mailto:<a@b.org>>"),
        ("'a@b.org' o'neill@b.org", "'<a@b.org>' <o'neill@b.org>"),
        // Spaces beyond ASCII are no parts of an address.
        ("x\u{a0}a@b.org\u{3000}x", "x\u{a0}<a@b.org>\u{3000}x"),
        ("\u{a0}@b.org \u{2003}a\u{e9}@b.org", "\u{a0}@b.org \u{2003}<a\u{e9}@b.org>"),
        ("...a@b.org a.@b.org", "...<a@b.org> <a.@b.org>"),
        ("a@localhost root@host @b.org a@ a@b. @", "a@localhost root@host @b.org a@ a@b. @"),
        ("a@b..org a@.b.org", "a@b..org a@.b.org"),
        ("a@b.o a@b.1 a@192.0.2", "a@b.o a@b.1 a@192.0.2"),
        (
            "a@192.0.2.1 a@[192.0.2.1] a@[IPv6:::1]x a@[b]",
            "<a@192.0.2.1> <a@[192.0.2.1]> <a@[IPv6:::1]>x a@[b]",
        ),
        ("a@my_host.b.org", "<a@my_host.b.org>"),
        ("a@b.org1 a@b.org.1", "<a@b.org>1 <a@b.org>.1"),
        ("a@b-c.d-e.org-", "<a@b-c.d-e.org>-"),
        ("a@b@c.org", "a@<b@c.org>"),
        ("a@b.org@c.org", "<a@b.org@c.org>"),
        ("j\u{f6}rg@m\u{fc}nchen.de", "<j\u{f6}rg@m\u{fc}nchen.de>"),
        ("a@xn--mnchen-3ya.xn--p1ai", "<a@xn--mnchen-3ya.xn--p1ai>"),
        ("a@b.xn--", "<a@b.xn>--"),
        ("a@b.\nc@d.org", "a@b.\n<c@d.org>"),
        ("a\n@b.org", "a\n@b.org"),
    ];
    for (text, expected) in cases {
        assert_eq!(marked(text, EMAIL), expected);
    }
}

#[test]
fn card_numbers() {
    let cases = [
        ("4111111111111111", "<4111111111111111>"),
        ("4111 1111 1111 1111", "<4111 1111 1111 1111>"),
        ("4111-1111-1111-1111.", "<4111-1111-1111-1111>."),
        ("4111-1111 1111-1111", "<4111-1111 1111-1111>"),
        ("amex 3782 822463 10005!", "amex <3782 822463 10005>!"),
        ("PAN4222222222222x", "PAN<4222222222222>x"),
        ("6304000000000000000", "<6304000000000000000>"),
        // One digit wrong, one too few, one too many.
        (
            "4111111111111112 411111111111 41111111111111110000",
            "4111111111111112 411111111111 41111111111111110000",
        ),
        ("4111  1111 - 1111+1111", "<4111  1111 - 1111+1111>"),
        ("4111    1111 1111 1111", "4111    1111 1111 1111"),
        ("4222 2222 2222 2", "<4222 2222 2222 2>"),
        ("422 2222 2222 22", "422 2222 2222 22"),
        ("9792030000000000 8200000000000001", "<9792030000000000> <8200000000000001>"),
        ("4111_1111_1111_1111", "4111_1111_1111_1111"),
        // Not of a network: times and years, though they check.
        ("1700000000003", "1700000000003"),
        ("20240102123457", "20240102123457"),
        // Next to other groups.
        ("12 4111 1111 1111 1111 99", "12 <4111 1111 1111 1111> 99"),
        ("2024-01-02 4111111111111111", "2024-01-02 <4111111111111111>"),
        ("4111111111111111 4111111111111111", "<4111111111111111> <4111111111111111>"),
        ("4111111111111111-4111111111111111", "<4111111111111111>-<4111111111111111>"),
        // The first is a number with the first group of the second, too.
        ("3731-336094-65990 3731-336094-65990", "<3731-336094-65990 3731-336094-65990>"),
        ("422222222222-4111. 3782 822463 10005", "422222222222-4111. <3782 822463 10005>"),
        // Dots, in groups as cards show them, and elsewhere.
        ("pan 4111.1111.1111.1111.", "pan <4111.1111.1111.1111>."),
        ("3782.822463.10005 4222.2222.2222.2", "<3782.822463.10005> <4222.2222.2222.2>"),
        ("4111.1111.1111.1112 4111..1111.1111.1111", "4111.1111.1111.1112 4111..1111.1111.1111"),
        (
            "1.4111.1111.1111.1111 4111.1111.1111.1111.5",
            "1.4111.1111.1111.1111 4111.1111.1111.1111.5",
        ),
        ("41111111.11111111 411.111.111.111.1111", "41111111.11111111 411.111.111.111.1111"),
        // Fractions.
        ("0.4111111111111111", "0.4111111111111111"),
        ("4111111111111111.5 4111111111111111.0", "4111111111111111.5 <4111111111111111>.0"),
        (".4111111111111111. 5", ".<4111111111111111>. 5"),
        ("0.4111 1111 1111 1111", "0.4111 1111 1111 1111"),
        (
            "12:30:01.4111111111111111 ::1.4111111111111111",
            "12:30:01.4111111111111111 ::1.<4111111111111111>",
        ),
        ("41 11 11 11 11 11 11 11", "41 11 11 11 11 11 11 11"),
        ("4111 1111 1111\n1111", "4111 1111 1111\n1111"),
        ("", ""),
    ];
    for (text, expected) in cases {
        assert_eq!(marked(text, CARD), expected);
    }
}

#[test]
fn ip_version_4() {
    let cases = [
        ("192.0.2.1", "<192.0.2.1>"),
        ("http://192.0.2.1:8080/ 10.0.0.0/8", "http://<192.0.2.1>:8080/ <10.0.0.0>/8"),
        ("0.0.0.0, 255.255.255.255.", "<0.0.0.0>, <255.255.255.255>."),
        ("010.001.002.003", "<010.001.002.003>"),
        ("a192.0.2.1b", "a<192.0.2.1>b"),
        ("..192.0.2.1..", "..<192.0.2.1>.."),
        ("IP 192.0.2.1.443 > 192.0.2.2.99999", "IP <192.0.2.1>.443 > 192.0.2.2.99999"),
        (
            "256.0.2.1 1.2.3 1.2.3.4.5.6 1.2.3.0004 1..2.3.4",
            "256.0.2.1 1.2.3 1.2.3.4.5.6 1.2.3.0004 1..2.3.4",
        ),
        ("2024.01.02 12.30", "2024.01.02 12.30"),
        ("1.2.3.99999999999999999999", "1.2.3.99999999999999999999"),
        ("1.2.3.4-5.6.7.8", "<1.2.3.4>-<5.6.7.8>"),
    ];
    for (text, expected) in cases {
        assert_eq!(marked(text, IP), expected);
    }
}

#[test]
fn ip_version_6() {
    let cases = [
        ("2001:db8:0:1:2:3:4:5", "<2001:db8:0:1:2:3:4:5>"),
        ("2001:DB8::1, ::1 fe80::", "<2001:DB8::1>, <::1> <fe80::>"),
        ("[2001:db8::1]:443", "[<2001:db8::1>]:443"),
        ("::ffff:192.0.2.1", "<::ffff:192.0.2.1>"),
        ("1:2:3:4:5:6:192.0.2.1.", "<1:2:3:4:5:6:192.0.2.1>."),
        ("fe80::1%eth0 fe80::/10", "<fe80::1>%eth0 <fe80::>/10"),
        // Next to words.
        ("source:fe80::1:eth0", "source:<fe80::1>:eth0"),
        ("src:2001:db8::1: error", "src:<2001:db8::1>: error"),
        ("at ::1: error", "at <::1>: error"),
        ("std::fs::add app::db: x Vec::add a_b::c", "std::fs::add app::db: x Vec::add a_b::c"),
        ("x:fe80::y", "x:fe80::y"),
        ("ip_2001:db8::1 _fe80::1_ host_::1_x", "ip_<2001:db8::1> _<fe80::1>_ host_<::1>_x"),
        ("my_db::add a_b::c_d", "my_db::add a_b::c_d"),
        // A port, and what is too long for an address.
        ("1:2:3:4:5:6:7:8:443", "<1:2:3:4:5:6:7:8>:443"),
        ("::ffff:192.0.2.1:443", "<::ffff:192.0.2.1>:443"),
        ("fe80::1.5", "<fe80::1>.5"),
        (
            "ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:23:45:67:89",
            "ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:23:45:67:89",
        ),
        // Other things with colons.
        (
            "12:34:56 00:1a:2b:3c:4d:5e {\"a\":1,\"b\":2} ::",
            "12:34:56 00:1a:2b:3c:4d:5e {\"a\":1,\"b\":2} ::",
        ),
        (":::1 1::2::3 12345::1", ":::1 1::2::3 12345::1"),
        ("caf\u{e9}::1", "caf\u{e9}<::1>"),
    ];
    for (text, expected) in cases {
        assert_eq!(marked(text, IP), expected);
    }
}

#[test]
fn kinds_that_overlap_are_one_place() {
    let all = Kinds { email: true, card: true, ip: true, strictness: Strictness::Needed };
    assert_eq!(marked("192.0.2.1@b.org", all), "<192.0.2.1@b.org>");
    assert_eq!(marked("4111111111111111@b.org 1.2.3.4", all), "<4111111111111111@b.org> <1.2.3.4>");
}

fn united(mut places: Vec<Range<usize>>) -> Vec<Range<usize>> {
    places.sort_by_key(|place| (place.start, place.end));
    let mut found: Vec<Range<usize>> = Vec::new();
    for place in places {
        match found.last_mut() {
            Some(last) if place.start < last.end => last.end = last.end.max(place.end),
            _ => found.push(place),
        }
    }
    found
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let text = text.as_bytes();
    let (emails, cards) = (emails_by_regex(text), cards_by_regex(text));
    let ips = [ip4_by_regex(text), ip6_by_regex(text)].concat();
    prop_assert_eq!(&found(text, EMAIL).places, &united(emails.clone()));
    prop_assert_eq!(&found(text, CARD).places, &united(cards.clone()));
    prop_assert_eq!(&found(text, IP).places, &united(ips.clone()));
    let all =
        found(text, Kinds { email: true, card: true, ip: true, strictness: Strictness::Needed });
    prop_assert_eq!((all.emails, all.cards), (emails.len(), cards.len()));
    prop_assert_eq!(all.ips, ips.len());
    prop_assert_eq!(all.places, united([emails, cards, ips].concat()));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn addresses_are_those_of_the_expressions(text in "([ab.@ \n\u{e9}_'-]|xn--|\\.org|1){0,90}") {
        check(&text)?;
    }

    #[test]
    fn numbers_are_those_of_the_expressions(
        text in "(4111|1111|[ -]|422222222222|[0-9]|\\.|\n|3782 822463 10005|411111111111111|4\\.2222|3782\\.822463\\.10005|4111\\.1111\\.1111\\.1111|2212\\.002253\\.02255){0,40}",
    ) {
        check(&text)?;
    }

    #[test]
    fn numbers_with_dots_are_those_of_the_expressions(text in "([0-2]{1,3}|[0-9]|\\.|\\.|[ a:]|25[0-9]){0,60}") {
        check(&text)?;
    }

    #[test]
    fn groups_are_those_of_the_expressions(
        text in "(:|:|::|[0-9a-f]{1,4}|g|_|\\.| |1\\.2\\.3\\.4|:[0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f]:[0-9a-f]){0,40}",
    ) {
        check(&text)?;
    }

    #[test]
    fn all_are_those_of_the_expressions(text in "[0-9a-f:.@ -]{0,200}") {
        check(&text)?;
    }
}

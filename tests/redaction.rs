//! What `redact` leaves: secrets in all forms that Python writes them in, and JSON that Python
//! still reads.

use crate::support::host::Host;
use crate::support::oracle::oracle;
use crate::support::plugins::plugin;

/// Secrets, in the forms that programs write them in, between what may stand next to them: a line
/// each, and behind a tab what of the line is the secret. Written by Python's own `json`, `urllib`
/// and `html`.
const FORMS: &str = r#"
import html, json, re, sys, urllib.parse
secrets = [
    "bob@example.org", "j\u00f6rg@m\u00fcnchen.de", "bob+news@example.org", "o'neill@example.co.uk",
    "4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111", "4222 2222 2222 2",
    "4111\u00a01111\u00a01111\u00a01111", "4111\u20111111\u20111111\u20111111",
    "192.0.2.55", "2001:db8::17", "fe80::1cc0:3e8c:119f:c2e1", "2001:db8:0:1:2:3:4:5", "::ffff:192.0.2.55",
]
def special(write):
    return lambda text: "".join(c if c.isalnum() and c.isascii() else "".join(map(write, c.encode())) for c in text)
forms = [
    str,
    lambda s: urllib.parse.quote(s, safe=""),
    lambda s: urllib.parse.quote(urllib.parse.quote(s, safe=""), safe=""),
    urllib.parse.quote_plus,
    lambda s: urllib.parse.quote(s, safe="").lower(),
    lambda s: "".join("%%%02x" % b for b in s.encode()),
    lambda s: "".join("\\u%04X" % ord(c) for c in s),
    lambda s: "".join("&#%d;" % ord(c) for c in s),
    lambda s: "".join("&#x%x;" % ord(c) for c in s),
    lambda s: s.replace("@", "&commat;").replace(".", "&period;").replace(":", "&colon;").replace(" ", "&nbsp;"),
    lambda s: json.dumps(s)[1:-1],
    lambda s: json.dumps(json.dumps(s))[3:-3],
    lambda s: s.replace("@", "\\u0040").replace(".", "\\u002e").replace(":", "\\u003a"),
    special(lambda b: "\\x%02x" % b),
    special(lambda b: "\\%03o" % b),
    lambda s: "".join("%%u%04x" % ord(c) if not c.isalnum() else c for c in s),
    lambda s: "".join(chr(ord(c) + 0xfee0) if "!" <= c <= "~" else c for c in s),
    lambda s: s[:5] + "\u00ad" + s[5:],
    re.escape,
    lambda s: re.sub(r"([-@._+: ])", r"\\\1", s),
]
before = ["", "x ", "\\n", "\\t", "%20", "%22", "%3D", "\\u0020", "\\u003c", "&lt;", '"', '\\"', "(", "=", "\u00a0", "%0A", "\\\\n",
          "%5Cn", "&quot;", "+", "ip=", "\\r\\n", "\\x20", "%253C", "\x1b[31m", "\\u001b[1;36m", "key_"]
behind = ["", "_v2", "\x1b[0m", " y", "\\n", "%20", "&x=1", '"', '\\"', "\\u003e", "&gt;", ")", ",", "%22", ".", "\\\\n", "]", "%3E", "\u00a0"]
cases = [(p.encode(), form(secret).encode(), q.encode())
         for secret in secrets for form in forms for p in before for q in behind]
if sys.argv[1:] == ["lines"]:
    sys.stdout.buffer.write(b"".join(p + s + q + b"\n" for p, s, q in cases))
else:
    masked = sys.stdin.buffer.read().split(b"\n")[:-1]
    assert len(masked) == len(cases), (len(masked), len(cases))
    for (p, s, q), line in zip(cases, masked):
        middle = line[len(p):len(line) - len(q)]
        if middle.strip(b"*") or (b"[" in p and not line.startswith(p)):
            sys.stdout.buffer.write(p + s + q + b" became " + line + b"\n")
"#;

#[test]
fn nothing_is_left_of_a_secret_in_any_form() {
    let lines = oracle("python3", &["-c", FORMS, "lines"], b"");
    assert!(lines.len() > 1_000_000);
    for chunk in ["4KiB", "1MiB"] {
        let host = Host::run(&plugin("redact")).args(["--chunk-size", chunk, "-"]);
        let masked = host.stdin(lines.clone()).ended().exits(0);
        let left = oracle("python3", &["-c", FORMS, "left"], &masked.stdout);
        assert_eq!(String::from_utf8_lossy(&left), "", "chunks of {chunk}");
    }
}

/// Documents with secrets in strings, names and numbers, written with and without escapes; and what
/// is wrong with masked ones.
const DOCUMENTS: &str = r#"
import json, random, sys
random.seed(7)
secrets = ["bob@example.org", "4111111111111111", "192.0.2.55", "2001:db8::17", "j\u00f6rg@m\u00fcnchen.de"]
around = ["", "\n", "\t", "\"", "\\", "<", ">", "\u2028", "\U0001f600", " text ", ": ", "=", "\\n", "C:\\new\\"]
def text():
    return random.choice(around) + random.choice(secrets + ["plain"]) + random.choice(around)
def value(depth):
    kind = random.randrange(8 if depth else 5)
    if kind < 2: return text()
    if kind == 2: return random.choice([4111111111111111, -4111111111111111, 4111111111111111.0])
    if kind == 3: return random.choice([None, True, 1.5, 10**20])
    if kind == 4: return json.dumps({"inner": text()})
    if kind < 7: return [value(depth - 1) for _ in range(random.randrange(4))]
    return {text(): value(depth - 1) for _ in range(random.randrange(3))}
documents = [{"n": n, "value": value(3)} for n in range(4000)]
if sys.argv[1:] == ["lines"]:
    for document in documents:
        print(json.dumps(document, ensure_ascii=document["n"] % 2 == 0, separators=random.choice([(",", ":"), (", ", ": ")])))
else:
    def same(a, b):
        if isinstance(a, list): return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
        if isinstance(a, dict): return isinstance(b, dict) and len(b) <= len(a) and (len(b) < len(a) or all(map(same, a.values(), b.values())))
        if isinstance(a, str): return isinstance(b, str)
        return a == b or set(b) <= set("*")
    lines = sys.stdin.read().split("\n")[:-1]
    assert len(lines) == len(documents)
    for document, line in zip(documents, lines):
        masked = json.loads(line)
        if not same(document, masked) or any(secret in json.dumps(masked, ensure_ascii=False) for secret in secrets):
            print(document, "became", line)
"#;

#[test]
fn json_lines_stay_json_lines_and_keep_nothing() {
    let lines = oracle("python3", &["-c", DOCUMENTS, "lines"], b"");
    for format in ["auto", "json"] {
        let host = Host::run(&plugin("redact")).args(["--set", &format!("format={format}")]);
        let masked =
            host.args(["--chunk-size", "16KiB", "-"]).stdin(lines.clone()).ended().exits(0);
        let left = oracle("python3", &["-c", DOCUMENTS, "left"], &masked.stdout);
        assert_eq!(String::from_utf8_lossy(&left), "", "format={format}");
    }
}

#[test]
fn a_pseudonym_is_the_hmac_that_python_computes() {
    const DIGEST: &str = r#"
import hashlib, hmac, sys
digest = hmac.new(b"a long key", b"email\0bob@example.org", hashlib.sha256).digest()[:10]
print("email-" + "".join(chr(97 + (b >> 4)) + chr(97 + (b & 15)) for b in digest))
"#;
    let expected = oracle("python3", &["-c", DIGEST], b"");
    let host =
        Host::run(&plugin("redact")).args(["--set", "replace=hash", "--set", "key=a long key"]);
    let masked = host.arg("-").stdin("Bob%40Example.org").ended().exits(0);
    assert_eq!(String::from_utf8_lossy(&masked.stdout), String::from_utf8_lossy(&expected));
}

#[test]
fn text_of_other_widths_is_refused_by_name() {
    let text = "start\r\nbob@example.org from 192.0.2.55\r\n";
    for (bytes, name) in [
        (
            text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
            "use --encoding utf-16le",
        ),
        (text.encode_utf16().flat_map(u16::to_be_bytes).collect(), "use --encoding utf-16be"),
        (
            text.chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect(),
            "--encoding utf-32le",
        ),
    ] {
        for name_of_plugin in ["redact", "csv2jsonl"] {
            let host = Host::run(&plugin(name_of_plugin)).args(["--encoding", "none", "-"]);
            let ended = host.stdin(bytes.clone()).ended().exits(1);
            assert!(ended.stderr.contains(name), "{}", ended.stderr);
            assert_eq!(ended.stdout, b"");
        }
    }
}

/// Accounts and cards by check digits that Python computes, two and three of them beside each
/// other: the lines, or those that keep a digit or letter of one.
const NEIGHBOURS: &str = r#"
import random, sys
draw = random.Random(17)
def digits(count):
    return "".join(draw.choice("0123456789") for _ in range(count))
def account():
    country, body = draw.choice([("DE", digits(18)), ("NO", digits(11)), ("GB", "WEST" + digits(14))])
    number = int("".join(str(int(c, 36)) for c in body + country) + "00")
    return country + "%02d" % (98 - number % 97) + body
def card():
    body = "37" + digits(12)
    total = sum(sum(divmod(int(c) * (2 - i % 2), 10)) for i, c in enumerate(reversed(body)))
    return body + str(-total % 10)
def grouped(number):
    return " ".join(number[at:at + 4] for at in range(0, len(number), 4))
def amex(number):
    return "-".join([number[:4], number[4:10], number[10:]])
lines = []
for _ in range(3000):
    count = draw.choice([2, 3])
    lines.append(" ".join(account() for _ in range(count)))
    lines.append(" ".join(grouped(account()) for _ in range(count)))
    lines.append(" ".join(amex(card()) for _ in range(count)))
if sys.argv[1:] == ["lines"]:
    print("\n".join(lines))
else:
    masked = sys.stdin.read().split("\n")[:-1]
    assert len(masked) == len(lines), (len(masked), len(lines))
    for line, rest in zip(lines, masked):
        if rest.strip("* ") or len(line) != len(rest):
            print(line, "became", rest)
"#;

#[test]
fn nothing_is_left_of_numbers_beside_each_other() {
    let lines = oracle("python3", &["-c", NEIGHBOURS, "lines"], b"");
    let host = Host::run(&plugin("redact")).args(["--set", "kinds=card,iban", "-"]);
    let masked = host.stdin(lines).ended().exits(0);
    let left = oracle("python3", &["-c", NEIGHBOURS, "left"], &masked.stdout);
    assert_eq!(String::from_utf8_lossy(&left), "");
}

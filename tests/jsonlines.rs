//! JSON lines whose numbers and names are hard to tell apart: what the plugins for them keep is
//! what Python's `json` keeps.

use crate::support::host::Host;
use crate::support::oracle::oracle;
use crate::support::plugins::plugin;

/// Lines with whole numbers around a bound that a double cannot tell from its neighbours, and those
/// that are above it.
const NUMBERS: &str = r#"
import json, random, sys
draw = random.Random(5)
bound = 2**53
values = [bound + draw.randint(-3, 3) for _ in range(500)]
values += [draw.choice([-1, 1]) * draw.getrandbits(draw.randint(1, 120)) for _ in range(500)]
for value in values:
    if sys.argv[1:] == ["all"] or value > bound:
        print(json.dumps({"a": value}))
"#;

#[test]
fn whole_numbers_compare_as_those_of_python() {
    let lines = oracle("python3", &["-c", NUMBERS, "all"], b"");
    let expected = oracle("python3", &["-c", NUMBERS, "above"], b"");
    let host = Host::run(&plugin("jsonfilter")).args(["--set", "where=.a>9007199254740992", "-"]);
    let kept = host.stdin(lines).ended().exits(0);
    assert_eq!(String::from_utf8_lossy(&kept.stdout), String::from_utf8_lossy(&expected));
}

const CLASH: &str = "{\"a\":{\"b\":1},\"a.b\":2}\n";

#[test]
fn a_first_line_whose_fields_make_one_column_fails_by_name() {
    let host = Host::run(&plugin("jsonl2csv")).arg("-").stdin(CLASH);
    let ended = host.ended().exits(1);
    assert!(
        ended.stderr.contains("two fields of the first line make the column `a.b`"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.stdout, b"");
}

#[test]
fn a_line_whose_fields_make_one_column_is_set_aside() {
    let lines = ["{\"a.b\":0}\n", CLASH].concat();
    let host = Host::run(&plugin("jsonl2csv")).args(["--max-rejects", "1", "-"]).stdin(lines);
    let ended = host.ended().exits(0);
    assert_eq!(String::from_utf8_lossy(&ended.stdout), "a.b\n0\n");
    assert!(ended.stderr.contains("has two fields that make the column `a.b`"), "{}", ended.stderr);
}

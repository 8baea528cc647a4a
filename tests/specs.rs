//! One job, one way to it: a front end of a few lines runs what is described in JSON, and no spec
//! that is taken makes the host panic.

use std::panic::catch_unwind;

use gristmill::prepare::check_words;
use gristmill::settings::RejectsMax;
use gristmill::spec::{AllowedUrls, JobSpec};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::front::{self, Recorder};
use crate::support::guest::Guest;
use crate::support::plugins::plugin;
use crate::support::tree::Tree;

fn spec(tree: &Tree, name: &str, more: &Value) -> Value {
    let mut spec = json!({
        "stage": [{ "plugin": plugin(name) }],
        "inputs": { "files": [tree.path().join("a.txt"), tree.path().join("none.txt")] },
    });
    for (section, keys) in more.as_object().unwrap() {
        for (key, value) in keys.as_object().unwrap() {
            spec[section][key] = value.clone();
        }
    }
    spec
}

#[test]
fn a_front_end_of_a_few_lines_runs_a_job_and_is_reported_what_it_does() {
    let tree = Tree::with(&[("a.txt", "one two\nthree\n")]);
    let recorder = Recorder::default();
    let ended = front::run(&spec(&tree, "upcase", &json!({})).to_string(), None, &recorder);
    let (lines, out) = recorder.take();
    assert_eq!(out, b"ONE TWO\nTHREE\n");
    let dir = tree.path().display();
    assert_eq!(
        lines,
        [
            format!("done {dir}/a.txt: 14"),
            format!("failed {dir}/none.txt: No such file or directory (os error 2)"),
            format!("done {dir}/none.txt: 0"),
        ]
    );
    let ended = ended.unwrap();
    let summary = ended.summary.unwrap();
    assert_eq!((ended.sources, summary.sources, summary.failed), (2, 2, 1));
    assert_eq!(ended.report.failures[0].kind, "not-found");
}

#[test]
fn lines_that_a_plugin_logs_reach_the_observer_of_its_job() {
    let push = "(call $log (i32.const 2) (global.get $hello) (global.get $hello_len))";
    let guest = Guest { push, texts: &[("hello", "odd data")], ..Guest::default() };
    let tree = Tree::with(&[("a.txt", "one\n")]);
    let stage = json!([{ "plugin": guest.file(&tree), "name": "greeter" }]);
    let inputs = json!({ "files": [tree.path().join("a.txt")] });
    let (spec, recorder) = (json!({ "stage": stage, "inputs": inputs }), Recorder::default());
    front::run(&spec.to_string(), None, &recorder).unwrap().summary.unwrap();
    let done = format!("done {}/a.txt: 4", tree.path().display());
    assert_eq!(recorder.take().0, ["guest says odd data".to_string(), done]);
}

#[test]
fn what_keeps_a_job_from_running_is_reported_without_flags() {
    let tree = Tree::with(&[("a.txt", "one\n")]);
    let refused = |more: Value| {
        let recorder = Recorder::default();
        let ended = front::run(&spec(&tree, "wordcount", &more).to_string(), None, &recorder);
        assert_eq!(recorder.take(), Default::default());
        ended.err().unwrap().to_string()
    };
    assert_eq!(
        refused(json!({ "output": { "compress": "gzip" } })),
        "`compress`: the plugin gives results, which are not compressed"
    );
    assert_eq!(
        refused(json!({ "sandbox": { "memory_total": "64MiB" } })).split(':').next(),
        Some("`memory_total`")
    );
    assert_eq!(
        refused(json!({ "work": { "threads": 0 } })),
        "`threads` 0 is not within 1 and 1024"
    );
    assert!(refused(json!({ "inputs": { "framing": "words" } })).starts_with("unknown framing"));
}

#[test]
fn a_spec_is_read_by_its_keys_and_never_by_position() {
    for text in [
        "[]",
        r#"{ "work": [1, true] }"#,
        r#"{ "sandbox": ["job", "1MiB"] }"#,
        r#"{ "inputs": [["a"]] }"#,
        r#"{ "output": [] }"#,
        r#"{ "stage": [["p.wasm", "name"]] }"#,
        r#"{ "branch": [[[{ "plugin": "p.wasm" }]]] }"#,
        r#"{ "branch": [{ "stage": [["p.wasm"]] }] }"#,
        r#"{ "sandbox": { "isolate": { "job": {} } } }"#,
    ] {
        let message = JobSpec::from_json(text).unwrap_err().to_string();
        assert!(
            message.contains("expected a table") || message.contains("expected a string"),
            "{message}"
        );
    }
}

#[test]
fn numbers_may_be_written_as_on_a_command_line() {
    let text = r#"{
        "work": { "threads": "2" },
        "inputs": { "max_ratio": "7", "max_record": 9, "allow_urls": true },
        "output": { "max_rejects": 100 },
        "sandbox": { "fuel": "3", "log_lines": 4 },
        "stage": [{ "plugin": "p.wasm", "settings": { "large": 18446744073709551615 } }]
    }"#;
    let spec = JobSpec::from_json(text).unwrap();
    assert_eq!(
        (spec.work.threads, spec.inputs.max_ratio, spec.sandbox.fuel),
        (Some(2), 7, Some(3))
    );
    assert_eq!(spec.output.max_rejects, Some(RejectsMax::Records(100)));
    assert_eq!(spec.inputs.allow_urls, Some(AllowedUrls::All));
    assert_eq!(spec.stages().next().unwrap().settings[0].value, "18446744073709551615");
    let none = |value: &str| {
        let text = format!(r#"{{ "inputs": {{ "allow_urls": {value} }} }}"#);
        JobSpec::from_json(&text).unwrap().inputs.allow_urls
    };
    assert_eq!((none("[]"), none("false")), (Some(AllowedUrls::Of(vec![])), none("[]")));
    let message = |text: &str| JobSpec::from_json(text).unwrap_err().to_string();
    assert!(message(r#"{ "sandbox": { "fuel": -1 } }"#).contains("`-1`: it is less than nothing"));
}

/// Numbers at the ends of what they may be, and beyond.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..4_u64, 60..70_u64, Just(1 << 20), Just(1 << 32), Just(u64::MAX)]
}

fn time() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("0s"), Just("1ms"), Just("10ms"), Just("1s"), Just("500years")]
}

prop_compose! {
    fn settings()(
        (chunk, record, decoded, ratio, members, threads) in
            (number(), number(), number(), number(), number(), number()),
        (memory, total, stack, table, recycle, output, rejects, log) in
            (number(), number(), number(), number(), number(), number(), number(), number()),
        (lines, size, functions) in (number(), number(), number()),
        (timeout, per_mib, guest, linger) in (time(), time(), time(), time()),
        isolate in prop_oneof![Just("job"), Just("source"), Just("chunk")],
        compress in prop_oneof![Just("none"), Just("lz4"), Just("zstd:1")],
        framing in prop_oneof![Just("lines"), Just("whole"), Just("fixed:1"), Just("bytes")],
        (unordered, fail_fast) in any::<(bool, bool)>(),
        of in 0..24_usize,
    ) -> Value {
        let all = json!({
            "inputs": {
                "chunk_size": chunk, "max_record": record, "max_decompressed": decoded,
                "max_ratio": ratio, "max_members": members, "linger": linger, "framing": framing,
            },
            "output": { "compress": compress, "unordered": unordered },
            "work": { "threads": threads.min(8), "fail_fast": fail_fast },
            "sandbox": {
                "memory": memory, "memory_total": total, "stack": stack, "table_elements": table,
                "recycle_after": recycle, "output_per_call": output, "rejects_per_job": rejects,
                "log_bytes": log, "log_lines": lines, "component_size": size,
                "functions": functions, "timeout": timeout, "timeout_per_mib": per_mib,
                "guest_time": guest, "isolate": isolate,
            },
        });
        // Few of them at a time, as with all of them hardly a spec is taken.
        let mut some = json!({});
        let keys = all.as_object().unwrap().iter();
        let each = keys.flat_map(|(section, keys)| {
            keys.as_object().unwrap().iter().map(move |(key, value)| (section, key, value))
        });
        for (index, (section, key, value)) in each.enumerate() {
            if (index + of) % 8 == 0 {
                some[section][key] = value.clone();
            }
        }
        some
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_spec_that_is_taken_panics(settings in settings()) {
        let tree = Tree::with(&[("a.txt", "one two\nthree\n")]);
        let text = spec(&tree, "upcase", &settings).to_string();
        let taken = JobSpec::from_json(&text).and_then(|spec| {
            spec.run(1, None)?;
            check_words(&spec)
        });
        if taken.is_ok() {
            prop_assert!(catch_unwind(|| front::run(&text, None, &Recorder::default()).map(drop)).is_ok(), "{}", text);
        }
    }
}

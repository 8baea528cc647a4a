//! Handles: too many, dropped twice, of another type, given away and kept.

use super::attack::{Attack, attacks};
use super::places::{configuring, constructing, describing, pushing, with};
use crate::support::guest::{CONTRACT, Guest};

const DROP: &str = r#"(import "[export]gristmill:plugin/aggregate@0.1.0" "[resource-drop]accumulator"
    (func $drop (param i32)))"#;
const REP: &str = r#"(import "[export]gristmill:plugin/aggregate@0.1.0" "[resource-rep]accumulator"
    (func $rep (param i32) (result i32)))"#;

fn importing(imports: &'static str, guest: Guest) -> Guest {
    Guest { imports, ..guest }
}

/// Gives back a handle of a second resource, of a contract of its own.
fn another_type() -> Guest {
    let begin = "resource accumulator {";
    assert!(CONTRACT.contains(begin));
    let other = format!("resource other {{ constructor(); }}\n    {begin}");
    let imports = r#"(import "[export]gristmill:plugin/aggregate@0.1.0" "[resource-new]other"
        (func $other (param i32) (result i32)))"#;
    let guest = constructing("(return (call $other (i32.const 1)))");
    let made = r#"(func (export "gristmill:plugin/aggregate@0.1.0#[constructor]other") (result i32) (i32.const 1))"#;
    with(made, Guest { imports, contract: CONTRACT.replace(begin, &other), ..guest })
}

/// Destructors that make another to destroy.
fn endless_destructors() -> Guest {
    let destructor = r#"(func (export "gristmill:plugin/aggregate@0.1.0#[dtor]accumulator") (param i32)
        (if (call $seen_marked) (then (call $drop (call $new (i32.const 1))))))"#;
    importing(DROP, with(destructor, Guest::default()))
}

attacks! {
    handle_flood: Source, pushing("(loop $more (drop (call $new (i32.const 1))) (br $more))"), "
        bad: the plugin crashed in push: cannot allocate another handle: store handle limit exceeded
        1 of 3 sources failed
        ";
    handle_flood_in_describe: Start, describing("(loop $more (drop (call $new (i32.const 1))) (br $more))"), "error: [plugins]/guest.wasm: the plugin crashed in describe: cannot allocate another handle: store handle limit exceeded";
    handle_flood_that_is_dropped: Source,
        importing(DROP, pushing("(loop $more (call $drop (call $new (i32.const 1))) (br $more))")), "
        bad: the plugin did not return from push within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    handle_that_was_never_made: Source, constructing("(return (i32.const 42))"), "
        bad: the plugin crashed in its constructor: unknown handle index 42
        1 of 3 sources failed
        ";
    handle_that_is_zero: Source, constructing("(return (i32.const 0))"), "
        bad: the plugin crashed in its constructor: unknown handle index 0
        1 of 3 sources failed
        ";
    handle_that_is_negative: Source, constructing("(return (i32.const -1))"), "
        bad: the plugin crashed in its constructor: unknown handle index 4294967295
        1 of 3 sources failed
        ";
    handle_given_twice: Source, with("(global $first (mut i32) (i32.const 0))", Guest {
        push: "(if (i32.eqz (global.get $first)) (then (global.set $first (local.get $self))))",
        ..constructing("(return (i32.const 1))") }), "
        bad: the plugin crashed in its constructor: unknown handle index 1
        1 of 3 sources failed
        ";
    handle_dropped_before_it_is_given: Source, importing(DROP, constructing(
        "(local.set $name (call $new (i32.const 1))) (call $drop (local.get $name)) (return (local.get $name))")), "
        bad: the plugin crashed in its constructor: unknown handle index 1
        1 of 3 sources failed
        ";
    double_drop: Source, importing(DROP, pushing(
        "(local.set $at (call $new (i32.const 1))) (call $drop (local.get $at)) (call $drop (local.get $at))")), "
        bad: the plugin crashed in push: unknown handle index 1
        1 of 3 sources failed
        ";
    drop_of_what_the_host_holds: Source, importing(DROP, pushing("(call $drop (local.get $self))")), "
        bad: the plugin crashed in push: unknown handle index 1
        1 of 3 sources failed
        ";
    representation_of_no_handle: Source, importing(REP, pushing("(drop (call $rep (i32.const 77)))")), "
        bad: the plugin crashed in push: unknown handle index 77
        1 of 3 sources failed
        ";
    handle_of_another_type: Source, another_type(), "
        bad: the plugin crashed in its constructor: handle index 1 used with the wrong type, expected guest-defined resource but found a different guest-defined resource
        1 of 3 sources failed
        ";
    destructors_without_end: Source, endless_destructors(), "
        bad: the plugin crashed in its destructor: it used up its stack of 1 MiB
        hint: raise --stack, or look for endless recursion
        1 of 3 sources failed
        ";
    configure_that_makes_resources: Nothing, Attack::from(configuring(
        "(drop (call $new (i32.const 1))) (drop (call $new (i32.const 1)))")), "";
}

//! Where a guest does its worst: in each function that the host calls. Where there is a source,
//! only at the one that begins with `!` and whose name ends with a `d`, so that others show whether
//! they were hurt.

use crate::support::guest::Guest;

/// Instructions that do not end.
pub(super) const FOREVER: &str = "(loop $forever (br $forever))";

/// Instructions that end nothing else than in a trap.
pub(super) const TRAP: &str = "unreachable";

pub(super) fn describing(what: &str) -> Guest {
    Guest { describe: leak(what.into()), ..Guest::default() }
}

pub(super) fn configuring(what: &str) -> Guest {
    Guest { configure: leak(what.into()), ..Guest::default() }
}

/// Before anything else, as it is instantiated.
pub(super) fn starting(what: &str) -> Guest {
    with(&format!("(func $begin {what}) (start $begin)"), Guest::default())
}

pub(super) fn constructing(what: &str) -> Guest {
    let named = "(if (result i32) (local.get $name_len) (then (i32.eq (i32.const 100)
        (i32.load8_u (i32.add (local.get $name) (i32.sub (local.get $name_len) (i32.const 1)))))) (else (i32.const 0)))";
    Guest { constructor: leak(format!("(if {named} (then {what}))")), ..Guest::default() }
}

pub(super) fn pushing(what: &str) -> Guest {
    Guest { push: where_marked(what), ..Guest::default() }
}

/// Where it is asked for room for what it is given.
pub(super) fn allocating(what: &str) -> Guest {
    let guest = constructing("(global.set $broken (i32.const 1))");
    let realloc = leak(format!("(if (global.get $broken) (then {what}))"));
    with("(global $broken (mut i32) (i32.const 0))", Guest { realloc, ..guest })
}

pub(super) fn saving(what: &str) -> Guest {
    Guest { save: where_seen(what), ..Guest::default() }
}

/// Where the total takes in the state of the source.
pub(super) fn merging(what: &str) -> Guest {
    Guest { merge: where_marked(what), ..Guest::default() }
}

pub(super) fn finishing(what: &str) -> Guest {
    Guest { finish: where_seen(what), ..Guest::default() }
}

/// In the destructor of the accumulator.
pub(super) fn dropping(what: &str) -> Guest {
    let destructor = format!(
        r#"(func (export "gristmill:plugin/aggregate@0.1.0#[dtor]accumulator") (param $self i32) {})"#,
        where_seen(what)
    );
    with(&destructor, Guest::default())
}

/// Once the host has taken the result, where the guest may free it.
pub(super) fn freeing(what: &str) -> Guest {
    let free = format!(
        r#"(func (export "cabi_post_gristmill:plugin/aggregate@0.1.0#[method]accumulator.finish")
        (param $result i32) {})"#,
        where_seen(what)
    );
    with(&free, Guest::default())
}

/// With further items in the module.
pub(super) fn with(items: &str, guest: Guest) -> Guest {
    Guest { items: leak(format!("{} {items}", guest.items)), ..guest }
}

pub(super) fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn where_marked(what: &str) -> &'static str {
    leak(format!("(if (call $marked (local.get $data) (local.get $len)) (then {what}))"))
}

fn where_seen(what: &str) -> &'static str {
    leak(format!("(if (call $seen_marked) (then {what}))"))
}

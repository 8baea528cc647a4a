//! Guests that do not return, that crash, and that call without end: in each function that the host
//! calls.

use std::fmt::Write as _;

use super::attack::{Attack, attacks};
use super::places::{
    FOREVER, TRAP, allocating, configuring, constructing, describing, dropping, finishing, freeing,
    merging, pushing, saving, starting, with,
};
use crate::support::guest::Guest;

/// Takes some time, and returns.
const SPIN: &str = "(loop $again (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $at) (i32.const 50000000))))";

/// A guest that says why before it crashes, as a panic of Rust does.
fn panicking() -> Guest {
    let texts =
        &[("panic", "panicked at src/lib.rs:1:2: \u{1b}[2Jno such month\nerror: all is lost")];
    let panic = "(call $log (i32.const 3) (global.get $panic) (global.get $panic_len)) unreachable";
    Guest { texts, ..pushing(panic) }
}

attacks! {
    endless_loop_in_start: Start, starting(FOREVER), "
        error: [plugins]/guest.wasm: the plugin did not return from its start within 100ms
        hint: raise --timeout, or look for an endless loop
        ";
    endless_loop_in_describe: Start, describing(FOREVER), "
        error: [plugins]/guest.wasm: the plugin did not return from describe within 100ms
        hint: raise --timeout, or look for an endless loop
        ";
    endless_loop_in_configure: Start, configuring(FOREVER), "
        error: [plugins]/guest.wasm: the plugin did not return from configure within 100ms
        hint: raise --timeout, or look for an endless loop
        ";
    endless_loop_in_constructor: Source, constructing(FOREVER), "
        bad: the plugin did not return from its constructor within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    endless_loop_in_push: Source, pushing(FOREVER), "
        bad: the plugin did not return from push within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    endless_loop_in_save: Source, saving(FOREVER), "
        bad: the plugin did not return from save within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    endless_loop_in_merge: Total, merging(FOREVER), "
        total: the plugin did not return from merge within 100ms
        hint: raise --timeout, or look for an endless loop
        ";
    endless_loop_in_finish: Source, finishing(FOREVER), "
        bad: the plugin did not return from finish within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    endless_loop_in_drop: Source, dropping(FOREVER), "
        bad: the plugin did not return from its destructor within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    endless_loop_in_post_return: Source, freeing(FOREVER), "
        bad: the plugin did not return from finish within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    endless_loop_in_realloc: Source, allocating(FOREVER), "
        bad: the plugin did not return from push within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";

    trap_in_start: Start, starting(TRAP), "error: [plugins]/guest.wasm: the plugin crashed in its start without saying why: an uncaught exception, a failed assertion or out of memory";
    trap_in_describe: Start, describing(TRAP), "error: [plugins]/guest.wasm: the plugin crashed in describe without saying why: an uncaught exception, a failed assertion or out of memory";
    trap_in_configure: Start, configuring(TRAP), "error: [plugins]/guest.wasm: the plugin crashed in configure without saying why: an uncaught exception, a failed assertion or out of memory";
    trap_in_constructor: Source, constructing(TRAP), "
        bad: the plugin crashed in its constructor without saying why: an uncaught exception, a failed assertion or out of memory
        1 of 3 sources failed
        ";
    trap_in_push: Source, pushing(TRAP), "
        bad: the plugin crashed in push without saying why: an uncaught exception, a failed assertion or out of memory
        1 of 3 sources failed
        ";
    trap_in_save: Source, saving(TRAP), "
        bad: the plugin crashed in save without saying why: an uncaught exception, a failed assertion or out of memory
        1 of 3 sources failed
        ";
    trap_in_merge: Total, merging(TRAP), "total: the plugin crashed in merge without saying why: an uncaught exception, a failed assertion or out of memory";
    trap_in_finish: Source, finishing(TRAP), "
        bad: the plugin crashed in finish without saying why: an uncaught exception, a failed assertion or out of memory
        1 of 3 sources failed
        ";
    trap_in_drop: Source, dropping(TRAP), "
        bad: the plugin crashed in its destructor without saying why: an uncaught exception, a failed assertion or out of memory
        1 of 3 sources failed
        ";
    trap_in_post_return: Source, freeing(TRAP), "
        bad: the plugin crashed in finish without saying why: an uncaught exception, a failed assertion or out of memory
        1 of 3 sources failed
        ";
    trap_in_realloc: Source, allocating(TRAP), "
        bad: the plugin crashed in push without saying why: an uncaught exception, a failed assertion or out of memory
        1 of 3 sources failed
        ";

    endless_recursion_in_start: Start, with("(func $again (call $again))", starting("(call $again)")), "
        error: [plugins]/guest.wasm: the plugin crashed in its start: it used up its stack of 1 MiB
        hint: raise --stack, or look for endless recursion
        ";
    endless_recursion_in_push: Source, with("(func $again (call $again))", pushing("(call $again)")), "
        bad: the plugin crashed in push: it used up its stack of 1 MiB
        hint: raise --stack, or look for endless recursion
        1 of 3 sources failed
        ";
    endless_recursion_in_realloc: Source, with("(func $again (call $again))", allocating("(call $again)")), "
        bad: the plugin crashed in push: it used up its stack of 1 MiB
        hint: raise --stack, or look for endless recursion
        1 of 3 sources failed
        ";
    endless_recursion_in_drop: Source, with("(func $again (call $again))", dropping("(call $again)")), "
        bad: the plugin crashed in its destructor: it used up its stack of 1 MiB
        hint: raise --stack, or look for endless recursion
        1 of 3 sources failed
        ";
    endless_tail_calls: Source, with("(func $again (return_call $again))", pushing("(call $again)")), "
        bad: the plugin did not return from push within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    recursion_with_large_frames: Source, with(&large_frames(), pushing("(drop (call $deep (i64.const 1)))")), "
        bad: the plugin crashed in push: it used up its stack of 1 MiB
        hint: raise --stack, or look for endless recursion
        1 of 3 sources failed
        ";
    spin_below_the_deadline_on_each_chunk: Nothing, Attack::from(Guest { push: SPIN, ..Guest::default() })
        .flags(&["--timeout", "30s"]), "";
    panic_with_a_message: Source, panicking(), "
        ERROR guest: panicked at src/lib.rs:1:2:  [2Jno such month error: all is lost
        ERROR guest: panicked at src/lib.rs:1:2:  [2Jno such month error: all is lost
        bad: the plugin crashed in push: panicked at src/lib.rs:1:2:  [2Jno such month error: all is lost
        1 of 3 sources failed
        ";
    division_by_zero: Source, pushing("(drop (i32.div_u (i32.const 1) (i32.const 0)))"), "
        bad: the plugin crashed in push: wasm trap: integer divide by zero
        1 of 3 sources failed
        ";
    call_through_an_empty_table: Source, with("(table 1 funcref)", pushing("(call_indirect (i32.const 0))")), "
        bad: the plugin crashed in push: wasm trap: uninitialized element
        1 of 3 sources failed
        ";
    call_of_another_type: Source,
        with("(table $t 1 funcref) (elem (table $t) (i32.const 0) func $ok)",
            pushing("(call_indirect $t (param i64) (i64.const 1) (i32.const 0))")), "
        bad: the plugin crashed in push: wasm trap: indirect call type mismatch
        1 of 3 sources failed
        ";
}

/// A function whose frame is large, as all of its many values live across the call of itself.
fn large_frames() -> String {
    let locals = "(local i64)".repeat(2000);
    let (mut set, mut used) = (String::new(), String::new());
    for at in 1..2000 {
        write!(set, "(local.set {at} (i64.mul (local.get 0) (i64.const {at})))").unwrap();
        write!(used, "(local.get {at}) i64.xor ").unwrap();
    }
    format!(
        "(func $deep (param i64) (result i64) {locals} {set}
            (call $deep (i64.add (local.get 0) (i64.const 1))) {used})"
    )
}

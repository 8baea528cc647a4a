//! Guests that do not return, that crash, and that call without end: in each function that the host calls.

use super::attack::{Attack, attacks};
use super::places::*;
use crate::support::guest::Guest;

/// Takes some time, and returns.
const SPIN: &str = "(loop $again (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $at) (i32.const 50000000))))";

/// A guest that says why before it crashes, as a panic of Rust does.
fn panicking() -> Guest {
    let texts = &[("panic", "panicked at src/lib.rs:1:2: \u{1b}[2Jno such month\nerror: all is lost")];
    let panic = "(call $log (i32.const 3) (global.get $panic) (global.get $panic_len)) unreachable";
    Guest { texts, ..pushing(panic) }
}

attacks! {
    endless_loop_in_start: Start, starting(FOREVER), "";
    endless_loop_in_describe: Start, describing(FOREVER), "";
    endless_loop_in_configure: Start, configuring(FOREVER), "";
    endless_loop_in_constructor: Source, constructing(FOREVER), "";
    endless_loop_in_push: Source, pushing(FOREVER), "";
    endless_loop_in_save: Source, saving(FOREVER), "";
    endless_loop_in_merge: Total, merging(FOREVER), "";
    endless_loop_in_finish: Source, finishing(FOREVER), "";
    endless_loop_in_drop: Source, dropping(FOREVER), "";
    endless_loop_in_post_return: Source, freeing(FOREVER), "";
    endless_loop_in_realloc: Source, allocating(FOREVER), "";

    trap_in_start: Start, starting(TRAP), "";
    trap_in_describe: Start, describing(TRAP), "";
    trap_in_configure: Start, configuring(TRAP), "";
    trap_in_constructor: Source, constructing(TRAP), "";
    trap_in_push: Source, pushing(TRAP), "";
    trap_in_save: Source, saving(TRAP), "";
    trap_in_merge: Total, merging(TRAP), "";
    trap_in_finish: Source, finishing(TRAP), "";
    trap_in_drop: Source, dropping(TRAP), "";
    trap_in_post_return: Source, freeing(TRAP), "";
    trap_in_realloc: Source, allocating(TRAP), "";

    endless_recursion_in_start: Start, with("(func $again (call $again))", starting("(call $again)")), "";
    endless_recursion_in_push: Source, with("(func $again (call $again))", pushing("(call $again)")), "";
    endless_recursion_in_realloc: Source, with("(func $again (call $again))", allocating("(call $again)")), "";
    endless_recursion_in_drop: Source, with("(func $again (call $again))", dropping("(call $again)")), "";
    endless_tail_calls: Source, with("(func $again (return_call $again))", pushing("(call $again)")), "";
    recursion_with_large_frames: Source, with(&large_frames(), pushing("(drop (call $deep (i64.const 1)))")), "";
    spin_below_the_deadline_on_each_chunk: Nothing, Attack::from(Guest { push: SPIN, ..Guest::default() })
        .flags(&["--timeout", "30s"]), "";
    panic_with_a_message: Source, panicking(), "";
    division_by_zero: Source, pushing("(drop (i32.div_u (i32.const 1) (i32.const 0)))"), "";
    call_through_an_empty_table: Source, with("(table 1 funcref)", pushing("(call_indirect (i32.const 0))")), "";
    call_of_another_type: Source,
        with("(table $t 1 funcref) (elem (table $t) (i32.const 0) func $ok)",
            pushing("(call_indirect $t (param i64) (i64.const 1) (i32.const 0))")), "";
}

/// A function whose frame is large, as all of its many values live across the call of itself.
fn large_frames() -> String {
    let locals = "(local i64)".repeat(2000);
    let set: String = (1..2000)
        .map(|at| format!("(local.set {at} (i64.mul (local.get 0) (i64.const {at})))"))
        .collect();
    let used: String = (1..2000).map(|at| format!("(local.get {at}) i64.xor ")).collect();
    format!(
        "(func $deep (param i64) (result i64) {locals} {set}
            (call $deep (i64.add (local.get 0) (i64.const 1))) {used})"
    )
}

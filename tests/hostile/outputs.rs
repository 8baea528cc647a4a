//! What comes out: too much, more than went in, without end; and states that grow.

use super::attack::{Attack, attacks};
use super::places::{finishing, saving, with};
use crate::support::guest::Guest;

fn transformer(push: &'static str) -> Guest {
    Guest { world: "transformer", push, ..Guest::default() }
}

/// Grows its state to nearly all of its memory, when asked for it.
const ALL: &str = "(return (call $bytes (i32.const 65536) (i32.const 7000000)))";

fn large(guest: Guest) -> Guest {
    Guest { pages: 112, ..guest }
}

attacks! {
    // JSON has six bytes for one of these.
    result_as_large_as_memory: Nothing, Attack::from(large(finishing(ALL))).hands_over(7 + 6 * 7), "";
    result_that_is_no_text: Nothing, with("(data (i32.const 3000) \"\\ff\\fe\\00\\1b\")",
        finishing("(return (call $bytes (i32.const 3000) (i32.const 4)))")), "";
    state_as_large_as_memory: Total, large(Guest { save: ALL, ..Guest::default() }), "
        total: the plugin ran out of memory in merge: it asked for 13760 KiB, more than 8 MiB
        hint: raise --memory
        ";
    state_that_grows_with_each_save: Source, saving("(loop $more
        (drop (call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 100000))) (br $more))"), "
        bad: the plugin ran out of memory in save: it asked for 8320 KiB, more than 8 MiB
        hint: raise --memory
        1 of 3 sources failed
        ";
    state_that_is_garbage: Total, Guest {
        save: "(return (call $bytes (i32.const 0) (i32.const 64)))",
        merge: "(if (i32.ne (i32.load8_u (local.get $data)) (i32.const 33)) (then unreachable))",
        ..Guest::default() }, "total: the plugin crashed in merge without saying why: an uncaught exception, a failed assertion or out of memory";
    output_as_large_as_memory: Nothing, large(transformer(ALL)), "";
    output_beyond_memory: Sources, transformer("(return (call $bytes (i32.const 65536) (i32.const -1)))"), "
        a: the plugin crashed in push: list pointer/length out of bounds of memory
        bad: the plugin crashed in push: list pointer/length out of bounds of memory
        c: the plugin crashed in push: list pointer/length out of bounds of memory
        3 of 3 sources failed
        ";
    output_that_traps_halfway: Sources, Guest { finish: "unreachable", ..transformer("") }, "
        a: the plugin crashed in finish without saying why: an uncaught exception, a failed assertion or out of memory
        bad: the plugin crashed in finish without saying why: an uncaught exception, a failed assertion or out of memory
        c: the plugin crashed in finish without saying why: an uncaught exception, a failed assertion or out of memory
        3 of 3 sources failed
        ";
    output_in_finish_without_end: Sources,
        Guest { finish: "(loop $more (br $more))", ..transformer("") }, "
        a: the plugin did not return from finish within 100ms
        hint: raise --timeout, or look for an endless loop
        bad: the plugin did not return from finish within 100ms
        hint: raise --timeout, or look for an endless loop
        c: the plugin did not return from finish within 100ms
        hint: raise --timeout, or look for an endless loop
        3 of 3 sources failed
        ";
    output_that_depends_on_what_the_sandbox_saw_before: Nothing, with("(global $calls (mut i32) (i32.const 0))", transformer(
        "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (i32.store (i32.const 3000) (global.get $calls)) (return (call $bytes (i32.const 3000) (i32.const 4)))")), "";
    output_as_large_as_memory_twice: Nothing, large(Guest { finish: ALL, ..transformer(ALL) }), "";
}

//! Guests that want more memory than there is for them, and pointers that are not theirs to give.

use super::attack::{Attack, attacks};
use super::places::{allocating, describing, finishing, merging, pushing, saving, starting, with};
use crate::support::guest::Guest;

const GROW: &str =
    "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable";

const GROW_TABLE: &str = "(loop $more (br_if $more
    (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1)))) unreachable";

/// Writes all of its memory again and again, with one instruction each time.
fn rewriting(instruction: &str) -> Guest {
    Guest { pages: 120, ..pushing(&format!("(loop $again {instruction} (br $again))")) }
}

/// Says that its result is there, and so long.
fn result(pointer: i64, length: i64) -> Guest {
    finishing(&format!("(return (call $bytes (i32.const {pointer}) (i32.const {length})))"))
}

attacks! {
    memory_grow_bomb_in_start: Start, starting(GROW), "
        error: [plugins]/guest.wasm: the plugin ran out of memory in its start: it asked for 8256 KiB, more than 8 MiB
        hint: raise --memory
        ";
    memory_grow_bomb_in_describe: Start, describing(GROW), "
        error: [plugins]/guest.wasm: the plugin ran out of memory in describe: it asked for 8256 KiB, more than 8 MiB
        hint: raise --memory
        ";
    memory_grow_bomb_in_push: Source, pushing(GROW), "
        bad: the plugin ran out of memory in push: it asked for 8256 KiB, more than 8 MiB
        hint: raise --memory
        1 of 3 sources failed
        ";
    memory_grow_bomb_in_merge: Total, merging(GROW), "
        total: the plugin ran out of memory in merge: it asked for 8256 KiB, more than 8 MiB
        hint: raise --memory
        ";
    memory_grow_bomb_in_realloc: Source, allocating(GROW), "
        bad: the plugin ran out of memory in push: it asked for 8256 KiB, more than 8 MiB
        hint: raise --memory
        1 of 3 sources failed
        ";
    memory_grow_to_the_most_at_once: Source, pushing("(drop (memory.grow (i32.const 65534))) unreachable"), "
        bad: the plugin ran out of memory in push: it asked for 4096 MiB, more than 8 MiB
        hint: raise --memory
        1 of 3 sources failed
        ";
    memory_that_may_not_grow_itself: Nothing, with("(memory $other 1 1)", pushing("(loop $more
            (local.set $at (i32.add (local.get $at) (i32.const 1))) (drop (memory.grow $other (i32.const 1)))
            (br_if $more (i32.lt_u (local.get $at) (i32.const 1000))))")), "";
    memory_that_begins_too_large: Start, Guest { pages: 60_000, ..Guest::default() }, "
        error: [plugins]/guest.wasm: the plugin ran out of memory in its start: it asked for 3750 MiB, more than 8 MiB
        hint: raise --memory
        ";
    memories_that_are_too_large_together: Start, with("(memory 100) (memory 100)", Guest::default()), "
        error: [plugins]/guest.wasm: the plugin ran out of memory in its start: it asked for 12928 KiB, more than 8 MiB
        hint: raise --memory
        ";
    memory_grow_bomb_in_a_second_memory: Source,
        with("(memory $other 1)", pushing("(loop $more (br_if $more
            (i32.ne (memory.grow $other (i32.const 1)) (i32.const -1)))) unreachable")), "
        bad: the plugin ran out of memory in push: it asked for 8256 KiB, more than 8 MiB
        hint: raise --memory
        1 of 3 sources failed
        ";
    table_grow_bomb: Source, with("(table $t 1 funcref)", pushing(GROW_TABLE)), "
        bad: the plugin asked for a table of 100001 elements in push, more than 100000
        hint: raise --table-elements
        1 of 3 sources failed
        ";
    table_that_begins_too_large: Start, with("(table 4000000000 funcref)", Guest::default()), "
        error: [plugins]/guest.wasm: begins with a table of 4000000000 elements, more than 10000000
        hint: --table-elements gives no more
        ";
    tables_without_end: Start, with(&"(table 1 funcref)".repeat(99), Guest::default()), "error: [plugins]/guest.wasm: the plugin crashed in its start: resource limit exceeded: table count too high at 100";
    tables_that_are_large_together: Start, with(&"(table 100000 funcref)".repeat(60), Guest::default()), "
        error: [plugins]/guest.wasm: the plugin asked for tables of 200003 elements together in its start, more than 200000
        hint: raise --table-elements
        ";

    table_grow_bomb_in_start: Start, with("(table $t 1 funcref)", starting(GROW_TABLE)), "
        error: [plugins]/guest.wasm: the plugin asked for a table of 100001 elements in its start, more than 100000
        hint: raise --table-elements
        ";
    table_grow_to_the_most_at_once: Source,
        with("(table $t 1 funcref)", pushing("(drop (table.grow $t (ref.null func) (i32.const -2))) unreachable")), "
        bad: the plugin asked for a table of 4294967295 elements in push, more than 100000
        hint: raise --table-elements
        1 of 3 sources failed
        ";
    tables_that_grow_together: Source,
        with("(table $t 1 funcref) (table 100000 funcref) (table 99000 funcref)", pushing(GROW_TABLE)), "
        bad: the plugin asked for tables of 200004 elements together in push, more than 200000
        hint: raise --table-elements
        1 of 3 sources failed
        ";
    table_that_may_not_grow_itself: Nothing, with("(table $t 1 1 funcref)", pushing("(loop $more
            (local.set $at (i32.add (local.get $at) (i32.const 1))) (drop (table.grow $t (ref.null func) (i32.const 1)))
            (br_if $more (i32.lt_u (local.get $at) (i32.const 1000))))")), "";
    table_fill_loop: Source, with("(table $t 90000 funcref)",
        pushing("(loop $again (table.fill $t (i32.const 0) (ref.null func) (i32.const 90000)) (br $again))")), "
        bad: the plugin did not return from push within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    table_fill_beyond_the_table: Source, with("(table $t 10 funcref)",
        pushing("(table.fill $t (i32.const 5) (ref.null func) (i32.const -1))")), "
        bad: the plugin crashed in push: wasm trap: undefined element: out of bounds table access
        1 of 3 sources failed
        ";

    memory_fill_loop: Source,
        rewriting("(memory.fill (i32.const 65536) (i32.const 7) (i32.const 7700000))"), "
        bad: the plugin did not return from push within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    memory_copy_loop: Source,
        rewriting("(memory.copy (i32.const 65536) (i32.const 65537) (i32.const 7700000))"), "
        bad: the plugin did not return from push within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    read_beyond_memory: Source, pushing("(drop (i32.load8_u (i32.const -1)))"), "
        bad: the plugin crashed in push: wasm trap: out of bounds memory access
        1 of 3 sources failed
        ";
    read_over_the_end_of_memory: Source,
        pushing("(drop (i64.load (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4))))"), "
        bad: the plugin crashed in push: wasm trap: out of bounds memory access
        1 of 3 sources failed
        ";
    write_at_the_largest_offset: Source,
        pushing("(i64.store offset=4294967295 (i32.const -1) (i64.const 1))"), "
        bad: the plugin crashed in push: wasm trap: out of bounds memory access
        1 of 3 sources failed
        ";
    memory_fill_beyond_memory: Source,
        pushing("(memory.fill (i32.const 65536) (i32.const 1) (i32.const -1))"), "
        bad: the plugin crashed in push: wasm trap: out of bounds memory access
        1 of 3 sources failed
        ";
    memory_copy_beyond_memory: Source,
        pushing("(memory.copy (i32.const -8) (i32.const 0) (i32.const 16))"), "
        bad: the plugin crashed in push: wasm trap: out of bounds memory access
        1 of 3 sources failed
        ";

    result_that_begins_beyond_memory: Source, result(-16, 1), "
        bad: the plugin crashed in finish: list pointer/length out of bounds of memory
        1 of 3 sources failed
        ";
    result_that_ends_beyond_memory: Source, result(65_536, 0x7fff_ffff), "
        bad: the plugin crashed in finish: list pointer/length out of bounds of memory
        1 of 3 sources failed
        ";
    result_whose_end_wraps_around: Source, result(-1, -1), "
        bad: the plugin crashed in finish: list pointer/length out of bounds of memory
        1 of 3 sources failed
        ";
    result_one_byte_over_the_end: Source,
        finishing("(return (call $bytes (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 7)) (i32.const 8)))"), "
        bad: the plugin crashed in finish: list pointer/length out of bounds of memory
        1 of 3 sources failed
        ";
    empty_result_beyond_memory: Source, result(-1, 0), "
        bad: the plugin crashed in finish: list pointer/length out of bounds of memory
        1 of 3 sources failed
        ";
    result_record_beyond_memory: Source, finishing("(return (i32.const -8))"), "
        bad: the plugin crashed in finish: pointer out of bounds of memory
        1 of 3 sources failed
        ";
    result_record_over_the_end: Source,
        finishing("(return (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 8)))"), "
        bad: the plugin crashed in finish: pointer out of bounds of memory
        1 of 3 sources failed
        ";
    result_record_not_aligned: Source, finishing("(return (i32.const 3))"), "
        bad: the plugin crashed in finish: return pointer not aligned
        1 of 3 sources failed
        ";
    result_of_no_known_case: Source, finishing("(i32.store8 (i32.const 1024) (i32.const 9)) (return (i32.const 1024))"), "
        bad: the plugin crashed in finish: invalid expected discriminant
        1 of 3 sources failed
        ";
    error_of_no_known_case: Source, finishing("(drop (call $fatal (i32.const 0) (i32.const 0)))
        (i32.store8 (i32.const 1032) (i32.const 77)) (return (i32.const 1024))"), "
        bad: the plugin crashed in finish: unexpected discriminant: 77
        1 of 3 sources failed
        ";
    result_that_is_the_record_itself: Nothing, with("(data (i32.const 1024) \"\\01\")",
        finishing("(return (call $bytes (i32.const 1024) (i32.const 16)))")), "";
    state_beyond_memory: Source, saving("(return (call $bytes (i32.const -16) (i32.const 64)))"), "
        bad: the plugin crashed in save: list pointer/length out of bounds of memory
        1 of 3 sources failed
        ";

    realloc_that_returns_garbage: Source, allocating("(return (i32.const -2))"), "
        bad: the plugin crashed in push: realloc return: beyond end of memory
        1 of 3 sources failed
        ";
    realloc_at_the_end_of_memory: Source,
        allocating("(return (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1)))"), "
        bad: the plugin crashed in push: realloc return: beyond end of memory
        1 of 3 sources failed
        ";
    realloc_that_returns_null: Nothing, allocating("(return (i32.const 0))"), "";
    realloc_that_returns_one_address: Nothing, allocating("(return (i32.const 65536))"), "";
    realloc_that_is_not_aligned: Start,
        Attack::from(Guest { realloc: "(return (i32.const 65537))", ..Guest::default() }).set("key", "value"), "error: [plugins]/guest.wasm: the plugin crashed in configure: realloc return: result not aligned";
    realloc_that_hands_out_the_manifest: Nothing, allocating("(return (i32.const 512))"), "";
    realloc_that_shrinks_what_it_has: Start,
        Attack::from(Guest { realloc: "(return (i32.const 131068))", ..Guest::default() }).set("key", "value"), "error: [plugins]/guest.wasm: the plugin crashed in configure: realloc return: beyond end of memory";
    realloc_that_logs: Source, allocating("(call $log (i32.const 1) (i32.const 0) (i32.const 0))"), "
        bad: the plugin crashed in push: wasm trap: cannot leave component instance
        1 of 3 sources failed
        ";
    realloc_that_makes_a_resource: Source, allocating("(drop (call $new (i32.const 1)))"), "
        bad: the plugin crashed in push: wasm trap: cannot leave component instance
        1 of 3 sources failed
        ";
}

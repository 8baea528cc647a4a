//! A manifest that lies, field by field.

use super::attack::attacks;
use super::places::{describing, with};
use crate::support::guest::Guest;

/// So many settings or properties, all of which share the same megabyte of text.
fn sharing(at: u32, count: u32, stride: u32) -> Guest {
    Guest { pages: 64, ..describing(&format!(
        "(i32.store (i32.const {at}) (i32.const 131072)) (i32.store offset=4 (i32.const {at}) (i32.const {count}))
        (loop $more
          (i32.store offset=131072 (i32.mul (local.get $at) (i32.const {stride})) (i32.const 2097152))
          (i32.store offset=131076 (i32.mul (local.get $at) (i32.const {stride})) (i32.const 1048576))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br_if $more (i32.lt_u (local.get $at) (i32.const 1000))))"
    )) }
}

/// A list there that begins here and is so long.
fn list(at: u32, pointer: i64, length: i64) -> Guest {
    describing(&format!(
        "(i32.store (i32.const {at}) (i32.const {pointer})) (i32.store offset=4 (i32.const {at}) (i32.const {length}))"
    ))
}

fn framing(framing: &'static str) -> Guest {
    Guest { framing, ..Guest::default() }
}

attacks! {
    scope_of_no_known_case: Start, Guest { scope: 7, ..Guest::default() }, "error: [plugins]/guest.wasm: the plugin crashed in describe: unexpected discriminant: 7";
    order_of_no_known_case: Start, Guest { order: 2, ..Guest::default() }, "error: [plugins]/guest.wasm: the plugin crashed in describe: unexpected discriminant: 2";
    framing_that_is_unknown: Start, framing("parquet"), "error: unknown framing `parquet`: known are bytes, lines, csv, delimited:0xNN, fixed:N, prefixed:u32be, prefixed:u32le, whole";
    framing_that_is_empty: Start, framing(""), "error: unknown framing ``: known are bytes, lines, csv, delimited:0xNN, fixed:N, prefixed:u32be, prefixed:u32le, whole";
    framing_of_records_of_no_bytes: Start, framing("fixed:0"), "error: unknown framing `fixed:0`: known are bytes, lines, csv, delimited:0xNN, fixed:N, prefixed:u32be, prefixed:u32le, whole";
    framing_of_records_without_end: Sources, framing("fixed:18446744073709551615"), "
        a: 4 bytes are not a whole number of 18446744073709551615-byte records
        bad: 5 bytes are not a whole number of 18446744073709551615-byte records
        c: 6 bytes are not a whole number of 18446744073709551615-byte records
        3 of 3 sources failed
        ";
    framing_of_more_than_a_number: Start, framing("fixed:99999999999999999999999"), "error: unknown framing `fixed:99999999999999999999999`: known are bytes, lines, csv, delimited:0xNN, fixed:N, prefixed:u32be, prefixed:u32le, whole";
    framing_of_records_that_are_not_there: Sources, framing("prefixed:u32be"), "
        a: the record that begins at byte 0 is cut short: the source ends at byte 4
        bad: the record that begins at byte 0 is cut short: the source ends at byte 5
        c: the record that begins at byte 0 is cut short: the source ends at byte 6
        3 of 3 sources failed
        ";
    header_records_without_end: Start, Guest { header_records: u32::MAX, ..Guest::default() }, "error: header-records is 4294967295, more than 1000";
    header_records_of_no_records: Start, Guest { framing: "bytes", header_records: 1, ..Guest::default() }, "error: header-records is 1, but framing `bytes` has no records";
    output_type_that_is_none: Nothing, Guest { output_type: "../../etc/passwd\n", ..Guest::default() }, "";
    output_that_is_not_of_its_type: Sources, Guest { output_type: "application/json", ..Guest::default() }, "
        a: the plugin returned what is not one JSON document: expected value at line 1 column 1
        bad: the plugin returned what is not one JSON document: expected value at line 1 column 1
        c: the plugin returned what is not one JSON document: expected ident at line 1 column 2
        total: the plugin returned what is not one JSON document: EOF while parsing a value at line 1 column 0
        3 of 3 sources failed
        ";
    name_of_a_path: Nothing, with("(data (i32.const 3000) \"../../x\")", list(512, 3000, 7)), "";
    settings_beyond_memory: Start, list(560, -64, 4), "error: [plugins]/guest.wasm: the plugin crashed in describe: list pointer/length out of bounds of memory";
    settings_without_end: Start, list(560, 65_536, 0x0fff_ffff), "error: [plugins]/guest.wasm: the plugin crashed in describe: list pointer/length out of bounds of memory";
    settings_that_are_not_aligned: Start, list(560, 65_537, 1), "error: [plugins]/guest.wasm: the plugin crashed in describe: list pointer is not aligned";
    settings_that_share_their_text: Start, sharing(560, 1000, 28), "
        error: [plugins]/guest.wasm: the plugin returned too much from describe, more than 1 MiB
        hint: what a plugin says of itself is for people to read
        ";
    settings_of_zeros: Nothing, list(560, 65_536, 2000), "";
    properties_beyond_memory: Start, list(568, -64, 4), "error: [plugins]/guest.wasm: the plugin crashed in describe: list pointer/length out of bounds of memory";
    properties_without_end: Start, list(568, 65_536, -1), "error: [plugins]/guest.wasm: the plugin crashed in describe: list pointer/length out of bounds of memory";
    properties_that_share_their_text: Start, sharing(568, 1000, 16), "
        error: [plugins]/guest.wasm: the plugin returned too much from describe, more than 1 MiB
        hint: what a plugin says of itself is for people to read
        ";
    manifest_beyond_memory: Start, describing("(return (i32.const -4))"), "error: [plugins]/guest.wasm: the plugin crashed in describe: pointer out of bounds of memory";
    manifest_that_is_not_aligned: Start, describing("(return (i32.const 513))"), "error: [plugins]/guest.wasm: the plugin crashed in describe: return pointer not aligned";
    order_that_is_a_lie: Nothing, Guest { order: 1, ..Guest::default() }, "";
    scope_that_is_a_lie: Nothing, Guest { scope: 1, ..Guest::default() }, "";
}

//! A manifest that lies, field by field.

use super::attack::attacks;
use super::places::*;
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
    scope_of_no_known_case: Start, Guest { scope: 7, ..Guest::default() }, "";
    order_of_no_known_case: Start, Guest { order: 2, ..Guest::default() }, "";
    framing_that_is_unknown: Start, framing("parquet"), "";
    framing_that_is_empty: Start, framing(""), "";
    framing_of_records_of_no_bytes: Start, framing("fixed:0"), "";
    framing_of_records_without_end: Sources, framing("fixed:18446744073709551615"), "";
    framing_of_more_than_a_number: Start, framing("fixed:99999999999999999999999"), "";
    framing_of_records_that_are_not_there: Sources, framing("prefixed:u32be"), "";
    header_records_without_end: Start, Guest { header_records: u32::MAX, ..Guest::default() }, "";
    header_records_of_no_records: Start, Guest { framing: "bytes", header_records: 1, ..Guest::default() }, "";
    output_type_that_is_none: Nothing, Guest { output_type: "../../etc/passwd\n", ..Guest::default() }, "";
    output_that_is_not_of_its_type: Sources, Guest { output_type: "application/json", ..Guest::default() }, "";
    name_of_a_path: Nothing, with("(data (i32.const 3000) \"../../x\")", list(512, 3000, 7)), "";
    settings_beyond_memory: Start, list(560, -64, 4), "";
    settings_without_end: Start, list(560, 65_536, 0x0fff_ffff), "";
    settings_that_are_not_aligned: Start, list(560, 65_537, 1), "";
    settings_that_share_their_text: Start, sharing(560, 1000, 28), "";
    settings_of_zeros: Nothing, list(560, 65_536, 2000), "";
    properties_beyond_memory: Start, list(568, -64, 4), "";
    properties_without_end: Start, list(568, 65_536, -1), "";
    properties_that_share_their_text: Start, sharing(568, 1000, 16), "";
    manifest_beyond_memory: Start, describing("(return (i32.const -4))"), "";
    manifest_that_is_not_aligned: Start, describing("(return (i32.const 513))"), "";
    order_that_is_a_lie: Nothing, Guest { order: 1, ..Guest::default() }, "";
    scope_that_is_a_lie: Nothing, Guest { scope: 1, ..Guest::default() }, "";
}

//! Guests that ask the host for more than anybody wants: lines of log, counters, records set aside.

use super::attack::{Attack, attacks};
use super::places::{describing, pushing};
use crate::support::guest::Guest;

/// Does it until it is stopped.
fn again(what: &str) -> Guest {
    Guest { texts: TEXTS, ..pushing(&format!("(loop $again {what} (br $again))")) }
}

/// Does it so often.
fn times(count: u32, what: &str) -> Guest {
    let what = format!(
        "(loop $again {what} (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $at) (i32.const {count}))))"
    );
    Guest { texts: TEXTS, ..pushing(&what) }
}

const TEXTS: &[(&str, &str)] = &[("text", "a line of the log")];

/// Sets aside so many bytes that it has.
fn rejecting(bytes: u32) -> String {
    format!(
        "(call $reject (i64.const 1) (global.get $text) (global.get $text_len) (i32.const 0) (i32.const {bytes}))"
    )
}

/// A name of two bytes that differs from call to call.
const OTHER_NAME: &str = "(i32.store8 (i32.const 3000) (i32.add (i32.const 97) (i32.rem_u (local.get $at) (i32.const 26))))
    (i32.store8 (i32.const 3001) (i32.add (i32.const 97) (i32.rem_u (i32.div_u (local.get $at) (i32.const 26)) (i32.const 26))))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (call $count (i32.const 3000) (i32.const 2) (i64.const 1))";

fn large(guest: Guest) -> Guest {
    Guest { pages: 112, ..guest }
}

attacks! {
    log_flood: Source, again("(call $log (i32.const 2) (global.get $text) (global.get $text_len))"), "
        […]
         WARN guest: logs more than 100 lines in a second: not all are shown (--log-lines)
        bad: the plugin did not return from push within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    log_flood_of_empty_lines: Source, again("(call $log (i32.const 2) (i32.const 0) (i32.const 0))"), "
        […]
         WARN guest: logs more than 100 lines in a second: not all are shown (--log-lines)
        bad: the plugin did not return from push within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    log_flood_of_errors: Source, again("(call $log (i32.const 3) (global.get $text) (global.get $text_len))"), "
        […]
         WARN guest: logs more than 100 lines in a second: not all are shown (--log-lines)
        bad: the plugin did not return from push within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    log_flood_of_endless_lines: Source,
        large(again("(call $log (i32.const 2) (i32.const 65536) (i32.const 7000000))")), "
        […]
         WARN guest: logs more than 65536 bytes of one source: the rest is not shown (--log-bytes)
        bad: the plugin did not return from push within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    log_flood_in_describe: Start, Guest { texts: TEXTS,
        ..describing("(loop $again (call $log (i32.const 2) (global.get $text) (global.get $text_len)) (br $again))") }, "
        […]
         WARN guest: a line of the log
         WARN guest: logs more than 100 lines in a second: not all are shown (--log-lines)
        error: [plugins]/guest.wasm: the plugin did not return from describe within 100ms
        hint: raise --timeout, or look for an endless loop
        ";
    log_level_that_is_none: Source, times(1, "(call $log (i32.const 9) (i32.const 0) (i32.const 0))"), "
        bad: the plugin crashed in push: unexpected discriminant: 9
        1 of 3 sources failed
        ";
    log_beyond_memory: Source, times(1, "(call $log (i32.const 2) (i32.const -1) (i32.const 2))"), "
        bad: the plugin crashed in push: string pointer/length out of bounds of memory
        1 of 3 sources failed
        ";

    counter_flood: Source, again("(call $count (global.get $text) (i32.const 1) (i64.const 1))"), "
        bad: the plugin did not return from push within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    counter_flood_of_names: Source, again(OTHER_NAME), "
        […]
         WARN guest: logs more than 100 lines in a second: not all are shown (--log-lines)
        bad: the plugin did not return from push within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    counter_flood_of_bad_names: Source,
        again("(call $count (global.get $text) (global.get $text_len) (i64.const 1))"), "
        […]
         WARN guest: logs more than 100 lines in a second: not all are shown (--log-lines)
        bad: the plugin did not return from push within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    counter_that_overflows: Nothing, times(3, "(call $count (global.get $text) (i32.const 1) (i64.const -1))"), "";

    reject_flood: Source, again(&rejecting(1)), "
        bad: the plugin did not return from push within 100ms
        hint: raise --timeout, or look for an endless loop
        1 of 3 sources failed
        ";
    reject_flood_that_is_kept: Source,
        Attack::from(again(&rejecting(65_536))).flags(&["--rejects", "/dev/null", "--timeout", "30s"]).hands_over(72), "
        bad: the plugin set aside 67157664 bytes in push, more than 64 MiB
        hint: raise --output-per-call
        1 of 3 sources failed
        ";
    reject_flood_of_empty_records: Source,
        Attack::from(again("(call $reject (i64.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))"))
            .flags(&["--rejects", "/dev/null", "--timeout", "30s"]).hands_over(72), "
        bad: the plugin set aside 67108896 bytes in push, more than 64 MiB
        hint: raise --output-per-call
        1 of 3 sources failed
        ";
    reject_of_large_records: Nothing,
        Attack::from(large(times(60, &rejecting(7_000_000)))).flags(&["--rejects", "/dev/null", "--timeout", "30s"]), "
        60 records of 1 source were set aside (first: bad:1: a line of the log)
        hint: they are in /dev/null
        ";
    reject_of_large_reasons: Nothing,
        Attack::from(large(times(60, "(call $reject (i64.const 1) (i32.const 65536) (i32.const 7000000) (i32.const 0) (i32.const 0))")))
            .flags(&["--rejects", "/dev/null", "--timeout", "30s"]), "
        […]
        60 records of 1 source were set aside (first: bad:1: a   one one bad !two                                                                                       […]
        hint: they are in /dev/null
        ";
    reject_at_the_last_offset: Nothing,
        Attack::from(times(2, "(call $reject (i64.const -1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1))"))
            .flags(&["--rejects", "/dev/null"]), "
        2 records of 1 source were set aside (first: bad at byte 18446744073709551615: )
        hint: they are in /dev/null
        ";
    reject_beyond_memory: Source,
        times(1, "(call $reject (i64.const 0) (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 2))"), "
        bad: the plugin crashed in push: list pointer/length out of bounds of memory
        1 of 3 sources failed
        ";
}

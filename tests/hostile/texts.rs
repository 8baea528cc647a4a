//! Texts: malformed, with control characters, without end, in another encoding; in each place from
//! which the host takes one.

use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::attack::{Attack, attacks};
use super::places::{configuring, describing, pushing, with};
use crate::support::guest::{CONTRACT, Guest};

/// Where the texts of the manifest are, and where a list of settings or properties may be put.
const NAME: u32 = 512;
const VERSION: u32 = 520;
const SUMMARY: u32 = 528;
const FRAMING: u32 = 536;
const OUTPUT_TYPE: u32 = 552;
const SETTINGS: u32 = 560;
const PROPERTIES: u32 = 568;
const LIST: u32 = 2048;

/// No UTF-8: a byte that never is; one that is encoded too long; half a pair; one that is cut off;
/// one beyond all of Unicode.
const MALFORMED: [&str; 5] = ["\\ff", "\\c0\\80", "\\ed\\a0\\80", "\\e2\\82", "\\f4\\90\\80\\80"];

/// What would clear a terminal, ring its bell, name its window and begin a line that looks like one
/// of the host's.
const CONTROL: &str = "\\1b[2J\\07\\1b]0;x\\07\\r\\nerror: all is lost\\00\\c2\\9b31m";

/// With a text at 3000.
fn text(text: &str, guest: Guest) -> Guest {
    with(&format!("(data (i32.const 3000) \"{text}\")"), guest)
}

fn length(text: &str) -> usize {
    text.len() - 2 * text.matches('\\').count()
}

/// Stores that text where a pointer and a length belong.
fn point(at: u32, bytes: usize) -> String {
    format!(
        "(i32.store (i32.const {at}) (i32.const 3000)) (i32.store offset=4 (i32.const {at}) (i32.const {bytes}))"
    )
}

/// Says it of itself, there.
fn malformed_at(at: u32) -> Guest {
    text("\\ff", describing(&point(at, 1)))
}

/// The same in the first of the settings or properties.
fn malformed_in(list: u32, at: u32) -> Guest {
    let one = format!(
        "(i32.store (i32.const {list}) (i32.const {LIST})) (i32.store offset=4 (i32.const {list}) (i32.const 1))"
    );
    let some = format!("(i32.store8 (i32.const {}) (i32.const 1))", LIST + 16);
    text("\\ff", describing(&format!("{one} {some} {}", point(LIST + at, 1))))
}

fn logging(what: &str) -> Guest {
    text(
        what,
        pushing(&format!(
            "(call $log (i32.const 2) (i32.const 3000) (i32.const {}))",
            length(what)
        )),
    )
}

fn counting(what: &str) -> Guest {
    text(
        what,
        pushing(&format!(
            "(call $count (i32.const 3000) (i32.const {}) (i64.const 1))",
            length(what)
        )),
    )
}

fn rejecting(what: &str) -> Guest {
    text(
        what,
        pushing(&format!(
            "(call $reject (i64.const 0) (i32.const 3000) (i32.const {}) (i32.const 0) (i32.const 1))",
            length(what)
        )),
    )
}

fn invalid(what: &str) -> Guest {
    text(
        what,
        pushing(&format!(
            "(return (call $invalid (i64.const 2) (i32.const 3000) (i32.const {})))",
            length(what)
        )),
    )
}

fn fatal(what: &str) -> Guest {
    text(
        what,
        pushing(&format!("(return (call $fatal (i32.const 3000) (i32.const {})))", length(what))),
    )
}

/// Refuses its settings.
fn refusing(what: &str) -> Guest {
    let result = format!(
        "(i32.store8 (i32.const 1024) (i32.const 1)) {} (return (i32.const 1024))",
        point(1028, length(what))
    );
    text(what, configuring(&result))
}

/// As long as nearly all of its memory.
fn endless(guest: Guest) -> Guest {
    let long = "(memory.fill (i32.const 65536) (i32.const 120) (i32.const 7000000))";
    Guest { pages: 112, ..with(&format!("(func $long {long}) (start $long)"), guest) }
}

/// With its texts in UTF-16, which they are not.
fn other_encoding(encoding: StringEncoding, guest: &Guest) -> Attack {
    let mut module = guest.bare_module();
    let mut resolve = Resolve::default();
    let package = resolve.push_str("plugin.wit", CONTRACT).unwrap();
    let world = resolve.select_world(&[package], Some("aggregator")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, encoding).unwrap();
    Attack::bytes(module)
}

attacks! {
    malformed_name: Start, malformed_at(NAME), "error: [plugins]/guest.wasm: the plugin crashed in describe: invalid utf-8 sequence of 1 bytes from index 0";
    malformed_version: Start, malformed_at(VERSION), "error: [plugins]/guest.wasm: the plugin crashed in describe: invalid utf-8 sequence of 1 bytes from index 0";
    malformed_summary: Start, malformed_at(SUMMARY), "error: [plugins]/guest.wasm: the plugin crashed in describe: invalid utf-8 sequence of 1 bytes from index 0";
    malformed_framing: Start, malformed_at(FRAMING), "error: [plugins]/guest.wasm: the plugin crashed in describe: invalid utf-8 sequence of 1 bytes from index 0";
    malformed_output_type: Start, malformed_at(OUTPUT_TYPE), "error: [plugins]/guest.wasm: the plugin crashed in describe: invalid utf-8 sequence of 1 bytes from index 0";
    malformed_setting_key: Start, malformed_in(SETTINGS, 0), "error: [plugins]/guest.wasm: the plugin crashed in describe: invalid utf-8 sequence of 1 bytes from index 0";
    malformed_setting_summary: Start, malformed_in(SETTINGS, 8), "error: [plugins]/guest.wasm: the plugin crashed in describe: invalid utf-8 sequence of 1 bytes from index 0";
    malformed_setting_default: Start, malformed_in(SETTINGS, 20), "error: [plugins]/guest.wasm: the plugin crashed in describe: invalid utf-8 sequence of 1 bytes from index 0";
    malformed_property_key: Start, malformed_in(PROPERTIES, 0), "error: [plugins]/guest.wasm: the plugin crashed in describe: invalid utf-8 sequence of 1 bytes from index 0";
    malformed_property_value: Start, malformed_in(PROPERTIES, 8), "error: [plugins]/guest.wasm: the plugin crashed in describe: invalid utf-8 sequence of 1 bytes from index 0";
    malformed_log: Source, logging(MALFORMED[0]), "
        bad: the plugin crashed in push: invalid utf-8 sequence of 1 bytes from index 0
        1 of 3 sources failed
        ";
    malformed_log_too_long_an_encoding: Source, logging(MALFORMED[1]), "
        bad: the plugin crashed in push: invalid utf-8 sequence of 1 bytes from index 0
        1 of 3 sources failed
        ";
    malformed_log_half_a_pair: Source, logging(MALFORMED[2]), "
        bad: the plugin crashed in push: invalid utf-8 sequence of 1 bytes from index 0
        1 of 3 sources failed
        ";
    malformed_log_cut_off: Source, logging(MALFORMED[3]), "
        bad: the plugin crashed in push: incomplete utf-8 byte sequence from index 0
        1 of 3 sources failed
        ";
    malformed_log_beyond_unicode: Source, logging(MALFORMED[4]), "
        bad: the plugin crashed in push: invalid utf-8 sequence of 1 bytes from index 0
        1 of 3 sources failed
        ";
    malformed_counter: Source, counting(MALFORMED[0]), "
        bad: the plugin crashed in push: invalid utf-8 sequence of 1 bytes from index 0
        1 of 3 sources failed
        ";
    malformed_reject: Source, rejecting(MALFORMED[0]), "
        bad: the plugin crashed in push: invalid utf-8 sequence of 1 bytes from index 0
        1 of 3 sources failed
        ";
    malformed_reason: Source, invalid(MALFORMED[0]), "
        bad: the plugin crashed in push: invalid utf-8 sequence of 1 bytes from index 0
        1 of 3 sources failed
        ";
    malformed_fatal: Source, fatal(MALFORMED[0]), "
        bad: the plugin crashed in push: invalid utf-8 sequence of 1 bytes from index 0
        1 of 3 sources failed
        ";
    malformed_refusal_of_settings: Start, refusing(MALFORMED[0]), "error: [plugins]/guest.wasm: the plugin crashed in configure: invalid utf-8 sequence of 1 bytes from index 0";
    utf16_that_is_none: Start, other_encoding(StringEncoding::UTF16, &Guest::default()), "error: [plugins]/guest.wasm: the plugin crashed in describe: string pointer not aligned to 2";
    latin1_or_utf16_that_is_none: Start, other_encoding(StringEncoding::CompactUTF16, &describing(
        "(i32.store (i32.const 516) (i32.const 0x80000001)) (i32.store (i32.const 512) (i32.const 3000))
            (i32.store16 (i32.const 3000) (i32.const 0xd800))")), "error: [plugins]/guest.wasm: the plugin crashed in describe: unpaired surrogate found: d800";

    control_characters_in_the_log: Nothing, logging(CONTROL), "WARN guest:  [2J  ]0;x   error: all is lost  3";
    control_characters_in_a_counter: Nothing, counting(CONTROL), "WARN guest: counter ` [2J  ]0;x   error: all is lost  3` is not counted: a plugin has at most 16, named in lower case, digits and _";
    control_characters_in_a_reject: Nothing, Attack::from(rejecting(CONTROL)).flags(&["--max-rejects=100%"]), "
        1 record of 1 source was set aside (first: bad:1:  [2J  ]0;x   error: all is lost  3)
        hint: --rejects FILE keeps them
        ";
    control_characters_in_a_reason: Source, invalid(CONTROL), "
        bad: at byte 2: �[2J��]0;x���error: all is lost��3
        1 of 3 sources failed
        ";
    control_characters_in_fatal: Sources, fatal(CONTROL), "
        bad: �[2J��]0;x���error: all is lost��3
        the plugin cannot go on: the run ended early
        ";
    control_characters_in_a_refusal_of_settings: Start, refusing(CONTROL), "error: [plugins]/guest.wasm: �[2J��]0;x���error: all is lost��3";
    control_characters_in_framing: Start, text(CONTROL, describing(&point(FRAMING, length(CONTROL)))), "error: unknown framing `�[2J��]0;x���error: all is lost��3`: known are bytes, lines, csv, delimited:0xNN, fixed:N, prefixed:u32be, prefixed:u32le, whole";
    control_characters_in_an_import: Start,
        Guest { imports: "(import \"\\1b[2J\\0aerror: all is lost\" \"\\07\" (func))", ..Guest::default() }, "
        error: [plugins]/guest.wasm: a core module that cannot be made a component: failed to decode world from module: module was not valid: failed to resolve import `�[2J error: all is lost::�`: module requires an import interface named `�[2J error: all is lost`
        hint: build it with wit-bindgen (the SDK does), which embeds the contract
        ";

    endless_reason: Source, endless(pushing("(return (call $invalid (i64.const 2) (i32.const 65536) (i32.const 7000000)))")), "
        […]
        bad: at byte 2: axxxone�one�badx!two�xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx[…]
        1 of 3 sources failed
        ";
    endless_fatal: Sources, endless(pushing("(return (call $fatal (i32.const 65536) (i32.const 7000000)))")), "
        […]
        bad: axxxone�one�badx!two�xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx[…]
        the plugin cannot go on: the run ended early
        ";
    endless_refusal_of_settings: Start, endless(configuring("(i32.store8 (i32.const 1024) (i32.const 1))
        (i32.store (i32.const 1028) (i32.const 65536)) (i32.store (i32.const 1032) (i32.const 7000000)) (return (i32.const 1024))")), "
        error: [plugins]/guest.wasm: the plugin returned too much from configure, more than 1 MiB
        hint: what a plugin says of itself is for people to read
        ";
    endless_framing: Start, endless(describing("(i32.store (i32.const 536) (i32.const 65536))
        (i32.store (i32.const 540) (i32.const 7000000))")), "
        error: [plugins]/guest.wasm: the plugin returned too much from describe, more than 1 MiB
        hint: what a plugin says of itself is for people to read
        ";
    endless_name: Start, endless(describing("(i32.store (i32.const 512) (i32.const 65536))
        (i32.store (i32.const 516) (i32.const 7000000))")), "
        error: [plugins]/guest.wasm: the plugin returned too much from describe, more than 1 MiB
        hint: what a plugin says of itself is for people to read
        ";
    endless_output_type: Start, endless(describing("(i32.store (i32.const 552) (i32.const 65536))
        (i32.store (i32.const 556) (i32.const 7000000))")), "
        error: [plugins]/guest.wasm: the plugin returned too much from describe, more than 1 MiB
        hint: what a plugin says of itself is for people to read
        ";
    text_beyond_memory: Start, describing("(i32.store (i32.const 512) (i32.const -1))"), "error: [plugins]/guest.wasm: the plugin crashed in describe: string pointer/length out of bounds of memory";
    panic_of_an_endless_text: Source,
        endless(pushing("(call $log (i32.const 3) (i32.const 65536) (i32.const 7000000)) unreachable")), "
        […]
        ERROR guest: axxxone one badx!two xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx[…]
        ERROR guest: badx!two xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx[…]
        bad: the plugin crashed in push: badx!two xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx[…]
        1 of 3 sources failed
        ";
}

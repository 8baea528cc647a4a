//! What a plugin may have at most, and one more.

use std::fs::File;
use std::io::Write;

use super::{assert_one_failed, refused, run, run_file};
use crate::support::guest::Guest;
use crate::support::host::Host;
use crate::support::tree::Tree;

/// With further items in its module.
fn with_items(items: String) -> Guest {
    Guest { items: Box::leak(items.into_boxed_str()), ..Guest::default() }
}

#[track_caller]
fn assert_runs(guest: &Guest) {
    let ended = run(guest, &["--total"]).exits(0);
    assert_eq!(ended.lines()[0]["total"], "one\n!two\nthree\n");
}

#[test]
fn a_table_has_its_elements_and_no_more() {
    assert_runs(&with_items("(table 100000 funcref)".into()));
    let message = refused(&with_items("(table 100001 funcref)".into()).module());
    insta::assert_snapshot!(message, @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: the plugin asked for a table of 100001 elements in its start, more than 100000
    hint: raise --table-elements
    ");
}

#[test]
fn a_table_does_not_grow_beyond_its_elements() {
    let grow = "(if (call $marked (local.get $data) (local.get $len)) (then
        (if (i32.ne (table.grow $more (ref.null func) (i32.const 99999)) (i32.const 1)) (then unreachable))
        (if (i32.ne (table.grow $more (ref.null func) (i32.const 1)) (i32.const -1)) (then unreachable))))";
    let guest = Guest { push: grow, ..with_items("(table $more 1 funcref)".into()) };
    assert_runs(&guest);
}

#[test]
fn a_plugin_has_its_tables_and_memories_and_no_more() {
    // The wrapper that makes a component of the module has a table of its own.
    assert_runs(&with_items("(table 1 funcref)".repeat(63)));
    assert_runs(&with_items("(memory 1)".repeat(7)));
    let tables = refused(&with_items("(table 1 funcref)".repeat(64)).module());
    let memories = refused(&with_items("(memory 1)".repeat(8)).module());
    insta::assert_snapshot!(tables, @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: the plugin crashed in its start: resource limit exceeded: table count too high at 65
    ");
    insta::assert_snapshot!(memories, @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: the plugin crashed in its start: resource limit exceeded: memory count too high at 9
    ");
}

/// Sections behind the component: an empty module, and so many instances of it.
fn with_instances(count: u32) -> Vec<u8> {
    let mut component = Guest::default().component();
    let modules = wasmparser::Parser::new(0)
        .parse_all(&component)
        .filter(|part| matches!(part, Ok(wasmparser::Payload::ModuleSection { .. })))
        .count();
    let module = *b"\0asm\x01\0\0\0";
    component.extend([1, u8::try_from(module.len()).unwrap()]);
    component.extend(module);
    let instance = [0, u8::try_from(modules).unwrap(), 0];
    // The count in two bytes of seven bits, whatever it is.
    let low = u8::try_from(count & 0x7f).unwrap() | 0x80;
    let body = [&[low, u8::try_from(count >> 7).unwrap()][..], &instance.repeat(count as usize)];
    let length = u32::try_from(body.concat().len()).unwrap();
    component.push(2);
    component.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
    component.push(u8::try_from(length >> 7).unwrap());
    component.extend(body.concat());
    component
}

#[test]
fn a_plugin_has_its_core_instances_and_no_more() {
    run_file(&with_instances(200), &["--total"]).exits(0);
    insta::assert_snapshot!(refused(&with_instances(257)), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: the plugin crashed in its start: resource limit exceeded: instance count too high at 257
    ");
}

#[test]
fn a_plugin_file_has_its_size_and_no_more() {
    let tree = Tree::new();
    let path = tree.path().join("large.wasm");
    let mut file = File::create(&path).unwrap();
    file.write_all(b"\0asm\x0d\0\x01\0").unwrap();
    file.set_len((50 << 20) + 1).unwrap();
    insta::assert_snapshot!(Host::run(&path).arg("x").ended(), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/large.wasm: has 52428801 bytes, more than 52428800
    hint: raise --component-size
    ");
}

#[test]
fn a_result_has_its_size_and_no_more() {
    let finish = |bytes: &str| {
        let finish = format!(
            "(if (call $seen_marked) (then (return (call $bytes (i32.const 0) (i32.const {bytes})))))"
        );
        Guest { pages: 1100, finish: Box::leak(finish.into_boxed_str()), ..Guest::default() }
    };
    let message = "the plugin returned 67108865 bytes from finish, more than 64 MiB";
    assert_one_failed(run(&finish("67108865"), &[]), "output", message);
    run(&finish("67108800"), &["--per-source", "--format", "raw"]).exits(0);
}

#[test]
fn a_plugin_is_given_so_many_header_records_and_no_more() {
    run(&Guest { header_records: 1000, ..Guest::default() }, &[]).exits(0);
    let guest = Guest { header_records: 1001, ..Guest::default() };
    insta::assert_snapshot!(refused(&guest.module()), @"
    exit: 2
    --- stdout
    --- stderr
    error: header-records is 1001, more than 1000
    ");
}

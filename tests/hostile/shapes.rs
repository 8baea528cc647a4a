//! Plugin files that are no plugins, or that are made to keep a compiler busy.

use super::attack::{Attack, attacks};
use super::places::{leak, pushing, with};
use crate::support::guest::{CONTRACT, Guest};

/// The plugin with one more import of its world.
fn importing(interface: &str, package: &str, function: &str) -> Guest {
    let world = "world aggregator {\n    import host;";
    assert!(CONTRACT.contains(world));
    let contract = CONTRACT.replace(world, &format!("{world}\n    import {interface};")) + package;
    let import = format!(r#"(import "{interface}" {function})"#);
    Guest { imports: leak(import), contract, ..Guest::default() }
}

fn wasi(interface: &str, body: &str, function: &str) -> Guest {
    let (package, rest) = interface.split_once('/').unwrap();
    let (name, version) = rest.split_once('@').unwrap();
    importing(
        interface,
        &format!("package {package}@{version} {{ interface {name} {{ {body} }} }}"),
        function,
    )
}

fn of_version(version: &'static str) -> Guest {
    let contract = CONTRACT.replace("@0.1.0;", &format!("@{version};"));
    Guest { contract, version, ..Guest::default() }
}

fn text(wat: &str) -> Attack {
    Attack::bytes(wat::parse_str(wat).unwrap())
}

fn cut(denominator: usize) -> Attack {
    let whole = Guest::default().component();
    Attack::bytes(whole[..whole.len() - whole.len() / denominator].to_vec())
}

/// As the binary format has numbers (core specification, section 5.2.2).
fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).unwrap();
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn section(id: u8, body: &[u8]) -> Vec<u8> {
    [&[id][..], &leb128(body.len()), body].concat()
}

const COMPONENT: [u8; 8] = *b"\0asm\x0d\0\x01\0";

/// Components in components.
fn nested_components(depth: usize) -> Attack {
    let mut heads = vec![COMPONENT.to_vec()];
    let mut length = COMPONENT.len();
    for _ in 0..depth {
        let head = [&COMPONENT[..], &[4], &leb128(length)].concat();
        length += head.len();
        heads.push(head);
    }
    heads.reverse();
    Attack::bytes(heads.concat())
}

/// A list of lists of lists…, as the type of an imported function.
fn nested_types(depth: usize) -> Attack {
    let mut types = leb128(depth + 2);
    types.extend([0x70, 0x7d]);
    for at in 0..depth {
        types.push(0x70);
        // A type by its index, as a signed number.
        let mut index = leb128(at);
        if index.last().is_some_and(|last| last & 0x40 != 0) {
            *index.last_mut().unwrap() |= 0x80;
            index.push(0);
        }
        types.extend(index);
    }
    types.extend([0x40, 1, 1, b'a']);
    let mut index = leb128(depth);
    if index.last().is_some_and(|last| last & 0x40 != 0) {
        *index.last_mut().unwrap() |= 0x80;
        index.push(0);
    }
    types.extend(index);
    types.extend([1, 0]);
    let mut import = vec![1, 0, 1, b'f', 1];
    import.extend(leb128(depth + 1));
    Attack::bytes([COMPONENT.to_vec(), section(7, &types), section(10, &import)].concat())
}

/// Sections of one kind behind the plugin.
fn with_section(id: u8, body: &[u8]) -> Attack {
    Attack::bytes([Guest::default().component(), section(id, body)].concat())
}

/// A function of so many instructions, each of which needs the one before.
fn long_function(length: usize) -> Guest {
    let body = "(local.set 0 (i64.xor (i64.mul (local.get 0) (i64.const 7)) (local.get 0)))"
        .repeat(length);
    with(&format!("(func (param i64) (result i64) {body} (local.get 0))"), Guest::default())
}

/// Blocks in blocks.
fn deep_function(depth: usize) -> Guest {
    with(&format!("(func {} {})", "block ".repeat(depth), "end ".repeat(depth)), Guest::default())
}

attacks! {
    import_of_nobody: Start, importing("acme:disk/files@1.0.0",
        "package acme:disk@1.0.0 { interface files { read: func() -> u32; } }",
        r#""read" (func (result i32))"#), "
        error: [plugins]/guest.wasm: imports acme:disk/files@1.0.0, which no plugin is given
        hint: a plugin reaches nothing but gristmill:plugin/host: log, count and reject
        ";
    import_of_a_clock: Start, wasi("wasi:clocks/monotonic-clock@0.2.0",
        "now: func() -> u64;", r#""now" (func (result i64))"#), "
        error: [plugins]/guest.wasm: imports wasi:clocks/monotonic-clock@0.2.0, which no plugin is given
        hint: a plugin reaches nothing but gristmill:plugin/host: log, count and reject
        ";
    import_of_a_sleep: Start, wasi("wasi:io/poll@0.2.0",
        "resource pollable { block: func(); }", r#""[method]pollable.block" (func (param i32))"#), "
        error: [plugins]/guest.wasm: imports wasi:io/poll@0.2.0, which no plugin is given
        hint: a plugin reaches nothing but gristmill:plugin/host: log, count and reject
        ";
    import_of_random: Start, wasi("wasi:random/random@0.2.0",
        "get-random-u64: func() -> u64;", r#""get-random-u64" (func (result i64))"#), "
        error: [plugins]/guest.wasm: imports wasi:random/random@0.2.0, which no plugin is given
        hint: a plugin reaches nothing but gristmill:plugin/host: log, count and reject
        ";
    import_of_the_environment: Start, wasi("wasi:cli/environment@0.2.0",
        "get-arguments: func() -> list<string>;", r#""get-arguments" (func (param i32))"#), "
        error: [plugins]/guest.wasm: imports wasi:cli/environment@0.2.0, which no plugin is given
        hint: a plugin reaches nothing but gristmill:plugin/host: log, count and reject
        ";
    import_of_files: Start, wasi("wasi:filesystem/preopens@0.2.0",
        "resource descriptor; get-directories: func() -> list<tuple<u32, string>>;",
        r#""get-directories" (func (param i32))"#), "
        error: [plugins]/guest.wasm: imports wasi:filesystem/preopens@0.2.0, which no plugin is given
        hint: a plugin reaches nothing but gristmill:plugin/host: log, count and reject
        ";
    import_of_sockets: Start, wasi("wasi:sockets/instance-network@0.2.0",
        "instance-network: func() -> u32;", r#""instance-network" (func (result i32))"#), "
        error: [plugins]/guest.wasm: imports wasi:sockets/instance-network@0.2.0, which no plugin is given
        hint: a plugin reaches nothing but gristmill:plugin/host: log, count and reject
        ";
    import_of_a_host_to_come: Start, text(
        r#"(component (import "gristmill:plugin/disk@0.1.0" (instance (export "read" (func (result u32))))))"#), "
        error: [plugins]/guest.wasm: imports gristmill:plugin/disk@0.1.0, which no plugin is given
        hint: a plugin reaches nothing but gristmill:plugin/host: log, count and reject
        ";
    import_that_only_begins_like_ours: Start, text(
        r#"(component (import "gristmill:plugin/host@0.1.0-evil" (instance (export "read" (func)))))"#), "
        error: [plugins]/guest.wasm: needs what this host does not have: component imports instance `gristmill:plugin/host@0.1.0-evil`, but a matching implementation was not found in the linker: instance export `read` has the wrong type: function implementation is missing
        hint: it may be built for a newer gristmill
        ";
    import_of_another_type: Start, text(
        r#"(component (import "gristmill:plugin/host@0.1.0" (instance (export "log" (func (result string))))))"#), "
        error: [plugins]/guest.wasm: needs what this host does not have: component imports instance `gristmill:plugin/host@0.1.0`, but a matching implementation was not found in the linker: instance export `log` has the wrong type: type mismatch with parameters: expected 2-tuple, found 0-tuple
        hint: it may be built for a newer gristmill
        ";
    import_of_a_module: Start, text(
        r#"(component (import "gristmill:plugin/host@0.1.0" (core module)))"#), "
        error: [plugins]/guest.wasm: needs what this host does not have: component imports core module `gristmill:plugin/host@0.1.0`, but a matching implementation was not found in the linker: expected module found instance
        hint: it may be built for a newer gristmill
        ";
    module_of_wasi: Start, Guest {
        imports: r#"(import "wasi_snapshot_preview1" "sock_accept" (func (param i32 i32 i32) (result i32)))"#,
        ..Guest::default() }, "
        error: [plugins]/guest.wasm: a core module that cannot be made a component: failed to decode world from module: module was not valid: failed to resolve import `wasi_snapshot_preview1::sock_accept`: module requires an import interface named `wasi_snapshot_preview1`
        hint: build for wasm32-unknown-unknown: plugins have no WASI
        ";

    contract_of_another_version: Start, of_version("0.2.0"), "
        error: [plugins]/guest.wasm: imports gristmill:plugin/types@0.2.0, gristmill:plugin/host@0.2.0, which no plugin is given
        hint: a plugin reaches nothing but gristmill:plugin/host: log, count and reject
        ";
    contract_of_a_version_to_come: Start, of_version("1.0.0"), "
        error: [plugins]/guest.wasm: imports gristmill:plugin/types@1.0.0, gristmill:plugin/host@1.0.0, which no plugin is given
        hint: a plugin reaches nothing but gristmill:plugin/host: log, count and reject
        ";
    export_that_is_missing: Start, text("(component)"), "
        error: [plugins]/guest.wasm: does not export gristmill:plugin/lifecycle@0.1.0#describe
        hint: a plugin exports what the world `aggregator` of wit/plugin.wit lists
        ";
    export_of_another_type: Start, Guest {
        contract: CONTRACT.replace("finish: func() -> result<list<u8>, error>;", "finish: func() -> result<string, error>;"),
        ..Guest::default() }, "
        error: [plugins]/guest.wasm: `finish` is not of the type that the contract gives it: failed to convert function to given type: type mismatch with results: expected `list` found `string`
        hint: build the plugin against wit/plugin.wit of this version
        ";
    export_that_is_no_function: Start, text(
        r#"(component (instance $i) (export "gristmill:plugin/transform@0.1.0" (instance $i)))"#), "
        error: [plugins]/guest.wasm: does not export gristmill:plugin/lifecycle@0.1.0#describe
        hint: a plugin exports what the world `transformer` of wit/plugin.wit lists
        ";

    threads: Start, with("(memory 1 1 shared)", Guest::default()), "
        error: [plugins]/guest.wasm: the plugin uses threads (shared memory, atomics), which plugins may not: the host has threads of its own, and gives each a sandbox
        hint: build it without that feature; SIMD, bulk memory, funcref, multi-memory and tail calls are allowed
        ";
    memory_of_64_bits: Start, with("(memory i64 1)", Guest::default()), "
        error: [plugins]/guest.wasm: the plugin uses 64-bit memory (memory64), which plugins may not: a sandbox has at most 4 GiB
        hint: build it without that feature; SIMD, bulk memory, funcref, multi-memory and tail calls are allowed
        ";
    exceptions: Start, with("(tag)", Guest::default()), "
        error: [plugins]/guest.wasm: the plugin uses exceptions, which plugins may not: no supported language needs them
        hint: build it without that feature; SIMD, bulk memory, funcref, multi-memory and tail calls are allowed
        ";
    garbage_collection: Start, with("(type (struct (field i32))) (func (drop (struct.new 0 (i32.const 1))))", Guest::default()), "
        error: [plugins]/guest.wasm: the plugin uses garbage collection (gc), which plugins may not: its engine is not a part of the host
        hint: build it without that feature; SIMD, bulk memory, funcref, multi-memory and tail calls are allowed
        ";
    call_through_a_null_reference: Start, with("(type $f (func))", pushing("(call_ref $f (ref.null $f))")), "
        error: [plugins]/guest.wasm: the plugin uses typed function references, which plugins may not: their engine is not a part of the host
        hint: build it without that feature; SIMD, bulk memory, funcref, multi-memory and tail calls are allowed
        ";
    call_of_a_subtype: Start, with("(type $above (sub (func))) (type $below (sub $above (func)))
        (table $subtypes 1 funcref) (elem (table $subtypes) (i32.const 0) func $below) (func $below (type $below))",
        pushing("(call_indirect $subtypes (type $above) (i32.const 0))")), "
        error: [plugins]/guest.wasm: the plugin uses garbage collection (gc), which plugins may not: its engine is not a part of the host
        hint: build it without that feature; SIMD, bulk memory, funcref, multi-memory and tail calls are allowed
        ";
    stack_switching: Start, with("(type $f (func)) (type $k (cont $f)) (func (param (ref null $k)))", Guest::default()), "
        error: [plugins]/guest.wasm: the plugin uses stack switching, which plugins may not: plugins are synchronous
        hint: build it without that feature; SIMD, bulk memory, funcref, multi-memory and tail calls are allowed
        ";
    wide_pages: Start, with("(memory 1 (pagesize 1))", Guest::default()), "
        error: [plugins]/guest.wasm: the plugin uses custom page sizes, which plugins may not: the proposal is not finished
        hint: build it without that feature; SIMD, bulk memory, funcref, multi-memory and tail calls are allowed
        ";
    async_functions: Start, text(r#"(component (import "f" (func async (result (future u8)))))"#), "
        error: [plugins]/guest.wasm: the plugin uses async functions of the component model, which plugins may not: plugins are synchronous
        hint: build it without that feature; SIMD, bulk memory, funcref, multi-memory and tail calls are allowed
        ";

    nothing_at_all: Start, Attack::bytes(Vec::new()), "error: [plugins]/guest.wasm: is not WebAssembly: it lacks the preamble of a module or component";
    a_preamble_alone: Start, Attack::bytes(b"\0asm".to_vec()), "error: [plugins]/guest.wasm: is not WebAssembly: it lacks the preamble of a module or component";
    a_module_that_is_empty: Start, text("(module)"), "
        error: [plugins]/guest.wasm: does not export gristmill:plugin/lifecycle@0.1.0#describe
        hint: a plugin exports what the world `aggregator` of wit/plugin.wit lists
        ";
    a_script: Start, Attack::bytes(b"#!/bin/sh\nexec cat /etc/shadow\n".to_vec()), "error: [plugins]/guest.wasm: is not WebAssembly: it lacks the preamble of a module or component";
    component_that_lacks_its_end: Start, cut(2000), "error: [plugins]/guest.wasm: does not compile: failed to parse WebAssembly module: unexpected end-of-file (at offset 0x1dd9)";
    component_that_lacks_a_half: Start, cut(2), "error: [plugins]/guest.wasm: does not compile: failed to parse WebAssembly module: unexpected end-of-file (at offset 0xea5)";
    section_longer_than_the_file: Start, Attack::bytes([&COMPONENT[..], &[1, 0xff, 0xff, 0xff, 0xff, 0x0f]].concat()), "error: [plugins]/guest.wasm: does not compile: failed to parse WebAssembly module: module section is too large (at offset 0x9)";
    sections_of_no_known_kind: Start, with_section(99, b"x"), "error: [plugins]/guest.wasm: does not compile: failed to parse WebAssembly module: malformed section id: 99 (at offset 0x1e0a)";

    nested_components_without_end: Start, nested_components(20_000), "error: [plugins]/guest.wasm: has components in components, more than 32 deep";
    nested_types_without_end: Start, nested_types(50_000), "
        error: [plugins]/guest.wasm: comes to 50004 instances, aliases and types of components, more than 20000
        hint: a plugin is one module, or a few that are linked
        ";
    function_that_is_giant: Start, long_function(400_000), "
        error: [plugins]/guest.wasm: has a function of 4000004 bytes, more than 1048576
        hint: a table of data belongs into memory
        ";
    function_that_is_as_long_as_may_be: Nothing, Attack::from(long_function(100_000)).hands_over(256), "";
    function_of_deep_blocks: Nothing, deep_function(20_000), "";
    function_of_too_many_locals: Start, with(&format!("(func {})", "(local i64)".repeat(50_001)), Guest::default()), "
        error: [plugins]/guest.wasm: a core module that cannot be made a component: too many locals: locals exceed maximum (at offset 0x40b)
        hint: build it with wit-bindgen (the SDK does), which embeds the contract
        ";
    data_segments_of_32_thousand: Nothing, with(&"(data (i32.const 9999) \"x\")".repeat(32_000), Guest::default()), "";
    data_segments_of_100_thousand: Start, with(&"(data \"x\")".repeat(100_001), Guest::default()), "
        error: [plugins]/guest.wasm: a core module that cannot be made a component: data segments count exceeds limit of 100000 (at offset 0x44b)
        hint: build it with wit-bindgen (the SDK does), which embeds the contract
        ";
    data_beyond_memory: Start, with("(data (i32.const -1) \"xx\")", Guest::default()), "error: [plugins]/guest.wasm: the plugin crashed in its start: wasm trap: out of bounds memory access";
    elements_beyond_their_table: Start, with("(table $t 1 funcref) (elem (table $t) (i32.const 1) func $ok)", Guest::default()), "error: [plugins]/guest.wasm: the plugin crashed in its start: wasm trap: undefined element: out of bounds table access";
    types_without_end: Start, Attack::bytes([COMPONENT.to_vec(), section(7, &[leb128(1_000_001), vec![0x7d; 1_000_001]].concat())].concat()), "
        error: [plugins]/guest.wasm: comes to 1000002 instances, aliases and types of components, more than 20000
        hint: a plugin is one module, or a few that are linked
        ";
    instances_without_end: Start, with_instances(), "error: [plugins]/guest.wasm: does not compile: failed to parse WebAssembly module: instances count exceeds limit of 1000 (at offset 0x1e15)";
    custom_sections_without_end: Nothing, with_section(0, &[&[1, b'x'][..], &vec![7; 4 << 20]].concat()), "";
}

/// An empty module, and a thousand instances of it, behind the plugin.
fn with_instances() -> Attack {
    let component = Guest::default().component();
    let is_module = |part: &Result<wasmparser::Payload<'_>, _>| {
        matches!(part, Ok(wasmparser::Payload::ModuleSection { .. }))
    };
    let modules = wasmparser::Parser::new(0).parse_all(&component).filter(is_module).count();
    let instance = [0, u8::try_from(modules).unwrap(), 0];
    let instances = [leb128(1000), instance.repeat(1000)].concat();
    Attack::bytes([component, section(1, b"\0asm\x01\0\0\0"), section(2, &instances)].concat())
}

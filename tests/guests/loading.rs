//! What is not loaded: what imports more, what is of another contract, what is no plugin.

use super::{refused, run};
use crate::support::guest::{CONTRACT, Guest};

/// The contract, with one more import and the package that it is from.
fn with_import(name: &str, package: &str) -> String {
    let world = "world aggregator {\n    import host;";
    assert!(CONTRACT.contains(world));
    CONTRACT.replace(world, &format!("{world}\n    import {name};")) + package
}

#[test]
fn a_plugin_that_imports_more_is_refused_by_name() {
    let package = "package acme:disk@1.0.0 { interface files { read: func() -> u32; } }";
    let guest = Guest {
        imports: r#"(import "acme:disk/files@1.0.0" "read" (func $read (result i32)))"#,
        contract: with_import("acme:disk/files@1.0.0", package),
        ..Guest::default()
    };
    insta::assert_snapshot!(refused(&guest.module()), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: imports acme:disk/files@1.0.0, which no plugin is given
    hint: a plugin reaches nothing but gristmill:plugin/host: log, count and reject
    ");
    assert_eq!(refused(&guest.component()), refused(&guest.module()));
}

#[test]
fn a_module_that_imports_wasi_gets_a_hint_how_to_build_it() {
    let guest = Guest {
        imports: r#"(import "wasi_snapshot_preview1" "fd_write"
            (func $write (param i32 i32 i32 i32) (result i32)))"#,
        ..Guest::default()
    };
    insta::assert_snapshot!(refused(&guest.module()), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: a core module that cannot be made a component: failed to decode world from module: module was not valid: failed to resolve import `wasi_snapshot_preview1::fd_write`: module requires an import interface named `wasi_snapshot_preview1`
    hint: build for wasm32-unknown-unknown: plugins have no WASI
    ");
}

#[test]
fn a_module_without_type_information_gets_a_hint_how_to_build_it() {
    insta::assert_snapshot!(refused(&Guest::default().bare_module()), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: a core module that cannot be made a component: failed to decode world from module: module was not valid: failed to resolve import `gristmill:plugin/host@0.1.0::log`: module requires an import interface named `gristmill:plugin/host@0.1.0`
    hint: build it with wit-bindgen (the SDK does), which embeds the contract
    ");
}

#[test]
fn a_newer_plugin_runs_unless_it_uses_what_is_new() {
    let newer = Guest {
        contract: CONTRACT.replace("@0.1.0;", "@0.1.1;"),
        version: "0.1.1",
        ..Guest::default()
    };
    assert_eq!(run(&newer, &[]).exits(0).lines()[2]["result"], "three\n");
    let log = "    log: func(";
    assert!(CONTRACT.contains(log));
    let using = Guest {
        imports: r#"(import "gristmill:plugin/host@0.1.1" "rest" (func $rest (result i64)))"#,
        contract: newer.contract.replace(log, &format!("    rest: func() -> u64;\n{log}")),
        ..newer
    };
    insta::assert_snapshot!(refused(&using.module()), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: needs what this host does not have: component imports instance `gristmill:plugin/host@0.1.1`, but a matching implementation was not found in the linker: instance export `rest` has the wrong type: function implementation is missing
    hint: it may be built for a newer gristmill
    ");
}

#[test]
fn a_plugin_of_another_contract_is_refused() {
    let guest = Guest {
        contract: CONTRACT.replace("@0.1.0;", "@0.2.0;"),
        version: "0.2.0",
        ..Guest::default()
    };
    insta::assert_snapshot!(refused(&guest.module()), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: imports gristmill:plugin/types@0.2.0, gristmill:plugin/host@0.2.0, which no plugin is given
    hint: a plugin reaches nothing but gristmill:plugin/host: log, count and reject
    ");
}

#[test]
fn a_component_that_is_no_plugin_is_refused() {
    let component = |text: &str| wat::parse_str(text).unwrap();
    insta::assert_snapshot!(refused(&component("(component)")), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: does not export gristmill:plugin/lifecycle@0.1.0#describe
    hint: a plugin exports what the world `aggregator` of wit/plugin.wit lists
    ");
    let transformer =
        r#"(component (instance $i) (export "gristmill:plugin/transform@0.1.0" (instance $i)))"#;
    insta::assert_snapshot!(refused(&component(transformer)), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: does not export gristmill:plugin/lifecycle@0.1.0#describe
    hint: a plugin exports what the world `transformer` of wit/plugin.wit lists
    ");
}

#[test]
fn a_function_of_another_type_is_refused() {
    let push = "push: func(chunk: chunk, data: list<u8>) -> result<_, error>;";
    assert!(CONTRACT.contains(push));
    let contract =
        CONTRACT.replace(push, "push: func(chunk: chunk, data: string) -> result<_, error>;");
    insta::assert_snapshot!(refused(&Guest { contract, ..Guest::default() }.module()), @"
    exit: 2
    --- stdout
    --- stderr
    error: [plugins]/guest.wasm: `push` is not of the type that the contract gives it: failed to convert function to given type: type mismatch with parameters: expected `list` found `string`
    hint: build the plugin against wit/plugin.wit of this version
    ");
}

#[test]
fn a_file_that_is_not_wasm_is_refused() {
    for bytes in [&b""[..], b"\0asm", b"#!/bin/sh\nexec cat\n"] {
        let message = refused(bytes);
        assert!(message.contains("guest.wasm: is not WebAssembly"), "{message}");
    }
}

#[test]
fn a_plugin_cut_off_anywhere_is_refused() {
    let echo = Guest::default();
    for whole in [echo.module(), echo.component()] {
        for cut in (8..whole.len()).step_by(whole.len() / 12) {
            let message = refused(&whole[..cut]);
            assert!(message.contains("error: [plugins]/guest.wasm: "), "{cut}: {message}");
        }
    }
}

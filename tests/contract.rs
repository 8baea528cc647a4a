//! The contract's text: it parses, it says what the worlds are, and it is what the plugins were
//! built from.

use std::collections::BTreeMap;

use wit_component::WitPrinter;
use wit_parser::{InterfaceId, PackageId, Resolve, WorldItem, WorldKey};

use crate::support::guest::CONTRACT;
use crate::support::plugins::plugin;

fn contract() -> (Resolve, PackageId) {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("plugin.wit", CONTRACT).unwrap();
    (resolve, package)
}

#[test]
fn the_package_is_gristmill_plugin_0_1_0() {
    let (resolve, package) = contract();
    assert_eq!(resolve.packages[package].name.to_string(), "gristmill:plugin@0.1.0");
    let worlds: Vec<_> = resolve.packages[package].worlds.keys().collect();
    assert_eq!(worlds, ["transformer", "aggregator"]);
}

fn names<'a>(
    resolve: &'a Resolve,
    items: impl IntoIterator<Item = (&'a WorldKey, &'a WorldItem)>,
) -> Vec<String> {
    items.into_iter().map(|(key, _)| resolve.name_world_key(key)).collect()
}

#[test]
fn a_world_imports_the_host_and_exports_its_own_interface() {
    let (resolve, package) = contract();
    for (world, interface) in [("aggregator", "aggregate"), ("transformer", "transform")] {
        let world = &resolve.worlds[resolve.select_world(&[package], Some(world)).unwrap()];
        // The types are not asked for: they come with the interfaces that use them.
        assert_eq!(
            names(&resolve, &world.imports),
            ["gristmill:plugin/types@0.1.0", "gristmill:plugin/host@0.1.0"]
        );
        let own = format!("gristmill:plugin/{interface}@0.1.0");
        assert_eq!(names(&resolve, &world.exports), ["gristmill:plugin/lifecycle@0.1.0", &own]);
    }
}

fn functions(resolve: &Resolve, interface: InterfaceId) -> Vec<&str> {
    resolve.interfaces[interface].functions.keys().map(String::as_str).collect()
}

#[test]
fn interfaces_have_the_functions_that_the_host_looks_up() {
    let (resolve, package) = contract();
    let interface = |name: &str| resolve.packages[package].interfaces[name];
    assert_eq!(functions(&resolve, interface("host")), ["log", "count", "reject"]);
    assert_eq!(functions(&resolve, interface("lifecycle")), ["describe", "configure"]);
    assert_eq!(
        functions(&resolve, interface("aggregate")),
        [
            "[constructor]accumulator",
            "[method]accumulator.push",
            "[method]accumulator.save",
            "[method]accumulator.merge",
            "[method]accumulator.finish"
        ]
    );
    assert_eq!(
        functions(&resolve, interface("transform")),
        ["[constructor]transformer", "[method]transformer.push", "[method]transformer.finish"]
    );
}

/// Interfaces of a package by name, as text without its comments.
fn interfaces(resolve: &Resolve, package: PackageId) -> BTreeMap<String, String> {
    let mut printer = WitPrinter::default();
    printer.emit_docs(false);
    printer.print_package(resolve, package, true).unwrap();
    let text = String::from(printer.output);
    let blocks = text.split("\n}\n").filter_map(|block| block.split_once("interface "));
    let named = |(_, block): (_, &str)| {
        let (name, body) = block.split_once(" {\n").unwrap();
        (name.to_string(), body.to_string())
    };
    blocks.map(named).collect()
}

#[test]
fn plugins_are_built_from_the_contract_that_is_shipped() {
    let (resolve, package) = contract();
    let shipped = interfaces(&resolve, package);
    assert_eq!(shipped.len(), 5, "{shipped:?}");
    let aggregators = ["wordcount", "topwords", "checksum", "grepcount"].map(|n| (n, "aggregate"));
    let transformers = [
        "upcase",
        "grep",
        "grepcontext",
        "redact",
        "csv2jsonl",
        "jsonl2csv",
        "jsonfilter",
        "parse",
    ]
    .map(|n| (n, "transform"));
    for (name, own) in aggregators.into_iter().chain(transformers) {
        let module = std::fs::read(plugin(name)).unwrap();
        let (_, embedded) = wit_component::metadata::decode(&module).unwrap();
        let resolve = embedded.resolve;
        let package = |(_, package): &(PackageId, &wit_parser::Package)| {
            package.name.to_string() == "gristmill:plugin@0.1.0"
        };
        let (package, _) = resolve.packages.iter().find(package).unwrap();
        let built = interfaces(&resolve, package);
        let found: Vec<_> = built.keys().map(String::as_str).collect();
        let mut expected = [own, "host", "lifecycle", "types"];
        expected.sort_unstable();
        assert_eq!(found, expected, "{name}");
        for (interface, text) in built {
            assert_eq!(shipped[&interface], text, "{interface} of {name}");
        }
    }
}

#[test]
fn the_sdk_carries_the_same_contract() {
    // A crate that is packed on its own finds no file outside of it.
    assert_eq!(include_str!("../plugin-sdk/wit/plugin.wit"), CONTRACT);
}

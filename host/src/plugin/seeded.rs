//! Seeded searches over what is read of a plugin file before a compiler sees it: its shape, the
//! wrapping of a core module, and what its manifest says.
//!
//! The oracle is the engine's own: its validator, and what it says that a component takes.

use std::fmt::Write;
use std::{env, fs};

use wasmparser::{Payload, Validator};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::contract::{self, Entry, Setting};
use super::manifest::Manifest;
use super::shape;
use super::wrap::{self, Binary};
use crate::process::Kind;
use crate::search::{Random, Search};

const MIB: u64 = 1 << 20;

const CONTRACT: &str = include_str!("../../../wit/plugin.wit");

/// A small module that fits a world of its own, as a compiler makes it.
const SMALL: &str = r#"(module
    (import "host" "log" (func $log (param i32 i32)))
    (memory (export "memory") 1) (table 2 funcref) (elem (i32.const 0) $two $log)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8))
    (func $two (export "two") (param i32) (result i32) (local i64 f32)
        (loop $again (br_if $again (local.get 0)) (block (br_table 0 0 (local.get 0))))
        (i32.const 16)))"#;

const WORLD: &str = "package a:b; interface host { log: func(text: string); }
    interface types { record r { a: list<string>, b: option<u8> } variant v { x(r), y, z(tuple<u8, r>) } flags f { p, q } resource t { m: func(v: v); } }
    world w { import types; import log: func(text: string); import host; export two: func(x: u32) -> string; }";

/// Modules that are good: a small one, one that carries the contract, and some that are shipped,
/// where they have been built.
fn modules() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (text, wit, world) in [(SMALL, WORLD, "w"), ("(module)", CONTRACT, "aggregator")] {
        let mut module = wat::parse_str(text).unwrap();
        let mut resolve = Resolve::default();
        let package = resolve.push_str("of-the-test.wit", wit).unwrap();
        let world = resolve.select_world(&[package], Some(world)).unwrap();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        all.push(module);
    }
    let built = env::var_os("GRISTMILL_TEST_PLUGINS").map(std::path::PathBuf::from);
    let shipped = ["upcase", "wordcount"]
        .into_iter()
        .filter_map(|name| fs::read(built.as_ref()?.join(name).with_extension("wasm")).ok());
    all.extend(shipped);
    all
}

/// As the binary format has numbers (core specification, section 5.2.2).
fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f).to_le_bytes()[0];
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

/// The module with what its type information says damaged, and the module as valid as before.
fn with_damaged_types(module: &[u8], random: &mut Random) -> Vec<u8> {
    let mut made = module[..8].to_vec();
    for payload in wasmparser::Parser::new(0).parse_all(module) {
        let payload = payload.unwrap();
        match &payload {
            Payload::CustomSection(custom) if custom.name().starts_with("component-type") => {
                let mut data = custom.data().to_vec();
                let whole = 0..data.len();
                random.damage(&mut data, whole);
                let name = custom.name().as_bytes();
                made.extend(section(0, &[&leb128(name.len()), name, &data].concat()));
            }
            other => {
                if let Some((id, range)) = other.as_section() {
                    made.extend(section(id, &module[range.start..range.end]));
                }
            }
        }
    }
    made
}

#[test]
fn a_module_is_wrapped_into_a_component_that_the_engine_takes() {
    let good = modules();
    for module in &good {
        assert!(wasmparser::validate(module).is_ok());
    }
    let search = Search {
        module: module_path!(),
        test: "a_module_is_wrapped_into_a_component_that_the_engine_takes",
        cases: 1500,
        // Half of what the process that compiles may take.
        memory_bytes_max: 512 * MIB,
    };
    search.run(|random| {
        let module = random.pick(&good);
        let made = if random.one_in(3) {
            let mut made = module.clone();
            let whole = 0..made.len();
            random.damage(&mut made, whole);
            made
        } else {
            with_damaged_types(module, random)
        };
        let wrapped = wrap::component(&made);
        match wrapped {
            Ok(component) => {
                assert!(wasmparser::validate(&made).is_ok(), "of a module that is not valid");
                wasmparser::validate(&component).unwrap();
                assert_eq!(wrap::binary(&component), Some(Binary::Component));
                let _told = shape::check(&component);
            }
            Err(reason) => assert!(!reason.is_empty() && !reason.contains('\n'), "{reason}"),
        }
    });
}

#[test]
fn damaged_bytes_have_a_shape_or_are_refused() {
    let mut good = modules();
    let components: Vec<_> = good.iter().filter_map(|it| wrap::component(it).ok()).collect();
    assert!(!components.is_empty());
    good.extend(components);
    let search = Search {
        module: module_path!(),
        test: "damaged_bytes_have_a_shape_or_are_refused",
        cases: 3000,
        memory_bytes_max: 64 * MIB,
    };
    search.run(|random| {
        let mut bytes = random.pick(&good).clone();
        // Where the sections of most modules begin, and where those that say the most are.
        let range = if random.one_in(2) { 8..2048 } else { 0..bytes.len() };
        random.damage(&mut bytes, range);
        let _told = shape::check(&bytes);
        let most = random.next() % 4096;
        let many = shape::functions(&bytes, most).is_err();
        if let Some(functions) = functions_of_valid(&bytes) {
            assert_eq!(many, functions > most, "{functions} functions, {most} allowed");
        }
    });
}

/// Functions that a module has of its own, as the validator counts them; nothing where it is not a
/// valid module.
fn functions_of_valid(bytes: &[u8]) -> Option<u64> {
    (wrap::binary(bytes)? == Binary::Module).then_some(())?;
    let types = Validator::new().validate_all(bytes).ok()?;
    let imported = wasmparser::Parser::new(0).parse_all(bytes).map(|payload| match payload {
        Ok(Payload::ImportSection(imports)) => imports
            .into_imports()
            .filter(|import| {
                matches!(
                    import.as_ref().unwrap().ty,
                    wasmparser::TypeRef::Func(_) | wasmparser::TypeRef::FuncExact(_)
                )
            })
            .count() as u64,
        _ => 0,
    });
    let imported: u64 = imported.sum();
    Some(u64::from(types.as_ref().function_count()) - imported)
}

/// A component at random, whose modules have one memory each: so the engine's count of memories is
/// how many instances it makes.
struct Tree<'a> {
    random: &'a mut Random,
    text: String,
    /// Names that can be used here, and whether what is made of them exports a component.
    modules: Vec<String>,
    components: Vec<(String, bool)>,
    count: usize,
}

impl Tree<'_> {
    fn name(&mut self) -> String {
        self.count += 1;
        format!("$n{}", self.count)
    }

    fn body(&mut self, depth: usize) -> bool {
        let mut exports = false;
        let mut made = Vec::new();
        for _ in 0..3 + self.random.below(9) {
            let name = self.name();
            match self.random.below(8) {
                0 => {
                    write!(self.text, "(core module {name} (memory 0))").unwrap();
                    self.modules.push(name);
                }
                1 | 2 if !self.modules.is_empty() => {
                    let module = self.random.pick(&self.modules);
                    write!(self.text, "(core instance (instantiate {module}))").unwrap();
                }
                3 if depth < 5 => {
                    let (modules, components) = (self.modules.len(), self.components.len());
                    write!(self.text, "(component {name} ").unwrap();
                    let exporting = self.body(depth + 1);
                    self.text.push(')');
                    self.modules.truncate(modules);
                    self.components.truncate(components);
                    self.components.push((name, exporting));
                }
                4 | 5 if !self.components.is_empty() => {
                    let (component, exporting) = self.random.pick(&self.components).clone();
                    write!(self.text, "(instance {name} (instantiate {component}))").unwrap();
                    if exporting {
                        made.push(name);
                    }
                }
                6 if !made.is_empty() => {
                    let instance = self.random.pick(&made);
                    write!(self.text, r#"(alias export {instance} "c" (component {name}))"#)
                        .unwrap();
                    self.components.push((name, false));
                }
                7 if !exports && !self.components.is_empty() => {
                    let (component, exporting) = self.random.pick(&self.components).clone();
                    write!(self.text, r#"(export {name} "c" (component {component}))"#).unwrap();
                    self.components.push((name, exporting));
                    exports = true;
                }
                _ => {}
            }
        }
        exports
    }
}

#[test]
fn no_component_makes_more_instances_than_are_counted() {
    let engine = wasmtime::Engine::default();
    let search = Search {
        module: module_path!(),
        test: "no_component_makes_more_instances_than_are_counted",
        cases: 600,
        memory_bytes_max: 512 * MIB,
    };
    search.run(|random| {
        // An engine takes no component that exports one: what does is within another.
        let begin = String::from("(component (component $within ");
        let mut tree =
            Tree { random, text: begin, modules: Vec::new(), components: Vec::new(), count: 0 };
        tree.body(0);
        let text = tree.text + ") (instance (instantiate $within)))";
        let bytes = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        wasmparser::validate(&bytes).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let counted = shape::instances(&bytes);
        // The engine lays all of them out: of many more, that takes long.
        if counted > 300 {
            return;
        }
        let component = wasmtime::component::Component::new(&engine, &bytes).unwrap();
        let needs = component.resources_required().unwrap();
        assert!(
            u64::from(needs.num_memories) <= counted,
            "{counted} counted, {} made\n{text}",
            needs.num_memories
        );
    });
}

#[test]
fn a_header_begins_where_the_manifest_says() {
    let search = Search {
        module: module_path!(),
        test: "a_header_begins_where_the_manifest_says",
        cases: 3000,
        memory_bytes_max: 16 * MIB,
    };
    search.run(|random| {
        let words = ["header", "header-setting", "framing-settings", "", "skip:"];
        let values = [
            "skip:3",
            "skip:",
            "skip:4294967295",
            "skip:4294967296",
            "skip:-1",
            "skip: 2",
            "first",
            "skip:00012",
        ];
        let damaged = |text: &str, random: &mut Random| {
            let mut bytes = text.as_bytes().to_vec();
            if random.one_in(2) {
                let whole = 0..bytes.len();
                random.damage(&mut bytes, whole);
            }
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let value = |random: &mut Random| damaged(random.pick::<&str>(&values), random);
        let setting = |random: &mut Random| Setting {
            key: (*random.pick(&words)).into(),
            summary: String::new(),
            default: random.one_in(2).then(|| value(random)),
        };
        let property = |random: &mut Random| Entry {
            key: (*random.pick(&words)).into(),
            value: (*random.pick(&words)).into(),
        };
        let said = contract::Manifest {
            name: damaged("name", random),
            version: damaged("0.1.0", random),
            summary: String::new(),
            framing: damaged("lines", random),
            scope: contract::Scope::Chunk,
            order: contract::Order::Any,
            header_records: *random.pick(&[0, 1, u32::MAX - 1, u32::MAX]),
            output_type: String::new(),
            settings: (0..random.below(4)).map(|_| setting(random)).collect(),
            properties: (0..random.below(4)).map(|_| property(random)).collect(),
        };
        let given: Vec<_> = (0..random.below(3))
            .map(|_| ((*random.pick(&words)).to_string(), value(random)))
            .collect();
        let traits = Manifest::from(said.clone()).traits(Kind::Transformer, &given);
        let expected = u64::from(said.header_records) + skipped(&said, &given);
        assert_eq!(
            u64::from(traits.header_records),
            expected.min(u64::from(u32::MAX)),
            "{said:?} {given:?}"
        );
    });
}

/// As the contract has it: the first property names the setting, whose value is what was given
/// first, or else the default of the first of that name.
fn skipped(said: &contract::Manifest, given: &[(String, String)]) -> u64 {
    let Some(named) = said.properties.iter().find(|it| it.key == "header-setting") else {
        return 0;
    };
    let own = said.settings.iter().find(|it| it.key == named.value);
    let default = own.and_then(|it| it.default.clone()).unwrap_or_default();
    let given = given.iter().find(|(key, _)| *key == named.value);
    let value = given.map_or(default, |(_, value)| value.clone());
    let Some(digits) = value.strip_prefix("skip:") else { return 0 };
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    let significant = digits.trim_start_matches('0');
    let number =
        if significant.len() > 10 { u64::MAX } else { format!("0{significant}").parse().unwrap() };
    if number > u64::from(u32::MAX) { 0 } else { number }
}

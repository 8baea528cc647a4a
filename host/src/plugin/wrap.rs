//! What a plugin file holds: a component, or a core module that is wrapped into one.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic;
use std::sync::Once;

use wasmparser::Payload;
use wit_component::ComponentEncoder;

/// The two things that a `.wasm` file can be (core specification, section 5.5.16; component model,
/// Binary.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Binary {
    /// A core module.
    Module,
    /// A component.
    Component,
}

/// Recognised by the preamble.
pub(super) fn binary(bytes: &[u8]) -> Option<Binary> {
    match bytes.first_chunk::<8>()? {
        [0, b'a', b's', b'm', 1, 0, 0, 0] => Some(Binary::Module),
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0] => Some(Binary::Component),
        _ => None,
    }
}

/// Wraps a core module into the component that its embedded type information describes.
pub(super) fn component(module: &[u8]) -> Result<Vec<u8>, String> {
    // The libraries that read type information are not made for bytes that somebody has damaged:
    // where they panic, the module is refused like any other, and nothing of theirs is kept.
    quieten();
    QUIET.set(true);
    let wrapped = panic::catch_unwind(|| wrap(module));
    QUIET.set(false);
    wrapped.unwrap_or_else(|_| Err("its type information is damaged".into()))
}

thread_local! {
    /// Whether panics of this thread are not printed.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Installs a hook that prints no panics of quiet threads. The hook is that of the whole process,
/// in which plugins are loaded at the same time: so it is changed once, and never back.
fn quieten() {
    static CHANGED: Once = Once::new();
    CHANGED.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                hook(panic);
            }
        }));
    });
}

fn wrap(module: &[u8]) -> Result<Vec<u8>, String> {
    // The encoder panics on a custom section that is cut off, and recurses for ever where packages
    // need each other.
    wasmparser::validate(module).map_err(|error| one_line(&error.to_string()))?;
    if let Some(package) = cycle(&packages(module)?) {
        return Err(format!("package {package} of its type information needs itself"));
    }
    let component = ComponentEncoder::default()
        .validate(false) // by what no engine has switched on, too
        .module(module)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| one_line(&format!("{error:#}")))?;
    match wasmparser::validate(&component) {
        Ok(_types) => Ok(component),
        Err(error) => Err(format!(
            "its type information makes no component: {}",
            one_line(&error.to_string())
        )),
    }
}

fn one_line(text: &str) -> String {
    text.replace('\n', " ")
}

type Packages = BTreeMap<String, BTreeSet<String>>;

/// The packages of a module's embedded type information, by name, and those that each needs.
fn packages(module: &[u8]) -> Result<Packages, String> {
    let mut packages = Packages::new();
    for payload in wasmparser::Parser::new(0).parse_all(module) {
        let Payload::CustomSection(section) =
            payload.map_err(|error| one_line(&error.to_string()))?
        else {
            continue;
        };
        if !section.name().starts_with("component-type") {
            continue;
        }
        whole(section.data())?;
        let decoded = wit_parser::decoding::decode(section.data())
            .map_err(|error| one_line(&format!("{error:#}")))?;
        let resolve = decoded.resolve();
        for (id, package) in &resolve.packages {
            let needs = resolve.package_direct_deps(id).filter_map(|id| resolve.packages.get(id));
            let needs = needs.map(|package| package.name.to_string());
            packages.entry(package.name.to_string()).or_default().extend(needs);
        }
    }
    Ok(packages)
}

/// That each part of type information is there: the decoder makes as much room as a part says that
/// it takes before it looks.
fn whole(types: &[u8]) -> Result<(), String> {
    let mut parts = wasmparser::Parser::new(0).parse_all(types);
    let damaged = |error| format!("its type information is damaged: {error}");
    parts.try_for_each(|part| part.map(drop).map_err(|error| one_line(&damaged(error))))
}

/// A package that is part of a cycle, or needs one that is: what is left when packages are taken
/// away whose needs are met.
fn cycle(packages: &Packages) -> Option<&str> {
    let mut met = BTreeSet::new();
    loop {
        let before = met.len();
        for (name, needs) in packages {
            if needs.iter().all(|need| met.contains(need) || !packages.contains_key(need)) {
                met.insert(name.clone());
            }
        }
        if met.len() == before {
            return packages.keys().find(|name| !met.contains(*name)).map(String::as_str);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_information_that_says_to_be_longer_than_it_is_is_refused_unread() {
        let types = b"\0asm\x0d\0\x01\0\x07\xff\xff\xff\xff\x02types";
        let mut section = vec![14];
        section.extend(b"component-type");
        section.extend(types);
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        module.extend([0, u8::try_from(section.len()).unwrap()]);
        module.extend(section);
        wasmparser::validate(&module).unwrap();
        let refused = component(&module).unwrap_err();
        assert!(refused.starts_with("its type information is damaged: unexpected"), "{refused}");
    }

    #[test]
    fn packages_that_need_each_other_are_found() {
        let packages = |needs: &[(&str, &str)]| {
            let mut packages = Packages::new();
            for (name, need) in needs {
                packages.entry((*name).into()).or_default().insert((*need).into());
                packages.entry((*need).into()).or_default();
            }
            packages
        };
        assert_eq!(cycle(&packages(&[("a", "b"), ("b", "c"), ("a", "c")])), None);
        assert_eq!(cycle(&packages(&[("a", "b"), ("b", "c"), ("c", "b")])), Some("a"));
        assert_eq!(cycle(&packages(&[("a", "a")])), Some("a"));
    }

    #[test]
    fn the_preamble_distinguishes_modules_from_components() {
        assert_eq!(binary(&wat::parse_str("(module)").unwrap()), Some(Binary::Module));
        assert_eq!(binary(&wat::parse_str("(component)").unwrap()), Some(Binary::Component));
        assert_eq!(binary(b"\0asm"), None);
        assert_eq!(binary(b"#!/bin/sh and so on"), None);
    }
}

//! What a plugin file holds: a component, or a core module that is wrapped into one.

use wit_component::ComponentEncoder;

/// The two things that a `.wasm` file can be (core specification, section 5.5.16; component model, Binary.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Binary {
    /// A core module.
    Module,
    /// A component.
    Component,
}

/// Tells by the preamble.
pub(super) fn binary(bytes: &[u8]) -> Option<Binary> {
    match bytes.first_chunk::<8>()? {
        [0, b'a', b's', b'm', 1, 0, 0, 0] => Some(Binary::Module),
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0] => Some(Binary::Component),
        _ => None,
    }
}

/// Wraps a core module into the component that its embedded type information describes.
pub(super) fn component(module: &[u8]) -> Result<Vec<u8>, String> {
    // The encoder panics on a custom section that is cut off.
    wasmparser::validate(module).map_err(|error| error.to_string())?;
    ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| format!("{error:#}").replace('\n', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preamble_tells_modules_from_components() {
        assert_eq!(binary(&wat::parse_str("(module)").unwrap()), Some(Binary::Module));
        assert_eq!(binary(&wat::parse_str("(component)").unwrap()), Some(Binary::Component));
        assert_eq!(binary(b"\0asm"), None);
        assert_eq!(binary(b"#!/bin/sh and so on"), None);
    }
}

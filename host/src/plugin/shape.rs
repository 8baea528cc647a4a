//! What a plugin file may look like before a compiler sees it. Compiling costs many times the bytes of what is compiled, so what
//! is made to cost the most is refused by a look at its sections alone, which costs next to nothing.

use wasmparser::{Parser, Payload};

use super::error::Refusal;
use crate::settings::limits::{FUNCTION_BYTES_MAX, NESTING_MAX, TABLE_ELEMENTS_CEILING};

const TABLE_ELEMENTS_MAX: u64 = TABLE_ELEMENTS_CEILING as u64;

/// Refuses components in components without end, functions without end, and tables that no limit allows. What cannot be read at all is the compiler's to tell.
pub(super) fn check(bytes: &[u8]) -> Result<(), Refusal> {
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload {
            Ok(Payload::ModuleSection { .. } | Payload::ComponentSection { .. }) => depth += 1,
            Ok(Payload::End(_)) => depth = depth.saturating_sub(1),
            Ok(Payload::CodeSectionEntry(body)) if body.range().len() > FUNCTION_BYTES_MAX => {
                let (bytes, most) = (body.range().len(), FUNCTION_BYTES_MAX);
                let reason = format!("has a function of {bytes} bytes, more than {most}");
                return Err(Refusal::new(reason).hint("a table of data belongs into memory"));
            }
            Ok(Payload::TableSection(tables)) => {
                let largest = tables.into_iter().flatten().map(|table| table.ty.initial).max();
                if let Some(elements) = largest.filter(|&elements| elements > TABLE_ELEMENTS_MAX) {
                    let reason = format!(
                        "begins with a table of {elements} elements, more than {TABLE_ELEMENTS_MAX}"
                    );
                    return Err(Refusal::new(reason).hint("--table-elements gives no more"));
                }
            }
            Ok(_) => {}
            Err(_) => return Ok(()),
        }
        if depth > NESTING_MAX {
            let reason = format!("has components in components, more than {NESTING_MAX} deep");
            return Err(Refusal::new(reason));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> String {
        format!("(component {} {})", "(component ".repeat(depth), ")".repeat(depth))
    }

    #[test]
    fn components_in_components_have_an_end() {
        for (depth, refused) in [(0, false), (NESTING_MAX, false), (NESTING_MAX + 1, true)] {
            let bytes = wat::parse_str(nested(depth)).unwrap();
            assert_eq!(check(&bytes).is_err(), refused, "{depth}");
        }
        let beside = format!("(component {})", "(component)".repeat(10 * NESTING_MAX));
        assert!(check(&wat::parse_str(beside).unwrap()).is_ok());
    }

    #[test]
    fn tables_begin_with_what_can_be_allowed() {
        let module = |elements| {
            format!("(component (core module (table 1 funcref) (table {elements} funcref)))")
        };
        assert!(check(&wat::parse_str(module(TABLE_ELEMENTS_MAX)).unwrap()).is_ok());
        assert!(check(&wat::parse_str(module(TABLE_ELEMENTS_MAX + 1)).unwrap()).is_err());
    }

    #[test]
    fn functions_have_an_end() {
        let module = |length| format!("(module (func {}))", "nop ".repeat(length));
        // No locals, and the end.
        let most = FUNCTION_BYTES_MAX - 2;
        assert!(check(&wat::parse_str(module(most)).unwrap()).is_ok());
        assert!(check(&wat::parse_str(module(most + 1)).unwrap()).is_err());
    }
}

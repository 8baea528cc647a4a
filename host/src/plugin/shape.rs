//! What a plugin file may look like before a compiler sees it. Compiling costs many times the bytes
//! of what is compiled, so what is made to cost the most is refused by a look at its sections
//! alone, which costs next to nothing.

mod functions;
mod instances;

use wasmparser::{Parser, Payload};

use super::error::Refusal;
use crate::settings::limits::{
    FUNCTION_BYTES_MAX, INSTANCES_MAX, NESTING_MAX, SEGMENTS_TIMES_TABLES_MAX,
    TABLE_ELEMENTS_CEILING,
};

#[cfg(test)]
pub(super) use instances::count as instances;

const TABLE_ELEMENTS_MAX: u64 = TABLE_ELEMENTS_CEILING as u64;

/// Refuses more functions than that, over all modules. What cannot be parsed is for the compiler to
/// say.
pub(super) fn functions(bytes: &[u8], most: u64) -> Result<(), Refusal> {
    let sections = Parser::new(0).parse_all(bytes).map_while(Result::ok);
    let counts = sections.map(|payload| match payload {
        Payload::FunctionSection(section) => u64::from(section.count()),
        _ => 0,
    });
    let functions = counts.sum::<u64>();
    if functions > most {
        return Err(Refusal::new(format!("has {functions} functions, more than {most}"))
            .hint("raise ⟦functions⟧"));
    }
    Ok(())
}

/// Refuses what multiplies: components in components and instances of instances, loops times
/// locals, segments times tables; functions without end, and tables that no limit allows. What
/// cannot be parsed at all is left to the compiler to report.
pub(super) fn check(bytes: &[u8]) -> Result<(), Refusal> {
    sections(bytes)?;
    let instances = instances::count(bytes);
    if instances > INSTANCES_MAX {
        let reason = format!(
            "comes to {instances} instances, aliases and types of components, more than {INSTANCES_MAX}"
        );
        return Err(Refusal::new(reason).hint("a plugin is one module, or a few that are linked"));
    }
    Ok(())
}

fn sections(bytes: &[u8]) -> Result<(), Refusal> {
    let mut depth = 0_usize;
    let mut tables_of_module: u64 = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload {
            Ok(Payload::ModuleSection { .. } | Payload::ComponentSection { .. }) => depth += 1,
            Ok(Payload::End(_)) => depth = depth.saturating_sub(1),
            Ok(Payload::Version { .. }) => tables_of_module = 0,
            Ok(Payload::ElementSection(segments)) => {
                few(u64::from(segments.count()), tables_of_module)?;
            }
            Ok(Payload::CodeSectionEntry(body)) if body.range().len() > FUNCTION_BYTES_MAX => {
                let (bytes, most) = (body.range().len(), FUNCTION_BYTES_MAX);
                let reason = format!("has a function of {bytes} bytes, more than {most}");
                return Err(Refusal::new(reason).hint("a table of data belongs into memory"));
            }
            Ok(Payload::CodeSectionEntry(body)) => functions::check(&body)?,
            Ok(Payload::TableSection(tables)) => {
                tables_of_module += u64::from(tables.count());
                let largest = tables.into_iter().flatten().map(|table| table.ty.initial).max();
                if let Some(elements) = largest.filter(|&elements| elements > TABLE_ELEMENTS_MAX) {
                    let reason = format!(
                        "begins with a table of {elements} elements, more than {TABLE_ELEMENTS_MAX}"
                    );
                    return Err(Refusal::new(reason).hint("⟦table_elements⟧ gives no more"));
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

/// Refuses too many segments of elements for so many tables, each of which the engine looks through
/// for each.
fn few(segments: u64, tables: u64) -> Result<(), Refusal> {
    if segments.saturating_mul(tables) <= SEGMENTS_TIMES_TABLES_MAX {
        return Ok(());
    }
    let most = SEGMENTS_TIMES_TABLES_MAX;
    let reason =
        format!("has {segments} segments of elements times {tables} tables, more than {most}");
    Err(Refusal::new(reason).hint("a program has one table, filled by one segment"))
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

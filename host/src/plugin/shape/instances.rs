//! How many instances a component comes to: a component that is made twice by one that is made
//! twice is there four times, so a few hundred bytes can ask for more than any machine has, and the
//! compiler lays all of them out.
//!
//! Counted as definitions are read, from the inside: what a component costs is known when it has
//! been read, and each place that makes it costs as much again. Of a component that comes from
//! outside, by an alias or an import, the dearest that is known is assumed.

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind, Parser,
    Payload,
};

/// A component that is being read.
#[derive(Default)]
struct Level {
    /// What it costs to make it once.
    cost: u64,
    /// What each component in its index space costs.
    components: Vec<u64>,
}

/// Instances, aliases and types that making the outermost component comes to. What cannot be parsed
/// is left to the compiler to report.
pub(in crate::plugin) fn count(bytes: &[u8]) -> u64 {
    let mut levels: Vec<Level> = Vec::new();
    let mut depth_of_modules = 0_usize;
    let mut dearest = 1;
    let mut total = 0;
    for payload in Parser::new(0).parse_all(bytes).map_while(Result::ok) {
        match payload {
            Payload::Version { encoding: wasmparser::Encoding::Component, .. } => {
                levels.push(Level { cost: 1, ..Level::default() });
            }
            Payload::Version { .. } => depth_of_modules += 1,
            Payload::End(_) if depth_of_modules > 0 => depth_of_modules -= 1,
            Payload::End(_) => {
                let Some(level) = levels.pop() else { break };
                dearest = dearest.max(level.cost);
                match levels.last_mut() {
                    Some(outer) => outer.components.push(level.cost),
                    None => total = level.cost,
                }
            }
            payload => add(&mut levels, dearest, payload),
        }
    }
    // Of what is cut off, what was seen.
    levels.iter().fold(total, |most, level| most.max(level.cost))
}

/// Adds what a section of the innermost component costs, and the components that it puts into the
/// index space.
fn add(levels: &mut [Level], dearest: u64, payload: Payload<'_>) {
    let (cost, components) = match payload {
        Payload::InstanceSection(section) => (u64::from(section.count()), Vec::new()),
        Payload::ComponentTypeSection(section) => (u64::from(section.count()), Vec::new()),
        Payload::CoreTypeSection(section) => (u64::from(section.count()), Vec::new()),
        Payload::ComponentCanonicalSection(section) => (u64::from(section.count()), Vec::new()),
        Payload::ComponentInstanceSection(section) => {
            let each = section.into_iter().map_while(Result::ok).map(|instance| match instance {
                ComponentInstance::Instantiate { component_index, .. } => {
                    enclosing(levels, 0, component_index).unwrap_or(dearest)
                }
                ComponentInstance::FromExports(_) => 1,
            });
            (each.fold(0, u64::saturating_add), Vec::new())
        }
        Payload::ComponentAliasSection(section) => {
            let count = u64::from(section.count());
            let each = section.into_iter().map_while(Result::ok);
            (count, each.filter_map(|alias| aliased(levels, dearest, &alias)).collect())
        }
        Payload::ComponentImportSection(section) => {
            let count = u64::from(section.count());
            let each = section.into_iter().map_while(Result::ok);
            let components =
                each.filter(|it| matches!(it.ty, wasmparser::ComponentTypeRef::Component(_)));
            (count, components.map(|_| dearest).collect())
        }
        // An export of a component is one more in the index space.
        Payload::ComponentExportSection(section) => {
            let count = u64::from(section.count());
            let each = section.into_iter().map_while(Result::ok);
            let components = each.filter(|it| it.kind == ComponentExternalKind::Component);
            let cost = |index| enclosing(levels, 0, index).unwrap_or(dearest);
            (count, components.map(|export| cost(export.index)).collect())
        }
        _ => return,
    };
    if let Some(level) = levels.last_mut() {
        level.cost = level.cost.saturating_add(cost);
        level.components.extend(components);
    }
}

/// What a component costs that an alias names.
fn aliased(levels: &[Level], dearest: u64, alias: &ComponentAlias<'_>) -> Option<u64> {
    match *alias {
        ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, count, index } => {
            Some(enclosing(levels, count, index).unwrap_or(dearest))
        }
        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Component, .. } => {
            Some(dearest)
        }
        _ => None,
    }
}

/// What the component at an index costs, so many levels further out.
fn enclosing(levels: &[Level], count: u32, index: u32) -> Option<u64> {
    let level = levels.len().checked_sub(1)?.checked_sub(count as usize)?;
    levels.get(level)?.components.get(index as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(text: &str) -> u64 {
        count(&wat::parse_str(text).unwrap())
    }

    /// Components side by side, each made twice by the next.
    fn doubled(times: usize) -> String {
        let first = "(component $c0 (core module $m) (core instance (instantiate $m)))";
        let doubling = (1..=times).map(|n| {
            let before = n - 1;
            let made = format!("(instance (instantiate $c{before}))").repeat(2);
            format!("(component $c{n} (alias outer 1 $c{before} (component $c{before})) {made})")
        });
        let doubled: String = doubling.collect();
        format!("(component {first} {doubled} (instance (instantiate $c{times})))")
    }

    #[test]
    fn what_is_made_twice_by_what_is_made_twice_doubles() {
        let counts = [1, 2, 3, 10].map(|times| counted(&doubled(times)));
        assert!(counts[0] >= 4 && counts[3] > 1 << 11 && counts[3] < 1 << 13, "{counts:?}");
        assert_eq!(counted(&doubled(100)), u64::MAX);
    }

    #[test]
    fn what_is_beside_each_other_adds_up() {
        let one = "(component (core module $m) (core instance (instantiate $m)))";
        assert_eq!(counted(&format!("(component {})", one.repeat(50))), 1);
        let made = "(core module $m)".to_string() + &"(core instance (instantiate $m))".repeat(50);
        assert_eq!(counted(&format!("(component {made})")), 51);
        assert_eq!(counted("(module)"), 0);
    }

    #[test]
    fn a_component_from_outside_is_taken_for_the_dearest() {
        let inner = "(component $dear (core module $m) (core instance (instantiate $m)) (core instance (instantiate $m)))";
        let text = format!(
            r#"(component {inner} (import "c" (component $c)) (instance (instantiate $c)))"#
        );
        assert!(counted(&text) > 3, "{}", counted(&text));
    }
}

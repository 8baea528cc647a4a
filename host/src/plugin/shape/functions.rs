//! What the code of one function comes to in a compiler: it is more than its bytes where loops and
//! locals, or the targets of jumps and what is handed to them, multiply.

use wasmparser::{FunctionBody, Operator};

use crate::plugin::error::Refusal;
use crate::settings::limits::{JUMP_TARGETS_MAX, LOOPS_TIMES_LOCALS_MAX};

/// Refuses a function whose loops times its locals, or whose jumps by tables, are too many. What
/// cannot be parsed is for the compiler to say.
pub(super) fn check(body: &FunctionBody<'_>) -> Result<(), Refusal> {
    let mut locals: u64 = 0;
    for declared in body.get_locals_reader().into_iter().flatten().map_while(Result::ok) {
        locals = locals.saturating_add(u64::from(declared.0));
    }
    let (mut loops, mut targets): (u64, u64) = (0, 0);
    let operators = body.get_operators_reader().into_iter().flatten().map_while(Result::ok);
    for operator in operators {
        match operator {
            Operator::Loop { .. } => loops += 1,
            Operator::BrTable { targets: table } => targets += u64::from(table.len()) + 1,
            _ => {}
        }
    }
    let product = loops.saturating_mul(locals);
    if product > LOOPS_TIMES_LOCALS_MAX {
        let reason = format!(
            "has a function of {loops} loops times {locals} locals, more than {LOOPS_TIMES_LOCALS_MAX}"
        );
        return Err(Refusal::new(reason).hint("take it apart into smaller functions"));
    }
    if targets > JUMP_TARGETS_MAX {
        let reason = format!(
            "has a function of {targets} targets of br_table, more than {JUMP_TARGETS_MAX}"
        );
        return Err(Refusal::new(reason).hint("a table of data belongs into memory"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::plugin::shape::check;
    use crate::settings::limits::{JUMP_TARGETS_MAX, LOOPS_TIMES_LOCALS_MAX};

    fn describe(function: &str) -> Option<String> {
        let bytes = wat::parse_str(format!("(component (core module {function}))")).unwrap();
        check(&bytes).err().map(|refusal| refusal.at("p".as_ref()).to_string())
    }

    #[test]
    fn loops_times_locals_have_an_end() {
        let function = |loops: usize, locals: usize| {
            format!("(func (local {}) {})", "i32 ".repeat(locals), "(loop)".repeat(loops))
        };
        let locals = usize::try_from(LOOPS_TIMES_LOCALS_MAX / 1000).unwrap();
        assert_eq!(describe(&function(1000, locals)), None);
        let message = describe(&function(1000, locals + 1)).unwrap();
        assert!(message.contains("1000 loops times"), "{message}");
    }

    #[test]
    fn jumps_by_tables_have_an_end() {
        let targets = usize::try_from(JUMP_TARGETS_MAX).unwrap();
        let function =
            |targets: usize| format!("(func (br_table {} (i32.const 0)))", "0 ".repeat(targets));
        assert_eq!(describe(&function(targets)), None);
        let message = describe(&function(targets + 1)).unwrap();
        assert!(message.contains("targets of br_table"), "{message}");
    }
}

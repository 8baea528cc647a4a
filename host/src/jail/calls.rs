//! Which system calls there are: a filter that allows what a run needs, by purpose (`allowed`), and
//! answers `EPERM` to all else.
//!
//! What was allowed was measured, by running all that a run can do under a trace. Of calls that can
//! do more than a run needs, the arguments are looked at: threads, but no processes; the process's
//! own limits, but not to change them; locks and flags of files, but no owners and leases. Every
//! call of the kernel is listed as allowed or not (`judged`): a test compares both lists with the
//! kernel's table, and fails for a call in neither. Calls that are newer than that are answered
//! `ENOSYS`, as by the kernel before them, so that libraries go the way that they went there.
//! Executable memory stays allowed to runs: compiled code is loaded into it.
//!
//! `clone3` says `ENOSYS`, too, since its flags are out of a filter's sight; the C library then
//! calls `clone`, whose flags are looked at.

mod allowed;
#[cfg(test)]
mod judged;

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

use super::{JailError, Sockets};

/// What a process is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To run plugins over sources.
    Run(Sockets),
    /// To compile one plugin, which is open, as are the streams for the result.
    Compile,
}

/// The first number that no call had when the lists were made (Linux 6.18), and where the numbers
/// end that are answered as unknown.
const UNKNOWN: std::ops::Range<libc::c_long> = 471..600;

pub(super) fn restrict(purpose: Purpose) -> Result<(), JailError> {
    for program in programs(purpose).map_err(|error| JailError::NoSeccomp(error.to_string()))? {
        apply_filter(&program).map_err(|error| JailError::NoSeccomp(error.to_string()))?;
    }
    Ok(())
}

/// Whether the kernel takes a filter: tried on a thread of its own, with one that denies an unused
/// call.
pub(super) fn probe() -> Result<(), String> {
    let try_out = || {
        let rules = numbers(&[libc::SYS_kexec_load]);
        let denied = program(rules, SeccompAction::Allow, errno(libc::EPERM));
        apply_filter(&denied.map_err(|error| error.to_string())?).map_err(|error| error.to_string())
    };
    let spawned = std::thread::Builder::new().name("probe".into()).spawn(try_out);
    let thread = spawned.map_err(|error| error.to_string())?;
    thread.join().unwrap_or_else(|_panic| Err("the probe panicked".into()))
}

/// In the order in which they are set: the second forbids to set more. It leaves unknown calls to
/// the first filter, because of two filters that return an error, the one that was set last wins.
fn programs(purpose: Purpose) -> Result<[BpfProgram; 2], BackendError> {
    let unknown: Vec<_> = UNKNOWN.chain([libc::SYS_clone3]).collect();
    let mut rules = allowed::rules(purpose)?;
    rules.extend(numbers(&unknown));
    Ok([
        program(numbers(&unknown), SeccompAction::Allow, errno(libc::ENOSYS))?,
        program(rules, errno(libc::EPERM), SeccompAction::Allow)?,
    ])
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// A rule for each call, whatever its arguments.
fn numbers(calls: &[libc::c_long]) -> Rules {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

fn errno(number: libc::c_int) -> SeccompAction {
    SeccompAction::Errno(number.unsigned_abs())
}

fn program(
    rules: Rules,
    others: SeccompAction,
    matching: SeccompAction,
) -> Result<BpfProgram, BackendError> {
    let machine = TargetArch::try_from(std::env::consts::ARCH)?;
    SeccompFilter::new(rules, others, matching, machine)?.try_into()
}

/// That the low 32 bits of an argument, as far as `mask` goes, are `value`.
fn is(argument: u8, mask: u32, value: u32) -> Result<SeccompCondition, BackendError> {
    let masked = SeccompCmpOp::MaskedEq(u64::from(mask));
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, masked, u64::from(value))
}

/// That an argument, all of it, is nothing.
fn is_null(argument: u8) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURPOSES: [Purpose; 3] =
        [Purpose::Run(Sockets::Denied), Purpose::Run(Sockets::Allowed), Purpose::Compile];

    #[test]
    fn the_filters_fit_into_what_the_kernel_takes() {
        for purpose in PURPOSES {
            for program in programs(purpose).unwrap() {
                assert!((5..4096).contains(&program.len()), "{}", program.len()); // BPF_MAXINSNS
            }
        }
    }

    #[test]
    fn no_call_is_allowed_that_is_judged_to_lead_out() {
        let judged: Vec<_> = judged::DENIED.iter().map(|(number, _)| *number).collect();
        for purpose in PURPOSES {
            for (number, _) in allowed::rules(purpose).unwrap() {
                assert!(!judged.contains(&number), "{number} is allowed to {purpose:?} and denied");
            }
        }
    }

    /// Compared with the table of the machine's C headers, where they are.
    #[test]
    #[cfg(target_arch = "x86_64")]
    fn every_call_of_the_kernel_has_been_judged() {
        let header = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h";
        let Ok(text) = std::fs::read_to_string(header) else { return };
        let mut known: Vec<i64> = judged::DENIED.iter().map(|(number, _)| *number).collect();
        for purpose in PURPOSES {
            known.extend(allowed::rules(purpose).unwrap().into_keys());
        }
        known.push(libc::SYS_clone3);
        let mut calls = 0;
        for line in text.lines() {
            let Some(call) = line.strip_prefix("#define __NR_") else { continue };
            let (name, number) = call.split_once(' ').unwrap();
            let number = number.trim().parse::<i64>().unwrap();
            assert!(known.contains(&number), "nobody has judged {name} ({number})");
            assert!(number < UNKNOWN.start, "{name} ({number}) is newer than the lists");
            calls += 1;
        }
        assert!(calls > 300, "{calls}");
    }
}

//! Flags for sandboxes into limits: each value is checked, and brought to base units.

use std::time::Duration;

use bytesize::ByteSize;

use super::args::{IsolateArg, SandboxArgs};
use super::say::Abort;
use super::settings::within;
use crate::settings::limits::{
    CALL_TIMEOUT_CEILING, CALL_TIMEOUT_PER_MIB_CEILING, COMPILE_MEMORY_BYTES_CEILING,
    COMPILE_MEMORY_BYTES_MIN, COMPILE_TIMEOUT_CEILING, COMPONENT_BYTES_CEILING, EPOCH_TICK,
    FUNCTIONS_CEILING, LOG_BYTES_CEILING, MEMORY_BYTES_CEILING, REJECTS_CEILING,
    STACK_BYTES_CEILING, STACK_BYTES_MIN, TABLE_ELEMENTS_CEILING,
};
use crate::settings::{Isolate, Sandbox};

/// A page of a linear memory: less is none.
const MEMORY_BYTES_MIN: usize = 64 << 10;

/// What one sandbox may use, and how long it lives.
pub(super) fn sandbox(args: &SandboxArgs) -> Result<Sandbox, Abort> {
    let (memory, stack) = (args.memory, args.stack);
    time("--timeout", args.timeout, EPOCH_TICK, CALL_TIMEOUT_CEILING)?;
    let per_mib = args.timeout_per_mib;
    time("--timeout-per-mib", per_mib, Duration::ZERO, CALL_TIMEOUT_PER_MIB_CEILING)?;
    if let Some(guest_time) = args.guest_time {
        time("--guest-time", guest_time, EPOCH_TICK, Duration::MAX)?;
    }
    let compile = args.compile_timeout;
    time("--compile-timeout", compile, Duration::from_millis(1), COMPILE_TIMEOUT_CEILING)?;
    let compile_memory_bytes = bytes(
        "--compile-memory",
        args.compile_memory,
        COMPILE_MEMORY_BYTES_MIN,
        COMPILE_MEMORY_BYTES_CEILING,
    )?;
    if let Some(fuel) = args.fuel {
        count("--fuel", fuel, 1, u64::MAX)?;
    }
    let elements = count("--table-elements", args.table_elements, 0, most(TABLE_ELEMENTS_CEILING))?;
    let component_bytes = args.component_size.as_u64();
    bytes("--component-size", args.component_size, 8, COMPONENT_BYTES_CEILING)?;
    let output = args.output_per_call;
    Ok(Sandbox {
        isolate: match args.isolate {
            IsolateArg::Job => Isolate::Job,
            IsolateArg::Source => Isolate::Source,
            IsolateArg::Chunk => Isolate::Chunk,
        },
        memory_bytes: size("--memory", memory, MEMORY_BYTES_MIN, MEMORY_BYTES_CEILING)?,
        table_elements: usize::try_from(elements).unwrap_or(TABLE_ELEMENTS_CEILING),
        stack_bytes: size("--stack", stack, STACK_BYTES_MIN, STACK_BYTES_CEILING)?,
        timeout: args.timeout,
        timeout_per_mib: per_mib,
        fuel: args.fuel,
        guest_time: args.guest_time,
        output_bytes: size("--output-per-call", output, 1, MEMORY_BYTES_CEILING)?,
        log_bytes: size("--log-bytes", args.log_bytes, 0, LOG_BYTES_CEILING)?,
        log_lines: args.log_lines,
        rejects: count("--rejects-per-job", args.rejects_per_job, 0, REJECTS_CEILING)?,
        recycle_bytes: args.recycle_after.as_u64(),
        component_bytes,
        functions: count("--functions", args.functions, 1, FUNCTIONS_CEILING)?,
        compile_timeout: compile,
        compile_memory_bytes,
    })
}

fn most(bound: usize) -> u64 {
    u64::try_from(bound).unwrap_or(u64::MAX)
}

/// A size that fits into this machine's memory.
fn size(flag: &str, size: ByteSize, min: usize, max: usize) -> Result<usize, Abort> {
    let bytes = bytes(flag, size, most(min), most(max))?;
    Ok(usize::try_from(bytes).unwrap_or(max))
}

fn bytes(flag: &str, size: ByteSize, min: u64, max: u64) -> Result<u64, Abort> {
    let shown = |bytes: u64| ByteSize(bytes).display().iec().to_string();
    within(flag, size.as_u64(), min, max, shown)
}

fn count(flag: &str, value: u64, min: u64, max: u64) -> Result<u64, Abort> {
    within(flag, value, min, max, |n| n.to_string())
}

fn time(flag: &str, value: Duration, min: Duration, max: Duration) -> Result<(), Abort> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    if max == Duration::MAX {
        return Err(Abort::new(format!("{flag} {value:?} is less than {min:?}")));
    }
    Err(Abort::new(format!("{flag} {value:?} is not within {min:?} and {max:?}")))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::{Args, Command};

    fn given(flags: &[&str]) -> Result<Sandbox, String> {
        let words = ["host", "run", "--plugin", "p.wasm"].iter().chain(flags);
        let Command::Run(run) = Args::parse_from(words).command else { panic!("it is a run") };
        sandbox(&run.sandbox).map_err(|abort| format!("{abort:?}"))
    }

    #[test]
    fn defaults_are_the_limits() {
        assert_eq!(given(&[]), Ok(Sandbox::default()));
    }

    #[test]
    fn each_flag_is_a_limit_within_its_bounds() {
        let set = given(&[
            "--isolate=chunk",
            "--recycle-after=1MiB",
            "--memory=1MiB",
            "--table-elements=7",
            "--stack=128KiB",
            "--timeout=1s",
            "--timeout-per-mib=0s",
            "--fuel=5",
            "--guest-time=3s",
            "--output-per-call=9KiB",
            "--rejects-per-job=3",
            "--log-bytes=2KiB",
            "--log-lines=4",
            "--component-size=3MiB",
            "--functions=12",
            "--compile-timeout=2s",
            "--compile-memory=2GiB",
        ]);
        let expected = Sandbox {
            isolate: Isolate::Chunk,
            recycle_bytes: 1 << 20,
            memory_bytes: 1 << 20,
            table_elements: 7,
            stack_bytes: 128 << 10,
            timeout: Duration::from_secs(1),
            timeout_per_mib: Duration::ZERO,
            fuel: Some(5),
            guest_time: Some(Duration::from_secs(3)),
            output_bytes: 9 << 10,
            rejects: 3,
            log_bytes: 2 << 10,
            log_lines: 4,
            component_bytes: 3 << 20,
            functions: 12,
            compile_timeout: Duration::from_secs(2),
            compile_memory_bytes: 2 << 30,
        };
        assert_eq!(set, Ok(expected));
        for (flag, bound) in [
            ("--memory=5GiB", "is not within 64.0 KiB and 4.0 GiB"),
            ("--stack=1KiB", "is not within 64.0 KiB and 64.0 MiB"),
            ("--timeout=1ms", "is not within 10ms and 300s"),
            ("--timeout-per-mib=2m", "is not within 0ns and 60s"),
            ("--guest-time=1ms", "is less than 10ms"),
            ("--fuel=0", "is not within 1 and"),
            ("--table-elements=10000001", "is not within 0 and 10000000"),
            ("--functions=1000001", "is not within 1 and 1000000"),
            ("--compile-memory=1MiB", "is not within 64.0 MiB and 64.0 GiB"),
            ("--compile-timeout=0s", "is not within 1ms and 3600s"),
            ("--component-size=2GiB", "is not within 8 B and 1.0 GiB"),
        ] {
            let told = given(&[flag]).unwrap_err();
            assert!(told.contains(bound), "{told}");
        }
    }
}

//! Flags for sandboxes into limits, in base units; and a setting that is out of its bounds as the flag that it came from.

use std::time::Duration;

use bytesize::ByteSize;

use super::args::{IsolateArg, SandboxArgs};
use super::say::Abort;
use crate::settings::{Amount, Isolate, OutOfBounds, Sandbox};

/// What one sandbox may use, and how long it lives.
pub(super) fn sandbox(args: &SandboxArgs) -> Sandbox {
    let size = |size: ByteSize| count(size.as_u64());
    Sandbox {
        isolate: match args.isolate {
            IsolateArg::Job => Isolate::Job,
            IsolateArg::Source => Isolate::Source,
            IsolateArg::Chunk => Isolate::Chunk,
        },
        memory_bytes: size(args.memory),
        table_elements: count(args.table_elements),
        stack_bytes: size(args.stack),
        timeout: args.timeout,
        timeout_per_mib: args.timeout_per_mib,
        fuel: args.fuel,
        guest_time: args.guest_time,
        output_bytes: size(args.output_per_call),
        log_bytes: size(args.log_bytes),
        log_lines: args.log_lines,
        rejects: args.rejects_per_job,
        recycle_bytes: args.recycle_after.as_u64(),
        component_bytes: args.component_size.as_u64(),
        functions: args.functions,
        compile_timeout: args.compile_timeout,
        compile_memory_bytes: args.compile_memory.as_u64(),
    }
}

/// What is more than this machine has numbers for is out of bounds as the largest that it has, too.
fn count(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// Refuses a setting, with the flag that says it.
pub(super) fn out_of_bounds(out: &OutOfBounds) -> Abort {
    let OutOfBounds { setting, value, min, max } = out;
    let (flag, value, least) = (flag(setting), shown(value), shown(min));
    match max {
        Amount::Time(Duration::MAX) => Abort::new(format!("{flag} {value} is less than {least}")),
        max => Abort::new(format!("{flag} {value} is not within {least} and {}", shown(max))),
    }
}

fn shown(amount: &Amount) -> String {
    match amount {
        Amount::Bytes(bytes) => ByteSize(*bytes).display().iec().to_string(),
        other => other.to_string(),
    }
}

/// The flag for a setting.
fn flag(setting: &'static str) -> &'static str {
    match setting {
        "threads" => "--threads",
        "chunk_bytes" => "--chunk-size",
        "record_bytes_max" => "--max-record",
        "timeout" => "--timeout",
        "timeout_per_mib" => "--timeout-per-mib",
        "guest_time" => "--guest-time",
        "compile_timeout" => "--compile-timeout",
        "compile_memory_bytes" => "--compile-memory",
        "fuel" => "--fuel",
        "table_elements" => "--table-elements",
        "component_bytes" => "--component-size",
        "memory_bytes" => "--memory",
        "stack_bytes" => "--stack",
        "output_bytes" => "--output-per-call",
        "log_bytes" => "--log-bytes",
        "rejects" => "--rejects-per-job",
        "functions" => "--functions",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::{Args, Command};

    fn given(flags: &[&str]) -> Result<Sandbox, String> {
        let words = ["host", "run", "--plugin", "p.wasm"].iter().chain(flags);
        let Command::Run(run) = Args::parse_from(words).command else { panic!("it is a run") };
        let set = sandbox(&run.sandbox);
        set.check().map(|()| set).map_err(|out| out_of_bounds(&out).message().to_string())
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
            let (name, _) = flag.split_once('=').unwrap();
            assert!(told.starts_with(name) && told.contains(bound), "{told}");
        }
    }
}

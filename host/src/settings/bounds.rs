//! What the settings of a run may be, lower bounds and upper ones: the one place that knows, for
//! whoever describes a job.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use super::limits::{
    CALL_TIMEOUT_CEILING, CALL_TIMEOUT_PER_MIB_CEILING, CHUNK_BYTES_MIN,
    COMPILE_MEMORY_BYTES_CEILING, COMPILE_MEMORY_BYTES_MIN, COMPILE_TIMEOUT_CEILING,
    COMPONENT_BYTES_CEILING, EPOCH_TICK, FUNCTIONS_CEILING, LOG_BYTES_CEILING,
    MEMORY_BYTES_CEILING, MEMORY_BYTES_MIN, REJECTS_CEILING, STACK_BYTES_CEILING, STACK_BYTES_MIN,
    TABLE_ELEMENTS_CEILING, THREADS_MAX,
};
use super::{Run, Sandbox};

/// A magnitude with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub enum Amount {
    /// Of memory or data.
    Bytes(u64),
    /// Of anything that is counted.
    Count(u64),
    /// How long something may take.
    Time(Duration),
}

/// A setting is not within its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{setting} {value} is not within {min} and {max}")]
pub struct OutOfBounds {
    /// Which one, as its field is called.
    pub setting: &'static str,
    /// What it is.
    pub value: Amount,
    /// The least that it may be.
    pub min: Amount,
    /// The most.
    pub max: Amount,
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{bytes} bytes"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Time(time) => write!(f, "{time:?}"),
        }
    }
}

/// A setting, what it is, and the least and the most that it may be.
type Bound = (&'static str, Amount, Amount, Amount);

impl Run {
    /// Whether all settings are within their bounds: those that are make no run crash.
    ///
    /// # Errors
    /// With the first that is not.
    pub fn check(&self) -> Result<(), OutOfBounds> {
        let memory = MEMORY_BYTES_CEILING as u64;
        let own = [
            counts("threads", self.threads as u64, 1, THREADS_MAX as u64),
            bytes("chunk_bytes", self.chunk_bytes, CHUNK_BYTES_MIN, memory),
            bytes("record_bytes_max", self.record_bytes_max, 1, memory),
        ];
        check(own)?;
        self.sandbox.check()
    }
}

impl Sandbox {
    /// The same of a sandbox alone.
    ///
    /// # Errors
    /// With the first that is not.
    pub fn check(&self) -> Result<(), OutOfBounds> {
        let (tick, any) = (EPOCH_TICK, Duration::MAX);
        let size = |setting, value: usize, min: usize, max: usize| {
            bytes(setting, value as u64, min as u64, max as u64)
        };
        let (elements, elements_max) = (self.table_elements as u64, TABLE_ELEMENTS_CEILING as u64);
        let (compiler, compiler_max) = (self.compile_memory_bytes, COMPILE_MEMORY_BYTES_CEILING);
        check([
            time("timeout", self.timeout, tick, CALL_TIMEOUT_CEILING),
            time(
                "timeout_per_mib",
                self.timeout_per_mib,
                Duration::ZERO,
                CALL_TIMEOUT_PER_MIB_CEILING,
            ),
            time("guest_time", self.guest_time.unwrap_or(any), tick, any),
            time(
                "compile_timeout",
                self.compile_timeout,
                Duration::from_millis(1),
                COMPILE_TIMEOUT_CEILING,
            ),
            bytes("compile_memory_bytes", compiler, COMPILE_MEMORY_BYTES_MIN, compiler_max),
            counts("fuel", self.fuel.unwrap_or(u64::MAX), 1, u64::MAX),
            counts("table_elements", elements, 0, elements_max),
            bytes("component_bytes", self.component_bytes, 8, COMPONENT_BYTES_CEILING),
            size("memory_bytes", self.memory_bytes, MEMORY_BYTES_MIN, MEMORY_BYTES_CEILING),
            size("stack_bytes", self.stack_bytes, STACK_BYTES_MIN, STACK_BYTES_CEILING),
            size("output_bytes", self.output_bytes, 1, MEMORY_BYTES_CEILING),
            size("log_bytes", self.log_bytes, 0, LOG_BYTES_CEILING),
            counts("rejects", self.rejects, 0, REJECTS_CEILING),
            counts("functions", self.functions, 1, FUNCTIONS_CEILING),
        ])
    }
}

fn check<const N: usize>(bounds: [Bound; N]) -> Result<(), OutOfBounds> {
    let is_out = |(_, value, min, max): &Bound| value < min || value > max;
    match bounds.into_iter().find(is_out) {
        Some((setting, value, min, max)) => Err(OutOfBounds { setting, value, min, max }),
        None => Ok(()),
    }
}

fn bytes(setting: &'static str, value: u64, min: u64, max: u64) -> Bound {
    (setting, Amount::Bytes(value), Amount::Bytes(min), Amount::Bytes(max))
}

fn counts(setting: &'static str, value: u64, min: u64, max: u64) -> Bound {
    (setting, Amount::Count(value), Amount::Count(min), Amount::Count(max))
}

fn time(setting: &'static str, value: Duration, min: Duration, max: Duration) -> Bound {
    (setting, Amount::Time(value), Amount::Time(min), Amount::Time(max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unsaid_and_the_most_that_may_be_said_are_within_bounds() {
        assert_eq!(Run::default().check(), Ok(()));
        assert_eq!(Sandbox::ceiling().check(), Ok(()));
    }

    #[test]
    fn a_setting_out_of_bounds_is_named_with_them() {
        let run = Run { chunk_bytes: 0, ..Run::default() };
        let message = run.check().unwrap_err().to_string();
        assert_eq!(message, "chunk_bytes 0 bytes is not within 64 bytes and 4294967296 bytes");
        let sandbox = Sandbox { timeout: Duration::ZERO, ..Sandbox::default() };
        let run = Run { sandbox, ..Run::default() };
        assert_eq!(run.check().unwrap_err().setting, "timeout");
    }
}

//! What sandboxes of a job may use, and the job as a whole.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::words::{number, number_if_any, word};
use super::{Size, Time};
use crate::settings::{Isolate, Sandbox, limits};

/// The walls around the plugins of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxSpec {
    /// What never shares a sandbox.
    #[serde(deserialize_with = "word")]
    pub isolate: Isolate,
    /// Bytes that a sandbox takes before a fresh one takes its place.
    pub recycle_after: Size,
    /// Memory of one sandbox.
    pub memory: Size,
    /// Memory of the whole job; unsaid, it is as much as it takes.
    pub memory_total: Option<Size>,
    /// Elements of one table.
    #[serde(deserialize_with = "number")]
    pub table_elements: u64,
    /// Stack of one sandbox.
    pub stack: Size,
    /// Time of one call.
    pub timeout: Time,
    /// Time of one call for each whole MiB that it is given, beside that.
    pub timeout_per_mib: Time,
    /// Units of fuel of one call; unsaid, none is counted.
    #[serde(deserialize_with = "number_if_any")]
    pub fuel: Option<u64>,
    /// Time of all sandboxes together.
    pub guest_time: Option<Time>,
    /// Bytes that one call may return.
    pub output_per_call: Size,
    /// Records of the job that may be set aside and kept.
    #[serde(deserialize_with = "number")]
    pub rejects_per_job: u64,
    /// What is shown of the log of a plugin for one source.
    pub log_bytes: Size,
    /// Lines of logs that are shown in one second.
    #[serde(deserialize_with = "number")]
    pub log_lines: u64,
    /// Size of a plugin file.
    pub component_size: Size,
    /// Functions of a plugin.
    #[serde(deserialize_with = "number")]
    pub functions: u64,
    /// Time that a plugin may take to compile.
    pub compile_timeout: Time,
    /// Memory that its compiler may take.
    pub compile_memory: Size,
    /// Where compiled plugins are kept; unsaid, where the front end keeps them.
    pub cache: Option<PathBuf>,
    /// Whether none are kept.
    pub no_cache: bool,
    /// Whether the process goes into a jail.
    pub jail: bool,
    /// A directory for failures that are kept.
    pub repro: Option<PathBuf>,
}

impl SandboxSpec {
    /// What one sandbox may use, and how long it lives.
    pub(super) fn limits(&self) -> Sandbox {
        Sandbox {
            isolate: self.isolate,
            memory_bytes: self.memory.as_usize(),
            table_elements: Size(self.table_elements).as_usize(),
            stack_bytes: self.stack.as_usize(),
            timeout: self.timeout.0,
            timeout_per_mib: self.timeout_per_mib.0,
            fuel: self.fuel,
            guest_time: self.guest_time.map(|Time(time)| time),
            output_bytes: self.output_per_call.as_usize(),
            log_bytes: self.log_bytes.as_usize(),
            log_lines: self.log_lines,
            rejects: self.rejects_per_job,
            recycle_bytes: self.recycle_after.0,
            component_bytes: self.component_size.0,
            functions: self.functions,
            compile_timeout: self.compile_timeout.0,
            compile_memory_bytes: self.compile_memory.0,
        }
    }
}

impl Default for SandboxSpec {
    fn default() -> Self {
        let Sandbox { isolate, recycle_bytes, timeout, timeout_per_mib, fuel, .. } =
            Sandbox::default();
        Self {
            isolate,
            recycle_after: Size(recycle_bytes),
            memory: Size(limits::MEMORY_BYTES as u64),
            memory_total: None,
            table_elements: limits::TABLE_ELEMENTS as u64,
            stack: Size(limits::STACK_BYTES as u64),
            timeout: Time(timeout),
            timeout_per_mib: Time(timeout_per_mib),
            fuel,
            guest_time: None,
            output_per_call: Size(limits::OUTPUT_BYTES as u64),
            rejects_per_job: limits::REJECTS,
            log_bytes: Size(limits::LOG_BYTES as u64),
            log_lines: limits::LOG_LINES,
            component_size: Size(limits::COMPONENT_BYTES),
            functions: limits::FUNCTIONS,
            compile_timeout: Time(limits::COMPILE_TIMEOUT),
            compile_memory: Size(limits::COMPILE_MEMORY_BYTES),
            cache: None,
            no_cache: false,
            jail: false,
            repro: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unsaid_is_what_a_sandbox_has() {
        assert_eq!(SandboxSpec::default().limits(), Sandbox::default());
    }
}

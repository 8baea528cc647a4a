//! The settings of sandboxes: what one may use, and how long it lives.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::limits;
use super::words::words;

/// What never shares a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Isolate {
    /// Jobs: a sandbox runs one source after the other.
    #[default]
    Job,
    /// Sources: each accumulator, or row of chunks of one source, begins in a fresh sandbox.
    Source,
    /// Chunks: each is run in a fresh sandbox. States of chunks are merged in one that sees none.
    Chunk,
}

words!(Isolate { Job = "job", Source = "source", Chunk = "chunk" });

/// What one sandbox may use, and how long it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sandbox {
    /// What never shares a sandbox.
    pub isolate: Isolate,
    /// Linear memory, in bytes, over all memories of the sandbox.
    pub memory_bytes: usize,
    /// Elements of one table.
    pub table_elements: usize,
    /// Stack of the guest, in bytes.
    pub stack_bytes: usize,
    /// Guest time of one call, whatever it is given.
    pub timeout: Duration,
    /// Guest time of one call for each whole MiB that it is given, beside that.
    pub timeout_per_mib: Duration,
    /// Units of fuel of one call; `None` counts none, which is faster.
    pub fuel: Option<u64>,
    /// Guest time of the whole job, over all its sandboxes.
    pub guest_time: Option<Duration>,
    /// Bytes that one call may return, or [`limits::OUTPUT_RATIO`] times what it is given, if that
    /// is more.
    pub output_bytes: usize,
    /// Bytes that are logged of one source.
    pub log_bytes: usize,
    /// Lines that the plugins of a job log in one second.
    pub log_lines: u64,
    /// Records of a job that are set aside and kept.
    pub rejects: u64,
    /// Bytes that a sandbox takes before another takes its place.
    pub recycle_bytes: u64,
    /// Size of a plugin file, in bytes.
    pub component_bytes: u64,
    /// Functions of a plugin, over all its modules.
    pub functions: u64,
    /// Time that a plugin may take to compile.
    pub compile_timeout: Duration,
    /// Memory that its compiler may take, in bytes.
    pub compile_memory_bytes: u64,
}

/// A setting that is more than it may be; both in the unit of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// Which one.
    pub setting: &'static str,
    /// How much it is.
    pub asked: u64,
    /// How much it may be.
    pub allowed: u64,
}

impl Sandbox {
    /// The most that anybody can ask for.
    pub fn ceiling() -> Self {
        Self {
            memory_bytes: limits::MEMORY_BYTES_CEILING,
            table_elements: limits::TABLE_ELEMENTS_CEILING,
            stack_bytes: limits::STACK_BYTES_CEILING,
            timeout: limits::CALL_TIMEOUT_CEILING,
            timeout_per_mib: limits::CALL_TIMEOUT_PER_MIB_CEILING,
            output_bytes: limits::MEMORY_BYTES_CEILING,
            log_bytes: limits::LOG_BYTES_CEILING,
            log_lines: u64::MAX,
            rejects: limits::REJECTS_CEILING,
            component_bytes: limits::COMPONENT_BYTES_CEILING,
            functions: limits::FUNCTIONS_CEILING,
            compile_timeout: limits::COMPILE_TIMEOUT_CEILING,
            compile_memory_bytes: limits::COMPILE_MEMORY_BYTES_CEILING,
            ..Self::default()
        }
    }

    /// The first limit that is more than that of `most`. How long a sandbox lives is no limit.
    pub fn exceeds(&self, most: &Self) -> Option<Exceeded> {
        let bytes = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let any = u64::MAX; // what is not limited
        let limits = |it: &Self| {
            [
                ("memory_bytes", bytes(it.memory_bytes)),
                ("table_elements", bytes(it.table_elements)),
                ("stack_bytes", bytes(it.stack_bytes)),
                ("timeout_ms", ms(it.timeout)),
                ("timeout_per_mib_ms", ms(it.timeout_per_mib)),
                ("fuel", it.fuel.unwrap_or(any)),
                ("guest_time_ms", it.guest_time.map_or(any, ms)),
                ("output_bytes", bytes(it.output_bytes)),
                ("log_bytes", bytes(it.log_bytes)),
                ("log_lines", it.log_lines),
                ("rejects", it.rejects),
                ("component_bytes", it.component_bytes),
                ("functions", it.functions),
                ("compile_timeout_ms", ms(it.compile_timeout)),
                ("compile_memory_bytes", it.compile_memory_bytes),
            ]
        };
        let pairs = limits(self).into_iter().zip(limits(most));
        let all =
            pairs.map(|((setting, asked), (_, allowed))| Exceeded { setting, asked, allowed });
        all.into_iter().find(|it| it.asked > it.allowed)
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self {
            isolate: Isolate::Job,
            memory_bytes: limits::MEMORY_BYTES,
            table_elements: limits::TABLE_ELEMENTS,
            stack_bytes: limits::STACK_BYTES,
            timeout: limits::CALL_TIMEOUT,
            timeout_per_mib: limits::CALL_TIMEOUT_PER_MIB,
            fuel: None,
            guest_time: None,
            output_bytes: limits::OUTPUT_BYTES,
            log_bytes: limits::LOG_BYTES,
            log_lines: limits::LOG_LINES,
            rejects: limits::REJECTS,
            recycle_bytes: limits::RECYCLE_BYTES,
            component_bytes: limits::COMPONENT_BYTES,
            functions: limits::FUNCTIONS,
            compile_timeout: limits::COMPILE_TIMEOUT,
            compile_memory_bytes: limits::COMPILE_MEMORY_BYTES,
        }
    }
}

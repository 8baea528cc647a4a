//! Lines that plugins log, on their way to the observer.

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For the author of the plugin.
    Debug,
    /// What goes as it should.
    Info,
    /// What may be wrong.
    Warn,
    /// What is wrong.
    Error,
}

/// Takes lines that plugins log, from several threads at once.
pub trait LogSink: Send + Sync + std::fmt::Debug {
    /// A line, without its end and without control characters.
    fn log(&self, plugin: &str, level: LogLevel, line: &str);
}

/// The `tracing` target of what plugins log, by which a front end tells it from warnings of the
/// host.
pub const LOG_TARGET: &str = "gristmill::plugin::log";

/// Gives a line to `tracing`, where nobody else takes it.
pub fn trace_line(plugin: &str, level: LogLevel, line: &str) {
    match level {
        LogLevel::Debug => tracing::debug!(target: LOG_TARGET, "{plugin}: {line}"),
        LogLevel::Info => tracing::info!(target: LOG_TARGET, "{plugin}: {line}"),
        LogLevel::Warn => tracing::warn!(target: LOG_TARGET, "{plugin}: {line}"),
        LogLevel::Error => tracing::error!(target: LOG_TARGET, "{plugin}: {line}"),
    }
}

//! Why a source, or a job, failed: a word for scripts, a sentence for people, and the way out.

use thiserror::Error;

use super::Detail;

/// What went wrong, as a word that scripts can match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FailureKind {
    /// The source does not exist.
    NotFound,
    /// The source may not be read.
    PermissionDenied,
    /// The source is not something that can be read: a directory, FIFO, socket or device.
    NotRegular,
    /// Reading failed.
    Read,
    /// The source is not what its compression or its encoding says.
    Decode,
    /// More comes out of the source than allowed.
    TooLarge,
    /// The source changed while it was read.
    Changed,
    /// A record is longer than allowed.
    RecordTooLong,
    /// The source does not follow its framing.
    Framing,
    /// The plugin says that the data is not what it reads.
    InvalidData,
    /// The plugin says that nothing can work.
    Fatal,
    /// The plugin crashed.
    Trap,
    /// The plugin used up its time.
    Timeout,
    /// The plugin used up its fuel.
    Fuel,
    /// The plugin asked for more memory than allowed.
    Memory,
    /// The plugin returned more than allowed.
    Output,
    /// The plugin set aside more records than allowed.
    Rejects,
    /// The plugins of the job used up what they have all together.
    JobLimit,
    /// What came out of it could not be written.
    Write,
    /// The plugin could not be started.
    Start,
    /// The tenant has used up what it may use.
    Quota,
    /// The run was interrupted.
    Cancelled,
}

impl FailureKind {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::NotFound,
        Self::PermissionDenied,
        Self::NotRegular,
        Self::Read,
        Self::Decode,
        Self::TooLarge,
        Self::Changed,
        Self::RecordTooLong,
        Self::Framing,
        Self::InvalidData,
        Self::Fatal,
        Self::Trap,
        Self::Timeout,
        Self::Fuel,
        Self::Memory,
        Self::Output,
        Self::Rejects,
        Self::JobLimit,
        Self::Write,
        Self::Start,
        Self::Quota,
        Self::Cancelled,
    ];

    /// The kind of that name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The word used in output and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::PermissionDenied => "permission-denied",
            Self::NotRegular => "not-regular",
            Self::Read => "read",
            Self::Decode => "decode",
            Self::TooLarge => "too-large",
            Self::Changed => "changed",
            Self::RecordTooLong => "record-too-long",
            Self::Framing => "framing",
            Self::InvalidData => "invalid-data",
            Self::Fatal => "fatal",
            Self::Trap => "trap",
            Self::Timeout => "timeout",
            Self::Fuel => "fuel",
            Self::Memory => "memory",
            Self::Output => "output",
            Self::Rejects => "rejects",
            Self::JobLimit => "job-limit",
            Self::Write => "write",
            Self::Start => "start",
            Self::Quota => "quota",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the job ends with it, rather than just the source.
    pub fn ends_job(self) -> bool {
        matches!(self, Self::Fatal | Self::Start | Self::JobLimit | Self::Quota)
    }

    /// Whether what a sandbox has run before can be the reason for it.
    pub fn may_be_of_the_past(self) -> bool {
        matches!(self, Self::Trap | Self::Timeout | Self::Fuel | Self::Memory)
    }
}

/// Why a source, or the job, failed. The message names no source: the caller that shows it does.
/// Two are equal if users see the same; details do not count.
#[derive(Debug, Clone, Error)]
#[error("{message}")]
pub struct Failure {
    /// What went wrong.
    pub kind: FailureKind,
    /// What happened, got and expected; one line.
    pub message: String,
    /// The way out, where there is one.
    pub hint: Option<String>,
    /// Whether the sandbox had run other things before the open resource, so that the chunks of the
    /// resource may not fail in a fresh one. Whoever still has them tries that once.
    pub past: bool,
    /// Details, for the author of the plugin.
    pub detail: Option<Box<Detail>>,
    /// The error code of the system call that failed (errno), where one did.
    pub os_error: Option<i32>,
}

impl PartialEq for Failure {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, &self.message, &self.hint) == (other.kind, &other.message, &other.hint)
    }
}

impl Eq for Failure {}

impl Failure {
    /// A failure without a hint.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
            past: false,
            detail: None,
            os_error: None,
        }
    }

    /// The same with the way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with the error code of the system call behind an error, where there is one.
    #[must_use]
    pub fn caused_by(mut self, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut causes = std::iter::successors(Some(error), |error| error.source());
        self.os_error =
            causes.find_map(|cause| cause.downcast_ref::<std::io::Error>()?.raw_os_error());
        self
    }

    /// The same with what else is known.
    #[must_use]
    pub fn detail(mut self, detail: Detail) -> Self {
        self.detail = Some(Box::new(detail));
        self
    }
}

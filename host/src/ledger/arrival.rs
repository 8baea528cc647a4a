//! What a watch keeps of each version of each file that it came upon, in plain types: a row per
//! version, never a time up to which all is done.

use std::fmt::{self, Display};
use std::time::SystemTime;

use super::entry::{Entry, Identity, JobId, Kept};
use super::followed::{Followed, Inode};

/// The row of one version of one file. Means nothing to another ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArrivalId(pub(super) i64);

/// How far a version of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArrivalStage {
    /// It waits for its turn.
    Queued,
    /// It is processed.
    Running,
    /// What came of it is in place.
    Committed,
    /// Nothing came of it, and it is not tried again.
    Failed,
    /// It is not to be processed.
    Ignored,
    /// Its bytes were processed under another name.
    Duplicate,
}

impl ArrivalStage {
    /// All of them, with the word that is kept.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Queued, "queued"),
        (Self::Running, "running"),
        (Self::Committed, "committed"),
        (Self::Failed, "failed"),
        (Self::Ignored, "ignored"),
        (Self::Duplicate, "duplicate"),
    ];

    /// The word that is kept, and shown.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(stage, _)| *stage == self).map_or("", |(_, word)| word)
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| *own == word).map(|(stage, _)| *stage)
    }
}

/// What is to be done with a file after its output is in place, and how far that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// It is still to be done.
    Pending,
    /// It is done.
    Done,
    /// It was not done, and will not be.
    Failed(String),
}

impl Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending => f.write_str("pending"),
            Self::Done => f.write_str("done"),
            Self::Failed(why) => write!(f, "failed: {why}"),
        }
    }
}

impl After {
    pub(super) fn of(text: &str) -> Self {
        match text {
            "pending" => Self::Pending,
            "done" => Self::Done,
            other => Self::Failed(other.strip_prefix("failed: ").unwrap_or(other).to_string()),
        }
    }
}

/// A version of a file, as it is first seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewArrival {
    /// For which job.
    pub job: JobId,
    /// The real path of the file.
    pub path: Vec<u8>,
    /// Its version.
    pub version: Identity,
    /// Its size.
    pub bytes: u64,
    /// When it was last written, in nanoseconds since 1970.
    pub modified_ns: i64,
    /// [`ArrivalStage::Queued`], or what it is instead.
    pub stage: ArrivalStage,
    /// Why it is not queued.
    pub why: Option<String>,
    /// Whether it came while the watch ran; else it was there before.
    pub is_fresh: bool,
    /// When it was first seen.
    pub seen: SystemTime,
    /// What is to become of the file.
    pub after: Option<After>,
}

/// A version of a file, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Its row.
    pub id: ArrivalId,
    /// For which job.
    pub job: JobId,
    /// The real path of the file.
    pub path: Vec<u8>,
    /// Its version.
    pub version: Identity,
    /// Its size.
    pub bytes: u64,
    /// How far it is.
    pub stage: ArrivalStage,
    /// How often it was begun.
    pub attempts: u32,
    /// When it was first seen.
    pub seen: SystemTime,
    /// Before when it is not begun.
    pub due: SystemTime,
    /// When it came to its end.
    pub done: Option<SystemTime>,
    /// Why it is where it is.
    pub why: Option<String>,
    /// What becomes of the file itself.
    pub after: Option<After>,
}

/// One change of what a watch knows. All changes that are made in one call are made together.
#[derive(Debug)]
pub enum Change {
    /// A version of a file is there. One that is known stays as it is.
    Seen(Box<NewArrival>),
    /// It is begun.
    Begun(ArrivalId),
    /// Its output is in place: it is committed, with what is remembered of it.
    Committed {
        /// Which.
        id: ArrivalId,
        /// What came of it.
        entry: Box<Entry>,
        /// What is kept beside that.
        kept: Box<Kept>,
        /// What is to become of the file.
        after: Option<After>,
    },
    /// It was begun for nothing, and is taken again.
    Again {
        /// Which.
        id: ArrivalId,
        /// Not before this.
        due: SystemTime,
        /// What happened.
        why: String,
        /// Whether that was a try of its own: not, where the host was stopped or the disk full.
        counts: bool,
    },
    /// It comes to nothing.
    Ended {
        /// Which.
        id: ArrivalId,
        /// [`ArrivalStage::Failed`], [`ArrivalStage::Ignored`] or [`ArrivalStage::Duplicate`].
        stage: ArrivalStage,
        /// Why.
        why: String,
        /// What is to become of the file.
        after: Option<After>,
    },
    /// One that has failed is tried again, as if it were new.
    Retried(ArrivalId),
    /// Something became of the file itself.
    After(ArrivalId, After),
    /// How long a file of appended rows is now.
    Appended {
        /// Whose rows they are.
        job: JobId,
        /// The file.
        path: Vec<u8>,
        /// Its length.
        bytes: u64,
    },
    /// How far a file that is followed is done, in place of what was known of it.
    Followed(Box<Followed>),
    /// A file is not followed any more.
    Unfollowed(JobId, Inode),
    /// A watch was begun for the first time: what it does with files that were there.
    Founded {
        /// For which job.
        job: JobId,
        /// What it was told of them.
        existing: String,
        /// When.
        at: SystemTime,
    },
    /// The host ended while files were processed: they are taken again, or, if they were begun so
    /// often, they have failed.
    Recovered {
        /// Of which job.
        job: JobId,
        /// How often they may be begun.
        attempts_max: u32,
    },
}

/// How many versions of files are in which stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// By the order of [`ArrivalStage::ALL`].
    pub stages: [u64; 6],
    /// Files whose after-action is pending.
    pub after: u64,
}

impl Counts {
    /// How many are in a stage.
    pub fn of(&self, stage: ArrivalStage) -> u64 {
        let all = ArrivalStage::ALL.iter().zip(self.stages);
        all.filter(|((own, _), _)| *own == stage).map(|(_, count)| count).sum()
    }
}

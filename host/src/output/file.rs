//! Files of output that are visible only when they are whole.
//!
//! A [`Pending`] file is written under a temporary name beside the one that it will have, and takes
//! that by a rename once all is written; with [`Durable::Synced`](crate::settings::Durable) bytes,
//! name and new directories are on the disk when [`Pending::commit`] returns. If anything fails
//! before, the file stays invisible, and the previous file stays. Directories that were made for it
//! remain.
//!
//! Everything happens below a [`Root`], which is opened once: names are resolved beneath it, one
//! part at a time, and no link is followed. So what others do to the tree during the run cannot
//! lead output out of it.
//!
//! **Why not a file without a name** (`O_TMPFILE`), which a kill leaves no trace of: it cannot take
//! the name of a file that is there, network and stacked file systems do not have it, and giving it
//! a name needs `/proc`. So there would be two ways, and one hardly used. A temporary name works
//! everywhere; its cost is what a killed run leaves behind. Such a file is known by its name and by
//! a lock that nobody holds: a writer holds the lock (`flock`) of its file from its creation to its
//! end, whatever ends it. [`sweep`] removes those that it can lock. Where the file system has no
//! locks, nothing is ever swept.

mod appended;
mod calls;
mod error;
mod pending;
mod root;
mod sweep;
mod target;
mod temporary;
#[cfg(test)]
mod tests;

pub use appended::SequentialWriter;
pub use error::{Attempt, FileError};
pub use pending::{Committed, Created, Pending};
pub use root::Root;
pub use sweep::{Swept, sweep};
pub use target::{Looked, Target};
pub use temporary::is_temporary;

//! Bounds of following files that grow.

use std::time::Duration;

/// What is processed of one file before others have their turn, in bytes. A job costs about 4 ms
/// beside its bytes.
pub const FOLLOW_BYTES: u64 = 64 << 20;

/// Files are known again by so many of the first and of the last bytes that are done.
pub const FOLLOW_EDGE_BYTES: usize = 1024;

/// A last line without its end is processed when nothing came for so long.
pub const FOLLOW_IDLE: Duration = Duration::from_secs(5);

/// A file that begins as another one does may be a copy that is made before the other is cut: it
/// is a file of its own if that has not happened for so long.
pub const FOLLOW_COPY: Duration = Duration::from_secs(5);

/// A file that has not grown for so long is closed until it does.
pub const FOLLOW_OPEN: Duration = Duration::from_mins(1);

/// Files, and outputs, that are kept open at most.
pub const FOLLOW_OPEN_MAX: usize = 256;

/// What is known of a file that is gone is kept for so long: until then it may come back
/// compressed.
pub const FOLLOW_KEPT: Duration = Duration::from_hours(30 * 24);

/// How much of a file is looked through at once for the end of a line.
pub const FOLLOW_BLOCK_BYTES: usize = 1 << 16;

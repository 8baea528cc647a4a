//! Bounds of a watch: how often it looks, how much it takes at once, how long it waits.

use std::time::Duration;

/// A file is taken when it has been closed, or moved in, and has not changed for so long.
pub const WATCH_SETTLE: Duration = Duration::from_millis(200);

/// Where nothing says that a file was closed, it has to be the same after so long. Two seconds are
/// what the coarsest file systems keep times by.
pub const WATCH_QUIET: Duration = Duration::from_secs(2);

/// A file that somebody has open for writing, as events tell, is taken when nothing came for so
/// long: then the event that it was closed is taken to be lost.
pub const WATCH_OPEN: Duration = Duration::from_mins(5);

/// All directories are listed so often, whatever events say: queues of events overflow, and a
/// directory that is made is watched only after files may be in it.
pub const WATCH_SCAN: Duration = Duration::from_secs(30);

/// The same where no events come, as on network file systems.
pub const WATCH_SCAN_BLIND: Duration = Duration::from_secs(2);

/// A scan may take no more than one part in so many of the time: where it does, the next one comes
/// later.
pub const WATCH_SCAN_SHARE: u32 = 100;

/// After a directory is made, it is listed again so much later, as files may have been put into it
/// before it was watched.
pub const WATCH_RESCAN: Duration = Duration::from_millis(50);

/// Events that may wait to be looked at; behind them, all directories are listed again.
pub const WATCH_EVENTS: usize = 1 << 14;

/// Files that are processed as one job at most. Measured: a job costs about 4 ms beside its files,
/// which is a microsecond for each of these.
pub const WATCH_BATCH_FILES: usize = 2048;

/// Bytes that are processed as one job at most, but for a file that is larger: what comes meanwhile
/// waits until the job has ended.
pub const WATCH_BATCH_BYTES: u64 = 256 << 20;

/// Whoever has waited so long goes first, whatever the order.
pub const WATCH_STARVED: Duration = Duration::from_mins(10);

/// How often a file that fails is tried again.
pub const WATCH_RETRIES: u32 = 3;

/// How long it is until the first of these; each later one waits four times as long.
pub const WATCH_BACKOFF: Duration = Duration::from_secs(1);

/// The longest wait between two tries, of a file or of a disk that takes nothing.
pub const WATCH_BACKOFF_MAX: Duration = Duration::from_secs(30);

/// How often a file may change while it is processed before it counts as one that never ends.
pub const WATCH_UNSTABLE: u32 = 5;

/// How often a file is touched after its output is in place, where that fails.
pub const WATCH_AFTER_TRIES: u32 = 5;

/// Longest value of a setting of a watch, which is an age or a delay.
pub const WATCH_TIME_MAX: Duration = Duration::from_hours(366 * 24);

/// A watch looks this often whether there is something to do, whatever it hears.
pub const WATCH_TURN: Duration = Duration::from_millis(500);

/// The same while a job runs, whose end is not heard where signals overflow.
pub const WATCH_TURN_RUNNING: Duration = Duration::from_millis(20);

/// Signals that are taken before something is done about them.
pub const WATCH_SIGNALS: usize = 4096;

/// Changes that are put into the ledger together at most.
pub const WATCH_CHANGES: usize = 1024;

/// Files that are removed or moved in one turn at most.
pub const WATCH_ACTIONS: usize = 256;

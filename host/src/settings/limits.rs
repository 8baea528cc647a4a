//! Every bound of the host, in one place: unit in the name, the reason for the default beside it.
//! Those of plugins are in a file of their own, as whoever judges what a plugin can do reads all of
//! them.

mod decode;
mod follow;
mod plugin;
mod remote;
mod text;
mod watch;

use std::num::NonZeroU64;
use std::time::Duration;

pub use decode::*;
pub use follow::*;
pub use plugin::*;
pub use remote::*;
pub use text::is_only_shown;
pub use watch::*;

/// Nominal size of a chunk. Measured: 256 KiB to 1 MiB are as fast as each other, as a chunk then
/// stays in a core's own cache between the read that fills it and the guest that walks over it.
pub const CHUNK_BYTES: u64 = 512 << 10;

/// The same where each chunk has a fresh sandbox: fewer are made. Measured on wordcount and upcase:
/// 10 to 20 % faster than [`CHUNK_BYTES`].
pub const ISOLATED_CHUNK_BYTES: u64 = 1 << 20;

/// The same in a source that is read from its front. Measured on zstd: 7 % faster than
/// [`CHUNK_BYTES`], as a chunk, the decoder's window and the guest's copy stay in a core's own
/// cache together.
pub const STREAM_CHUNK_BYTES: u64 = 256 << 10;

/// Smallest chunk that can be asked for: below it the calls cost more than the work.
pub const CHUNK_BYTES_MIN: u64 = 64;

/// Largest record, and so the largest that a chunk grows to: a record is held by one guest at once.
pub const RECORD_BYTES_MAX: u64 = 64 << 20;

/// Records that are run at once where it is looked for which of them a later stage has set aside:
/// few enough to be run one at a time then.
pub const TRACE_RECORDS: usize = 64;

/// First read around a nominal cut: longer than nearly every line, shorter than a page.
pub const BOUNDARY_READ_BYTES: usize = 256;

/// Largest read around a nominal cut, reached by doubling.
pub const BOUNDARY_READ_BYTES_MAX: usize = 256 << 10;

/// Bytes whose quotes are counted as one, where records end outside quotes only: a chunk, so that a
/// cut is where counting ends.
pub const QUOTE_BLOCK_BYTES: u64 = CHUNK_BYTES;

/// Such blocks of one source, a byte of memory each: past them, at 2 TB, they grow.
pub const QUOTE_BLOCKS_MAX: u64 = 4 << 20;

/// Bytes that are walked over at once while it is not known whether the first is within quotes: a
/// few fields tell.
pub const QUOTE_MEET_BYTES: usize = 4 << 10;

/// Bytes of such a source that one worker takes at once. Those behind it count them first, so this
/// bounds how far counting runs ahead of reading: by little enough that the bytes are in the page
/// cache then.
pub const CSV_RUN_BYTES_MAX: u64 = 32 << 20;

/// Times that a name with `..` is looked up beneath a directory while others rename things: the
/// kernel says each time that it cannot tell where that led. A few are enough on a busy machine; so
/// many are somebody's who does nothing else.
pub const BENEATH_TRIES: usize = 1000;

/// Functions in a backtrace: the innermost ones tell where it was, and endless recursion has no
/// more to say.
pub const BACKTRACE_FRAMES_MAX: usize = 20;

/// Bytes of a backtrace: the names are the plugin's, and may be as long as it likes.
pub const BACKTRACE_BYTES_MAX: usize = 16 << 10;

/// The longest name of a function that is put into words, and what it may become.
pub const SYMBOL_BYTES_MAX: usize = 1 << 10;

/// Failures that a report lists: enough to see what they have in common; all are counted.
pub const FAILURES_REPORTED_MAX: usize = 100;

/// Failures of one run that are kept to be run again: a chunk and a plugin each.
pub const REPRO_BUNDLES_MAX: usize = 10;

/// Failures that one directory takes, over all runs: where it has so many, somebody has to look at
/// them.
pub const REPRO_NAMES_MAX: usize = 1000;

/// Open files below which a run may not get by: standard streams, plugins, a ledger, and a few for
/// each of some workers.
pub const OPEN_FILES_MIN: u64 = 64;

/// Files that are looked at for others that are the same under another name, before a jail is
/// entered: a second or two.
pub const JAIL_ENTRIES_MAX: u64 = 1 << 20;

/// Addresses that the engine reserves for one instance's memory, so that no access needs a check: 4
/// GiB, and what is around them.
pub const RESERVED_BYTES: u64 = 5 << 30;

/// A pipeline file: longer than any that is written by hand, with thousands of names in it.
pub const PIPELINE_BYTES_MAX: u64 = 1 << 20;

/// Sources and outputs that a plan shows: enough to see how they are called.
pub const PLAN_NAMES_MAX: usize = 5;

/// Buffers for what comes out of chunks that are kept for later ones: a few for each worker of a
/// large machine.
pub const SPARE_BUFFERS_MAX: usize = 16;

/// What they take together: outputs are about as long as chunks, as a rule, which are 1 MiB.
pub const SPARE_BYTES_MAX: usize = 8 << 20;

/// Worker threads: far above any machine, below what would exhaust address space.
pub const THREADS_MAX: usize = 1024;

/// Results and states that wait for their turn, for all workers together. Past it a worker takes
/// only what the output waits for. As much again may wait between the two parts of a chain of which
/// one sees a source in order.
pub const WINDOW_BYTES: usize = 64 << 20;

/// Files that a worker opens, and asks the disk for, before it is their turn, where the disk is
/// slow. Measured on 100,000 files that were not in the page cache: five times as fast as one after
/// the other.
pub const AHEAD_FILES: usize = 16;

/// First bytes of each that are asked for: all of what is small.
pub const AHEAD_FILE_BYTES: Option<NonZeroU64> = NonZeroU64::new(1 << 20);

/// A file that takes so long to open and read was not in the page cache: one that is takes 5 us,
/// and to ask ahead for it costs a tenth of that.
pub const AHEAD_SLOW: Duration = Duration::from_micros(200);

/// Small sources that a worker takes at once, so that the queue's lock is not felt.
pub const BATCH_SOURCES_MAX: usize = 64;

/// Compiled code kept on disk; the oldest is dropped first.
pub const CACHE_BYTES_MAX: u64 = 1 << 30;

/// Leading records that a plugin may ask for.
pub const HEADER_RECORDS_MAX: u32 = 1000;

/// Bytes read at once where they are only skipped or copied.
pub const COPY_BYTES: usize = 64 << 10;

/// First read of a stream, of as many as fit into a chunk; later ones are as long as all before
/// them. Fresh memory for a whole chunk costs 100 us, which is ten times what it takes to decode a
/// small source.
pub const STREAM_FIRST_READ_BYTES: usize = 16 << 10;

/// How long a stream may pause before what is there is processed: short to a person, long to a
/// machine.
pub const LINGER: Duration = Duration::from_millis(100);

/// How long a worker keeps its processor at least while others are due: a hundred times what it
/// costs to wake another, and short beside what anybody waits for. It gives it up between chunks,
/// and within a call of a plugin at the next [`EPOCH_TICK`].
pub const TURN: Duration = Duration::from_millis(5);

/// Jobs that one host runs at the same time, as each has threads of its own, which wait for their
/// turns.
pub const JOBS_MAX: usize = 256;

/// Failures of sources that are kept with the end of a job; the others are counted.
pub const FAILURES_KEPT_MAX: usize = 1000;

/// The most that one tenant's weight can be, and so how much more than another it can be given.
pub const WEIGHT_MAX: u32 = 1000;

/// Length of a tenant's name.
pub const TENANT_NAME_BYTES_MAX: usize = 64;

/// How long a thread that waits for others, or for bytes, sleeps at most, so that it sees a
/// cancelled run.
pub const WAIT: Duration = Duration::from_millis(50);

/// How long a system call that waits for somebody else may go on after Ctrl-C.
pub const INTERRUPT_GRACE: Duration = Duration::from_millis(30);

/// The part of all memory that results which wait for their turn may take: the rest is for those
/// who bring what they wait for.
pub const WINDOW_PART: u64 = 4;

/// Chunks of a stream that are read ahead for each worker at it: one to run, one to come.
pub const AHEAD_CHUNKS: usize = 2;

/// The most that are, where chunks are small, as members of archives can be: so many that workers
/// do not wait for one another at each.
pub const AHEAD_SMALL_CHUNKS: usize = 64;

/// Times as long as running a chunk takes, that reading it takes where running is light: then two
/// workers at once would save a fifth at most, and lose a tenth to the way between their caches.
pub const LIGHT_RUNNING_RATIO: u64 = 4;

/// Positions in the total that the members of one source have, as sources have that are no
/// archives: as many sources have room in 64 bits, and no archive has as many members.
pub const MEMBER_POSITIONS: u64 = 1 << 32;

/// Buffer before the writer of results.
pub const WRITE_BYTES: usize = 64 << 10;

/// Output that is compressed as one member or frame; more becomes several. Far above a chunk, so
/// that ratio is not felt, and little enough for each worker to hold, with what the strongest
/// levels need beside it.
pub const PACK_BYTES_MAX: usize = 4 << 20;

/// One part of the name of an output file: what Linux file systems take (`NAME_MAX`).
pub const NAME_BYTES_MAX: usize = 255;

/// A whole name of an output file below its directory: what the kernel takes at once (`PATH_MAX`,
/// less its end).
pub const PATH_BYTES_MAX: usize = 4095;

/// Names that are tried for a temporary file: each is one of 2^64, so a second is hardly ever
/// needed.
pub const TEMPORARY_TRIES_MAX: u32 = 16;

/// Failures shown one by one on standard error; the others are only counted.
pub const FAILURES_TOLD_MAX: u64 = 20;

/// Bytes of the name of an archive's member; that of a file has 4096 with all above it
/// (`PATH_MAX`).
pub const MEMBER_NAME_BYTES_MAX: usize = 32 << 10;

/// Bytes of the rows of a table, which are held until the widths of its columns are known: a
/// million short ones.
pub const TABLE_BYTES_MAX: u64 = 256 << 20;

/// Bytes of a name in a list of sources. That of a file has 4096 (`PATH_MAX`); a URL may be longer,
/// and no server takes one of 64 KiB.
pub const LISTED_NAME_BYTES_MAX: usize = 64 << 10;

/// Parts of the name of an archive's member.
pub const MEMBER_NAME_PARTS_MAX: usize = 255;

/// What is shown of a longer name: as much as one part of a file's name has (`NAME_MAX`).
pub const MEMBER_NAME_SHOWN_BYTES: usize = 255;

/// Columns of a table that a plugin's results may have; those beyond are left out, which is shown.
pub const COLUMNS_MAX: usize = 256;

/// What is shown of one cell of a table.
pub const CELL_BYTES_MAX: usize = 1 << 10;

/// Bytes of a part that an object is written in: above the 5 MiB that Amazon S3 asks for, few
/// enough that eight are on their way at once. A smaller object is put as a whole.
pub const UPLOAD_PART_BYTES: usize = 8 << 20;

/// Parts of one size before they become four times as large: an object of up to 8 GB has the
/// smallest, and equal ones, as some stores want.
pub const UPLOAD_PARTS_ALIKE: usize = 1000;

/// Bytes of the largest part, of which 10,000 with those before it are more than 5 TiB: that costs
/// objects of over 700 GB its memory, twice.
pub const UPLOAD_PART_BYTES_MAX: usize = 768 << 20;

/// Parts of one object: what Amazon S3 takes.
pub const UPLOAD_PARTS_MAX: usize = 10_000;

/// KiB of the parts of all objects together that are on their way to stores: at 50 ms a part, over
/// 1 GB/s.
pub const UPLOAD_FLIGHT_KIB: u32 = 64 << 10;

/// Bytes of a part that a store has to take in a second: eight at once on a line of a megabit. A
/// part that takes longer is sent again.
pub const UPLOAD_BYTES_PER_SECOND_MIN: u64 = 15 << 10;

/// How long a store has to forget the parts of an object that is given up.
pub const UPLOAD_ABORT: Duration = Duration::from_secs(10);

/// How long the first of some rows waits for others, so that they share one write to disk: unfelt
/// beside the write.
pub const LEDGER_GROUP: Duration = Duration::from_millis(5);

/// So many rows wait no longer: with them, the write to disk is a small share of each.
pub const LEDGER_GROUP_ROWS: usize = 256;

/// Rows that wait for the ledger's writer: what it writes while a disk is slow for a moment. Past
/// it, workers wait for it.
pub const LEDGER_QUEUE_ROWS: usize = 4096;

/// Bytes of the rows that wait: as much as results may. A longer row waits alone.
pub const LEDGER_QUEUE_BYTES: usize = 64 << 20;

/// A result, and a state, that the ledger keeps of one source: as long as a result may be. A source
/// that gives more is not remembered.
pub const LEDGER_KEPT_BYTES_MAX: usize = OUTPUT_BYTES;

/// A kept value that is bound to a statement, which makes two copies of it; a longer one is written
/// into its place, which takes a statement of its own.
pub const LEDGER_BOUND_BYTES_MAX: usize = 64 << 10;

/// Name of a source, identity of its input, path of its output, or description of a job: an archive
/// and a member of it, each with the longest name that it may have.
pub const LEDGER_NAME_BYTES_MAX: usize = 2 << 20;

/// Message of a failure; the rest is cut.
pub const LEDGER_MESSAGE_BYTES_MAX: usize = 8 << 10;

/// Pages of 4 KiB in the ledger's log before they are moved to their places: long, as rows of one
/// name after the other touch the same pages; short to go through at a start after a crash.
pub const LEDGER_LOG_PAGES: u32 = 4096;

/// Pages that the ledger's writer keeps in memory: the inner pages of an index over a million
/// names, and those in work.
pub const LEDGER_CACHE_BYTES: u32 = 16 << 20;

/// How long the ledger waits for a program that is not a host to leave the database alone.
pub const LEDGER_BUSY: Duration = Duration::from_secs(5);

/// Faults of a damaged ledger that are listed; more would say the same.
pub const LEDGER_TROUBLES_MAX: u32 = 100;

/// Rows in a table of the ledger's sources: nobody reads more, and the widths of columns need them
/// all in memory.
pub const LEDGER_SHOWN_MAX: u64 = 10_000;

//! Bounds of plugins: what a file of theirs may be, what a sandbox may use, and what may be said in
//! it.

use std::time::Duration;

/// Linear memory of one instance. All languages but Python's and JavaScript's larger runtimes fit
/// into a quarter of it.
pub const MEMORY_BYTES: usize = 256 << 20;

/// Bytes that one instruction touches before the clock is looked at: 20 ms where the pages are new.
pub const BULK_PIECE_BYTES: u32 = 16 << 20;

/// The most that can be given to an instance: what a 32-bit memory can address.
pub const MEMORY_BYTES_CEILING: usize = 4 << 30;

/// A page of a linear memory: less is none (WebAssembly, section 4.2.8).
pub const MEMORY_BYTES_MIN: usize = 64 << 10;

/// Memories, tables and core instances that one component may have: the largest language runtimes
/// need 3, 3 and 128.
pub const MEMORIES_MAX: usize = 8;
/// See [`MEMORIES_MAX`].
pub const TABLES_MAX: usize = 64;
/// See [`MEMORIES_MAX`].
pub const CORE_INSTANCES_MAX: usize = 256;

/// Memories, tables and core instances of all sandboxes together that have a place kept for them.
/// Address space is all that the places cost: 16 TiB of the 128 that a process has, so several
/// engines fit.
pub const POOL_MEMORIES: u32 = 4096;
/// See [`POOL_MEMORIES`].
pub const POOL_TABLES: u32 = 8192;
/// See [`POOL_MEMORIES`].
pub const POOL_INSTANCES: u32 = 32_768;

/// Memories, or tables, that a module may declare: what validation allows, so that a place is never
/// what refuses a module.
pub const MODULE_MEMORIES: u32 = 100;

/// What stays in a place of the pool for its next sandbox, overwritten, where each chunk or source
/// has one: about what a sandbox with a chunk in it has touched. More is given back to the system.
pub const POOL_RESIDENT_BYTES: usize = 4 << 20;

/// Places that keep what was in them while nobody uses them.
pub const POOL_WARM: u32 = 64;

/// What the engine holds for one core instance beside its memories and tables, or for one
/// component: 24 bytes a function.
pub const INSTANCE_BYTES: usize = 64 << 20;

/// Elements of one table: a large program has a few thousand functions in it.
pub const TABLE_ELEMENTS: usize = 100_000;

/// The most that can be given to a table: 80 MB, outside the guest's own memory.
pub const TABLE_ELEMENTS_CEILING: usize = 10_000_000;

/// Elements of all tables of an instance together, or of one table where that may have more: they
/// are the host's memory, 8 bytes each, and no part of the guest's own.
pub const TABLE_ELEMENTS_TOTAL: usize = 2 * TABLE_ELEMENTS;

/// What a plugin may say of itself or of its settings: it is held for each instance, and more than
/// a page is read by nobody.
pub const MANIFEST_BYTES_MAX: usize = 1 << 20;

/// Guest time of one call, counted from the moment its data is there.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// The most guest time that can be given to one call.
pub const CALL_TIMEOUT_CEILING: Duration = Duration::from_mins(5);

/// Guest time of one call for each whole MiB of its data, beside that: what walks over 1 MB in a
/// second is slow, but not stuck.
pub const CALL_TIMEOUT_PER_MIB: Duration = Duration::from_secs(1);

/// The most that can be given for a MiB: with it, the longest record may take an hour.
pub const CALL_TIMEOUT_PER_MIB_CEILING: Duration = Duration::from_mins(1);

/// How often running guests are looked at: a deadline and a cancel are kept to within one tick.
pub const EPOCH_TICK: Duration = Duration::from_millis(10);

/// What a call may take on the wall, in percent of its time, where other threads have the processor
/// meanwhile.
pub const TIMEOUT_WALL_PERCENT: u32 = 150;

/// The most that one gap between two looks counts on the wall: beyond that the process was stopped,
/// or the machine slept.
pub const STANDSTILL: Duration = Duration::from_secs(1);

/// Bytes that one call may return, but for a state: a result is read by somebody, or held until it
/// is its turn.
pub const OUTPUT_BYTES: usize = 64 << 20;

/// The same for each byte that the call is given, where that is more: JSON made of CSV is about
/// three times as long.
pub const OUTPUT_RATIO: usize = 4;

/// How much may come out of a chunk that is run in halves, as a multiple of what may of one call.
pub const HALVED_OUTPUT_RATIO: usize = 16;

/// What is kept of one record that a plugin sets aside; the rest is cut off.
pub const REJECT_BYTES_MAX: usize = 64 << 10;

/// One line of the file for them: of a record that is all escapes, with the longest name that its
/// source may have.
pub const REJECT_LINE_BYTES_MAX: u64 = 16 << 20;

/// Records of a job that are set aside and kept: far more than anybody reads.
pub const REJECTS: u64 = 1_000_000;

/// The most that can be kept of a job: with their reasons, tens of gigabytes on disk.
pub const REJECTS_CEILING: u64 = 1_000_000_000;

/// A message that is shown in its own lines: longer ones are nobody's drawing of what is wrong.
pub const MESSAGE_DRAWN_BYTES_MAX: usize = 2 << 10;

/// Lines of one message that are shown below its first: what a pattern is wrong with is drawn in
/// five.
pub const MESSAGE_LINES_MAX: usize = 20;

/// Records of a source that may be set aside whatever its size, where nothing else is said: as many
/// as somebody looks through. More of them are mostly another format, or other settings, unless
/// they are few beside the good ones.
pub const REJECTS_FREE: u64 = 1000;

/// Hundredths of a source that may be, beyond [`REJECTS_FREE`] records.
pub const REJECTS_PERCENT: u8 = 1;

/// Records set aside that are kept until the result of their source is there: 1,000,000 in a job is
/// more than anybody reads.
pub const REJECTS_KEPT_MAX: usize = 1_000_000;

/// Bytes of memory of those of one source: what was set aside is looked through by people.
pub const REJECTS_KEPT_BYTES_MAX: u64 = 1 << 30;

/// Stack of a guest: what programs are built for that run on threads of their own.
pub const STACK_BYTES: usize = 1 << 20;

/// The least stack that can be given: below it, language runtimes do not even start.
pub const STACK_BYTES_MIN: usize = 64 << 10;

/// The most stack that can be given: each worker has as much of its own.
pub const STACK_BYTES_CEILING: usize = 64 << 20;

/// Stack of a thread for what is no guest's: the host before and within a call, and the engine's
/// compiler.
pub const HOST_STACK_BYTES: usize = 2 << 20;

/// A plugin file: the largest language runtime packs to 18 MB.
pub const COMPONENT_BYTES: u64 = 50 << 20;

/// The largest plugin file that can be allowed: it is held in memory, and compiled code is several
/// times as large.
pub const COMPONENT_BYTES_CEILING: u64 = 1 << 30;

/// Functions of a plugin: the largest language runtime has 30,000.
pub const FUNCTIONS: u64 = 100_000;

/// The most functions that can be allowed: those of one module, as the engine has it.
pub const FUNCTIONS_CEILING: u64 = 1_000_000;

/// Time that a plugin may take to compile: the largest language runtime takes 5 s on two cores, and
/// machines are busy.
pub const COMPILE_TIMEOUT: Duration = Duration::from_mins(1);

/// The most time that can be given to compiling.
pub const COMPILE_TIMEOUT_CEILING: Duration = Duration::from_hours(1);

/// Compilers that run at a time for all tenants of a host; each may take as much memory as its
/// order says.
pub const COMPILERS_MAX: usize = 8;

/// Memory that a compiler may take: the largest language runtime takes 370 MB.
pub const COMPILE_MEMORY_BYTES: u64 = 1 << 30;

/// The least that can be given to a compiler: the smallest plugins take less.
pub const COMPILE_MEMORY_BYTES_MIN: u64 = 64 << 20;

/// The most that can be given to a compiler.
pub const COMPILE_MEMORY_BYTES_CEILING: u64 = 64 << 30;

/// Addresses that a compiler has beside its memory: for its program, and for what its threads set
/// aside and do not use.
pub const COMPILE_ADDRESSES: u64 = 4 << 30;

/// Stack of a compiler: the functions of the largest plugins nest deeply.
pub const COMPILER_STACK_BYTES: usize = HOST_STACK_BYTES + STACK_BYTES_CEILING;

/// Files that a compiler may have open: those that it is given, and what the jail itself takes.
pub const COMPILE_FILES_MAX: u64 = 16;

/// What is kept of the last words of a compiler.
pub const COMPILE_STDERR_BYTES_MAX: usize = 4 << 10;

/// Bytes that a sandbox takes before another takes its place: what a guest loses of its memory
/// little by little is bounded, and a fresh one costs nothing beside so many bytes.
pub const RECYCLE_BYTES: u64 = 1 << 30;

/// One function of a plugin. Compiling takes about 150 times its bytes at once; the largest of
/// language runtimes, their interpreters' loops, have a third of this.
pub const FUNCTION_BYTES_MAX: usize = 1 << 20;

/// Loops of a function times its locals: the compiler keeps each local apart in each loop. The
/// largest of language runtimes have a tenth.
pub const LOOPS_TIMES_LOCALS_MAX: u64 = 500_000;

/// Targets of a function's jumps by tables; the largest interpreters' loops have a few thousand.
pub const JUMP_TARGETS_MAX: u64 = 100_000;

/// Segments of elements of a module times its tables.
pub const SEGMENTS_TIMES_TABLES_MAX: u64 = 1_000_000;

/// Instances, aliases and types that a component comes to when it is made; the adapters of language
/// runtimes have a few hundred.
pub const INSTANCES_MAX: u64 = 20_000;

/// Components in components: what is linked of several has a few. The memory that is taken to
/// compile them grows with the square: at 20,000 deep, a file of 200 KB takes gigabytes.
pub const NESTING_MAX: usize = 32;

/// One log line of a plugin; the rest is cut.
pub const LOG_LINE_BYTES_MAX: usize = 8 << 10;

/// What a log line costs beside its text, so that empty lines have an end, too: about what is
/// written around it.
pub const LOG_LINE_COST_BYTES: usize = 32;

/// What a plugin may say of a failure, and what is shown of any; the rest is cut.
pub const MESSAGE_BYTES_MAX: usize = 8 << 10;

/// What one instance may log of a source; the rest is not shown.
pub const LOG_BYTES: usize = 64 << 10;

/// The most that can be shown of a source.
pub const LOG_BYTES_CEILING: usize = 1 << 30;

/// Lines that the plugins of a job may log in one second; the rest is not shown. Nobody reads as
/// fast.
pub const LOG_LINES: u64 = 100;

/// Named counters of one plugin: they become names in reports.
pub const COUNTERS_MAX: usize = 16;

/// Length of a counter's name.
pub const COUNTER_NAME_BYTES_MAX: usize = 64;

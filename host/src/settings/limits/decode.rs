//! Bounds of what comes out of compressed files and archives.

/// Compressed bytes read at once by a decoder: large enough that the reads are not felt, small
/// enough to stay in a core's own cache beside a window of decompressed bytes.
pub const DECODE_READ_BYTES: usize = 128 << 10;

/// Decompressed bytes that are decoded to see whether any come out of what a pipe holds: one would
/// do.
pub const DECODE_LOOK_BYTES: usize = 512;

/// Decompressed bytes of one source. Decoding holds little of them at a time, so this bounds time,
/// not memory: far above real files, below what would keep a worker busy for a day.
pub const DECODED_BYTES_MAX: u64 = 1 << 40;

/// Decompressed bytes for each compressed one. Text reaches 20, logs 100, and deflate cannot pass
/// 1,032.
pub const DECODE_RATIO_MAX: u64 = 1000;

/// What may come out of a source before its ratio counts: small files of zeros are harmless.
pub const DECODE_RATIO_FREE_BYTES: u64 = 1 << 20;

/// Members, frames or streams of one source: BGZF has 16 in each decompressed MiB, so this is a
/// full terabyte of it, and seconds of work when all are empty.
pub const DECODE_MEMBERS_MAX: u64 = 16 << 20;

/// What a bzip2 stream of less than [`DECODE_SMALL_STREAM_BYTES`] counts for: it costs 170 us, a
/// gzip member 0.2 us. A flood of them ends after 11 s.
pub const DECODE_SMALL_BZIP2_MEMBERS: u64 = 256;
/// See [`DECODE_SMALL_BZIP2_MEMBERS`]: streams that are made for parallel decoding hold 100 KB or
/// more.
pub const DECODE_SMALL_STREAM_BYTES: u64 = 64 << 10;

/// Window of a zstd frame: 128 MiB, the most that `zstd` itself decodes unasked.
pub const DECODE_ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// Memory of one xz decoder: `xz -9` needs 65 MiB.
pub const DECODE_XZ_MEMORY_BYTES_MAX: u64 = 256 << 20;

/// Compressed bytes that are decoded by one worker at once where a source has independent pieces: a
/// chunk or so of text. Measured: 4 % faster than four times as many, which no longer stay in a
/// core's own cache.
pub const DECODE_RUN_BYTES: u64 = 128 << 10;

/// Decompressed bytes of one such piece: the blocks of `xz -6`. There are two for each worker in
/// memory; a source with longer ones is read from its front.
pub const DECODE_PIECE_BYTES_MAX: u64 = 24 << 20;

/// Runs that one source is cut into; past it they grow.
pub const DECODE_RUNS_MAX: u64 = 64 << 10;

/// How far the first frame of a source is walked over to see whether there is a second: a thousand
/// small reads.
pub const DECODE_FIRST_FRAME_BYTES_MAX: u64 = 32 << 20;

/// How far the beginning of a piece is looked for where nothing says where it is: a bzip2 block of
/// 900,000 symbols of 20 bits has 2.3 MB, and a gzip member that is longer gains nothing.
pub const DECODE_SEARCH_BYTES_MAX: u64 = 4 << 20;

/// Pieces of a source that are decoded before it is their turn, for each worker: one that is
/// decoded, one that waits. What comes out of each is bounded by [`DECODE_PIECE_BYTES_MAX`].
pub const DECODE_AHEAD_PIECES: usize = 2;

/// Workers from which on lz4 blocks are decoded in pieces: lz4 is about as fast as memory, and
/// pieces that go through it once more cost two threads as much time as they bring.
pub const DECODE_LZ4_WORKERS_MIN: usize = 4;

/// Indexes of the streams of one xz file, with the padding between them: a million blocks.
pub const DECODE_INDEX_BYTES_MAX: u64 = 8 << 20;

/// Decompressed bytes of an archive that are held until their checksum has been compared. Most
/// archives are smaller; a larger one is decoded twice, or kept in a temporary file, as of those
/// that come but once.
pub const HELD_BYTES_MAX: usize = 32 << 20;

/// Bytes of a source that comes but once which are kept in a temporary file: what a disk for
/// temporary files has room for.
pub const SPOOLED_BYTES_MAX: u64 = 16 << 30;

/// Bytes of an archive that are read at once where a header is looked for.
pub const ARCHIVE_READ_BYTES: usize = 4 << 10;

/// Bytes of an archive that are read at once where one header follows the other, reached by
/// doubling.
pub const ARCHIVE_READ_BYTES_MAX: usize = 256 << 10;

/// What is read to find the directory of a zip file that is not where it says, or to see that
/// nothing but zeros follows the end of a tar file: in real files it is far less, and of what is
/// searched for directories something is kept in memory.
pub const ARCHIVE_SEARCH_BYTES_MAX: u64 = 16 << 20;

/// The comment at the end of a zip file: its length has 16 bits.
pub const ARCHIVE_COMMENT_BYTES_MAX: usize = 65_535;

/// An extended header of a tar file: names are at most 4 KiB, attributes of files 64 KiB each.
pub const ARCHIVE_HEADER_BYTES_MAX: usize = 1 << 20;

/// Stretches of the sparse files of an archive, each 24 bytes of memory: a disk image of 100 GB
/// that has been in use for years has fewer.
pub const ARCHIVE_STRETCHES_MAX: usize = 1 << 20;

/// What the decoder of a stream keeps, as a rule: the window of zstd at its highest common level,
/// of xz at its default, twice.
pub const DECODER_BYTES: u64 = 16 << 20;

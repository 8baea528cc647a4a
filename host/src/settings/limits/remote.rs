//! Bounds of what is asked of stores and web servers.

use std::time::Duration;

/// Bytes of an object that one request asks for: long enough that 20 ms to the first byte cost less
/// than the transfer, short enough that several are held for each worker.
pub const REMOTE_PART_BYTES: u64 = 4 << 20;

/// Parts that are asked for ahead of a reader that moves forward.
pub const REMOTE_AHEAD_PARTS: usize = 3;

/// Bytes of all objects together past which nothing is asked for ahead, nor kept when it has been
/// read. What a worker waits for is asked for all the same: a part for each.
pub const REMOTE_AHEAD_BYTES: u64 = 48 << 20;

/// Parts of an object that are kept when they have been read to their ends, but not all of them:
/// another worker is at what is left, or nobody ever comes to it.
pub const REMOTE_PASSED_PARTS: usize = 4;

/// Bytes that are asked for where only the end of a record is looked for, in a part that another
/// worker is at or has been at.
pub const REMOTE_LOOK_BYTES: u64 = 64 << 10;

/// Such looks that are kept of an object: what was looked at is read next.
pub const REMOTE_LOOKS: usize = 16;

/// How long it may take to reach a server: several round trips around the world.
pub const REMOTE_CONNECT: Duration = Duration::from_secs(10);

/// How long a server may say nothing in the middle of an answer, or before one.
pub const REMOTE_IDLE: Duration = Duration::from_secs(30);

/// How long a server may take until the headers of its answer are whole, beside the time in which
/// what it is sent arrives. It may say something all the while: a byte of a header, or that there
/// will be an answer (RFC 8297, `103 Early Hints`).
pub const REMOTE_HEADERS: Duration = Duration::from_secs(30);

/// How long a text may take that is held: stores put large objects together for several minutes,
/// and say nothing but spaces.
pub const REMOTE_TEXT: Duration = Duration::from_mins(10);

/// What a request may take as a whole. It is [`REMOTE_IDLE`] that ends one which goes no further.
pub const REMOTE_REQUEST: Duration = Duration::from_hours(24);

/// How often a web server may send a client elsewhere, one redirect after the other.
pub const REDIRECTS_MAX: usize = 5;

/// How often a request is made once more that was answered with "not now", or not at all.
pub const REMOTE_RETRIES: usize = 4;

/// How long the first pause before that is; they double, or nearly, as each is drawn by lot.
pub const REMOTE_PAUSE: Duration = Duration::from_millis(100);

/// How long such a pause is at most.
pub const REMOTE_PAUSE_MAX: Duration = Duration::from_secs(5);

/// How long after the first try no other is begun.
pub const REMOTE_RETRY: Duration = Duration::from_mins(1);

/// Questions to stores that are under way at once while sources are listed.
pub const REMOTE_QUESTIONS: usize = 16;

/// Threads that drive requests. One moves over 1 GB/s through TLS; a second answers while it is
/// busy.
pub const REMOTE_THREADS: usize = 2;

/// Pieces, as they come from the network, that a source that cannot be asked for parts is read
/// ahead by.
pub const REMOTE_FRONT_PIECES: usize = 64;

/// Bytes that are read of the text of an answer that is an error: its code stands at the beginning.
pub const REMOTE_ERROR_BYTES_MAX: usize = 64 << 10;

/// Bytes of a page of a list, or of what a store says when it has taken something: 5000 keys of a
/// thousand characters each, and what stands around them, are fewer.
pub const REMOTE_TEXT_BYTES_MAX: usize = 16 << 20;

//! What the C library's allocator keeps of memory that is free. By default it learns from the
//! largest block that it was given back, of up to 32 MiB, and keeps twice as much on each thread's
//! heap: so of results of 20 MB in a row far more stays than is charged to anybody.
#![allow(unsafe_code)]

/// From this size on a block is a mapping of its own, which is gone when it is free; and what is
/// free at the end of a heap is given back from there on. Buffers of chunks are below that, so that
/// their pages are used again.
#[cfg(target_env = "gnu")]
const FREE_BYTES_MAX: libc::c_int = 4 << 20;

/// Has it keep little, for the life of the process. Called before there is a second thread.
pub(super) fn keep_little() {
    #[cfg(target_env = "gnu")]
    for parameter in [libc::M_MMAP_THRESHOLD, libc::M_TRIM_THRESHOLD] {
        // SAFETY: `mallopt` (mallopt(3)) takes any two numbers, points at nothing, and is called
        // while there is one thread. Where it refuses a number it says so and changes nothing, and
        // then more stays: nothing depends on it.
        let _is_taken = unsafe { libc::mallopt(parameter, FREE_BYTES_MAX) };
    }
}

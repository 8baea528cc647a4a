//! The threads that workers run on: the only place that knows rayon.

use std::io;

/// Calls `body` once on each of `threads` named threads, with stacks of so many bytes, and returns
/// when all have ended. A panic is passed on.
///
/// # Errors
/// When a thread cannot be started.
pub(super) fn on_each(
    threads: usize,
    stack_bytes: usize,
    body: impl Fn() + Sync,
) -> io::Result<()> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(stack_bytes)
        .thread_name(|index| format!("worker-{index}"))
        .build()
        .map_err(io::Error::other)?;
    pool.broadcast(|_| body());
    Ok(())
}

//! `baseline`: the native programs that the benches are compared with, with nothing of the host in them.
//!
//! Each is the strongest simple form of its idea: threads of one rayon pool, the counting code of the
//! word count plugin, and no allocation per chunk or file. Prints `lines words bytes`.

mod cuts;
mod files;
mod flags;
mod mapped;
mod positioned;

use std::process::ExitCode;

use anyhow::Result;
use flags::{Baseline, BaselineCmd, Io};
use rayon::{ThreadPool, ThreadPoolBuilder};
use wordcount::Counts;

fn main() -> ExitCode {
    let flags = Baseline::from_env_or_exit();
    match run(flags.subcommand) {
        Ok(Counts { lines, words, bytes }) => println!("{lines} {words} {bytes}"),
        Err(error) => {
            eprintln!("baseline: {error:#}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn run(command: BaselineCmd) -> Result<Counts> {
    match command {
        BaselineCmd::Wordcount(flags) => {
            let (pool, chunk_bytes) = (pool(flags.threads)?, flags.chunk_bytes()?);
            match flags.io {
                Io::Pread => positioned::count(&pool, &flags.file, chunk_bytes),
                Io::Mmap => mapped::count(&pool, &flags.file, chunk_bytes),
            }
        }
        BaselineCmd::Files(flags) => files::count(&pool(flags.threads)?, &flags.list),
    }
}

fn pool(threads: usize) -> Result<ThreadPool> {
    Ok(ThreadPoolBuilder::new().num_threads(threads).build()?)
}

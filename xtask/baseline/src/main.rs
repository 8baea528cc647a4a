//! `baseline`: the native programs that the benches are compared with, with nothing of the host in them.
//!
//! Each is the strongest simple form of its idea: threads of one rayon pool, the counting code of the
//! word count plugin, and no allocation per chunk or file; or one decoder alone. What counts prints
//! `lines words bytes`, what decodes prints bytes.

mod cuts;
mod decode;
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
        Ok(line) => println!("{line}"),
        Err(error) => {
            eprintln!("baseline: {error:#}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// The line to print.
fn run(command: BaselineCmd) -> Result<String> {
    match command {
        BaselineCmd::Wordcount(flags) => {
            let (pool, chunk_bytes) = (pool(flags.threads)?, flags.chunk_bytes()?);
            let counts = match flags.io {
                Io::Pread => positioned::count(&pool, &flags.file, chunk_bytes),
                Io::Mmap => mapped::count(&pool, &flags.file, chunk_bytes),
            };
            counts.map(line)
        }
        BaselineCmd::Files(flags) => files::count(&pool(flags.threads)?, &flags.list).map(line),
        BaselineCmd::Decode(flags) => Ok(decode::decode(flags.codec, &flags.file)?.to_string()),
    }
}

fn line(Counts { lines, words, bytes }: Counts) -> String {
    format!("{lines} {words} {bytes}")
}

fn pool(threads: usize) -> Result<ThreadPool> {
    Ok(ThreadPoolBuilder::new().num_threads(threads).build()?)
}

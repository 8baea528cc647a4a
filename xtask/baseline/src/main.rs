//! `baseline`: the native programs that the benches are compared with, with nothing of the host in
//! them.
//!
//! Each is the strongest simple form of its idea: threads of one rayon pool, the counting code of
//! the word count plugin, and no allocation per chunk or file; capital letters written where they
//! belong; or one decoder alone. What counts prints `lines words bytes`, what decodes prints how
//! many bytes came out, what writes prints nothing else.

mod cuts;
mod decode;
mod files;
mod flags;
mod mapped;
mod positioned;
mod upcase;

use std::process::ExitCode;

use anyhow::Result;
use flags::{Baseline, BaselineCmd, Io};
use rayon::{ThreadPool, ThreadPoolBuilder};
use wordcount::Counts;

fn main() -> ExitCode {
    let flags = Baseline::from_env_or_exit();
    match run(flags.subcommand) {
        Ok(Some(line)) => println!("{line}"),
        Ok(None) => {}
        Err(error) => {
            eprintln!("baseline: {error:#}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// The line to print, where there is one.
fn run(command: BaselineCmd) -> Result<Option<String>> {
    let line = match command {
        BaselineCmd::Wordcount(flags) => {
            let (pool, chunk_bytes) = (pool(flags.threads)?, flags::bytes(flags.chunk_kib)?);
            let counts = match flags.io {
                Io::Pread => positioned::count(&pool, &flags.file, chunk_bytes),
                Io::Mmap => mapped::count(&pool, &flags.file, chunk_bytes),
            };
            line(counts?)
        }
        BaselineCmd::Files(flags) => line(files::count(&pool(flags.threads)?, &flags.list)?),
        BaselineCmd::Upcase(flags) => {
            let (pool, chunk_bytes) = (pool(flags.threads)?, flags::bytes(flags.chunk_kib)?);
            upcase::write(
                &pool,
                &flags.file,
                &upcase::Target::open(flags.out.as_deref())?,
                chunk_bytes,
            )?;
            return Ok(None);
        }
        BaselineCmd::Decode(flags) => decode::decode(flags.codec, &flags.file)?.to_string(),
    };
    Ok(Some(line))
}

fn line(Counts { lines, words, bytes }: Counts) -> String {
    format!("{lines} {words} {bytes}")
}

fn pool(threads: usize) -> Result<ThreadPool> {
    Ok(ThreadPoolBuilder::new().num_threads(threads).build()?)
}

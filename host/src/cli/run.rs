//! `host run`: a spec from flags, a job from the spec, and how it ended.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::panic::resume_unwind;

use std::sync::Arc;
use std::thread;

use super::Exit;
use super::asked::Asked;
use super::closed::check_stdout;
use super::conclude::conclude;
use super::interrupt::Interrupt;
use super::progress::Progress;
use super::say::{self, Teller};
use super::{cache_dir, plan};
use crate::input;
use crate::job::Observer;
use crate::plugin::{Cache, Compiled, Compiling, Engine};
use crate::prepare::{self, Context, Origins, Outlets};
use crate::settings::limits::HOST_STACK_BYTES;
use crate::settings::{Format, Run};
use crate::source::Look;
use crate::spec::Problem;
use crate::work::Cancel;

/// Runs a job, or shows what that would be. Guests run on a thread whose stack is as large as the
/// limits need it, which that of the process may not be.
pub(super) fn run(asked: &Asked) -> Result<Exit, Problem> {
    let spec = &asked.spec;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let settings = spec.run(cores, cache_dir())?;
    // On the first thread, while there is no other: those that are started later are in the jail,
    // too.
    let mut origins = Origins::open(spec)?;
    if spec.inputs.allow_private {
        input::allow_private();
    }
    let progress = Progress::new(spec.output.quiet);
    say::log_to_stderr(say::level(&spec.output), progress.clone());
    let code = jailed(asked, &settings, &mut origins)?;
    let stack_bytes = settings.sandbox.stack_bytes + HOST_STACK_BYTES;
    let thread = thread::Builder::new().name("run".into()).stack_size(stack_bytes);
    thread::scope(|scope| {
        let running =
            thread.spawn_scoped(scope, || run_with(asked, settings, &origins, code, &progress));
        running.map_err(Problem::new)?.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// Goes into the jail, where that is asked for; what can be jailed makes no output in a dry run,
/// and reads no input.
fn jailed(asked: &Asked, settings: &Run, origins: &mut Origins) -> Result<Option<Cache>, Problem> {
    if !asked.spec.sandbox.jail {
        return Ok(None);
    }
    if asked.dry_run {
        return prepare::can_confine().map(|()| None);
    }
    let confined = prepare::confine(&asked.spec, settings, origins, asked.pipeline.as_deref())?;
    if confined.is_connected && !asked.spec.output.quiet {
        say::line("--jail: not all is on this machine, so connections stay allowed");
    }
    Ok(Some(confined.code))
}

fn run_with(
    asked: &Asked,
    settings: Run,
    origins: &Origins,
    code: Option<Cache>,
    progress: &Progress,
) -> Result<Exit, Problem> {
    let (spec, output) = (&asked.spec, &asked.spec.output);
    let cancel = Arc::new(Cancel::default());
    let interrupt = Interrupt::listen(&cancel, asked.dry_run)?;
    let engine = Engine::with(&settings.sandbox).map_err(Problem::new)?;
    let cache = code.or_else(|| prepare::cache(&settings));
    let (sandbox, stop) = (settings.sandbox, cancel.flag());
    let stats = prepare::stats(&settings);
    let memory = Arc::clone(stats.memory());
    let (limits, cache, memory) = (&sandbox, cache.as_ref(), &memory);
    let compiling = Compiling { limits, cache, memory, stop: &stop };
    let outlets = Streams { progress, interrupt: &interrupt };
    let context = Context {
        engine: &engine,
        compile: &|path| Compiled::new(&engine, path, &compiling),
        origins,
        named: None,
        outlets: &outlets,
        stats,
        settings,
        cancel,
        turns: None,
        remembers: None,
        described: asked.pipeline.as_deref(),
        look: if progress.is_shown() { Look::Sizes } else { Look::Names },
    };
    let teller = Arc::new(Teller::new(progress, output.verbose, interrupt.wait()));
    let events = Arc::clone(&teller) as Arc<dyn Observer>;
    if asked.dry_run {
        let planned = prepare::plan(spec, &context, &events)?;
        plan::show(&planned, output.format == Some(Format::Json))?;
        // As the run would end.
        let is_readable = planned.sources.unreadable_count == 0;
        return Ok(if is_readable { Exit::Done } else { Exit::Failed });
    }
    let prepared = match prepare::prepare(spec, &context, &events) {
        Err(_) if interrupt.is_set() => return Ok(Exit::Interrupted),
        prepared => prepared?,
    };
    let ended = prepared.run()?;
    conclude(ended, spec, &context.stats, interrupt.is_set(), &teller)
}

/// Standard output and devices, whose readers may not read.
struct Streams<'a> {
    progress: &'a Progress,
    interrupt: &'a Arc<Interrupt>,
}

impl Outlets for Streams<'_> {
    fn stdout(&self, key: &'static str) -> Result<Box<dyn Write + Send>, Problem> {
        check_stdout(key)?;
        Ok(match key {
            "out" => self.interrupt.guarded(self.progress.stdout()),
            _ => Box::new(io::stdout()),
        })
    }

    fn device(&self, file: File) -> Box<dyn Write + Send> {
        self.interrupt.guarded(Box::new(file))
    }

    fn name(&self, key: &str) -> String {
        say::flag(key)
    }

    fn format(&self) -> Format {
        if io::stdout().is_terminal() { Format::Table } else { Format::Jsonl }
    }
}

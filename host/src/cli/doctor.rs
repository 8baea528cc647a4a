//! `host doctor`: what this machine has of what runs need, each thing tried rather than guessed
//! from a version.

mod machine;
mod walls;

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use bytesize::ByteSize;
use serde::Serialize;

use super::Exit;
use super::args::{DoctorArgs, DoctorFormatArg};
use super::cache_dir;
use super::called::{self, own};
use super::say::plain;
use crate::jail;
use crate::name::{Shown, number};
use crate::output::pretty_json;
use crate::plugin::{Cache, ENGINE_VERSION, cpu_features, probe};
use crate::spec::Problem;

/// What was found. Field names are the keys of the JSON form.
#[derive(Debug, Serialize)]
struct Diagnosis {
    version: &'static str,
    /// Whether `host run` has all that it needs.
    ready: bool,
    checks: Vec<Check>,
}

/// One thing that was tried.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    state: State,
    /// What was found.
    found: String,
    needed_for: Need,
    /// How to get it, where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Missing,
}

/// What cannot be had without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum Need {
    #[serde(rename = "host run")]
    Run,
    #[serde(rename = "--jail")]
    Jail,
    #[serde(rename = "speed")]
    Speed,
    #[serde(rename = "a bound on all memory")]
    Bound,
}

impl Need {
    fn words(self) -> String {
        match self {
            Self::Run => format!("{} run", called::name()),
            Self::Jail => "--jail".into(),
            Self::Speed => "speed".into(),
            Self::Bound => "a bound on all memory".into(),
        }
    }
}

impl Check {
    fn ok(name: &'static str, needed_for: Need, found: impl Into<String>) -> Self {
        Self { name, state: State::Ok, found: found.into(), needed_for, hint: None }
    }

    fn missing(name: &'static str, needed_for: Need, found: impl Into<String>, hint: &str) -> Self {
        let (found, hint) = (found.into(), Some(hint.into()));
        Self { name, state: State::Missing, found, needed_for, hint }
    }
}

/// Reports what this machine has. Exits with 1 where `host run` lacks something.
pub(super) fn doctor(args: &DoctorArgs) -> Result<Exit, Problem> {
    let mut checks = vec![Check::ok("kernel", Need::Run, machine::kernel()), engine(), cpu()];
    checks.extend(kernel_features());
    checks.extend(machine::limits());
    let dir = args.cache.clone().or_else(cache_dir);
    checks.push(cache(dir.as_deref()));
    if args.jail {
        checks.extend(walls::checks());
    }
    let is_needed = |need| need == Need::Run || (need == Need::Jail && args.jail);
    let lacking = |check: &Check| is_needed(check.needed_for) && check.state == State::Missing;
    let ready = !checks.iter().any(lacking);
    let diagnosis = Diagnosis { version: env!("CARGO_PKG_VERSION"), ready, checks };
    let text = match args.format {
        DoctorFormatArg::Json => pretty_json(&diagnosis).map_err(Problem::new)?,
        DoctorFormatArg::Text => describe(&diagnosis, args.jail).map_err(Problem::new)?,
    };
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(Problem::new(error)),
        _ => {}
    }
    Ok(if ready { Exit::Done } else { Exit::Failed })
}

fn describe(diagnosis: &Diagnosis, asked_for_jail: bool) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let out = &mut text;
    writeln!(out, "host {}", diagnosis.version)?;
    for Check { name, state, found, needed_for, hint } in &diagnosis.checks {
        let found = plain(found);
        match state {
            State::Ok => writeln!(out, "ok       {name:<14} {found}")?,
            State::Missing => {
                writeln!(out, "missing  {name:<14} {found} (for {})", needed_for.words())?;
            }
        }
        if let Some(hint) = hint {
            writeln!(out, "         hint: {}", own(hint))?;
        }
    }
    let verdict =
        if diagnosis.ready { "has all it needs" } else { "lacks something that it needs" };
    let jail = if asked_for_jail { " --jail" } else { "" };
    writeln!(out, "{} run{jail} {verdict}", called::name())?;
    Ok(text)
}

fn engine() -> Check {
    let name = "engine";
    match probe() {
        Ok(()) => {
            let found = format!("wasmtime {ENGINE_VERSION} compiles code and runs it");
            Check::ok(name, Need::Run, found)
        }
        Err(error) => Check::missing(
            name,
            Need::Run,
            format!("wasmtime {ENGINE_VERSION}: {error}"),
            "memory that is executable must be allowed, and `ulimit -v` large or unlimited",
        ),
    }
}

fn cpu() -> Check {
    let (there, absent): (Vec<_>, Vec<_>) = cpu_features().into_iter().partition(|(_, is)| *is);
    let names = |of: &[(&'static str, bool)]| {
        of.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
    };
    let found = match (names(&there), names(&absent)) {
        (there, absent) if absent.is_empty() => there,
        (there, absent) => format!("{there}; not: {absent}"),
    };
    // Wide vectors of 512 bits are used where they are there, and missed by nothing.
    let needed = absent.iter().filter(|(name, _)| !name.starts_with("avx512")).count();
    match needed {
        0 => Check::ok("cpu", Need::Speed, found),
        _ => Check::missing("cpu", Need::Speed, found, "plugins run, with slower instructions"),
    }
}

fn kernel_features() -> [Check; 3] {
    let support = jail::probe();
    let needed = support.landlock_needed;
    let get =
        "needs Linux 6.2 with `landlock` among its security modules (boot with lsm=landlock,…)";
    let landlock = match support.landlock {
        Ok(version) if version >= needed => {
            Check::ok("landlock", Need::Jail, format!("version {version} of its interface"))
        }
        Ok(version) => {
            let found = format!("version {version} of its interface, not {needed}");
            Check::missing("landlock", Need::Jail, found, get)
        }
        Err(error) => Check::missing("landlock", Need::Jail, error, get),
    };
    let seccomp = match support.seccomp {
        Ok(()) => Check::ok("seccomp", Need::Jail, "takes filters"),
        Err(error) => {
            let get = "needs a kernel with CONFIG_SECCOMP_FILTER, and no filter around it that forbids one";
            Check::missing("seccomp", Need::Jail, error, get)
        }
    };
    let openat2 = match machine::openat2() {
        Ok(()) => Check::ok("openat2", Need::Speed, "opens beneath a directory"),
        Err(error) => {
            let get = "needs Linux 5.6, and a filter around it (as of an old container runtime) that lets it through";
            Check::missing("openat2", Need::Speed, error.to_string(), get)
        }
    };
    [landlock, seccomp, openat2]
}

fn cache(dir: Option<&Path>) -> Check {
    let name = "cache";
    let Some(dir) = dir else {
        let hint = "set HOME or XDG_CACHE_HOME, or name a directory with --cache";
        return Check::missing(name, Need::Speed, "there is no directory for it", hint);
    };
    let shown = Shown::of(&dir);
    match Cache::look(dir) {
        Ok(Some(state)) => {
            let (mode, entries) = (state.mode, state.entries);
            let plugins = number(entries, "plugin", "plugins");
            let size = ByteSize(state.bytes).display().iec();
            let found = format!("{shown}: mode {mode:04o}, {plugins}, {size}");
            Check::ok(name, Need::Speed, found)
        }
        Ok(None) if machine::can_make(dir) => {
            Check::ok(name, Need::Speed, format!("{shown}: not there yet, and can be made"))
        }
        Ok(None) => {
            let found = format!("{shown}: not there, and cannot be made");
            Check::missing(name, Need::Speed, found, "name another directory with --cache")
        }
        Err(error) => {
            let hint = "make it this user's own, with mode 0700, or name another with --cache";
            Check::missing(name, Need::Speed, format!("{shown}: {error}"), hint)
        }
    }
}

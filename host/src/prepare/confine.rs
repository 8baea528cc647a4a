//! The jail: what a run needs of the machine, worked out from its flags, and everything else given
//! up.
//!
//! Entered while the process has one thread, so it holds for all. What a jailed run must not do is
//! done before: plugins are compiled, and taken along as code (who could write to the cache, or
//! knew its key, would have the next run load what they like), the list of names is read, and
//! directories and files for output are made, so that the rules are for them and not for what is
//! around.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::linked::Linked;
use super::output::is_tree;
use super::plugins;
use super::sources::{Origins, urls};
use crate::input::prepare_spools;
use crate::jail::{self, Jail, JailError, Sockets};
use crate::name::Shown;
use crate::output::Root;
use crate::plugin::{Cache, Compiling, warm};
use crate::settings::Run;
use crate::source::Address;
use crate::spec::{JobSpec, Problem};
use crate::stats::MemoryBudget;

/// What any run reads: the seed of the database's random numbers, and its own peak of memory.
const ALWAYS: [&str; 2] = ["/dev/urandom", "/proc/self/status"];

/// What the C library and TLS read to connect to a host by its name (resolv.conf(5),
/// nsswitch.conf(5), and where distributions keep certificates).
const TO_CONNECT: [&str; 16] = [
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/ld.so.cache",
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/usr/lib",
    "/lib",
    "/lib64",
    "/run/systemd/resolve",
];

/// Variables that name files with certificates or credentials.
const CREDENTIALS: [&str; 7] = [
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_SERVICE_ACCOUNT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AZURE_FEDERATED_TOKEN_FILE",
];

/// What a jailed run takes with it.
pub struct Confined {
    /// The code of its plugins, which nobody compiles in there.
    pub code: Cache,
    /// Whether it may connect to other machines.
    pub is_connected: bool,
}

/// Enters the jail. The names of a list of sources have to be read for that, and are in `origins`
/// then. `described` is a file that describes the job.
///
/// # Errors
/// When there is no jail on this machine, or what has to stay as it is can be written in it.
pub fn confine(
    spec: &JobSpec,
    settings: &Run,
    origins: &mut Origins,
    described: Option<&Path>,
) -> Result<Confined, Problem> {
    can_confine()?;
    let code = compiled(spec, settings)?;
    origins.read_list(spec)?;
    let names = origins.listed.as_ref().map(|names| names.as_slice());
    let out = spec.output.out.as_path();
    let urls = urls(spec);
    let is_let = |path: &Path| Address::of(path).is_some_and(|address| urls.allow(&address));
    let is_remote = |path: &Path| Address::of(path).is_some();
    let listed = names.unwrap_or_default().iter().any(|path| is_let(path));
    let is_connected =
        listed || spec.inputs.files.iter().any(|path| is_remote(path)) || is_remote(out);
    let write = write(spec);
    apart(&write, spec, described, names, settings)?;
    make(spec)?;
    let jail = Jail {
        read: read(spec, names, is_connected),
        write: write.into_iter().map(|(_, path)| path).collect(),
        sockets: if is_connected { Sockets::Allowed } else { Sockets::Denied },
    };
    // If there can be none, its user reports that. One for each worker, and one for a zip file on
    // standard input.
    if let Err(error) = prepare_spools(settings.threads + 1) {
        tracing::debug!("no temporary files before the jail: {error}");
    }
    jail.enter().map_err(|error| problem(&error))?;
    Ok(Confined { code, is_connected })
}

/// Whether this process could go into a jail.
///
/// # Errors
/// When the machine has none, or the process has more threads than one.
pub fn can_confine() -> Result<(), Problem> {
    jail::check_system().map_err(|error| problem(&error))?;
    alone()?;
    jail::probe().check().map_err(|error| problem(&error))
}

fn problem(error: &JailError) -> Problem {
    Problem::new(format!("⟦jail⟧: {error}")).hint(Some(error.hint()))
}

/// The jail is one of threads: another one would be outside.
fn alone() -> Result<(), Problem> {
    let threads = fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
    if threads == 1 {
        return Ok(());
    }
    Err(Problem::new(format!("⟦jail⟧: the process has {threads} threads where it should have one")))
}

/// Compiles all plugins, or takes them from the cache on disk, whose key is forgotten then.
fn compiled(spec: &JobSpec, settings: &Run) -> Result<Cache, Problem> {
    let cache = plugins::cache(settings);
    let code = Cache::in_memory();
    let memory = MemoryBudget::new(settings.memory_total_bytes.unwrap_or(u64::MAX));
    let with = Compiling {
        limits: &settings.sandbox,
        cache: cache.as_ref(),
        memory: &Arc::new(memory),
        stop: &AtomicBool::new(false),
    };
    for stage in spec.stages() {
        warm(&stage.plugin, &code, &with)
            .map_err(|error| Problem::new(&error).hint(error.hint()).at(stage.place.as_ref()))?;
    }
    Ok(code)
}

fn inputs<'a>(spec: &'a JobSpec, names: Option<&'a [PathBuf]>) -> impl Iterator<Item = &'a Path> {
    spec.inputs.files.iter().chain(names.unwrap_or_default()).map(PathBuf::as_path)
}

fn read(spec: &JobSpec, names: Option<&[PathBuf]>, remote: bool) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = inputs(spec, names).map(PathBuf::from).collect();
    paths.extend(spec.stages().map(|stage| stage.plugin.clone()));
    paths.extend(ALWAYS.map(PathBuf::from));
    if remote {
        paths.extend(TO_CONNECT.map(PathBuf::from));
        paths.extend(CREDENTIALS.iter().filter_map(std::env::var_os).map(PathBuf::from));
    }
    paths
}

/// A flag, and a place that may be written because of it.
type Writable = (&'static str, PathBuf);

/// Refuses what is read or run, in this run or the next, in a place that may be written.
fn apart(
    write: &[Writable],
    spec: &JobSpec,
    described: Option<&Path>,
    names: Option<&[PathBuf]>,
    settings: &Run,
) -> Result<(), Problem> {
    let real = |path: &Path| fs::canonicalize(path).ok();
    let plugins = spec.stages().map(|stage| ("⟦plugin⟧", stage.plugin.clone()));
    let mut kept: Vec<_> = plugins.collect();
    kept.extend(settings.cache.clone().map(|path| ("⟦cache⟧", path)));
    kept.extend(std::env::current_exe().ok().map(|path| ("this program", path)));
    kept.extend(
        CREDENTIALS.iter().filter_map(|name| Some((*name, std::env::var_os(name)?.into()))),
    );
    kept.extend(spec.inputs.files_from.clone().map(|path| ("⟦files_from⟧", path)));
    kept.extend(described.map(|path| ("⟦pipeline⟧", path.to_path_buf())));
    let local = inputs(spec, names).filter(|path| Address::of(path).is_none());
    kept.extend(local.map(|path| ("the input", path.to_path_buf())));
    // Neither devices nor pipes.
    let is_kind = |place: &PathBuf| place.is_dir() || place.is_file();
    let places = write.iter().filter_map(|(flag, place)| Some((flag, real(place)?)));
    let places: Vec<_> = places.filter(|(_, place)| is_kind(place)).collect();
    for (flag, place) in &places {
        let within =
            |(_, path): &&(&str, PathBuf)| real(path).is_some_and(|path| path.starts_with(place));
        if let Some((what, path)) = kept.iter().find(within) {
            let (place, path) = (Shown::of(&place), Shown::of(&path));
            return Err(Problem::new(format!(
                "⟦jail⟧: {flag} makes {place} writable, and {what} {path} is there"
            ))
            .hint(Some("give what is written a directory of its own")));
        }
    }
    unlinked(&places, &kept)
}

/// Refuses what is read or run that has another name in a place that may be written.
fn unlinked(places: &[(&&str, PathBuf)], kept: &[(&str, PathBuf)]) -> Result<(), Problem> {
    let linked = Linked::within(places.iter().map(|(_, place)| place.as_path()))?;
    for (what, path) in kept {
        let Some((path, other)) = linked.other(path)? else { continue };
        let within = |(_, place): &&(&&str, PathBuf)| other.starts_with(place);
        let flag = places.iter().find(within).map_or("⟦out⟧", |(flag, _)| flag);
        let (path, other) = (Shown::of(&path), Shown::of(other));
        return Err(Problem::new(format!(
            "⟦jail⟧: {flag} makes {other} writable, which is a hard link of {what} {path}"
        ))
        .hint(Some("remove that link, or put a copy in its place")));
    }
    Ok(())
}

/// Where output goes.
fn write(spec: &JobSpec) -> Vec<Writable> {
    let output = &spec.output;
    let mut paths = Vec::new();
    if output.out.as_os_str() != "-" && Address::of(&output.out).is_none() {
        paths.push(("⟦out⟧", out(&output.out)));
    }
    for (flag, path) in [("⟦rejects⟧", &output.rejects), ("⟦report⟧", &output.report)] {
        paths.extend(path.clone().map(|path| (flag, path)));
    }
    // Lines of sources that are done again are taken out by a file that takes its place.
    let replaced = output.ledger.as_ref().and(output.rejects.as_deref());
    paths.extend(replaced.map(|path| ("⟦rejects⟧", directory_of(path))));
    paths.extend(spec.sandbox.repro.clone().map(|dir| ("⟦repro⟧", dir)));
    // A database has files beside it that come and go.
    paths.extend(output.ledger.as_deref().map(|path| ("⟦ledger⟧", directory_of(path))));
    paths
}

fn out(path: &Path) -> PathBuf {
    match fs::metadata(path) {
        _ if is_tree(path) => path.into(),
        Ok(found) if !found.is_file() => path.into(), // a device or a pipe
        _ => directory_of(path),
    }
}

/// Makes the directories and files for output that are not there yet, as rules are for what is
/// there.
fn make(spec: &JobSpec) -> Result<(), Problem> {
    let output = &spec.output;
    if is_tree(&output.out) && Address::of(&output.out).is_none() {
        Root::open(&output.out, output.durable).map_err(Problem::new)?;
    }
    let files = [("⟦rejects⟧", &output.rejects), ("⟦report⟧", &output.report)];
    for (flag, path) in files {
        let Some(path) = path else { continue };
        // Neither emptied nor read: whether it may be overwritten is looked at later.
        let made = File::options().append(true).create(true).open(path);
        made.map_err(|error| Problem::new(format!("{flag} {}: {error}", Shown::of(&path))))?;
    }
    if let Some(dir) = &spec.sandbox.repro {
        let made = fs::create_dir_all(dir);
        made.map_err(|error| Problem::new(format!("⟦repro⟧ {}: {error}", Shown::of(&dir))))?;
    }
    Ok(())
}

fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.into(),
        _ => PathBuf::from("."),
    }
}

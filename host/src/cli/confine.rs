//! `--jail`: what a run needs of the machine, worked out from its flags, and everything else given up.
//!
//! Entered while the process has one thread, so it holds for all. What a jailed run must not do is done before: plugins are
//! compiled into the cache, which is only read from then on (who could write to it would have the next run load what they like), the
//! list of names is read, and directories and files for output are made, so that the rules are for them and not for what is around.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::args::RunArgs;
use super::out::is_tree;
use super::say::{self, Abort};
use super::settings::Origins;
use super::stages::Stages;
use crate::input::prepare_spools;
use crate::jail::{self, Jail, JailError, Sockets};
use crate::output::Root;
use crate::plugin::{Cache, warm};
use crate::settings::Run;
use crate::source::Address;

/// What any run reads: the seed of the database's random numbers, and its own peak of memory.
const ALWAYS: [&str; 2] = ["/dev/urandom", "/proc/self/status"];

/// What the C library and TLS read to connect to a host by its name (resolv.conf(5), nsswitch.conf(5), and where distributions
/// keep certificates).
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

/// Enters the jail, where the flags ask for one. The names of `--files-from` have to be read for that.
pub(super) fn confine(
    args: &RunArgs,
    stages: &Stages,
    settings: &Run,
    origins: &mut Origins,
) -> Result<(), Abort> {
    if !args.sandbox.jail {
        return Ok(());
    }
    alone()?;
    jail::probe().check().map_err(|error| told(&error))?;
    if args.dry_run {
        return Ok(()); // what can be jailed makes no output, and reads no input
    }
    let cache = compiled(stages, settings)?;
    origins.read_list(args)?;
    let names = origins.listed.as_deref();
    let out = args.output.out.as_path();
    let remote = inputs(args, names).chain([out]).any(|path| Address::of(path).is_some());
    let mut read = read(args, stages, names, remote);
    read.extend(cache);
    let jail = Jail {
        read,
        write: write(args)?,
        sockets: if remote { Sockets::Allowed } else { Sockets::Denied },
    };
    // Where there can be none, whoever needs one says so. One for each worker, and one for a zip file on standard input.
    if let Err(error) = prepare_spools(settings.threads + 1) {
        tracing::debug!("no temporary files before the jail: {error}");
    }
    jail.enter().map_err(|error| told(&error))?;
    if remote && !args.output.quiet {
        say::line("--jail: not all is on this machine, so connections stay allowed");
    }
    Ok(())
}

fn told(error: &JailError) -> Abort {
    Abort::new(format!("--jail: {error}")).hint(Some(error.hint()))
}

/// The jail is one of threads: another one would be outside.
fn alone() -> Result<(), Abort> {
    let threads = fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
    if threads == 1 {
        return Ok(());
    }
    Err(Abort::new(format!("--jail: the process has {threads} threads where it should have one")))
}

/// Compiles all plugins into the cache; gives its directory. Where there is none, they are compiled in the jail.
fn compiled(stages: &Stages, settings: &Run) -> Result<Option<PathBuf>, Abort> {
    let opened = settings.cache.as_deref().map(|dir| (dir, Cache::open(dir)));
    let Some((dir, Ok(cache))) = opened else { return Ok(None) };
    for stage in stages.chains.iter().flatten() {
        warm(&stage.path, &cache, &settings.sandbox)
            .map_err(|error| Abort::new(&error).hint(error.hint()).at(stage.at.as_ref()))?;
    }
    Ok(Some(dir.into()))
}

fn inputs<'a>(args: &'a RunArgs, names: Option<&'a [PathBuf]>) -> impl Iterator<Item = &'a Path> {
    args.inputs.files.iter().chain(names.unwrap_or_default()).map(PathBuf::as_path)
}

fn read(args: &RunArgs, stages: &Stages, names: Option<&[PathBuf]>, remote: bool) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = inputs(args, names).map(PathBuf::from).collect();
    paths.extend(stages.chains.iter().flatten().map(|stage| stage.path.clone()));
    paths.extend(ALWAYS.map(PathBuf::from));
    if remote {
        paths.extend(TO_CONNECT.map(PathBuf::from));
        paths.extend(CREDENTIALS.iter().filter_map(std::env::var_os).map(PathBuf::from));
    }
    paths
}

/// Where output goes. What is not there yet is made.
fn write(args: &RunArgs) -> Result<Vec<PathBuf>, Abort> {
    let output = &args.output;
    let mut paths = Vec::new();
    if output.out.as_os_str() != "-" && Address::of(&output.out).is_none() {
        paths.push(out(&output.out, args)?);
    }
    for (flag, path) in [("--rejects", &output.rejects), ("--report", &output.report)] {
        let Some(path) = path else { continue };
        // Neither emptied nor read: whether it may be overwritten is looked at later.
        let made = File::options().append(true).create(true).open(path);
        made.map_err(|error| Abort::new(format!("{flag} {}: {error}", path.display())))?;
        paths.push(path.clone());
    }
    // Lines of sources that are done again are taken out by a file that takes its place.
    paths.extend(output.ledger.as_ref().and(output.rejects.as_deref()).map(directory_of));
    if let Some(dir) = &args.sandbox.repro {
        let made = fs::create_dir_all(dir);
        made.map_err(|error| Abort::new(format!("--repro {}: {error}", dir.display())))?;
        paths.push(dir.clone());
    }
    // A database has files beside it that come and go.
    paths.extend(output.ledger.as_deref().map(directory_of));
    Ok(paths)
}

fn out(path: &Path, args: &RunArgs) -> Result<PathBuf, Abort> {
    if is_tree(path) {
        Root::open(path, args.output.durable).map_err(Abort::new)?;
        return Ok(path.into());
    }
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Ok(path.into()), // a device or a pipe
        _ => Ok(directory_of(path)),
    }
}

fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.into(),
        _ => PathBuf::from("."),
    }
}

//! Failures that are kept: what it takes to run the call that failed once more, anywhere.
//!
//! A bundle is a directory: `manifest.json`, the plugin as `plugin.wasm`, the bytes of the chunk as `chunk.bin`, the header that the
//! resource was opened with as `header.bin`. It is seen when it is whole, and only its user can read it: settings and bytes of a source are in
//! it. A run keeps the first few; of a chunk that is tried again in a fresh sandbox, only the failure that is told. What is run again is one resource and one chunk on a new instance: a failure in `push` or in the
//! constructor that does not depend on chunks before. Of the other calls the bundle says what happened, and that it cannot be run again.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::engine::Engine;
use super::error::LoadError;
use super::load::{Options, Plugin, Rejects};
use crate::name::Shown;
use crate::process::{Detail, Failure, FailureKind, Fill, Held, Opening, Place, Processor};
use crate::settings::limits::{
    COMPONENT_BYTES_CEILING, HOST_STACK_BYTES, MEMORY_BYTES_CEILING, REPRO_BUNDLES_MAX,
    REPRO_NAMES_MAX,
};
use crate::settings::{Exceeded, Sandbox};

/// The form of bundles; another one is not read.
const FORM: u32 = 1;

/// A directory that takes bundles, up to so many of a run.
#[derive(Debug)]
pub struct Keeper {
    dir: PathBuf,
    /// Where they are; nothing for one that could not be written.
    kept: Mutex<Vec<Option<PathBuf>>>,
}

/// The plugin that a bundle is about.
pub(super) struct Origin {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
    pub(super) settings: Vec<(String, String)>,
}

/// What a resource was opened for.
pub(super) struct Case<'a> {
    pub(super) source: &'a str,
    pub(super) header: &'a [u8],
    pub(super) limits: &'a Sandbox,
}

/// What a bundle says. Field names are the keys of its `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    form: u32,
    /// Version of the host that kept it.
    pub host: String,
    /// The file that the plugin was loaded from, as it was named.
    pub plugin: PathBuf,
    /// SHA-256 of the plugin, in hexadecimal digits.
    pub plugin_sha256: String,
    /// The settings that it had.
    pub settings: Vec<(String, String)>,
    /// The limits that it had.
    #[serde(default)]
    pub limits: Sandbox,
    /// Name of the source.
    pub source: String,
    /// Whether the call can be run again.
    pub reproducible: bool,
    /// Word of the kind of failure.
    pub kind: String,
    /// What happened.
    pub message: String,
    /// Call, chunk, limits and backtrace.
    pub detail: Detail,
}

/// A call that was run again.
#[derive(Debug)]
pub struct Replayed {
    /// What the bundle says.
    pub manifest: Bundle,
    /// How it ended this time.
    pub ended: Result<(), Failure>,
}

impl Replayed {
    /// Whether it failed as it did before.
    pub fn is_same(&self) -> bool {
        self.ended.as_ref().is_err_and(|failure| {
            failure.kind.word() == self.manifest.kind && failure.message == self.manifest.message
        })
    }
}

/// Why a bundle could not be run again.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReproError {
    /// A file of it could not be read.
    #[error("{}: {error}", Shown::of(&path))]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// What it says is not what a bundle says.
    #[error("{}: {reason}", Shown::of(&path))]
    Broken {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It asks for more than it may have.
    #[error("{}: its limits have {} = {}, more than {}", Shown::of(&path), exceeded.setting, exceeded.asked, exceeded.allowed)]
    Limits {
        /// The manifest.
        path: PathBuf,
        /// Which limit.
        exceeded: Exceeded,
    },
    /// Only what was given to `push` is kept.
    #[error("{}: the plugin failed in {call}, of which nothing is kept that could be run again", Shown::of(&path))]
    NotReproducible {
        /// The bundle.
        path: PathBuf,
        /// The call.
        call: String,
    },
    /// Its plugin could not be loaded.
    #[error(transparent)]
    Load(LoadError),
    /// A stack as large as it was then could not be had.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

impl Keeper {
    /// Keeps bundles in `dir`, which is made where it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        Ok(Self { dir: dir.into(), kept: Mutex::default() })
    }

    /// Keeps a failure, if it is among the first; says where.
    pub(super) fn keep(
        &self,
        origin: &Origin,
        case: &Case<'_>,
        failure: &Failure,
        fill: Option<&mut dyn Fill>,
    ) -> Option<PathBuf> {
        let mut kept = self.kept.lock();
        if kept.len() >= REPRO_BUNDLES_MAX {
            return None;
        }
        let written = self.write(origin, case, failure, fill);
        let path = written
            .inspect_err(|error| tracing::warn!("{}: not kept: {error}", Shown::of(&self.dir)))
            .ok();
        kept.push(path.clone());
        path
    }

    /// Removes a bundle that it has kept: nobody is told of the failure.
    pub(super) fn withdraw(&self, bundle: &Path) {
        let mut kept = self.kept.lock();
        kept.retain(|path| path.as_deref() != Some(bundle));
        if let Err(error) = fs::remove_dir_all(bundle) {
            tracing::warn!("{}: not removed: {error}", Shown::of(&bundle));
        }
    }

    fn write(
        &self,
        origin: &Origin,
        case: &Case<'_>,
        failure: &Failure,
        fill: Option<&mut dyn Fill>,
    ) -> io::Result<PathBuf> {
        let detail = failure.detail.as_deref().cloned().unwrap_or_default();
        // For its user alone, under a name that nobody takes for a bundle.
        let bundle = tempfile::Builder::new()
            .prefix(".failure-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(&self.dir)?;
        let put = |name: &str, bytes: &[u8]| fs::write(bundle.path().join(name), bytes);
        let mut reproducible = detail.call == "constructor";
        if let Some(fill) = fill {
            let mut chunk = vec![0; fill.len()];
            fill.fill(&mut chunk).map_err(io::Error::other)?;
            put("chunk.bin", &chunk)?;
            reproducible = true;
        }
        let manifest = Bundle {
            form: FORM,
            host: env!("CARGO_PKG_VERSION").into(),
            plugin: origin.path.clone(),
            plugin_sha256: digest(&origin.bytes),
            settings: origin.settings.clone(),
            limits: *case.limits,
            source: case.source.into(),
            reproducible,
            kind: failure.kind.word().into(),
            message: failure.message.clone(),
            detail,
        };
        put("header.bin", case.header)?;
        put("plugin.wasm", &origin.bytes)?;
        let mut text = serde_json::to_vec_pretty(&manifest).map_err(io::Error::other)?;
        text.push(b'\n');
        put("manifest.json", &text)?;
        for number in 1..=REPRO_NAMES_MAX {
            let path = self.dir.join(format!("failure-{number:04}"));
            // One that is there, with files in it, is not replaced.
            match fs::rename(bundle.path(), &path) {
                Err(error) if is_taken(&error) => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    let _gone = bundle.keep();
                    return Ok(path);
                }
            }
        }
        Err(io::Error::other(format!("it has {REPRO_NAMES_MAX} bundles already")))
    }
}

fn is_taken(error: &io::Error) -> bool {
    let taken = [ErrorKind::AlreadyExists, ErrorKind::DirectoryNotEmpty, ErrorKind::NotADirectory];
    taken.contains(&error.kind())
}

fn digest(bytes: &[u8]) -> String {
    let halves = Sha256::digest(bytes).into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    halves.filter_map(|half| char::from_digit(half.into(), 16)).collect()
}

/// Runs the call that a bundle is about again, on a new instance with the limits of then, which are `most` at most: bundles come from
/// anywhere.
///
/// # Errors
/// When the bundle is broken, asks for more than that, or is of a call that cannot be run again.
pub fn replay(dir: &Path, most: &Sandbox) -> Result<Replayed, ReproError> {
    let path = dir.join("manifest.json");
    let broken = |reason: String| ReproError::Broken { path: path.clone(), reason };
    let manifest: Bundle = serde_json::from_slice(&read(&path)?)
        .map_err(|error| broken(format!("is no manifest of a bundle: {error}")))?;
    if manifest.form != FORM {
        return Err(broken(format!("is of form {}, not {FORM}", manifest.form)));
    }
    if !manifest.reproducible {
        let call = manifest.detail.call.clone();
        return Err(ReproError::NotReproducible { path: dir.into(), call });
    }
    if let Some(exceeded) = manifest.limits.exceeds(most) {
        return Err(ReproError::Limits { path, exceeded });
    }
    let component = dir.join("plugin.wasm");
    if digest(&read(&component)?) != manifest.plugin_sha256 {
        let reason = "is not the plugin that failed: its SHA-256 is another".into();
        return Err(ReproError::Broken { path: component, reason });
    }
    let options = Options {
        settings: manifest.settings.clone(),
        sandbox: manifest.limits,
        rejects: Rejects::Keep,
        ..Options::default()
    };
    let header = read(&dir.join("header.bin"))?;
    let chunk = match manifest.detail.chunk {
        Some(_) => Some(read(&dir.join("chunk.bin"))?),
        None => None,
    };
    let ended = on_stack(manifest.limits.stack_bytes, || {
        let engine = Engine::with(&manifest.limits)
            .map_err(|error| broken(format!("with its limits, {error}")))?;
        let plugin = Plugin::load(&engine, &component, options, None).map_err(ReproError::Load)?;
        Ok(run(&plugin, &manifest, &header, chunk.as_deref()))
    })?;
    Ok(Replayed { manifest, ended })
}

/// Runs `work` on a thread whose stack is as large as a guest needs it.
fn on_stack<T: Send>(
    bytes: usize,
    work: impl FnOnce() -> Result<T, ReproError> + Send,
) -> Result<T, ReproError> {
    let thread = thread::Builder::new().stack_size(bytes.saturating_add(HOST_STACK_BYTES));
    thread::scope(|scope| {
        let running = thread.spawn_scoped(scope, work).map_err(ReproError::Thread)?;
        running.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

fn run(
    plugin: &Plugin,
    manifest: &Bundle,
    header: &[u8],
    chunk: Option<&[u8]>,
) -> Result<(), Failure> {
    let mut instance = plugin.start()?;
    let header = &Held::within(&plugin.memory(), header.to_vec()).into();
    instance.open(Opening { name: &manifest.source, header })?;
    let (Some(mut chunk), Some(place)) = (chunk, &manifest.detail.chunk) else { return Ok(()) };
    let place = Place { index: place.index, offset: place.offset, last: place.last };
    instance.push(place, &mut chunk).map(|_pushed| ())
}

/// A file of a bundle: no link, no device, and none that is larger than a plugin or a chunk may be.
fn read(path: &Path) -> Result<Vec<u8>, ReproError> {
    let failed = |error| ReproError::Read { path: path.into(), error };
    let broken = |reason| ReproError::Broken { path: path.into(), reason };
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = match opened {
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => {
            return Err(broken("is a link; a bundle has its own files".into()));
        }
        opened => opened.map_err(failed)?,
    };
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(broken("is not a regular file".into()));
    }
    let most = COMPONENT_BYTES_CEILING.max(MEMORY_BYTES_CEILING as u64);
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most {
        return Err(broken(format!("has more than {most} bytes")));
    }
    Ok(bytes)
}

impl Bundle {
    /// The failure as it was.
    pub fn failure(&self) -> Option<Failure> {
        let kind = FailureKind::from_word(&self.kind)?;
        Some(Failure::new(kind, self.message.clone()).detail(self.detail.clone()))
    }
}

//! Failures that were kept are run again: what is run is one resource and one chunk, on a new
//! instance.
//!
//! Bundles come from anywhere: what they say is checked, and what they ask for is bounded, before
//! anything runs. `repro.rs` keeps them.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use thiserror::Error;

use super::engine::Engine;
use super::error::LoadError;
use super::load::Plugin;
use super::options::{Options, Rejects};
use super::repro::{Bundle, FORM, digest};
use crate::name::Shown;
use crate::process::{Failure, Held, Opening, Place, Processor};
use crate::settings::limits::{COMPONENT_BYTES_CEILING, HOST_STACK_BYTES, MEMORY_BYTES_CEILING};
use crate::settings::{Exceeded, Sandbox};

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

/// Runs the call that a bundle is about again, on a new instance with the limits of then, which are
/// `most` at most: bundles come from anywhere.
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

//! Failures that are kept: what it takes to run the call that failed once more, anywhere.
//!
//! A bundle is a directory: `manifest.json`, the plugin as `plugin.wasm`, the bytes of the chunk as
//! `chunk.bin`, the header that the resource was opened with as `header.bin`. It is seen when it is
//! whole, and only its user can read it: settings and bytes of a source are in it. A run keeps the
//! first few; of a chunk that is tried again in a fresh sandbox, only the failure that is reported.
//! What is run again is one resource and one chunk on a new instance: a failure in `push` or in the
//! constructor that does not depend on chunks before. Of the other calls the bundle says what
//! happened, and that it cannot be run again.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::name::Shown;
use crate::process::{ChunkReader, Detail, Failure, FailureKind};
use crate::settings::Sandbox;
use crate::settings::limits::{REPRO_BUNDLES_MAX, REPRO_NAMES_MAX};

/// The form of bundles; another one is not read.
pub(super) const FORM: u32 = 1;

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
    pub(super) form: u32,
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
        fill: Option<&mut dyn ChunkReader>,
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

    /// Removes a bundle that it has kept, because its failure is not reported.
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
        fill: Option<&mut dyn ChunkReader>,
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

/// SHA-256 in hexadecimal digits.
pub(super) fn digest(bytes: &[u8]) -> String {
    let halves = Sha256::digest(bytes).into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    halves.filter_map(|half| char::from_digit(half.into(), 16)).collect()
}

impl Bundle {
    /// The failure as it was.
    pub fn failure(&self) -> Option<Failure> {
        let kind = FailureKind::from_word(&self.kind)?;
        Some(Failure::new(kind, self.message.clone()).detail(self.detail.clone()))
    }
}

//! `--ledger`: what an earlier run of the same job has done is passed over, and what this one does is remembered.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::args::RunArgs;
use super::say::Abort;
use crate::job::{Error, Saved};
use crate::ledger::{Digest, Entry, Identity, JobId, Kept, Known, Ledger, State};
use crate::source::{Listing, Source, Way};

/// A ledger, and this run's job in it.
pub(super) struct Memory {
    ledger: Ledger,
    job: JobId,
    /// In which version each source was found; none for what can be told from no other.
    identities: Vec<Option<Identity>>,
    /// Sources that were passed over.
    pub(super) passed_over: u64,
    out: PathBuf,
}

impl Memory {
    /// Opens the ledger at `path`, and takes what is done from the listing.
    pub(super) fn open(path: &Path, args: &RunArgs, listing: &mut Listing) -> Result<Self, Abort> {
        let told = |error: crate::ledger::Error| {
            let hint = error.hint();
            Abort::new(&error).hint(hint)
        };
        let ledger = Ledger::open(path).map_err(told)?;
        let job = ledger.job(digest(args)?, &description(args)).map_err(told)?;
        let done = ledger.reader().and_then(|reader| reader.done(job)).map_err(told)?;
        let own = ledger.files();
        let out = args.output.out.clone();
        let mut identities = Vec::with_capacity(listing.sources.len());
        let mut passed_over = 0;
        listing.sources.retain(|source| {
            if own.contains(&source.path) {
                return false;
            }
            let identity = identity(source);
            let is_done = identity.as_ref().is_some_and(|identity| {
                done.look(name(source), identity) == Known::Committed
                    && is_there(&ledger, job, source, &out)
            });
            if is_done {
                passed_over += 1;
            } else {
                identities.push(identity);
            }
            !is_done
        });
        Ok(Self { ledger, job, identities, passed_over, out })
    }

    /// Remembers what became of a source, if it can be told from its other versions.
    pub(super) fn save(&self, sources: &[Source], saved: &Saved<'_>) -> Result<(), Error> {
        let index = saved.at.source;
        let identity = self.identities.get(index).cloned().flatten();
        let (Some(source), Some(identity)) = (sources.get(index), identity) else { return Ok(()) };
        if saved.is_member {
            return Ok(()); // an archive that is read from its front is done again
        }
        let (state, output, bytes_out) = match saved.result {
            Ok((path, bytes)) => (State::Committed, Some(path.to_path_buf()), bytes),
            Err(failure) => {
                let (kind, message) = (failure.kind.word().into(), failure.message.clone());
                (State::Failed { kind, message }, None, 0)
            }
        };
        let entry = Entry {
            source: name(source).to_vec(),
            identity,
            state,
            at: SystemTime::now(),
            bytes_in: saved.bytes_in,
            bytes_out,
            rejects: saved.rejects,
            output,
        };
        let committed = self.ledger.commit(self.job, entry, Kept::default());
        committed.map(|_ticket| ()).map_err(|error| Error::Remember(error.to_string()))
    }

    /// Waits until all of it is on the disk.
    pub(super) fn close(self) -> Result<(), Abort> {
        let _ = &self.out;
        self.ledger.close().map_err(|error| {
            let hint = error.hint();
            Abort::new(&error).hint(hint)
        })
    }
}

fn name(source: &Source) -> &[u8] {
    source.path.as_os_str().as_bytes()
}

/// Whether the output that the ledger knows of is still there.
fn is_there(ledger: &Ledger, job: JobId, source: &Source, out: &Path) -> bool {
    let entry = ledger.reader().and_then(|reader| reader.entry(job, name(source)));
    let output = entry.ok().flatten().and_then(|entry| entry.output);
    output.is_some_and(|output| out.join(output).symlink_metadata().is_ok())
}

/// Size and time of the last write: those that a run compares, too.
fn identity(source: &Source) -> Option<Identity> {
    match &source.way {
        Way::File => {
            let found = fs::metadata(&source.path).ok()?;
            let (seconds, ns) = (found.mtime(), found.mtime_nsec());
            let identity = Identity::new("file").with("size", found.len());
            Some(
                identity
                    .with("mtime", format_args!("{seconds}.{ns:09}"))
                    .with("inode", found.ino()),
            )
        }
        Way::Member(member) => {
            let version = &member.archive.version;
            let identity = Identity::new("member").with("archive_size", version.bytes);
            Some(identity.with("archive_mtime_ns", version.modified_ns))
        }
        _ => None,
    }
}

/// Everything that output depends on but the source.
fn digest(args: &RunArgs) -> Result<Digest, Abort> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for spec in &args.plugin {
        parts.push(b"plugin".to_vec());
        for path in spec.split('|').map(str::trim) {
            let read = fs::read(path).map_err(|error| Abort::new(format!("{path}: {error}")))?;
            parts.push(read);
        }
    }
    for (key, value) in &args.set {
        parts.push(format!("{key}={value}").into_bytes());
    }
    let (inputs, output) = (&args.inputs, &args.output);
    parts.push(format!("{:?} {} {}", inputs.framing, inputs.encoding, inputs.decompress).into());
    // What is compressed by chunk depends on the chunks.
    parts.push(format!("{} {} {:?}", output.compress, inputs.chunk_size, output.name).into());
    let out = fs::canonicalize(&output.out).unwrap_or_else(|_| output.out.clone());
    parts.push(out.as_os_str().as_bytes().to_vec());
    Ok(Digest::of(parts))
}

/// The job for people.
fn description(args: &RunArgs) -> String {
    let settings: Vec<_> = args.set.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let plugins = args.plugin.join(", ");
    format!("{plugins} {} to {}", settings.join(" "), args.output.out.display())
}

//! `--ledger`: what an earlier run of the same job has done is passed over, and what this one does is remembered.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::args::RunArgs;
use super::say::Abort;
use super::stages::{Setting, Stage, Stages};
use crate::job::{Error, Saved};
use crate::ledger::{self, Digest, Entry, Identity, JobId, Kept, Known, Ledger, Reader, State};
use crate::source::{Listing, Source, Way};

/// A ledger, and this run's job in it.
pub(super) struct Memory {
    ledger: Ledger,
    job: JobId,
    /// In which version each source was found; none for what can be told from no other.
    identities: Vec<Option<Identity>>,
    /// Sources that were passed over.
    pub(super) passed_over: u64,
}

impl Memory {
    /// Opens the ledger at `path`, and takes what is done from the listing.
    pub(super) fn open(
        path: &Path,
        args: &RunArgs,
        stages: &Stages,
        listing: &mut Listing,
    ) -> Result<Self, Abort> {
        let ledger = Ledger::open(path).map_err(|error| told(&error))?;
        let job = ledger
            .job(digest(args, stages)?, &description(args, stages))
            .map_err(|error| told(&error))?;
        let reader = ledger.reader().map_err(|error| told(&error))?;
        let passed = pass_over(listing, &ledger.files(), Some((&reader, job)), &args.output.out)?;
        drop(reader);
        Ok(Self { ledger, job, identities: passed.identities, passed_over: passed.count })
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

    /// Takes out sources that do not stay in the listing.
    pub(super) fn retain(&mut self, stays: &[bool]) {
        let mut stays = stays.iter();
        self.identities.retain(|_| stays.next().is_none_or(|stays| *stays));
    }

    /// Waits until all of it is on the disk.
    pub(super) fn close(self) -> Result<(), Abort> {
        self.ledger.close().map_err(|error| told(&error))
    }
}

fn told(error: &ledger::Error) -> Abort {
    let hint = error.hint();
    Abort::new(error).hint(hint)
}

/// Takes what is done from the listing, and tells how many sources that were. A ledger that is not there is not made.
pub(super) fn foresee(
    path: &Path,
    args: &RunArgs,
    stages: &Stages,
    listing: &mut Listing,
) -> Result<u64, Abort> {
    let digest = digest(args, stages)?;
    if !path.exists() {
        return Ok(0);
    }
    let reader = Reader::open(path).map_err(|error| told(&error))?;
    let job =
        reader.jobs().map_err(|error| told(&error))?.into_iter().find(|job| job.digest == digest);
    let known = job.map(|job| (&reader, job.id));
    Ok(pass_over(listing, &reader.files(), known, &args.output.out)?.count)
}

/// What was taken from a listing, and what is known of the rest.
struct Passed {
    count: u64,
    identities: Vec<Option<Identity>>,
}

/// Takes from the listing what the job has done, and the files of the ledger itself.
fn pass_over(
    listing: &mut Listing,
    own: &[PathBuf],
    known: Option<(&Reader, JobId)>,
    out: &Path,
) -> Result<Passed, Abort> {
    let done =
        known.map(|(reader, job)| reader.done(job)).transpose().map_err(|error| told(&error))?;
    let mut passed = Passed { count: 0, identities: Vec::with_capacity(listing.sources.len()) };
    listing.sources.retain(|source| {
        if own.contains(&source.path) {
            return false;
        }
        let identity = identity(source);
        let is_done = known.zip(done.as_ref()).zip(identity.as_ref()).is_some_and(
            |(((reader, job), done), identity)| {
                done.look(name(source), identity) == Known::Committed
                    && is_there(reader, job, source, out)
            },
        );
        if is_done {
            passed.count += 1;
        } else {
            passed.identities.push(identity);
        }
        !is_done
    });
    Ok(passed)
}

fn name(source: &Source) -> &[u8] {
    source.path.as_os_str().as_bytes()
}

/// Whether the output that the ledger knows of is still there.
fn is_there(reader: &Reader, job: JobId, source: &Source, out: &Path) -> bool {
    let output = reader.entry(job, name(source)).ok().flatten().and_then(|entry| entry.output);
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
fn digest(args: &RunArgs, stages: &Stages) -> Result<Digest, Abort> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for chain in &stages.chains {
        parts.push(b"chain".to_vec());
        for stage in chain {
            let read = fs::read(&stage.path);
            let told = |error| Abort::new(format!("{}: {error}", stage.path.display()));
            parts.push(read.map_err(told)?);
            // Their order says nothing: no plugin takes a setting twice.
            let mut settings: Vec<_> = stage.settings.iter().map(Setting::word).collect();
            settings.sort();
            parts.extend(settings.into_iter().map(String::into_bytes));
        }
    }
    let (inputs, output) = (&args.inputs, &args.output);
    parts.push(format!("{:?} {} {}", inputs.framing, inputs.encoding, inputs.decompress).into());
    // What is compressed by chunk depends on the chunks.
    parts.push(format!("{} {} {:?}", output.compress, inputs.chunk_size, output.name).into());
    parts.push(resolved(&output.out).as_os_str().as_bytes().to_vec());
    Ok(Digest::of(parts))
}

/// The path without links, which is the same before a directory is made as after.
fn resolved(path: &Path) -> PathBuf {
    let existing = path.ancestors().find_map(|above| {
        let named = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        Some((fs::canonicalize(named).ok()?, path.strip_prefix(above).ok()?))
    });
    match existing {
        // Joined with nothing, it would end in a slash.
        Some((above, rest)) if rest.as_os_str().is_empty() => above,
        Some((above, rest)) => above.join(rest).components().collect(),
        None => path.to_path_buf(),
    }
}

/// The job for people.
fn description(args: &RunArgs, stages: &Stages) -> String {
    let plugins: Vec<_> = stages.chains.iter().map(|chain| spec(chain)).collect();
    let all = stages.chains.iter().flatten().flat_map(|stage| &stage.settings);
    let settings: Vec<_> = all.map(Setting::word).collect();
    format!("{} {} to {}", plugins.join(", "), settings.join(" "), args.output.out.display())
}

/// A chain as `--plugin` has it.
fn spec(chain: &[Stage]) -> String {
    let paths: Vec<_> = chain.iter().map(|stage| stage.path.display().to_string()).collect();
    paths.join(" | ")
}

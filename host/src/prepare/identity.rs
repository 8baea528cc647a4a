//! What the ledger tells jobs by, and versions of sources.

use std::borrow::Cow;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::aim::Aim;
use super::resolved::resolved;
use crate::ledger::{Digest, Identity};
use crate::name::Shown;
use crate::settings::EncodingErrors;
use crate::source::{Roots, Source, Stored, Way};
use crate::spec::{BranchSpec, JobSpec, Problem, SettingSpec, Size};

/// The source for the ledger.
pub(super) fn name(source: &Source) -> Cow<'_, [u8]> {
    match source.path.to_path() {
        Cow::Borrowed(path) => Cow::Borrowed(path.as_os_str().as_bytes()),
        Cow::Owned(path) => Cow::Owned(path.into_os_string().into_vec()),
    }
}

/// Size and time of the last write: those that a run compares, too. None for what can be told from no other version.
pub(super) fn identity(source: &Source, roots: &Roots) -> Option<Identity> {
    match &source.way {
        Way::File => {
            let found = roots.look(&source.path.to_path()).ok()?;
            let (seconds, ns) = (found.st_mtime, found.st_mtime_nsec);
            let identity = Identity::new("file").with("size", found.st_size);
            Some(
                identity
                    .with("mtime", format_args!("{seconds}.{ns:09}"))
                    .with("inode", found.st_ino),
            )
        }
        Way::Member(member) => {
            let version = &member.archive.version;
            let identity = Identity::new("member").with("archive_size", version.bytes);
            let identity = identity.with("archive_mtime_ns", version.modified_ns);
            let offset = match &member.stored {
                Stored::Plain { offset, .. } | Stored::Sparse { offset, .. } => *offset,
                Stored::Zip(entry) => entry.header_offset,
            };
            Some(identity.with("offset", offset))
        }
        _ => None,
    }
}

/// Everything that comes out depends on but the source.
pub(super) fn digest(spec: &JobSpec, aim: Aim) -> Result<Digest, Problem> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for branch in &spec.branches {
        parts.push(b"chain".to_vec());
        for stage in &branch.stage {
            let read = fs::read(&stage.plugin);
            let told = |error| Problem::new(format!("{}: {error}", Shown::of(&stage.plugin)));
            parts.push(read.map_err(told)?);
            // Their order says nothing: no plugin takes a setting twice.
            let mut settings: Vec<_> = stage.settings.iter().map(SettingSpec::word).collect();
            settings.sort();
            parts.extend(settings.into_iter().map(String::into_bytes));
        }
    }
    let (inputs, output) = (&spec.inputs, &spec.output);
    parts.push(format!("{:?} {} {}", inputs.framing, inputs.encoding, inputs.decompress).into());
    parts.push(format!("archives {}", inputs.reads_archives()).into());
    if inputs.encoding_errors == EncodingErrors::Replace {
        parts.push(b"encoding errors replaced".to_vec());
    }
    if !inputs.include_members.is_empty() {
        let mut globs = inputs.include_members.clone();
        globs.sort();
        parts.push(format!("members {globs:?}").into());
    }
    match aim {
        Aim::Outputs => {
            // What is compressed by chunk depends on the chunks.
            let naming =
                format!("{} {} {:?}", output.compress, Size(spec.chunk_bytes()), output.name);
            parts.push(naming.into());
            let out = resolved(&output.out);
            parts.push(out.as_os_str().as_bytes().to_vec());
        }
        // They are shown anew each time: how and where makes no other job.
        Aim::Results(_) => parts.push(b"results".to_vec()),
    }
    Ok(Digest::of(parts))
}

/// The job for people.
pub(super) fn description(spec: &JobSpec, aim: Aim) -> String {
    let plugins: Vec<_> = spec.branches.iter().map(chain).collect();
    let all = spec.stages().flat_map(|stage| &stage.settings);
    let settings: Vec<_> =
        all.map(|setting| format!("{}={}", setting.key, setting.shown())).collect();
    let job = format!("{} {}", plugins.join(", "), settings.join(" "));
    match aim {
        Aim::Outputs => format!("{job} to {}", spec.output.out.display()),
        Aim::Results(_) => job.trim_end().to_string(),
    }
}

/// A chain as a command line has it.
fn chain(branch: &BranchSpec) -> String {
    let paths: Vec<_> =
        branch.stage.iter().map(|stage| stage.plugin.display().to_string()).collect();
    paths.join(" | ")
}

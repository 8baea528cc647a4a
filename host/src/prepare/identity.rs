//! How the ledger identifies jobs and versions of sources.

use std::borrow::Cow;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::ledger_mode::LedgerMode;
use super::resolved::resolved;
use crate::ledger::{Digest, Identity};
use crate::name::{Shown, name_text};
use crate::settings::Pack;
use crate::source::{Roots, Source, Stored, Way};
use crate::spec::{BranchSpec, InputSpec, JobSpec, OutputSpec, Problem, Size, StageSpec};

/// The source for the ledger.
pub(super) fn name(source: &Source) -> Cow<'_, [u8]> {
    match source.path.to_path() {
        Cow::Borrowed(path) => Cow::Borrowed(path.as_os_str().as_bytes()),
        Cow::Owned(path) => Cow::Owned(path.into_os_string().into_vec()),
    }
}

/// Size and time of the last write: those that a run compares, too. `None` if versions of it cannot
/// be distinguished.
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

/// Everything that comes out depends on but the source: the digest of the canonical form of what of
/// a spec it depends on.
pub(super) fn digest(spec: &JobSpec, mode: LedgerMode) -> Result<Digest, Problem> {
    Ok(Digest::of([decisive(spec, mode)?.canonical()?]))
}

/// The spec that gives the same and says nothing else. Plugins are called by their digests, as they
/// are the same by any name.
pub(super) fn decisive(spec: &JobSpec, mode: LedgerMode) -> Result<JobSpec, Problem> {
    let (inputs, output) = (&spec.inputs, &spec.output);
    let stage = |stage: &StageSpec| {
        let code = fs::read(&stage.plugin)
            .map_err(|error| Problem::new(format!("{}: {error}", Shown::of(&stage.plugin))))?;
        let plugin = PathBuf::from(Digest::of([code]).to_string());
        Ok(StageSpec { settings: stage.settings.clone(), ..StageSpec::of(plugin) })
    };
    let branch = |branch: &BranchSpec| {
        let stage = branch.stage.iter().map(stage).collect::<Result<_, Problem>>()?;
        Ok(BranchSpec { stage })
    };
    let branches = spec.branches.iter().map(branch).collect::<Result<_, Problem>>()?;
    let mut include_members = inputs.include_members.clone();
    include_members.sort();
    let mut inputs = InputSpec {
        framing: inputs.framing.clone(),
        encoding: inputs.encoding.clone(),
        encoding_errors: inputs.encoding_errors,
        decompress: inputs.decompress.clone(),
        archives: inputs.reads_archives(),
        include_members,
        ..InputSpec::default()
    };
    let output = match mode {
        LedgerMode::Outputs => {
            if output.compress != Pack::None {
                // What is compressed by chunk depends on the chunks.
                inputs.chunk_size = Some(Size(spec.chunk_bytes()));
            }
            let out = resolved(&output.out);
            let out = name_text(out.as_os_str().as_bytes()).into_owned().into();
            let (compress, name) = (output.compress, output.name.clone());
            OutputSpec { out, compress, name, ..OutputSpec::default() }
        }
        // They are shown anew each time: how and where makes no other job.
        LedgerMode::Results(_) => OutputSpec::default(),
    };
    Ok(JobSpec { branches, inputs, output, ..JobSpec::default() })
}

/// The job for people.
pub(super) fn description(spec: &JobSpec, mode: LedgerMode) -> String {
    let plugins: Vec<_> = spec.branches.iter().map(chain).collect();
    let all = spec.stages().flat_map(|stage| &stage.settings);
    let settings: Vec<_> =
        all.map(|setting| format!("{}={}", setting.key, setting.shown())).collect();
    let job = format!("{} {}", plugins.join(", "), settings.join(" "));
    match mode {
        LedgerMode::Outputs => format!("{job} to {}", spec.output.out.display()),
        LedgerMode::Results(_) => job.trim_end().to_string(),
    }
}

/// A chain as a command line has it.
fn chain(branch: &BranchSpec) -> String {
    let paths: Vec<_> =
        branch.stage.iter().map(|stage| stage.plugin.display().to_string()).collect();
    paths.join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Isolate;

    fn job(directory: &std::path::Path) -> JobSpec {
        let plugin = directory.join("upper.wasm");
        fs::write(&plugin, b"\0asm").unwrap();
        let mut spec = JobSpec::of(plugin, vec!["a".into()]);
        spec.output.out = "/out/".into();
        spec.set("b", "2").unwrap();
        spec
    }

    /// Ledgers that are there know jobs by this: it changes only with what comes out.
    #[test]
    fn a_job_is_identified_only_by_what_its_outputs_depend_on() {
        let directory = tempfile::tempdir().unwrap();
        let spec = job(directory.path());
        let plugin = Digest::of([b"\0asm"]).to_string();
        let expected = format!(
            r#"{{"branch":[{{"stage":[{{"name":"{plugin}","plugin":"{plugin}","settings":{{"b":"2"}}}}]}}],"output":{{"out":"/out"}},"version":1}}"#
        );
        assert_eq!(decisive(&spec, LedgerMode::Outputs).unwrap().canonical().unwrap(), expected);
        let mut same = spec.clone();
        same.inputs.files = vec!["b".into()];
        same.work.threads = Some(3);
        same.sandbox.isolate = Isolate::Chunk;
        same.inputs.chunk_size = Some(Size(1 << 16));
        assert_eq!(
            digest(&same, LedgerMode::Outputs).unwrap(),
            digest(&spec, LedgerMode::Outputs).unwrap()
        );
    }

    #[test]
    fn what_changes_outputs_is_another_job() {
        let directory = tempfile::tempdir().unwrap();
        let spec = job(directory.path());
        let first = digest(&spec, LedgerMode::Outputs).unwrap();
        let changes: [fn(&mut JobSpec); 7] = [
            |spec| spec.set("b", "3").unwrap(),
            |spec| spec.inputs.framing = Some("lines".into()),
            |spec| spec.inputs.encoding = "latin1".into(),
            |spec| spec.inputs.no_archives = true,
            |spec| spec.output.out = "/other/".into(),
            |spec| spec.output.name = Some("{stem}".into()),
            |spec| spec.branches.push(spec.branches[0].clone()),
        ];
        for change in changes {
            let mut other = spec.clone();
            change(&mut other);
            assert_ne!(digest(&other, LedgerMode::Outputs).unwrap(), first, "{other:?}");
        }
        fs::write(directory.path().join("upper.wasm"), b"\0asm2").unwrap();
        assert_ne!(digest(&spec, LedgerMode::Outputs).unwrap(), first);
    }
}

//! Errors that a job gets at once for inputs outside its tenant's directory. What keeps them there
//! is that each is opened from that directory ([`Roots`](crate::source::Roots)), whatever changes
//! after this look; and outputs are made beneath an open directory ([`Root`](crate::output::Root)).

use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use parking_lot::Mutex;

use super::error::JobError;
use super::spec::Tenant;
use crate::output::{Created, FileError, Pending, Root, Target};
use crate::prepare::Outlets;
use crate::source::Address;
use crate::spec::{JobSpec, OutputSpec, Problem};

/// A job whose names are of files in its tenant's directories, and the names of its inputs.
pub(super) fn within(
    mut spec: JobSpec,
    tenant: &Tenant,
) -> Result<(JobSpec, Vec<PathBuf>), JobError> {
    let inputs = spec.inputs.files.iter_mut().chain(&mut spec.inputs.files_from);
    for name in inputs.filter(|name| !is_allowed_url(name, tenant)) {
        if Address::of(name).is_some() {
            return Err(JobError::Outside { path: name.clone() });
        }
        *name = input(&tenant.inputs, name)?;
    }
    let output = &mut spec.output;
    let files = output.rejects.iter_mut().chain(&mut output.ledger).chain(&mut output.report);
    for name in files.chain(&mut spec.sandbox.repro) {
        *name = beneath(&tenant.outputs, name)?;
    }
    if !output.is_stream() && !is_allowed_url(&output.out, tenant) {
        output.out = beneath(&tenant.outputs, &output.out)?;
    }
    let named = spec.inputs.files.clone();
    Ok((spec, named))
}

fn is_allowed_url(name: &Path, tenant: &Tenant) -> bool {
    Address::of(name).is_some_and(|address| tenant.limits.urls.allow(&address))
}

/// The path of an output, by its words alone: no link is followed when it is made.
fn beneath(root: &Path, name: &Path) -> Result<PathBuf, JobError> {
    let is_plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if name == Path::new("-") || !name.components().all(is_plain) {
        return Err(JobError::Outside { path: name.to_path_buf() });
    }
    Ok(root.join(name))
}

/// Outputs of a tenant, below its directory; and the stream for what goes to none.
pub(super) struct Beneath<'a> {
    outputs: &'a Path,
    stream: Mutex<Option<Box<dyn Write + Send>>>,
}

impl<'a> Beneath<'a> {
    pub(super) fn new(outputs: &'a Path, stream: Box<dyn Write + Send>) -> Self {
        Self { outputs, stream: Mutex::new(Some(stream)) }
    }

    fn relative<'p>(&self, output: &'p OutputSpec) -> &'p Path {
        output.out.strip_prefix(self.outputs).unwrap_or(&output.out)
    }
}

impl Outlets for Beneath<'_> {
    fn stdout(&self, _: &'static str) -> Result<Box<dyn Write + Send>, Problem> {
        let stream = self.stream.lock().take();
        Ok(stream.unwrap_or_else(|| Box::new(io::sink())))
    }

    fn file(&self, output: &OutputSpec) -> Result<Target, FileError> {
        let root = Root::open(self.outputs, output.durable)?;
        Ok(match Pending::create(&root, self.relative(output), output.exists())? {
            Created::Pending(file) => Target::File(file),
            Created::Skipped => Target::Skipped,
        })
    }

    fn root(&self, output: &OutputSpec) -> Result<Root, FileError> {
        Root::open(self.outputs, output.durable)?.below(self.relative(output))
    }
}

/// The path of the input `name`, beneath `root`, which is canonical. What is not there stays a
/// name, whose source fails.
///
/// # Errors
/// When it leads out, by its words or by links.
pub(super) fn input(root: &Path, name: &Path) -> Result<PathBuf, JobError> {
    let outside = || JobError::Outside { path: name.to_path_buf() };
    if !name.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(outside());
    }
    let path = root.join(name);
    match path.canonicalize() {
        Ok(canonical) if !canonical.starts_with(root) => Err(outside()),
        _ => Ok(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out() {
        let tree = tempfile::tempdir().unwrap();
        let root = tree.path().canonicalize().unwrap().join("inputs");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        std::fs::write(root.join("sub/a"), "a").unwrap();
        std::fs::write(tree.path().join("secret"), "b").unwrap();
        std::os::unix::fs::symlink("../secret", root.join("link")).unwrap();
        std::os::unix::fs::symlink("sub/a", root.join("inner")).unwrap();
        for name in ["sub/a", "./sub", "inner", "none"] {
            assert_eq!(input(&root, Path::new(name)).unwrap(), root.join(name));
        }
        for name in ["../secret", "link", "/etc/passwd", "sub/../sub/a"] {
            assert!(input(&root, Path::new(name)).is_err(), "{name}");
        }
    }
}

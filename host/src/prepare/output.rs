//! Where the output of a job goes.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::objects::{self, Named};
use super::plugins::Plugins;
use crate::name::Shown;
use crate::output::{FileError, Looked, Object, Objects, Pending, Root, Target};
use crate::process::Kind;
use crate::settings::{Format, Pack};
use crate::source::Address;
use crate::spec::{OutputSpec, Problem};
use crate::stats::MemoryBudget;

/// What a front end gives for names that mean something else to each: standard output, and files
/// below a directory of its own.
pub trait Outlets: Sync {
    /// Standard output, which the setting `key` names.
    ///
    /// # Errors
    /// When there is none.
    fn stdout(&self, key: &'static str) -> Result<Box<dyn Write + Send>, Problem>;

    /// A device or pipe as a stream.
    fn device(&self, file: File) -> Box<dyn Write + Send> {
        Box::new(file)
    }

    /// What results look like where nobody says it, and they go to standard output.
    fn format(&self) -> Format {
        Format::Jsonl
    }

    /// What the setting `key` is called where it is described.
    fn name(&self, key: &str) -> String {
        format!("`{key}`")
    }

    /// The file or device for all output.
    ///
    /// # Errors
    /// When it cannot be made.
    fn file(&self, output: &OutputSpec) -> Result<Target, FileError> {
        Target::open(&output.out, output.exists(), output.durable)
    }

    /// The directory for output files, which is made where it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    fn root(&self, output: &OutputSpec) -> Result<Root, FileError> {
        Root::open(&output.out, output.durable)
    }
}

/// Where output goes; a tree is known once there are sources.
pub(super) enum To<T> {
    /// Standard output, or what is as good.
    Stream(Box<dyn Write + Send>),
    File(Pending),
    Tree(T),
    Object(Object),
    Objects(Objects),
    /// There is one already, and that is to be left.
    Left(PathBuf),
}

impl To<()> {
    /// Opens what the spec names, before anything is read. A directory is only looked at.
    pub(super) fn open(
        output: &OutputSpec,
        plugins: &Plugins,
        outlets: &dyn Outlets,
        (stop, memory): (&Arc<AtomicBool>, &Arc<MemoryBudget>),
    ) -> Result<Self, Problem> {
        check(output, plugins.traits().kind)?;
        let path = &output.out;
        match objects::open(output, plugins, format(output, outlets), (stop, memory))? {
            Some(Named::Object(object)) => return Ok(Self::Object(object)),
            Some(Named::Objects(objects)) => return Ok(Self::Objects(objects)),
            Some(Named::Left) => return Ok(Self::Left(path.clone())),
            None => {}
        }
        if output.is_stream() {
            return Ok(Self::Stream(outlets.stdout("out")?));
        }
        if is_tree(path) {
            return can_be_directory(path).map(Self::Tree);
        }
        Ok(match outlets.file(output).map_err(|error| problem(&error))? {
            Target::File(file) => Self::File(file),
            Target::Device(file) => Self::Stream(outlets.device(file)),
            Target::Skipped => Self::Left(path.clone()),
        })
    }

    /// The same with the tree that `plant` comes to, where there is one.
    pub(super) fn with_tree<T>(
        self,
        plant: impl FnOnce() -> Result<T, Problem>,
    ) -> Result<To<T>, Problem> {
        Ok(match self {
            Self::Stream(stream) => To::Stream(stream),
            Self::File(file) => To::File(file),
            Self::Object(object) => To::Object(object),
            Self::Objects(objects) => To::Objects(objects),
            Self::Tree(()) => To::Tree(plant()?),
            Self::Left(path) => To::Left(path),
        })
    }
}

/// What results look like.
pub(super) fn format(output: &OutputSpec, outlets: &dyn Outlets) -> Format {
    match output.format {
        Some(format) => format,
        None if output.is_stream() => outlets.format(),
        None => match output.out.extension() {
            Some(extension) if extension == "json" => Format::Json,
            _ => Format::Jsonl,
        },
    }
}

/// Where output would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PlannedTarget {
    /// Standard output.
    Stdout,
    /// One file.
    File,
    /// A device or pipe, as it comes.
    Device,
    /// A file for each source.
    Directory,
    /// One object of a store.
    Object,
    /// An object for each source, below a prefix.
    Objects,
    /// There is one already, and that is to be left.
    Left,
}

/// Looks at what the spec names as [`To::open`] would, and makes nothing.
pub(super) fn plan(
    output: &OutputSpec,
    plugins: &Plugins,
    format: Format,
) -> Result<PlannedTarget, Problem> {
    check(output, plugins.traits().kind)?;
    let path = &output.out;
    match objects::open(output, plugins, format, (&Arc::default(), &Arc::default()))? {
        Some(Named::Object(_)) => return Ok(PlannedTarget::Object),
        Some(Named::Objects(_)) => return Ok(PlannedTarget::Objects),
        Some(Named::Left) => return Ok(PlannedTarget::Left),
        None => {}
    }
    if output.is_stream() {
        return Ok(PlannedTarget::Stdout);
    }
    if is_tree(path) {
        return can_be_directory(path).map(|()| PlannedTarget::Directory);
    }
    Ok(match Target::plan(path, output.exists()).map_err(|error| problem(&error))? {
        Looked::File => PlannedTarget::File,
        Looked::Device => PlannedTarget::Device,
        Looked::Skipped => PlannedTarget::Left,
    })
}

fn can_be_directory(path: &Path) -> Result<(), Problem> {
    match path.ancestors().find(|above| above.exists()) {
        Some(above) if !above.is_dir() => {
            Err(Problem::new(format!("{}: {} is a file", Shown::of(&path), Shown::of(&above))))
        }
        _ => Ok(()),
    }
}

pub(super) fn problem(error: &FileError) -> Problem {
    let hint = error.hint();
    Problem::new(error).of("out").hint(hint)
}

/// Whether output goes into files below that path, or objects.
pub(super) fn is_tree(path: &Path) -> bool {
    if let Some(address) = Address::of(path) {
        return address.is_prefix();
    }
    path.as_os_str().as_encoded_bytes().ends_with(b"/") || path.is_dir()
}

/// Refuses settings that say nothing for plugins of that kind.
fn check(output: &OutputSpec, kind: Kind) -> Result<(), Problem> {
    objects::check(output)?;
    let tree = !output.is_stream() && is_tree(&output.out);
    let refused = |keys: &str, why: &str| Err(Problem::new(format!("{keys}: {why}")));
    match kind {
        Kind::Aggregator if tree => {
            let message = format!("⟦out⟧ {}: the plugin gives results", Shown::of(&output.out));
            Err(Problem::new(message).hint(Some("they go to one file, or to standard output")))
        }
        Kind::Aggregator if output.compress != Pack::None => {
            refused("⟦compress⟧", "the plugin gives results, which are not compressed")
        }
        Kind::Aggregator if output.unordered => refused(
            "⟦unordered⟧",
            "the plugin gives results, which are in the order of the sources",
        ),
        Kind::Transformer if output.format.is_some() => {
            refused("⟦format⟧", "the plugin gives bytes, which are written as they are")
        }
        Kind::Transformer if output.per_source || output.total => {
            refused("⟦per_source⟧ and ⟦total⟧", "the plugin gives bytes, not results")
        }
        _ if output.name.is_some() && !tree => {
            refused("⟦name⟧", "only output files below a directory are named by it")
        }
        Kind::Transformer if output.ledger.is_some() && !tree => {
            let message = "⟦ledger⟧: there is nothing to go on with in one stream or file";
            Err(Problem::new(message).hint(Some("with ⟦out⟧ DIR/, each source has its own file")))
        }
        _ => Ok(()),
    }
}

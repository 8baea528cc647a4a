//! `--out` and its kin: where the output of a run goes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::OutputArgs;
use super::closed::check_stdout;
use super::interrupt::Interrupt;
use super::objects::{self, Named};
use super::plugins::Plugins;
use super::progress::Progress;
use super::say::Abort;
use crate::name::Shown;
use crate::output::{FileError, Looked, Object, Objects, Root, Target};
use crate::process::Kind;
use crate::settings::{Exists, Pack};
use crate::source::Address;
use crate::stats::MemoryBudget;

/// Where output goes; a tree is known once there are sources.
pub(super) enum To<T> {
    /// Standard output, or what is as good.
    Stream(Box<dyn std::io::Write + Send>),
    File(crate::output::Pending),
    Tree(T),
    Object(Object),
    Objects(Objects),
    /// There is one already, and that is to be left.
    Left(PathBuf),
}

/// What to do where an output file is there already: with a ledger, what it does not know of is done again, and takes the place
/// of what a killed run has left.
pub(super) fn exists(args: &OutputArgs) -> Exists {
    let unsaid = if args.ledger.is_some() { Exists::Replace } else { Exists::Fail };
    args.exists.unwrap_or(unsaid)
}

impl To<()> {
    /// Opens what the flags name, before anything is read. A directory is only looked at.
    pub(super) fn open(
        args: &OutputArgs,
        plugins: &Plugins,
        progress: &Progress,
        interrupt: &Arc<Interrupt>,
        memory: &Arc<MemoryBudget>,
    ) -> Result<Self, Abort> {
        check(args, plugins.traits().kind)?;
        let path = &args.out;
        match objects::open(args, plugins, &interrupt.flag(), memory)? {
            Some(Named::Object(object)) => return Ok(Self::Object(object)),
            Some(Named::Objects(objects)) => return Ok(Self::Objects(objects)),
            Some(Named::Left) => return Ok(Self::Left(path.clone())),
            None => {}
        }
        if path.as_os_str() == "-" {
            check_stdout("--out")?;
            return Ok(Self::Stream(interrupt.guarded(progress.stdout())));
        }
        if is_tree(path) {
            return can_be_directory(path).map(Self::Tree);
        }
        let target =
            Target::open(path, exists(args), args.durable).map_err(|error| told(&error))?;
        Ok(match target {
            Target::File(file) => Self::File(file),
            Target::Device(file) => Self::Stream(interrupt.guarded(Box::new(file))),
            Target::Skipped => Self::Left(path.clone()),
        })
    }

    /// The same with the tree that `plant` comes to, where there is one.
    pub(super) fn with_tree<T>(
        self,
        plant: impl FnOnce() -> Result<T, Abort>,
    ) -> Result<To<T>, Abort> {
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

/// Opens the directory that takes output files, which is made where it is not there.
pub(super) fn root(args: &OutputArgs) -> Result<Root, Abort> {
    Root::open(&args.out, args.durable).map_err(|error| told(&error))
}

/// Where output would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Foreseen {
    Stdout,
    File,
    Device,
    Directory,
    Object,
    /// An object for each source, below a prefix.
    Objects,
    /// There is one already, and that is to be left.
    Left,
}

/// Looks at what the flags name as [`To::open`] would, and makes nothing.
pub(super) fn foresee(args: &OutputArgs, plugins: &Plugins) -> Result<Foreseen, Abort> {
    check(args, plugins.traits().kind)?;
    let path = &args.out;
    match objects::open(args, plugins, &Arc::default(), &Arc::default())? {
        Some(Named::Object(_)) => return Ok(Foreseen::Object),
        Some(Named::Objects(_)) => return Ok(Foreseen::Objects),
        Some(Named::Left) => return Ok(Foreseen::Left),
        None => {}
    }
    if path.as_os_str() == "-" {
        return Ok(Foreseen::Stdout);
    }
    if is_tree(path) {
        return can_be_directory(path).map(|()| Foreseen::Directory);
    }
    Ok(match Target::foresee(path, exists(args)).map_err(|error| told(&error))? {
        Looked::File => Foreseen::File,
        Looked::Device => Foreseen::Device,
        Looked::Skipped => Foreseen::Left,
    })
}

fn can_be_directory(path: &Path) -> Result<(), Abort> {
    match path.ancestors().find(|above| above.exists()) {
        Some(above) if !above.is_dir() => {
            Err(Abort::new(format!("{}: {} is a file", Shown::of(&path), Shown::of(&above))))
        }
        _ => Ok(()),
    }
}

fn told(error: &FileError) -> Abort {
    let hint = error.hint();
    Abort::new(error).hint(hint)
}

/// Whether output goes into files below that path, or objects.
pub(super) fn is_tree(path: &Path) -> bool {
    if let Some(address) = Address::of(path) {
        return address.is_prefix();
    }
    path.as_os_str().as_encoded_bytes().ends_with(b"/") || path.is_dir()
}

/// Refuses flags that say nothing for plugins of that kind.
fn check(args: &OutputArgs, kind: Kind) -> Result<(), Abort> {
    objects::check(args)?;
    let tree = args.out.as_os_str() != "-" && is_tree(&args.out);
    let refused = |flag: &str, why: &str| Err(Abort::new(format!("{flag}: {why}")));
    match kind {
        Kind::Aggregator if tree => {
            let message = format!("--out {}: the plugin gives results", Shown::of(&args.out));
            Err(Abort::new(message).hint(Some("they go to one file, or to standard output")))
        }
        Kind::Aggregator if args.compress != Pack::None => {
            refused("--compress", "the plugin gives results, which are not compressed")
        }
        Kind::Aggregator if args.unordered => refused(
            "--unordered",
            "the plugin gives results, which are in the order of the sources",
        ),
        Kind::Transformer if args.format.is_some() => {
            refused("--format", "the plugin gives bytes, which are written as they are")
        }
        Kind::Transformer if args.per_source || args.total => {
            refused("--per-source and --total", "the plugin gives bytes, not results")
        }
        _ if args.name.is_some() && !tree => {
            refused("--name", "only output files below a directory are named by it")
        }
        Kind::Transformer if args.ledger.is_some() && !tree => {
            let message = "--ledger: there is nothing to go on with in one stream or file";
            Err(Abort::new(message).hint(Some("with --out DIR/, each source has its own file")))
        }
        _ => Ok(()),
    }
}

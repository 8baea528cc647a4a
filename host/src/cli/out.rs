//! `--out` and its kin: where what comes of a run goes.

use std::path::{Path, PathBuf};

use super::args::OutputArgs;
use super::plugins::Plugins;
use super::progress::Progress;
use super::say::Abort;
use crate::job::Places;
use crate::output::{FileError, Looked, Naming, Root, Target, Template};
use crate::process::Kind;
use crate::settings::{Decompress, Exists, Pack};
use crate::source::Listing;

/// Where output goes, as far as that is known before there are sources.
pub(super) enum To {
    /// Standard output, or what is as good.
    Stream(Box<dyn std::io::Write + Send>),
    File(crate::output::Pending),
    Tree(Root),
    /// There is a file already, and that is to be left.
    Left(PathBuf),
}

/// What to do where an output file is there already: with a ledger, what it does not know of is done again, and takes the place
/// of what a killed run has left.
pub(super) fn exists(args: &OutputArgs) -> Exists {
    let unsaid = if args.ledger.is_some() { Exists::Replace } else { Exists::Fail };
    args.exists.unwrap_or(unsaid)
}

impl To {
    /// Opens what the flags name, before anything is read.
    pub(super) fn open(
        args: &OutputArgs,
        plugins: &Plugins,
        progress: &Progress,
    ) -> Result<Self, Abort> {
        check(args, plugins.traits().kind)?;
        let path = &args.out;
        if path.as_os_str() == "-" {
            return Ok(Self::Stream(progress.stdout()));
        }
        if is_tree(path) {
            return Root::open(path, args.durable).map(Self::Tree).map_err(|error| told(&error));
        }
        let target =
            Target::open(path, exists(args), args.durable).map_err(|error| told(&error))?;
        Ok(match target {
            Target::File(file) => Self::File(file),
            Target::Device(file) => Self::Stream(Box::new(file)),
            Target::Skipped => Self::Left(path.clone()),
        })
    }
}

/// Where output would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Foreseen {
    Stdout,
    File,
    Device,
    Directory,
    /// There is a file already, and that is to be left.
    Left,
}

/// Looks at what the flags name as [`To::open`] would, and makes nothing.
pub(super) fn foresee(args: &OutputArgs, plugins: &Plugins) -> Result<Foreseen, Abort> {
    check(args, plugins.traits().kind)?;
    let path = &args.out;
    if path.as_os_str() == "-" {
        return Ok(Foreseen::Stdout);
    }
    if is_tree(path) {
        if let Some(above) = path.ancestors().find(|above| above.exists())
            && !above.is_dir()
        {
            let message = format!("{}: {} is a file", path.display(), above.display());
            return Err(Abort::new(message));
        }
        return Ok(Foreseen::Directory);
    }
    Ok(match Target::foresee(path, exists(args)).map_err(|error| told(&error))? {
        Looked::File => Foreseen::File,
        Looked::Device => Foreseen::Device,
        Looked::Skipped => Foreseen::Left,
    })
}

fn told(error: &FileError) -> Abort {
    let hint = error.hint();
    Abort::new(error).hint(hint)
}

fn is_tree(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/") || path.is_dir()
}

/// Refuses flags that say nothing for plugins of that kind.
fn check(args: &OutputArgs, kind: Kind) -> Result<(), Abort> {
    let tree = args.out.as_os_str() != "-" && is_tree(&args.out);
    let refused = |flag: &str, why: &str| Err(Abort::new(format!("{flag}: {why}")));
    match kind {
        Kind::Aggregator if tree => {
            let message = format!("--out {}: the plugin gives results", args.out.display());
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
        Kind::Aggregator if args.ledger.is_some() => {
            let message = "--ledger: results of plugins are not remembered yet";
            Err(Abort::new(message)
                .hint(Some("it is for plugins that give bytes, with --out DIR/")))
        }
        _ => Ok(()),
    }
}

/// Names the outputs of all sources below a directory.
pub(super) fn places(
    args: &OutputArgs,
    plugins: &Plugins,
    listing: &Listing,
    named: &[PathBuf],
    decompress: &Decompress,
) -> Result<Places, Abort> {
    let template = match &args.name {
        Some(template) => template.clone(),
        None => Template::DEFAULT.parse().map_err(Abort::new)?,
    };
    let lane = plugins.lanes.first();
    let (plugin, output_type) =
        lane.map_or(("", ""), |lane| (lane.name.as_str(), lane.output_type.as_str()));
    let naming = Naming::new(template, plugin, output_type, args.compress);
    Places::of(naming, &listing.sources, named, decompress).map_err(|collision| {
        Abort::new(collision).hint(Some("--name makes other names: {dir}, {name}…"))
    })
}

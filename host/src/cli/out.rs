//! `--out` and its kin: where what comes of a run goes.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::args::OutputArgs;
use super::plugins::Plugins;
use super::progress::Progress;
use super::say::Abort;
use crate::input::Codec;
use crate::output::{Distinct, FileError, Looked, Naming, Origin, Root, Stored, Target, Template};
use crate::process::{Failure, FailureKind, Kind};
use crate::settings::{Decompress, Exists, Pack};
use crate::source::{Listing, Source, Way};

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

/// Whether output goes into files below that path.
pub(super) fn is_tree(path: &Path) -> bool {
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

/// The output files of a run below a directory, by source.
pub(super) struct Places {
    naming: Naming,
    decompress: Decompress,
    /// Of each source that is no archive; why there is none, where there can be none.
    of_sources: Vec<Result<PathBuf, String>>,
    archives: Vec<PathBuf>,
    distinct: Mutex<Distinct>,
    named: Vec<PathBuf>,
}

impl Places {
    /// Names all outputs, which must be different ones.
    pub(super) fn of(
        args: &OutputArgs,
        plugins: &Plugins,
        listing: &Listing,
        named: &[PathBuf],
        decompress: &Decompress,
    ) -> Result<Self, Abort> {
        let template = match &args.name {
            Some(template) => template.clone(),
            None => Template::DEFAULT.parse().map_err(Abort::new)?,
        };
        let lane = plugins.lanes.first();
        let (plugin, output_type) =
            lane.map_or(("", ""), |lane| (lane.name.as_str(), lane.output_type.as_str()));
        let naming = Naming::new(template, plugin, output_type, args.compress);
        // Only a slash at its end, or a dot, leaves a directory out.
        let slashed = |path: &&PathBuf| {
            let bytes = path.as_os_str().as_encoded_bytes();
            bytes.ends_with(b"/") || bytes.ends_with(b"/.") || bytes == b"."
        };
        let mut places = Self {
            naming,
            decompress: decompress.clone(),
            of_sources: Vec::with_capacity(listing.sources.len()),
            archives: Vec::new(),
            distinct: Mutex::default(),
            named: named.iter().filter(slashed).cloned().collect(),
        };
        let mut distinct = Distinct::default();
        for source in &listing.sources {
            let place = places.name(source, None);
            if let Ok(place) = &place {
                distinct.claim(&source.name(), place).map_err(|collision| {
                    Abort::new(collision).hint(Some("--name makes other names: {dir}, {name}…"))
                })?;
            }
            places.of_sources.push(place);
            places.archives.push(source.path.clone());
        }
        places.distinct = Mutex::new(distinct);
        Ok(places)
    }

    /// Those that are known before anything is read.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.of_sources.iter().filter_map(|place| place.as_deref().ok())
    }

    fn name(&self, source: &Source, member: Option<&[u8]>) -> Result<PathBuf, String> {
        let (path, inside) = match &source.way {
            Way::Member(listed) => {
                let archive = listed.archive.path.as_path();
                (archive, Some(in_archive(archive, &source.path)))
            }
            _ => (source.path.as_path(), None),
        };
        let member = member.or(inside);
        let read_as = member.map_or_else(
            || source.file().to_path_buf(),
            |member| PathBuf::from(String::from_utf8_lossy(member).into_owned()),
        );
        let compressed = self.decompress != Decompress::None && Codec::by_name(&read_as).is_some();
        let stored = if compressed { Stored::Compressed } else { Stored::Plain };
        let walked = self.named.iter().find(|named| path.starts_with(named)).map(PathBuf::as_path);
        let origin = Origin { path, walked, member, stored };
        self.naming.place(&origin).map_err(|error| error.to_string())
    }

    /// Where the output of the source at `index` goes, or that of a member which was found in it.
    pub(super) fn place(&self, index: usize, member: Option<&str>) -> Result<PathBuf, Failure> {
        let failed = |message: String| Failure::new(FailureKind::Write, message);
        let Some(name) = member else {
            let place = self.of_sources.get(index).cloned();
            return place.unwrap_or_else(|| Err("it is not in the list".into())).map_err(failed);
        };
        let archive = self.archives.get(index).map_or(Path::new(""), PathBuf::as_path);
        let inside = in_archive(archive, Path::new(name));
        let source = Source { path: archive.to_path_buf(), listed: Ok(None), way: Way::File };
        let place = self.name(&source, Some(inside)).map_err(failed)?;
        let mut distinct = self.distinct.lock().unwrap_or_else(PoisonError::into_inner);
        distinct.claim(name, &place).map_err(|collision| failed(collision.to_string()))?;
        Ok(place)
    }
}

/// What a member is called in its archive, by the name that it has as a source.
fn in_archive<'a>(archive: &Path, name: &'a Path) -> &'a [u8] {
    let name = name.as_os_str().as_encoded_bytes();
    let skip = archive.as_os_str().len() + "!/".len();
    name.get(skip..).unwrap_or_default()
}

//! One pass over many sources: puts source, input, work and output together, and says how it ended.
//!
//! Knows the processor by its trait alone; prints nothing.

mod collect;
mod need;
mod observer;
mod places;
mod sink;
mod source_counts;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use parking_lot::Mutex;
use thiserror::Error;

use crate::input::{
    Access, Choice, Codec, Cutter, DecodeLimits, Decoding, Framing, Malformed, Transcoding,
    UnknownCodec, UnknownEncoding,
};
use crate::output::{
    CannotPack, FileError, Format, Object, ObjectError, Objects, Pending, Root, SequentialWriter,
};
use crate::process::{Failure, Held, Kind, Processor};
use crate::settings::limits::HEADER_RECORDS_MAX;
use crate::settings::{self, Decompress, EncodingErrors, Exists};
use crate::source::{Globs, PatternError, Roots, Source};
use crate::stats::{SetAside, Stats};
use crate::work::{self, Cancel, Deliver, Gate, Locate, Plan, Position, Recall};

pub use need::{fit_window, need};
pub use observer::Observer;
pub use places::OutputNames;

use collect::Collector;
use sink::{Destination, ObjectWriter, Single, Tree};

/// A job: what to do, over what, and where the results go.
pub struct Job<'a> {
    /// What to read, in the order of the results.
    pub sources: &'a [Source],
    /// Where those that are files may be: those of the listing.
    pub roots: &'a Roots,
    /// What to do with it.
    pub processor: &'a dyn Processor,
    /// Where records end.
    pub framing: Framing,
    /// What ends a record of what comes out of it, where that is one byte.
    pub record_end: Option<u8>,
    /// What gives results: the processor itself, or each of those that it is made of.
    pub branches: &'a [BranchFormat],
    /// How to go about it.
    pub settings: &'a settings::Run,
    /// What results look like.
    pub format: Format,
    /// How to stop.
    pub cancel: &'a Cancel,
    /// What is counted.
    pub stats: &'a Stats,
    /// Who says when workers may work; none where they always may.
    pub gate: Option<&'a dyn Gate>,
    /// Where records that plugins set aside are written, if anywhere: in the order of the sources;
    /// but where sources are saved ([`Memory::save`]), each with its source, before that is saved.
    pub rejects: Option<Mutex<Box<dyn Write + Send>>>,
    /// What earlier runs know of sources, and where the ends of the others are recorded.
    pub memory: Option<Memory<'a>>,
    /// Receives the end of each source, in their order.
    pub observer: &'a dyn Observer,
}

/// Where a job's output goes.
pub enum Out<'a> {
    /// Into a stream.
    Stream(Box<dyn Write + Send>),
    /// Into a file, which is seen when the job is done.
    File(Pending),
    /// Into an object of a store, which is seen when the job is done.
    Object(Object),
    /// Into a file for each source.
    Tree(TreeOut<'a>),
    /// Into an object for each source.
    Objects(ObjectsOut<'a>),
}

/// A directory that takes an output file for each source.
pub struct TreeOut<'a> {
    /// The directory.
    pub root: &'a Root,
    /// What to do where a file is there already.
    pub exists: Exists,
    /// Where the output of the source at an index goes, below the directory; or of the member of
    /// that name in it.
    pub place: &'a Place<'a>,
}

/// A prefix in a store that takes an object for each source.
pub struct ObjectsOut<'a> {
    /// The prefix.
    pub objects: &'a Objects,
    /// As that of [`TreeOut`].
    pub place: &'a Place<'a>,
}

/// See [`TreeOut::place`].
pub type Place<'a> = dyn Fn(usize, Option<&Path>) -> Result<PathBuf, Failure> + Sync + 'a;

/// Receives the end of a source. An error ends the job.
pub type Save<'a> = dyn Fn(Saved<'_>) -> Result<(), Error> + Sync + 'a;

/// What earlier runs have left of the sources, and who keeps what this one makes of the others.
#[derive(Clone, Copy)]
pub struct Memory<'a> {
    /// What is known of a source, which then is not opened.
    pub recall: &'a Recall<'a>,
    /// Called for each source that was processed, once its output is in place. A result is printed
    /// by each run: this is called before it is written.
    pub save: &'a Save<'a>,
}

/// What became of a source.
#[derive(Debug)]
pub struct Saved<'a> {
    /// Which source.
    pub at: Position,
    /// Whether it is a member that was found in the source.
    pub is_member: bool,
    /// Bytes of it that were processed.
    pub bytes_in: u64,
    /// Records that were set aside.
    pub rejects: u64,
    /// What came of it, or why nothing did.
    pub result: Result<Made<'a>, &'a Failure>,
}

/// What came of a source.
#[derive(Debug)]
pub enum Made<'a> {
    /// A file.
    File {
        /// Where it is, below the directory.
        path: &'a Path,
        /// How long it is.
        bytes: u64,
        /// What its bytes are known by.
        digest: [u8; 32],
    },
    /// A result, or a part of the total; each where it was asked for.
    Result {
        /// What the plugin gave.
        result: Option<Held>,
        /// What a total is made of.
        state: Option<Held>,
    },
}

/// What is said of a plugin's results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchFormat {
    /// What the plugin is called, where there are several.
    pub name: String,
    /// Media type of the results.
    pub output_type: String,
}

impl Job<'_> {
    /// What results are labelled with, where there are several of each source.
    fn labels(&self) -> impl Iterator<Item = Option<&str>> {
        let many = self.branches.len() > 1;
        self.branches.iter().map(move |branch| many.then_some(branch.name.as_str()))
    }
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Sources that are done, failed ones and members of archives among them.
    pub sources: u64,
    /// Sources that failed.
    pub failed: u64,
    /// Bytes of the sources that did not fail.
    pub bytes: u64,
    /// Sources that were not read to their end, because the run was ended before.
    pub unread: u64,
    /// Whether there is no total because the plugin failed to make one.
    pub total_failed: bool,
    /// Records that plugins have set aside.
    pub set_aside: SetAside,
    /// Globs for members that matched none in archives which were read from their front.
    pub unmatched_members: Vec<String>,
}

/// Why a job could not be run, or not to its end.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no codec of that name.
    #[error(transparent)]
    Codec(#[from] UnknownCodec),
    /// A glob for members does not parse, or is empty.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// There is no encoding of that name.
    #[error(transparent)]
    Encoding(#[from] UnknownEncoding),
    /// The plugin asks for header records where there are no records.
    #[error("header-records is {0}, but framing `{1}` has no records")]
    Header(u32, Framing),
    /// The plugin asks for too many header records.
    #[error("header-records is {0}, more than {1}")]
    HeaderRecords(u32, u32),
    /// The threads could not be started.
    #[error("cannot start worker threads: {0}")]
    Threads(io::Error),
    /// Records that were set aside could not be written.
    #[error("cannot write rejects: {0}")]
    Rejects(io::Error),
    /// The plugin gives results, and those are rows of one output.
    #[error("the plugin gives results, not files: they go to one output")]
    ResultsInTree,
    /// An output file could not be written.
    #[error(transparent)]
    File(FileError),
    /// An object could not be written.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// Output could not be compressed.
    #[error(transparent)]
    Pack(#[from] CannotPack),
    /// What was done could not be remembered.
    #[error("{0}")]
    Remember(String),
    /// The results could not be written.
    #[error("cannot write results: {0}")]
    Write(io::Error),
    /// Nothing can work, says the plugin.
    #[error(transparent)]
    Failed(Failure),
}

/// Runs a job, and writes its results to `out`, in the order of the sources.
///
/// # Errors
/// When the job as a whole cannot be run or goes no further; a source that fails is a result.
///
/// # Examples
/// With a processor in plain Rust:
/// ```no_run
#[doc = include_str!("../examples/own_processor.rs")]
/// ```
pub fn run(job: &Job<'_>, out: Out<'_>) -> Result<Summary, Error> {
    let cutter = cutter(job.processor, job.framing, job.settings)?;
    let decoding = decoding(job.framing, job.settings)?;
    let access = Access {
        io: job.settings.io,
        stop: job.cancel.flag(),
        roots: job.roots.clone(),
        memory: Arc::clone(job.stats.memory()),
        wanted: Arc::new(Globs::new(&job.settings.include_members)?),
        malformed: match job.settings.encoding_errors {
            EncodingErrors::Fail => Malformed::Fails,
            EncodingErrors::Replace => Malformed::Replaced(Arc::clone(job.stats.replaced())),
        },
    };
    let pass = |deliver: &dyn Deliver, settings: &settings::Run| {
        let plan = Plan {
            sources: job.sources,
            processor: job.processor,
            cutter,
            access: &access,
            decoding,
            settings,
            cancel: job.cancel,
            stats: job.stats,
            recall: job.memory.map(|memory| memory.recall),
            deliver,
            gate: job.gate,
            locate: if job.rejects.is_some() { Locate::All } else { Locate::First },
        };
        work::run(&plan).map_err(Error::Threads)
    };
    let summary = match job.processor.traits().kind {
        Kind::Aggregator => rows(job, out, &pass),
        Kind::Transformer => bytes(job, out, &pass),
    }?;
    let unmatched_members = access.wanted.unmatched().map(String::from).collect();
    Ok(Summary { unmatched_members, ..summary })
}

/// Runs all workers over all sources.
type Pass<'a> = dyn Fn(&dyn Deliver, &settings::Run) -> Result<(), Error> + 'a;

/// Results go to one output, in the order of the sources.
fn rows(job: &Job<'_>, out: Out<'_>, pass: &Pass<'_>) -> Result<Summary, Error> {
    let collect = |out| {
        let collector = Collector::new(job, out);
        pass(&collector, job.settings)?;
        collector.finish()
    };
    match out {
        Out::Stream(out) => collect(out),
        Out::File(file) => {
            let summary = collect(Box::new(SequentialWriter::to(&file)))?;
            if !job.cancel.is_set() {
                let _visible_or_skipped = file.commit().map_err(Error::File)?;
            }
            Ok(summary)
        }
        Out::Object(object) => {
            let object = Mutex::new(object);
            let summary = collect(Box::new(ObjectWriter(&object))).map_err(sink::unwrapped)?;
            if !job.cancel.is_set() {
                sink::commit(object.into_inner())?;
            }
            Ok(summary)
        }
        Out::Tree(_) | Out::Objects(_) => Err(Error::ResultsInTree),
    }
}

/// Bytes go to one output, or to one for each source.
fn bytes(job: &Job<'_>, out: Out<'_>, pass: &Pass<'_>) -> Result<Summary, Error> {
    let single = |single: Single<'_>| {
        pass(&single, job.settings)?;
        single.finish()
    };
    let below = |place: Destination<'_>| {
        let tree = Tree::new(job, place);
        // A file is one source's, in its order.
        let settings = settings::Run { unordered: false, ..job.settings.clone() };
        pass(&tree, &settings)?;
        tree.finish()
    };
    match out {
        Out::Stream(out) => single(Single::stream(job, out)),
        Out::File(file) => single(Single::file(job, file)),
        Out::Object(object) => single(Single::object(job, object)),
        Out::Tree(out) => below(Destination::Directory(&out)),
        Out::Objects(out) => below(Destination::Prefix(&out)),
    }
}

/// Checks what [`run`] would refuse, before there are sources.
///
/// # Errors
/// When codec, encoding or header records are none that there can be.
pub fn check(
    processor: &dyn Processor,
    framing: Framing,
    settings: &settings::Run,
) -> Result<(), Error> {
    let _ = (cutter(processor, framing, settings)?, decoding(framing, settings)?);
    Ok(())
}

fn cutter(
    processor: &dyn Processor,
    framing: Framing,
    settings: &settings::Run,
) -> Result<Cutter, Error> {
    let header_records = processor.traits().header_records;
    if header_records > HEADER_RECORDS_MAX {
        return Err(Error::HeaderRecords(header_records, HEADER_RECORDS_MAX));
    }
    if header_records > 0 && !framing.has_records() {
        return Err(Error::Header(header_records, framing));
    }
    let record_bytes_max = settings.record_bytes_max;
    // A chunk longer than a record may be would hide one that is too long.
    let chunk_bytes = settings.chunk_bytes.min(record_bytes_max);
    Ok(Cutter { framing, chunk_bytes, record_bytes_max })
}

fn decoding(framing: Framing, settings: &settings::Run) -> Result<Decoding, Error> {
    let choice = match &settings.decompress {
        Decompress::Auto => Choice::Detect,
        Decompress::None => Choice::Never,
        Decompress::As(name) => Choice::Always(Codec::from_str(name)?),
    };
    let limits = DecodeLimits {
        bytes_max: settings.decompressed_bytes_max,
        ratio_max: settings.ratio_max,
        members_max: settings.members_max,
        ..DecodeLimits::default()
    };
    let transcoding = Transcoding::from_str(&settings.encoding)?.over(framing);
    Ok(Decoding { choice, limits, transcoding, archives: settings.archives })
}

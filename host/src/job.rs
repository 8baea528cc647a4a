//! One pass over many sources: puts source, input, work and output together, and says how it ended.
//!
//! Knows the processor by its trait alone; prints nothing.

mod collect;
mod ends;
mod pour;

use std::io::{self, Write};
use std::str::FromStr;
use std::sync::Mutex;

use thiserror::Error;

use crate::input::{
    Access, Choice, Codec, Cutter, DecodeLimits, Decoding, Framing, Transcoding, UnknownCodec,
    UnknownEncoding,
};
use crate::output::Format;
use crate::process::{Failure, Kind, Processor};
use crate::settings::limits::HEADER_RECORDS_MAX;
use crate::settings::{self, Decompress};
use crate::source::Source;
use crate::stats::Stats;
use crate::work::{self, Cancel, Plan};

use collect::Collector;
use pour::Pour;

/// A job: what to do, over what, and where the results go.
pub struct Job<'a> {
    /// What to read, in the order of the results.
    pub sources: &'a [Source],
    /// What to do with it.
    pub processor: &'a dyn Processor,
    /// Where records end.
    pub framing: Framing,
    /// What gives results: the processor itself, or each of those that it is made of.
    pub lanes: &'a [Lane],
    /// How to go about it.
    pub settings: &'a settings::Run,
    /// What results look like.
    pub format: Format,
    /// How to stop.
    pub cancel: &'a Cancel,
    /// What is counted.
    pub stats: &'a Stats,
    /// Where records that plugins set aside are written, if anywhere.
    pub rejects: Option<Mutex<Box<dyn Write + Send>>>,
    /// Is told of each source that failed, in the order of the sources.
    pub on_failure: &'a (dyn Fn(&str, &Failure) + Sync),
}

/// What is said of a plugin's results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// What the plugin is called, where there are several.
    pub name: String,
    /// Media type of the results.
    pub output_type: String,
}

impl Job<'_> {
    /// What results are labelled with, where there are several of each source.
    fn labels(&self) -> impl Iterator<Item = Option<&str>> {
        let many = self.lanes.len() > 1;
        self.lanes.iter().map(move |lane| many.then_some(lane.name.as_str()))
    }
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}

/// Why a job could not be run, or not to its end.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no codec of that name.
    #[error(transparent)]
    Codec(#[from] UnknownCodec),
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
pub fn run(job: &Job<'_>, out: Box<dyn Write + Send>) -> Result<Summary, Error> {
    let cutter = cutter(job)?;
    let decoding = decoding(job.settings)?;
    let access = Access { io: job.settings.io, stop: job.cancel.flag() };
    let plan = |deliver| Plan {
        sources: job.sources,
        processor: job.processor,
        cutter,
        access: &access,
        decoding,
        settings: job.settings,
        cancel: job.cancel,
        stats: job.stats,
        deliver,
    };
    match job.processor.traits().kind {
        Kind::Aggregator => {
            let collector = Collector::new(job, out);
            work::run(&plan(&collector)).map_err(Error::Threads)?;
            collector.finish()
        }
        Kind::Transformer => {
            let pour = Pour::new(job, out);
            work::run(&plan(&pour)).map_err(Error::Threads)?;
            pour.finish()
        }
    }
}

fn cutter(job: &Job<'_>) -> Result<Cutter, Error> {
    let framing = job.framing;
    let header_records = job.processor.traits().header_records;
    if header_records > HEADER_RECORDS_MAX {
        return Err(Error::HeaderRecords(header_records, HEADER_RECORDS_MAX));
    }
    if header_records > 0 && !framing.has_records() {
        return Err(Error::Header(header_records, framing));
    }
    let record_bytes_max = job.settings.record_bytes_max;
    // A chunk longer than a record may be would hide one that is too long.
    let chunk_bytes = job.settings.chunk_bytes.min(record_bytes_max);
    Ok(Cutter { framing, chunk_bytes, record_bytes_max })
}

fn decoding(settings: &settings::Run) -> Result<Decoding, Error> {
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
    let transcoding = Transcoding::from_str(&settings.encoding)?;
    Ok(Decoding { choice, limits, transcoding })
}

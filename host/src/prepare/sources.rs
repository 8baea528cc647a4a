//! What there is to read: where it may be, what is asked for, and the list of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::below::remove_below;
use super::{Context, unmatched};
use crate::input::{self, Expansion};
use crate::job::Observer;
use crate::settings::Run;
use crate::source::{
    self, Fifos, FilesFrom, Globs, Listing, Look, Request, Roots, Source, TooManySources, Urls, Way,
};
use crate::spec::{AllowedUrls, JobSpec, Problem};

/// Where inputs come from.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    /// Where they may be.
    pub roots: Roots,
    /// The names of a list, where they have been read already.
    pub listed: Option<Arc<Vec<PathBuf>>>,
    /// The one source, where somebody has found it.
    pub found: Option<FoundSource>,
    /// Which addresses a list may name, whatever the spec says.
    pub urls: Option<Urls>,
}

/// A source that is not to be looked for.
#[derive(Debug, Clone)]
pub struct FoundSource {
    /// What it is called.
    pub path: PathBuf,
    /// How it is opened.
    pub way: Way,
    /// Its size.
    pub bytes: u64,
}

impl Origins {
    /// Opens the directories beneath which inputs must be.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub fn open(spec: &JobSpec) -> Result<Self, Problem> {
        let directories = &spec.inputs.beneath;
        if directories.is_empty() {
            return Ok(Self::default());
        }
        let roots = Roots::open(directories)
            .map_err(|error| Problem::new(format!("⟦beneath⟧: {error}")).hint(error.hint()))?;
        Ok(Self { roots, ..Self::default() })
    }

    /// Reads the list of further names.
    pub(super) fn read_list(&mut self, spec: &JobSpec) -> Result<(), Problem> {
        if let Some(from) = files_from(spec) {
            let bytes_max = spec.sandbox.memory_total.map_or(u64::MAX, |size| size.0);
            let names = source::names(&from, &self.roots, bytes_max);
            self.listed = Some(Arc::new(names.map_err(|error| unlistable(&error))?));
        }
        Ok(())
    }
}

/// That there is no list of sources.
pub(super) fn unlistable(error: &source::Error) -> Problem {
    let hint = error.hint();
    let problem = Problem::new(error).hint(hint);
    match error {
        source::Error::List(_) => problem.of("files_from"),
        _ => problem,
    }
}

/// What to list.
fn request(
    spec: &JobSpec,
    look: Look,
    settings: &Run,
    origins: &Origins,
) -> Result<Request, Problem> {
    let inputs = &spec.inputs;
    let is_listed = inputs.files_from.is_some() || origins.listed.is_some();
    if inputs.files.is_empty() && !is_listed {
        let hint = "name files or directories, or ⟦files_from⟧";
        return Err(Problem::new("no input").hint(Some(hint)));
    }
    let dash = Path::new("-");
    match inputs.files.iter().filter(|file| *file == dash).count() {
        1.. if inputs.files_from.as_deref() == Some(dash) => {
            return Err(Problem::new(
                "standard input is named twice: as a source and as ⟦files_from⟧",
            ));
        }
        2.. => return Err(Problem::new("standard input is named twice: it can be read only once")),
        _ => {}
    }
    Ok(Request {
        paths: inputs.files.clone(),
        files_from: if origins.listed.is_some() { None } else { files_from(spec) },
        listed: origins.listed.clone(),
        bytes_max: settings.memory_total_bytes,
        include: inputs.include.clone(),
        exclude: inputs.exclude.clone(),
        fifos: if inputs.stream { Fifos::Read } else { Fifos::Refuse },
        look,
        threads: settings.threads,
        roots: origins.roots.clone(),
        urls: origins.urls.clone().unwrap_or_else(|| urls(spec)),
    })
}

/// Which addresses a list may name: none, where somebody has to be kept in, unless that is said.
pub(super) fn urls(spec: &JobSpec) -> Urls {
    let is_kept_in = spec.sandbox.jail || !spec.inputs.beneath.is_empty();
    match &spec.inputs.allow_urls {
        Some(AllowedUrls::Of(hosts)) => Urls::Of(hosts.clone()),
        None if is_kept_in => Urls::Of(Vec::new()),
        Some(AllowedUrls::All) | None => Urls::All,
    }
}

/// The list of further names.
fn files_from(spec: &JobSpec) -> Option<FilesFrom> {
    let separator = if spec.inputs.null { 0 } else { b'\n' };
    spec.inputs.files_from.clone().map(|path| FilesFrom { path, separator })
}

/// What there is to read: files and, unless they are to be read as they are, members of archives.
pub(super) fn listing(
    spec: &JobSpec,
    look: Look,
    settings: &Run,
    context: &Context<'_>,
    events: &dyn Observer,
) -> Result<Listing, Problem> {
    let Context { origins, cancel, stats, .. } = context;
    if let Some(found) = &origins.found {
        let FoundSource { path, way, bytes } = found.clone();
        let sources = vec![Source { path: path.into(), listed: Ok(Some(bytes)), way }];
        let roots = origins.roots.clone();
        return Ok(Listing { sources, roots, ..Listing::default() });
    }
    let request = request(spec, look, settings, origins)?;
    for (key, patterns) in [("include", &request.include), ("exclude", &request.exclude)] {
        globs(patterns).map_err(|problem| problem.of(key))?;
    }
    let mut listing = source::list(&request).map_err(|error| unlistable(&error))?;
    remove_below(&mut listing, &spec.inputs.files, &spec.output.out, events);
    let filter = Arc::clone(&listing.filter);
    let too_many = |error: TooManySources| unlistable(&error.into());
    listing.sources = input::expand_prefixes(
        listing.sources,
        &filter,
        &listing.room,
        (&cancel.flag(), stats.memory()),
    )
    .map_err(too_many)?;
    unmatched::warn(spec, &listing);
    if settings.archives {
        let (members_max, threads) = (settings.members_max, settings.threads);
        let (stop, piped) = (&cancel.flag(), settings.piped);
        listing.members = Arc::new(globs(&settings.include_members)?);
        let wanted = &*Arc::clone(&listing.members);
        let expansion = Expansion { members_max, threads, stop, piped, wanted };
        input::expand(&mut listing, &expansion).map_err(too_many)?;
    }
    Ok(listing)
}

/// Globs for members.
pub(super) fn globs(globs: &[String]) -> Result<Globs, Problem> {
    Globs::new(globs).map_err(|error| {
        let hint = error.hint();
        Problem::new(error).hint(hint)
    })
}

//! The plugins of a run: loads them, and puts them together as one processor.

use std::path::Path;

use crate::input::Framing;
use crate::job::BranchFormat;
use crate::name::Shown;
use crate::pipeline::{self, Branch, Chain, Fan, shared_framing};
use crate::plugin::{Cache, Compiled, Engine, LoadError, Manifest, Options, Plugin};
use crate::process::{Kind, Processor, Traits};
use crate::settings::Run;
use crate::spec::{FilePlace, JobSpec, Problem, SettingSpec, StageSpec};

/// The plugins of a run, as one processor.
pub(super) struct Plugins {
    pub(super) processor: Box<dyn Processor + Send>,
    /// Where sources are cut.
    pub(super) framing: Framing,
    /// What ends a record of what comes out of them.
    pub(super) record_end: Option<u8>,
    /// What gives results, in the order of the branches.
    pub(super) branches: Vec<BranchFormat>,
    /// What they say of themselves, chain by chain.
    pub(super) seen: Vec<Vec<Seen>>,
}

/// What a plugin says of itself.
pub(super) struct Seen {
    pub(super) kind: Kind,
    pub(super) manifest: Manifest,
}

impl Seen {
    fn of(loaded: &Loaded) -> Self {
        Self { kind: loaded.plugin.traits().kind, manifest: loaded.plugin.manifest().clone() }
    }
}

impl Plugins {
    pub(super) fn traits(&self) -> &Traits {
        self.processor.traits()
    }
}

/// A plugin that is loaded, and where a file names it.
struct Loaded {
    name: String,
    at: Option<FilePlace>,
    plugin: Plugin,
}

/// How plugins are loaded.
pub(super) struct Loading<'a> {
    pub(super) engine: &'a Engine,
    /// For each, but its settings.
    pub(super) options: Options,
    /// Where the user says that sources are cut, whatever the plugins say.
    pub(super) framing: Option<Framing>,
    /// Longest record, where what comes out of one plugin is cut anew for the next.
    pub(super) record_bytes_max: u64,
}

/// The cache of compiled code on disk, where there is one that can be used.
pub fn cache(settings: &Run) -> Option<Cache> {
    let dir = settings.cache.as_deref()?;
    let opened = Cache::open(dir);
    opened.inspect_err(|error| tracing::warn!("{}: not used: {error}", Shown::of(&dir))).ok()
}

/// Compiles the plugins of a job, chain by chain, or takes what they compiled to.
pub(super) fn compile(
    spec: &JobSpec,
    compile: &dyn Fn(&Path) -> Result<Compiled, LoadError>,
) -> Result<Vec<Vec<Compiled>>, Problem> {
    let one = |stage: &StageSpec| {
        compile(&stage.plugin)
            .map_err(|error| Problem::new(&error).hint(error.hint()).at(stage.place.as_ref()))
    };
    spec.branches.iter().map(|branch| branch.stage.iter().map(one).collect()).collect()
}

/// Loads plugins that are compiled.
pub(super) fn load(
    spec: &JobSpec,
    compiled: Vec<Vec<Compiled>>,
    loading: &Loading<'_>,
) -> Result<Plugins, Problem> {
    let Loading { engine, options, framing, record_bytes_max } = loading;
    let one = |(stage, compiled): (&StageSpec, Compiled)| {
        let own = stage.settings.iter().map(|set| (set.key.clone(), set.value.clone()));
        let options = Options { settings: own.collect(), ..options.clone() };
        let plugin = Plugin::of(engine, compiled, options).map_err(|error| {
            let at = match blamed(stage, &error) {
                Some(setting) => setting.place.as_ref(),
                None => stage.place.as_ref(),
            };
            Problem::new(&error).hint(error.hint()).at(at)
        })?;
        Ok::<_, Problem>(Loaded { name: stage.name.clone(), at: stage.place.clone(), plugin })
    };
    let mut loaded = Vec::with_capacity(spec.branches.len());
    for (branch, compiled) in spec.branches.iter().zip(compiled) {
        loaded.push(branch.stage.iter().zip(compiled).map(one).collect::<Result<Vec<_>, _>>()?);
    }
    assemble(loaded, *framing, *record_bytes_max)
}

/// The setting that a plugin complains of, which a file may say, or somebody else: the plugin alone
/// knows what it takes, and says so in words.
fn blamed<'a>(stage: &'a StageSpec, error: &LoadError) -> Option<&'a SettingSpec> {
    let LoadError::Start { failure, .. } = error else { return None };
    // The first that it names: behind it may come all that it takes.
    let at = |setting: &&SettingSpec| failure.message.find(&format!("`{}`", setting.key));
    stage.settings.iter().filter(|setting| at(setting).is_some()).min_by_key(at)
}

fn assemble(
    loaded: Vec<Vec<Loaded>>,
    said: Option<Framing>,
    record_bytes_max: u64,
) -> Result<Plugins, Problem> {
    let many = loaded.len() > 1;
    let mut branches: Vec<Branch> = Vec::new();
    let mut framings: Vec<(String, Framing)> = Vec::new();
    let mut formats = Vec::new();
    let mut seen = Vec::new();
    let mut framing = Framing::Bytes;
    let mut record_end = None;
    for plugins in loaded {
        let Some(Loaded { name, at, plugin: last }) = plugins.last() else { continue };
        if many && last.traits().kind == Kind::Transformer {
            let message = format!("`{name}` gives bytes, not a result");
            let hint = "several ⟦plugin⟧ share one scan where each ends in an aggregator; \
                        one after the other is ⟦plugin⟧ 'FIRST.wasm | SECOND.wasm'";
            return Err(Problem::new(message).hint(Some(hint)).at(at.as_ref()));
        }
        let at = at.clone();
        let stages = plugins.iter().map(|loaded| loaded.name.as_str());
        let name = label(name, stages, &formats);
        formats.push(BranchFormat {
            name: name.clone(),
            output_type: last.manifest().output_type.clone(),
        });
        seen.push(plugins.iter().map(Seen::of).collect());
        let (chain, end) = chain(plugins, record_bytes_max)?;
        record_end = end.or_else(|| said?.record_end());
        let branch_framing = cut(chain.framing, said)?;
        framings.push((name, chain.framing));
        branches.push(Branch { framing: branch_framing, ..chain });
        framing = shared_framing(&framings).map_err(|error| Problem::new(error).at(at.as_ref()))?;
    }
    let framing = cut(framing, said)?;
    if let Some(said) = said.filter(|said| *said != framing) {
        tracing::info!("⟦framing⟧ {said} would cut records: sources are cut by {framing}");
    }
    let processor = match branches.pop() {
        Some(only) if branches.is_empty() => only.processor,
        Some(last) => {
            branches.push(last);
            Box::new(Fan::new(branches))
        }
        None => return Err(Problem::new("no plugin").hint(Some("⟦plugin⟧ PLUGIN.wasm"))),
    };
    Ok(Plugins { processor, framing, record_end, branches: formats, seen })
}

/// Where sources are cut for what asks for `asked`, where the user says something else.
fn cut(asked: Framing, said: Option<Framing>) -> Result<Framing, Problem> {
    let cut = said.map_or(Ok(asked), |said| asked.or_said(said));
    cut.map_err(|error| {
        let problem = Problem::new(format!("⟦framing⟧: {error}"));
        problem
            .hint(Some("leave ⟦framing⟧ out, or say one that is coarser: whole, or csv for lines"))
    })
}

/// What results of a chain are labelled with: the plugin that makes them; where another has that
/// label, the whole chain, then with its position.
fn label<'n>(last: &str, stages: impl Iterator<Item = &'n str>, taken: &[BranchFormat]) -> String {
    let chain = stages.collect::<Vec<_>>().join("|");
    let placed = format!("{chain}#{}", taken.len() + 1);
    let is_free = |label: &&str| taken.iter().all(|branch| branch.name != **label);
    [last, &chain, &placed].into_iter().find(is_free).unwrap_or(&placed).to_string()
}

/// Several plugins as one, and what ends a record of what comes out; one as itself.
fn chain(plugins: Vec<Loaded>, record_bytes_max: u64) -> Result<(Branch, Option<u8>), Problem> {
    let mut stages = Vec::with_capacity(plugins.len());
    let mut places = Vec::with_capacity(plugins.len());
    for Loaded { name, at, plugin } in plugins {
        let framing = plugin.manifest().framing.parse::<Framing>();
        let framing = framing.map_err(|error| Problem::new(error).at(at.as_ref()))?;
        let framing = framing.configured(&plugin.framing_settings());
        stages.push(pipeline::Stage { name, processor: Box::new(plugin), framing });
        places.push(at);
    }
    if stages.len() > 1 {
        let is_aggregator =
            |stage: &pipeline::Stage| stage.processor.traits().kind == Kind::Aggregator;
        let first = stages.iter().position(is_aggregator);
        let at = first.and_then(|first| places.get(first)).and_then(Option::as_ref);
        let chain =
            Chain::new(stages, record_bytes_max).map_err(|error| Problem::new(error).at(at))?;
        let (framing, end) = (chain.framing(), chain.record_end());
        return Ok((Branch { processor: Box::new(chain), framing }, end));
    }
    match stages.pop() {
        Some(pipeline::Stage { processor, framing, .. }) => {
            Ok((Branch { processor, framing }, framing.record_end()))
        }
        None => Err(Problem::new("no plugin")),
    }
}

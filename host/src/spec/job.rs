//! The spec of a job, whether it can be one, and the settings that it comes to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::words::{number_if_any, table, tables};
use super::{
    BranchSpec, InputSpec, Key, OutputSpec, Problem, SandboxSpec, SettingSpec, Size, StageSpec,
    WatchSpec,
};
use crate::name::{Shown, is_url};
use crate::settings::limits::{
    CHUNK_BYTES, ISOLATED_CHUNK_BYTES, REJECTS_FREE, REJECTS_PERCENT, WINDOW_BYTES,
};
use crate::settings::{Amount, Isolate, OutOfBounds, RejectsMax, Run, Show};

/// The version of specs that this host writes, and the only one that it reads.
pub const VERSION: u32 = 1;

/// All that a job can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "JobText", into = "JobText")]
pub struct JobSpec {
    /// Chains of plugins that share one scan.
    pub branches: Vec<BranchSpec>,
    /// What it reads.
    pub inputs: InputSpec,
    /// What it writes.
    pub output: OutputSpec,
    /// How it goes about it.
    pub work: WorkSpec,
    /// What its plugins may use.
    pub sandbox: SandboxSpec,
    /// How it goes on with files as they arrive, where it does.
    pub watch: WatchSpec,
}

/// How a job goes about its work.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkSpec {
    /// Worker threads; unsaid, there is one for each processor.
    #[serde(deserialize_with = "number_if_any")]
    pub threads: Option<usize>,
    /// Whether the job ends with the first source that fails.
    pub fail_fast: bool,
}

/// A spec as it is written: one chain is `stage`, several are `branch`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct JobText {
    version: u32,
    #[serde(deserialize_with = "table")]
    inputs: InputSpec,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "tables")]
    stage: Vec<StageSpec>,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "tables")]
    branch: Vec<BranchSpec>,
    #[serde(deserialize_with = "table")]
    output: OutputSpec,
    #[serde(deserialize_with = "table")]
    work: WorkSpec,
    #[serde(deserialize_with = "table")]
    sandbox: SandboxSpec,
    #[serde(deserialize_with = "table")]
    watch: WatchSpec,
}

impl Default for JobText {
    fn default() -> Self {
        let (stage, branch) = (Vec::new(), Vec::new());
        let (inputs, output) = (InputSpec::default(), OutputSpec::default());
        let (work, sandbox) = (WorkSpec::default(), SandboxSpec::default());
        let watch = WatchSpec::default();
        Self { version: VERSION, inputs, stage, branch, output, work, sandbox, watch }
    }
}

impl TryFrom<JobText> for JobSpec {
    type Error = String;

    fn try_from(text: JobText) -> Result<Self, String> {
        let JobText { version, inputs, stage, branch, output, work, sandbox, watch } = text;
        if version != VERSION {
            return Err(format!("version {version} of specs is not known, but {VERSION} is"));
        }
        let branches = match (stage.is_empty(), branch.is_empty()) {
            (false, false) => return Err("a job has either stages or branches, not both".into()),
            (false, true) => vec![BranchSpec { stage }],
            (true, _) => branch,
        };
        Ok(Self { branches, inputs, output, work, sandbox, watch })
    }
}

impl From<JobSpec> for JobText {
    fn from(spec: JobSpec) -> Self {
        let JobSpec { branches: branch, inputs, output, work, sandbox, watch } = spec;
        let stage = Vec::new();
        Self { version: VERSION, inputs, stage, branch, output, work, sandbox, watch }
    }
}

/// How many records of a source may be set aside where nobody says so.
const REJECTS_UNSAID: RejectsMax =
    RejectsMax::Both { records: REJECTS_FREE, percent: REJECTS_PERCENT };

impl JobSpec {
    /// A job of one plugin over `files`.
    pub fn of(plugin: PathBuf, files: Vec<PathBuf>) -> Self {
        let branches = vec![BranchSpec { stage: vec![StageSpec::of(plugin)] }];
        Self { branches, inputs: InputSpec { files, ..InputSpec::default() }, ..Self::default() }
    }

    /// All plugins, chain by chain.
    pub fn stages(&self) -> impl Iterator<Item = &StageSpec> {
        self.branches.iter().flat_map(|branch| &branch.stage)
    }

    /// What names a file or directory of this machine, and never anything else, beside plugins.
    fn local_paths(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let Self { inputs, output, sandbox, .. } = self;
        let beneath = inputs.beneath.iter().map(|path| ("beneath", path.as_path()));
        let files = [
            ("files_from", &inputs.files_from),
            ("rejects", &output.rejects),
            ("ledger", &output.ledger),
            ("report", &output.report),
            ("cache", &sandbox.cache),
            ("repro", &sandbox.repro),
        ];
        let files = files.into_iter().filter_map(|(key, path)| Some((key, path.as_deref()?)));
        beneath.chain(files)
    }

    /// Nominal size of chunks in bytes: a fresh sandbox is for more of them than one that is there.
    pub fn chunk_bytes(&self) -> u64 {
        let unsaid = match self.sandbox.isolate {
            Isolate::Chunk => ISOLATED_CHUNK_BYTES,
            Isolate::Job | Isolate::Source => CHUNK_BYTES,
        };
        self.inputs.chunk_size.map_or(unsaid, |size| size.0)
    }

    /// The settings of a run of the job, where nothing is said with `threads` workers and code kept
    /// in `cache`.
    ///
    /// # Errors
    /// When one is out of its bounds.
    pub fn run(&self, threads: usize, cache: Option<PathBuf>) -> Result<Run, Problem> {
        let Self { inputs, output, work, sandbox, .. } = self;
        let both = output.per_source == output.total;
        let run = Run {
            threads: work.threads.unwrap_or(threads),
            chunk_bytes: self.chunk_bytes(),
            record_bytes_max: inputs.max_record.0,
            io: inputs.io,
            encoding: inputs.encoding.clone(),
            encoding_errors: inputs.encoding_errors,
            linger: inputs.linger.0,
            archives: inputs.reads_archives(),
            piped: inputs.archive.unwrap_or_default(),
            include_members: inputs.include_members.clone(),
            rejects_max: Some(output.max_rejects.unwrap_or(REJECTS_UNSAID)),
            unordered: output.unordered,
            join: output.join,
            pack: output.compress,
            decompress: inputs.decompress.clone(),
            decompressed_bytes_max: inputs.max_decompressed.0,
            ratio_max: inputs.max_ratio,
            members_max: inputs.max_members,
            show: Show {
                per_source: output.per_source || both,
                total: output.total || both,
                failures: true,
            },
            fail_fast: work.fail_fast,
            window_bytes: WINDOW_BYTES,
            memory_total_bytes: sandbox.memory_total.map(|size| size.0),
            sandbox: sandbox.limits(),
            cache: sandbox.cache.clone().or(cache).filter(|_| !sandbox.no_cache),
        };
        run.check().map_err(|out| out_of_bounds(&out)).map(|()| run)
    }

    /// Refuses settings that say nothing without another, or the opposite of another, and names of
    /// files that can be none.
    ///
    /// # Errors
    /// With the first of them, by its key.
    pub fn agree(&self) -> Result<(), Problem> {
        let Self { inputs, output, .. } = self;
        let without = |key: &'static str, other: &'static str| {
            let (mine, theirs) = (Key(key), Key(other));
            Problem::new(format!("{mine} says nothing without {theirs}")).of(key)
        };
        let against = |key: &'static str, other: &'static str| {
            let (mine, theirs) = (Key(key), Key(other));
            Problem::new(format!("{mine} cannot be said together with {theirs}")).of(key)
        };
        for stage in self.stages() {
            refuse_url("plugin", &stage.plugin).map_err(|it| it.at(stage.place.as_ref()))?;
        }
        self.watch.agree()?;
        self.local_paths().try_for_each(|(key, path)| refuse_url(key, path))?;
        let out = [("out", output.out.as_path())];
        if let Some((key, _)) =
            self.local_paths().chain(out).find(|(_, path)| path.as_os_str().is_empty())
        {
            let message = format!("{}: the name is empty", Key(key));
            return Err(Problem::new(message).of(key).hint(Some("name a file, or leave it out")));
        }
        if inputs.null && inputs.files_from.is_none() {
            return Err(without("null", "files_from"));
        }
        if output.delete_vanished && output.ledger.is_none() {
            return Err(without("delete_vanished", "ledger"));
        }
        if output.quiet && output.verbose > 0 {
            return Err(against("quiet", "verbose"));
        }
        if inputs.archive.is_some() && !inputs.reads_archives() {
            return Err(against("archive", "no_archives"));
        }
        Ok(())
    }

    /// Gives a plugin a setting, in place of what a file says; `key` is its own, where there is one
    /// plugin, or `NAME.KEY`, by name or position.
    ///
    /// # Errors
    /// When no plugin is meant, or it is not clear which.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), Problem> {
        let count = self.stages().count();
        let mut is_used = false;
        let stages = self.branches.iter_mut().flat_map(|branch| &mut branch.stage);
        for (index, stage) in stages.enumerate() {
            let Some(own) = own_key(key, stage, index + 1, count)? else { continue };
            is_used = true;
            stage.settings.retain(|setting| setting.place.is_none() || setting.key != own);
            let (key, value) = (own.to_string(), value.to_string());
            stage.settings.push(SettingSpec { key, value, place: None });
        }
        if is_used {
            return Ok(());
        }
        let message = format!("{} {key}: no plugin of this run is called that", Key("set"));
        Err(Problem::new(message).hint(Some("NAME.KEY=VALUE, by file name or position")))
    }
}

/// A URL in the place of a file gets an error of its own. Otherwise the error would be that there
/// is no such file.
fn refuse_url(key: &'static str, path: &Path) -> Result<(), Problem> {
    if !is_url(path) {
        return Ok(());
    }
    let (named, shown) = (Key(key), Shown::of(path));
    let message = format!("{named}: {shown} is a URL, expected a file or directory");
    let hint = "only sources and ⟦out⟧ may be URLs: download it, and name the file";
    Err(Problem::new(message).of(key).hint(Some(hint)))
}

/// The setting of a key for the plugin at that position of `count`, if there is one.
fn own_key<'a>(
    key: &'a str,
    stage: &StageSpec,
    position: usize,
    count: usize,
) -> Result<Option<&'a str>, Problem> {
    let behind = |of: &str| key.strip_prefix(of)?.strip_prefix('.');
    match behind(&stage.name).or_else(|| behind(&position.to_string())) {
        Some(own) => Ok(Some(own)),
        None if count == 1 => Ok(Some(key)),
        None if key.contains('.') => Ok(None),
        None => {
            let set = Key("set");
            let message = format!("{set} {key}: there are several plugins");
            let hint = format!("say which one it is for, as {set} {}.{key}=VALUE", stage.name);
            Err(Problem::new(message).hint(Some(&hint)))
        }
    }
}

/// A setting that is out of its bounds, by its name in a spec.
fn out_of_bounds(out: &OutOfBounds) -> Problem {
    let OutOfBounds { setting, value, min, max } = out;
    let key = key_of(setting);
    let (named, value, least) = (Key(key), shown(value), shown(min));
    let message = match max {
        Amount::Time(Duration::MAX) => format!("{named} {value} is less than {least}"),
        max => format!("{named} {value} is not within {least} and {}", shown(max)),
    };
    Problem::new(message).of(key)
}

fn shown(amount: &Amount) -> String {
    match amount {
        Amount::Bytes(bytes) => Size(*bytes).to_string(),
        other => other.to_string(),
    }
}

/// The key of a setting of a run.
fn key_of(setting: &'static str) -> &'static str {
    match setting {
        "chunk_bytes" => "chunk_size",
        "record_bytes_max" => "max_record",
        "compile_memory_bytes" => "compile_memory",
        "component_bytes" => "component_size",
        "memory_bytes" => "memory",
        "stack_bytes" => "stack",
        "output_bytes" => "output_per_call",
        "rejects" => "rejects_per_job",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_finds_a_stage_by_any_name_and_by_position() {
        let mut spec = JobSpec::of("a.wasm".into(), Vec::new());
        let named = StageSpec { name: "my.grep er".into(), ..StageSpec::of("b.wasm".into()) };
        spec.branches[0].stage.push(named);
        for (key, stage) in [("my.grep er.x", 1), ("2.y", 1), ("a.z", 0), ("1.deep.key", 0)] {
            spec.set(key, "1").unwrap();
            let own = key.rsplit_once('.').unwrap().1;
            let set = spec.branches[0].stage[stage].settings.last().unwrap();
            assert!(set.key.ends_with(own), "{key}");
        }
        for key in ["grep er.x", "3.x", "x"] {
            assert!(spec.set(key, "1").is_err(), "{key}");
        }
    }
}

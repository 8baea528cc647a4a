//! What the user asks for: by flags, and by a file where they name one. What a flag or the
//! environment says wins over the file, what the file says over a default.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::args::{RunArgs, WatchFlags};
use super::{called, installed};
use crate::name::Shown;
use crate::prepare;
use crate::settings::limits::PIPELINE_BYTES_MAX;
use crate::settings::{Exists, Key, first_key, keys};
use crate::source::Address;
use crate::spec::{AllowedUrls, BranchSpec, Document, FilePlace, JobSpec, Problem, StageSpec};

/// A job, and where it is described.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) spec: JobSpec,
    /// Whether it is only to be shown.
    pub(super) dry_run: bool,
    pub(super) pipeline: Option<PathBuf>,
    /// What a file says, where there is one.
    document: Option<Document>,
}

/// The flags of the program. Each that is on or off can also be taken back, as `--no-FLAG`: a file
/// may have put it on.
pub(super) fn flags() -> Command {
    taking_back(called::flags())
}

/// The same, with the name that the program was called by in its help.
pub(super) fn flags_with_help() -> Command {
    taking_back(called::command())
}

fn taking_back(command: Command) -> Command {
    let command = command.mut_subcommand("run", with_takebacks);
    command.mut_subcommand("watch", with_takebacks)
}

fn with_takebacks(run: Command) -> Command {
    let on = |arg: &&Arg| {
        matches!(arg.get_action(), ArgAction::SetTrue) && arg.get_help_heading().is_some()
    };
    let longs = run.get_arguments().filter(on).filter_map(Arg::get_long);
    let longs = longs.filter(|long| !long.starts_with("no-") && *long != "archives");
    let longs: Vec<String> = longs.map(str::to_string).collect();
    let run = run.mut_args(|arg| match arg.get_long() {
        Some(long) if longs.iter().any(|on| on == long) => {
            let off = format!("no-{long}");
            arg.overrides_with(off)
        }
        _ => arg,
    });
    longs.into_iter().fold(run, |run, long| {
        let off = format!("no-{long}");
        let back = Arg::new(off.clone()).long(off).action(ArgAction::SetTrue);
        let back = back.hide(true).help_heading(None::<&str>);
        run.arg(back.overrides_with(long.replace('-', "_")))
    })
}

/// Puts together what the flags of `host run` and a file say.
pub(super) fn asked(
    args: &RunArgs,
    watch: Option<&WatchFlags>,
    given: &ArgMatches,
) -> Result<Asked, Problem> {
    let mut document = args.pipeline.as_deref().map(read).transpose()?;
    let mut spec = document.as_ref().map(|it| it.spec.clone()).unwrap_or_default();
    let is_said = |key: &str| is_said(given, key);
    // A value that no setting may have is reported with its place in the file, even if a flag
    // replaces it.
    check(&spec).map_err(|problem| in_file(document.as_ref(), problem))?;
    if let Some(document) = &mut document {
        for id in given.ids().map(clap::Id::as_str).filter(|id| is_said(id)) {
            document.forget(id);
        }
    }
    apply(args, &is_said, &mut spec);
    if let Some(flags) = watch {
        apply_watch(flags, &is_said, &mut spec);
    }
    if !args.plugin.is_empty() {
        let branches = args.plugin.iter().map(|words| branch(words));
        spec.branches = branches.collect::<Result<_, _>>()?;
    }
    if let Some(path) = args.pipeline.as_deref().filter(|_| spec.branches.is_empty()) {
        let place = FilePlace(Shown::of(&path).to_string());
        let hint = format!("name one in a [[stage]], or with {}", Key("plugin"));
        return Err(Problem::new("no plugin").hint(Some(&hint)).at(Some(&place)));
    }
    for (key, value) in &args.set {
        spec.set(key, value)?;
    }
    find_plugins(&mut spec, document.as_ref().and(args.pipeline.as_deref()))?;
    check(&spec)?;
    spec.agree().map_err(|problem| in_file(document.as_ref(), problem))?;
    Ok(Asked { spec, dry_run: args.dry_run, pipeline: args.pipeline.clone(), document })
}

/// Puts the files of plugins in place of their names. A pipeline file has paths from its directory
/// on, and so names, too.
fn find_plugins(spec: &mut JobSpec, pipeline: Option<&Path>) -> Result<(), Problem> {
    let dir = pipeline.and_then(Path::parent);
    for stage in spec.branches.iter_mut().flat_map(|branch| &mut branch.stage) {
        let below = stage.place.as_ref().and(dir).filter(|_| !stage.plugin.exists());
        let name = below.and_then(|dir| stage.plugin.strip_prefix(dir).ok());
        let found = installed::find(name.unwrap_or(&stage.plugin));
        let found = found.map_err(|problem| problem.at(stage.place.as_ref()))?;
        // A path that is no name stays as it was.
        if name != Some(&*found) {
            stage.plugin = found;
        }
    }
    Ok(())
}

impl Asked {
    /// The same as one run over what is there, to be shown.
    pub(super) fn once(&self) -> Self {
        let mut spec = self.spec.clone();
        (spec.output.ledger, spec.output.exists) = (None, Some(Exists::Replace));
        let pipeline = self.pipeline.clone();
        Self { spec, dry_run: true, pipeline, document: None }
    }

    /// A problem with the place in the file, if that says what is wrong.
    pub(super) fn placed(&self, problem: Problem) -> Problem {
        in_file(self.document.as_ref(), problem)
    }
}

/// A problem of a setting, with its place in the file if the file sets it. Its key, or a message
/// that begins with the key, says which setting it is.
fn in_file(document: Option<&Document>, problem: Problem) -> Problem {
    let Some(document) = document else { return problem };
    let message = problem.message();
    let named = keys(message).filter(|_| first_key(message).is_some());
    let place = problem.key().into_iter().chain(named).find_map(|key| document.place(key)).cloned();
    problem.at(place.as_ref())
}

fn check(spec: &JobSpec) -> Result<(), Problem> {
    spec.run(1, None).map(|_settings| ())?;
    prepare::check_words(spec)
}

/// Whether a flag, or the environment, says it.
fn is_said(given: &ArgMatches, id: &str) -> bool {
    let of = |id: &str| {
        let source = given.try_contains_id(id).ok().and_then(|_| given.value_source(id));
        matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
    };
    of(id) || of(&format!("no-{}", id.replace('_', "-")))
}

/// Reads a pipeline file.
fn read(path: &Path) -> Result<Document, Problem> {
    let problem = |error| Problem::new(format!("{}: {error}", Shown::of(&path)));
    let mut text = Vec::new();
    let file = File::open(path).map_err(problem)?;
    file.take(PIPELINE_BYTES_MAX + 1).read_to_end(&mut text).map_err(problem)?;
    if text.len() as u64 > PIPELINE_BYTES_MAX {
        let message = format!("{}: longer than {PIPELINE_BYTES_MAX} bytes", Shown::of(&path));
        return Err(Problem::new(message));
    }
    // Standard input, and what is elsewhere, is named as on the command line.
    Document::read(path, &text, |path| path != Path::new("-") && Address::of(path).is_none())
}

/// What `--plugin` names: a plugin, or several with `|` between them.
fn branch(words: &str) -> Result<BranchSpec, Problem> {
    let stage = |path: &str| {
        let path = PathBuf::from(path.trim());
        if path.as_os_str().is_empty() {
            let plugin = Key("plugin");
            let message = format!("{plugin} {words:?}: there is no plugin on one side of a `|`");
            return Err(Problem::new(message));
        }
        Ok(StageSpec::of(path))
    };
    // A file whose name has such a character in it is a file.
    if Path::new(words).exists() {
        return Ok(BranchSpec { stage: vec![stage(words)?] });
    }
    Ok(BranchSpec { stage: words.split('|').map(stage).collect::<Result<_, _>>()? })
}

/// Takes over each field that is said.
macro_rules! take {
    ($is_said:ident, $from:expr => $to:expr, $($field:ident),+ $(,)?) => {
        $(if $is_said(stringify!($field)) {
            $to.$field.clone_from(&$from.$field);
        })+
    };
}

/// Puts what flags say in place of what a spec says. Sources are one: those of a file give way
/// together.
fn apply(args: &RunArgs, is_said: &dyn Fn(&str) -> bool, spec: &mut JobSpec) {
    let (inputs, output) = (&mut spec.inputs, &mut spec.output);
    if is_said("files") || is_said("files_from") {
        inputs.files.clone_from(&args.inputs.files);
        inputs.files_from.clone_from(&args.inputs.files_from);
        inputs.null = args.inputs.null;
    }
    if is_said("archive") || is_said("archives") || is_said("no_archives") {
        (inputs.archives, inputs.no_archives) = (true, args.inputs.no_archives);
        inputs.archive = args.inputs.archive;
    }
    if is_said("allow_urls") {
        inputs.allow_urls =
            args.inputs.allow_urls.clone().map(|hosts| {
                if hosts.is_empty() { AllowedUrls::All } else { AllowedUrls::Of(hosts) }
            });
    }
    // Who names a cache wants one.
    spec.sandbox.no_cache &= !is_said("cache");
    take!(
        is_said, args.inputs => inputs,
        beneath, allow_private, include, exclude, include_members, io, stream, linger,
        decompress, max_decompressed, max_ratio, max_members, encoding, encoding_errors, framing,
        chunk_size, max_record,
    );
    if is_said("quiet") || is_said("verbose") {
        (output.quiet, output.verbose) = (args.output.quiet, args.output.verbose);
    }
    take!(
        is_said, args.output => output,
        per_source, total, format, out, exists, durable, compress, name, unordered, join, rejects,
        max_rejects, ledger, delete_vanished, report, summary,
    );
    take!(is_said, args.work => spec.work, threads, fail_fast);
    take!(
        is_said, args.sandbox => spec.sandbox,
        isolate, recycle_after, memory, memory_total, table_elements, stack, timeout,
        timeout_per_mib, fuel, guest_time, output_per_call, rejects_per_job, log_bytes, log_lines,
        component_size, functions, compile_timeout, compile_memory, cache, no_cache, jail, repro,
    );
}

/// The same for how files are taken as they arrive.
fn apply_watch(args: &WatchFlags, is_said: &dyn Fn(&str) -> bool, spec: &mut JobSpec) {
    take!(
        is_said, args => spec.watch,
        existing, settle, settle_mode, changed, after, after_delay, on_fail, retries, order,
        max_files_per_second, max_bytes_per_second, append, idle, once,
    );
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches;

    use crate::cli::args::Args;

    use super::*;
    use crate::cli::args;
    use crate::spec::{InputSpec, OutputSpec, SandboxSpec, WatchSpec, WorkSpec, fields};

    fn given(flags: &[&str]) -> (Box<RunArgs>, ArgMatches) {
        let words = ["host", "run", "--plugin", "p.wasm"].iter().chain(flags);
        let given = super::flags().get_matches_from(words);
        let args = Args::from_arg_matches(&given).unwrap();
        let args::Command::Run(run) = args.command else { panic!("it is a run") };
        (run, given.subcommand_matches("run").unwrap().clone())
    }

    #[test]
    fn defaults_of_flags_are_those_of_a_spec() {
        let (args, _) = given(&[]);
        let mut spec = JobSpec::default();
        apply(&args, &|_| true, &mut spec);
        assert_eq!(spec, JobSpec::default());
    }

    #[test]
    fn each_field_of_a_spec_is_a_flag_below_the_heading_of_its_table() {
        let command = flags();
        let run = command.find_subcommand("run").unwrap();
        for (heading, keys) in [
            ("Inputs", fields::<InputSpec>()),
            ("Output", fields::<OutputSpec>()),
            ("Work", fields::<WorkSpec>()),
            ("Sandbox", fields::<SandboxSpec>()),
        ] {
            let below = |arg: &&Arg| arg.get_help_heading() == Some(heading);
            let flags: Vec<_> =
                run.get_arguments().filter(below).map(|arg| arg.get_id().to_string()).collect();
            assert_eq!(flags, keys, "{heading}");
        }
    }

    #[test]
    fn each_field_of_how_files_are_taken_is_a_flag_with_the_same_default() {
        let words = ["host", "watch", "in", "--plugin", "p.wasm"];
        let args = Args::from_arg_matches(&flags().get_matches_from(words)).unwrap();
        let args::Command::Watch(watch) = args.command else { panic!("it is a watch") };
        let mut spec = JobSpec::default();
        apply_watch(&watch.watch, &|_| true, &mut spec);
        assert_eq!(spec.watch, WatchSpec::default());
        let command = flags();
        let all = command.find_subcommand("watch").unwrap().get_arguments();
        let below = all.filter(|arg| arg.get_help_heading() == Some("Watch"));
        let flags: Vec<_> = below.map(|arg| arg.get_id().to_string()).collect();
        assert_eq!(flags, fields::<WatchSpec>());
    }

    #[test]
    fn each_flag_that_a_file_may_put_on_can_be_taken_back() {
        for flag in ["stream", "null", "unordered", "fail-fast", "jail", "quiet", "total"] {
            let key = flag.replace('-', "_");
            let mut flags = vec![format!("--no-{flag}"), "--files-from=x".into()];
            let value = |flags: &[String]| {
                let (args, given) = given(&flags.iter().map(String::as_str).collect::<Vec<_>>());
                let mut spec = JobSpec::default();
                let all_on = |spec: &mut JobSpec| {
                    (spec.inputs.stream, spec.inputs.null) = (true, true);
                    (spec.output.unordered, spec.output.quiet, spec.output.total) =
                        (true, true, true);
                    (spec.work.fail_fast, spec.sandbox.jail) = (true, true);
                };
                all_on(&mut spec);
                apply(&args, &|key| is_said(&given, key), &mut spec);
                let spec = serde_json::to_value(&spec).unwrap();
                let sections = ["inputs", "output", "work", "sandbox"].map(|name| &spec[name]);
                sections.iter().find_map(|section| section.get(&key)?.as_bool()).unwrap()
            };
            assert!(!value(&flags), "{flag}");
            flags.push(format!("--{flag}"));
            assert!(value(&flags), "{flag}");
        }
    }
}

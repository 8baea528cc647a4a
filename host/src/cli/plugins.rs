//! `--plugin` and `--set`: which plugins a run has, how they hang together, and which settings each is given.

use std::path::PathBuf;

use super::say::Abort;
use crate::input::Framing;
use crate::job::Lane;
use crate::pipeline::{Chain, Fan, Stage, shared_framing};
use crate::plugin::{Cache, Engine, Options, Plugin};
use crate::process::{Kind, Processor, Traits};

/// The plugins of a run, as one processor.
pub(super) struct Plugins {
    pub(super) processor: Box<dyn Processor + Send>,
    /// Where sources are cut, unless the user says otherwise.
    pub(super) framing: Framing,
    /// What gives results, in the order of the flags.
    pub(super) lanes: Vec<Lane>,
}

impl Plugins {
    pub(super) fn traits(&self) -> &Traits {
        self.processor.traits()
    }
}

/// Loads what `--plugin` names: each a plugin, or several with `|` between them.
pub(super) fn load(
    specs: &[String],
    settings: &[(String, String)],
    engine: &Engine,
    options: &Options,
    cache: Option<&Cache>,
) -> Result<Plugins, Abort> {
    let chains: Vec<Vec<Named>> = specs.iter().map(|spec| named(spec)).collect::<Result<_, _>>()?;
    let count = chains.iter().map(Vec::len).sum();
    let mut position = 0;
    let mut used = vec![false; settings.len()];
    let mut loaded = Vec::with_capacity(chains.len());
    for chain in chains {
        let mut plugins = Vec::with_capacity(chain.len());
        for Named { name, path } in chain {
            position += 1;
            let own = own_settings(settings, &mut used, &name, position, count)?;
            let options = Options { settings: own, ..options.clone() };
            let plugin = Plugin::load(engine, &path, options, cache)
                .map_err(|error| Abort::new(&error).hint(error.hint()))?;
            plugins.push((name, plugin));
        }
        loaded.push(plugins);
    }
    if let Some((key, _)) =
        settings.iter().zip(&used).find_map(|(set, used)| (!used).then_some(set))
    {
        let message = format!("--set {key}: no plugin of this run is called that");
        return Err(Abort::new(message).hint(Some("NAME.KEY=VALUE, by file name or position")));
    }
    assemble(loaded)
}

/// A plugin, and what it is called: its file's name without the extension.
struct Named {
    name: String,
    path: PathBuf,
}

fn named(spec: &str) -> Result<Vec<Named>, Abort> {
    let named = |path: &str| {
        let path = PathBuf::from(path.trim());
        if path.as_os_str().is_empty() {
            let message = format!("--plugin {spec:?}: there is no plugin on one side of a `|`");
            return Err(Abort::new(message));
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Named { name, path })
    };
    // A file whose name has such a character in it is a file.
    if std::path::Path::new(spec).exists() {
        return Ok(vec![named(spec)?]);
    }
    spec.split('|').map(named).collect()
}

/// The settings for the plugin of that name and position, of `count`.
fn own_settings(
    settings: &[(String, String)],
    used: &mut [bool],
    name: &str,
    position: usize,
    count: usize,
) -> Result<Vec<(String, String)>, Abort> {
    let position = position.to_string();
    let mut own = Vec::new();
    for ((key, value), used) in settings.iter().zip(used) {
        let of = key.split_once('.').filter(|(of, _)| *of == name || *of == position);
        let key = match of {
            Some((_, key)) => key,
            None if count == 1 => key,
            None if key.contains('.') => continue,
            None => {
                let message = format!("--set {key}: there are several plugins");
                let hint = format!("say which one it is for, as --set {name}.{key}=VALUE");
                return Err(Abort::new(message).hint(Some(&*hint)));
            }
        };
        *used = true;
        own.push((key.to_string(), value.clone()));
    }
    Ok(own)
}

fn assemble(loaded: Vec<Vec<(String, Plugin)>>) -> Result<Plugins, Abort> {
    let many = loaded.len() > 1;
    let mut processors = Vec::new();
    let mut framings: Vec<(String, Framing)> = Vec::new();
    let mut lanes = Vec::new();
    for plugins in loaded {
        let Some((last_name, last)) = plugins.last() else { continue };
        if many && last.traits().kind == Kind::Transformer {
            let message = format!("`{last_name}` gives bytes, not a result");
            return Err(Abort::new(message)
                .hint(Some("several --plugin share one scan where each ends in an aggregator")));
        }
        let stages = plugins.iter().map(|(name, _)| name.as_str());
        let name = label(last_name, stages, &lanes);
        lanes.push(Lane { name: name.clone(), output_type: last.manifest().output_type.clone() });
        let chain = chain(plugins)?;
        framings.push((name, chain.framing));
        processors.push(chain.processor);
    }
    let framing = shared_framing(&framings).map_err(Abort::new)?;
    let processor = match processors.pop() {
        Some(only) if processors.is_empty() => only,
        Some(last) => {
            processors.push(last);
            Box::new(Fan::new(processors))
        }
        None => return Err(Abort::new("no plugin").hint(Some("--plugin PLUGIN.wasm"))),
    };
    Ok(Plugins { processor, framing, lanes })
}

/// What results of a chain are labelled with: the plugin that makes them; where another has that label, the whole chain, then with
/// its position.
fn label<'n>(last: &str, stages: impl Iterator<Item = &'n str>, taken: &[Lane]) -> String {
    let chain = stages.collect::<Vec<_>>().join("|");
    let placed = format!("{chain}#{}", taken.len() + 1);
    let is_free = |label: &&str| taken.iter().all(|lane| lane.name != **label);
    [last, &chain, &placed].into_iter().find(is_free).unwrap_or(&placed).to_string()
}

/// A processor and where its sources are cut.
struct Cut {
    processor: Box<dyn Processor + Send>,
    framing: Framing,
}

/// Several plugins as one; one as itself.
fn chain(plugins: Vec<(String, Plugin)>) -> Result<Cut, Abort> {
    let mut stages = Vec::with_capacity(plugins.len());
    for (name, plugin) in plugins {
        let framing = plugin.manifest().framing.parse().map_err(Abort::new)?;
        stages.push(Stage { name, processor: Box::new(plugin), framing });
    }
    if stages.len() > 1 {
        let chain = Chain::new(stages).map_err(Abort::new)?;
        let framing = chain.framing();
        return Ok(Cut { processor: Box::new(chain), framing });
    }
    match stages.pop() {
        Some(Stage { processor, framing, .. }) => Ok(Cut { processor, framing }),
        None => Err(Abort::new("no plugin")),
    }
}

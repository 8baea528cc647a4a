//! Which plugins a run has, and which settings each is given: the same value whether flags or a pipeline file say it.

use std::path::{Path, PathBuf};

use super::say::{Abort, At};

/// The plugins of a run: chains that share one scan, each of plugins that take what the one before them gives.
#[derive(Debug, Default)]
pub(super) struct Stages {
    pub(super) chains: Vec<Vec<Stage>>,
}

/// A plugin of a run.
#[derive(Debug)]
pub(super) struct Stage {
    /// What it is called: its file's name without the extension, where nobody says otherwise.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) settings: Vec<Setting>,
    /// Where a file names it.
    pub(super) at: Option<At>,
}

/// What a plugin is told.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) key: String,
    pub(super) value: String,
    /// Where a file says so; a flag takes its place.
    pub(super) at: Option<At>,
}

impl Setting {
    /// As `--set` has it.
    pub(super) fn word(&self) -> String {
        format!("{}={}", self.key, self.value)
    }

    /// The value for people, who may show a plan or a ledger to others: one that is a secret by its name is not told.
    pub(super) fn shown(&self) -> &str {
        let is_secret = SECRETS.iter().any(|end| self.key.ends_with(end));
        if is_secret && !self.value.is_empty() { "***" } else { &self.value }
    }
}

/// Ends of the names of settings whose values are secrets.
const SECRETS: [&str; 4] = ["key", "secret", "password", "token"];

impl Stage {
    /// What a plugin is called where nobody says otherwise.
    pub(super) fn default_name(path: &Path) -> String {
        path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }
}

impl Stages {
    /// What `--plugin` names: each a plugin, or several with `|` between them.
    pub(super) fn of_flags(specs: &[String]) -> Result<Self, Abort> {
        let chains = specs.iter().map(|spec| chain(spec)).collect::<Result<_, _>>()?;
        Ok(Self { chains })
    }

    /// Gives what `--set` says to the plugins that it is for, in place of what a file says.
    pub(super) fn set(&mut self, settings: &[(String, String)]) -> Result<(), Abort> {
        let count = self.chains.iter().map(Vec::len).sum();
        for (key, value) in settings {
            let mut is_used = false;
            for (index, stage) in self.chains.iter_mut().flatten().enumerate() {
                let Some(own) = own_key(key, stage, index + 1, count)? else { continue };
                is_used = true;
                stage.settings.retain(|setting| setting.at.is_none() || setting.key != own);
                let (key, value) = (own.to_string(), value.clone());
                stage.settings.push(Setting { key, value, at: None });
            }
            if !is_used {
                let message = format!("--set {key}: no plugin of this run is called that");
                let hint = "NAME.KEY=VALUE, by file name or position";
                return Err(Abort::new(message).hint(Some(hint)));
            }
        }
        Ok(())
    }
}

fn chain(spec: &str) -> Result<Vec<Stage>, Abort> {
    let stage = |path: &str| {
        let path = PathBuf::from(path.trim());
        if path.as_os_str().is_empty() {
            let message = format!("--plugin {spec:?}: there is no plugin on one side of a `|`");
            return Err(Abort::new(message));
        }
        Ok(Stage { name: Stage::default_name(&path), path, settings: Vec::new(), at: None })
    };
    // A file whose name has such a character in it is a file.
    if Path::new(spec).exists() {
        return Ok(vec![stage(spec)?]);
    }
    spec.split('|').map(stage).collect()
}

/// What the plugin at that position, of `count`, is told by the key of a flag, if anything.
fn own_key<'a>(
    key: &'a str,
    stage: &Stage,
    position: usize,
    count: usize,
) -> Result<Option<&'a str>, Abort> {
    let is_own = |of: &str| of == stage.name || of == position.to_string();
    match key.split_once('.').filter(|(of, _)| is_own(of)) {
        Some((_, own)) => Ok(Some(own)),
        None if count == 1 => Ok(Some(key)),
        None if key.contains('.') => Ok(None),
        None => {
            let message = format!("--set {key}: there are several plugins");
            let hint = format!("say which one it is for, as --set {}.{key}=VALUE", stage.name);
            Err(Abort::new(message).hint(Some(&*hint)))
        }
    }
}

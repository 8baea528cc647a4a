//! What a tenant is, and what it asks for: plain values, and whether they are within its limits.

use std::io::Write;
use std::path::PathBuf;

use super::error::Refused;
use crate::output::{Format, Template};
use crate::settings::limits::{TENANT_NAME_BYTES_MAX, WEIGHT_MAX};
use crate::settings::{Ceiling, Durable, Exceeded, Exists, Quotas, Run, Sandbox};

/// Who owns jobs.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Lower case, digits, `-` and `_`: it is part of the name of a directory.
    pub name: String,
    /// Its share of the processors among those that want them.
    pub weight: u32,
    /// What it may ask for, and use.
    pub limits: Limits,
    /// The directory with everything that its jobs may read.
    pub inputs: PathBuf,
    /// The directory below which its jobs write.
    pub outputs: PathBuf,
}

/// What a tenant may ask for, and use.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// For each job.
    pub ceiling: Ceiling,
    /// Over all of them.
    pub quotas: Quotas,
}

impl Tenant {
    pub(super) fn check(&self) -> Result<(), Refused> {
        let allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
        };
        let length = 1..=TENANT_NAME_BYTES_MAX;
        if !length.contains(&self.name.len()) || !self.name.bytes().all(allowed) {
            return Err(Refused::Name { name: self.name.clone() });
        }
        if !(1..=WEIGHT_MAX).contains(&self.weight) {
            return Err(Refused::Weight { weight: self.weight });
        }
        Ok(())
    }
}

/// A plugin, and its settings.
#[derive(Debug, Clone)]
pub struct PluginSpec {
    /// Its file, which whoever runs the host has chosen: it need not be beneath a tenant's directory.
    pub path: PathBuf,
    /// Key and value.
    pub settings: Vec<(String, String)>,
}

/// A job to be run.
pub struct JobSpec {
    /// Each takes what comes out of the one before it.
    pub plugins: Vec<PluginSpec>,
    /// Files and directories beneath the tenant's inputs. A directory with a slash at its end leaves its name out of those of outputs.
    pub inputs: Vec<PathBuf>,
    /// Where its results go.
    pub results: Results,
    /// How to go about it. At most as many threads as the host has turns are used.
    pub run: Run,
    /// Where records end, if not as the plugin says.
    pub framing: Option<String>,
    /// What results look like.
    pub format: Format,
    /// What to do where an output file is there already.
    pub exists: Exists,
    /// What a file that is written survives.
    pub durable: Durable,
}

/// Where the results of a job go.
pub enum Results {
    /// Into a stream, which must not block for long: who writes to it has a turn.
    Stream(Box<dyn Write + Send>),
    /// Into a file beneath the tenant's outputs, which is seen when the job is done.
    File(PathBuf),
    /// Of a transformer: into a file for each source beneath the tenant's outputs.
    Files(Template),
}

impl JobSpec {
    /// A job of one plugin over `inputs`, with the settings that `host run` has where nothing is said.
    pub fn new(plugin: PathBuf, inputs: Vec<PathBuf>, results: Results) -> Self {
        Self {
            plugins: vec![PluginSpec { path: plugin, settings: Vec::new() }],
            inputs,
            results,
            run: Run::default(),
            framing: None,
            format: Format::Jsonl,
            exists: Exists::default(),
            durable: Durable::default(),
        }
    }

    /// Whether it asks for more than there may be, or for what sandboxes of its host do not have.
    pub(super) fn check(&self, ceiling: &Ceiling, host: &Sandbox) -> Result<(), Refused> {
        let (run, asked, most) = (&self.run, &self.run.sandbox, &ceiling.sandbox);
        if asked.stack_bytes != host.stack_bytes {
            return Err(Refused::Shared { setting: "stack_bytes" });
        }
        if asked.fuel.is_some() != host.fuel.is_some() {
            return Err(Refused::Shared { setting: "fuel" });
        }
        let most = &Sandbox { stack_bytes: host.stack_bytes, ..*most };
        if let Some(Exceeded { setting, asked, allowed }) = asked.exceeds(most) {
            return Err(Refused::Ceiling { setting, asked, allowed });
        }
        let bytes = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
        let asked = [
            ("record_bytes_max", run.record_bytes_max, ceiling.record_bytes_max),
            ("window_bytes", bytes(run.window_bytes), bytes(ceiling.window_bytes)),
            ("decompressed_bytes_max", run.decompressed_bytes_max, ceiling.decompressed_bytes_max),
            ("members_max", run.members_max, ceiling.members_max),
        ];
        match asked.into_iter().find(|(_, asked, allowed)| asked > allowed) {
            Some((setting, asked, allowed)) => Err(Refused::Ceiling { setting, asked, allowed }),
            None => Ok(run.check()?),
        }
    }
}

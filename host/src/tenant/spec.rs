//! What a tenant is, and whether what it asks for is within its limits.

use std::path::PathBuf;

use super::error::Refused;
use crate::settings::limits::{TENANT_NAME_BYTES_MAX, WEIGHT_MAX};
use crate::settings::{Ceiling, Exceeded, Quotas, Sandbox};
use crate::source::Urls;
use crate::spec::JobSpec;

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

/// What a tenant may ask for, and use; nothing of the network, unless that is said.
#[derive(Debug, Clone)]
pub struct Limits {
    /// For each job.
    pub ceiling: Ceiling,
    /// Over all of them.
    pub quotas: Quotas,
    /// Where in the network they may read and write.
    pub urls: Urls,
}

impl Default for Limits {
    fn default() -> Self {
        let (ceiling, quotas) = (Ceiling::default(), Quotas::default());
        Self { ceiling, quotas, urls: Urls::Of(Vec::new()) }
    }
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

/// Whether a job asks for more than there may be, or for what jobs of this host do not have each.
pub(super) fn check(spec: &JobSpec, ceiling: &Ceiling, host: &Sandbox) -> Result<(), Refused> {
    let run = &spec.run(1, None)?;
    spec.agree()?;
    let (asked, most) = (&run.sandbox, &ceiling.sandbox);
    let (inputs, sandbox) = (&spec.inputs, &spec.sandbox);
    let shared = [
        ("stack", asked.stack_bytes != host.stack_bytes),
        ("fuel", asked.fuel.is_some() != host.fuel.is_some()),
        ("memory_total", sandbox.memory_total.is_some()),
        ("cache", sandbox.cache.is_some() || sandbox.no_cache),
        ("jail", sandbox.jail),
        ("beneath", !inputs.beneath.is_empty()),
        ("allow_private", inputs.allow_private),
    ];
    if let Some((setting, _)) = shared.into_iter().find(|(_, is_said)| *is_said) {
        return Err(Refused::Shared { setting });
    }
    let most = &Sandbox { stack_bytes: host.stack_bytes, ..*most };
    if let Some(Exceeded { setting, asked, allowed }) = asked.exceeds(most) {
        return Err(Refused::Ceiling { setting, asked, allowed });
    }
    let asked = [
        ("record_bytes_max", run.record_bytes_max, ceiling.record_bytes_max),
        ("decompressed_bytes_max", run.decompressed_bytes_max, ceiling.decompressed_bytes_max),
        ("members_max", run.members_max, ceiling.members_max),
    ];
    match asked.into_iter().find(|(_, asked, allowed)| asked > allowed) {
        Some((setting, asked, allowed)) => Err(Refused::Ceiling { setting, asked, allowed }),
        None => Ok(()),
    }
}

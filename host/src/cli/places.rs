//! What the flags say of the names of outputs below a directory.

use std::path::PathBuf;

use super::args::OutputArgs;
use super::plugins::Plugins;
use super::say::Abort;
use crate::job::Places;
use crate::output::{Naming, Template};
use crate::settings::Decompress;
use crate::source::Source;

/// What names of outputs depend on, beside the sources.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) args: &'a OutputArgs,
    pub(super) plugins: &'a Plugins,
    /// As the user named them.
    pub(super) inputs: &'a [PathBuf],
    pub(super) decompress: &'a Decompress,
}

impl<'a> Names<'a> {
    /// Names all outputs.
    pub(super) fn of(self, sources: &'a [Source]) -> Result<Places<'a>, Abort> {
        let Self { args, plugins, inputs, decompress } = self;
        let template = match &args.name {
            Some(template) => template.clone(),
            None => Template::DEFAULT.parse().map_err(Abort::new)?,
        };
        let lane = plugins.lanes.first();
        let (plugin, output_type) =
            lane.map_or(("", ""), |lane| (lane.name.as_str(), lane.output_type.as_str()));
        let naming = Naming::new(template, plugin, output_type, args.compress);
        Ok(Places::of(naming, sources, inputs, decompress))
    }
}

//! What the flags say of the names of outputs below a directory.

use std::path::{Path, PathBuf};

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
        let places = Places::of(naming, sources, inputs, decompress);
        told_of_rivals(&places, inputs)?;
        Ok(places)
    }
}

/// Refuses sources of two inputs whose outputs would have one name: that is for the user to say otherwise, and true of all of them,
/// mostly. Within one input it is a failure of the one source.
fn told_of_rivals(places: &Places<'_>, inputs: &[PathBuf]) -> Result<(), Abort> {
    let input = |name: &str| inputs.iter().position(|input| Path::new(name).starts_with(input));
    for (source, other) in places.rivals() {
        if let (Some(of), Some(of_other)) = (input(&source), input(&other))
            && of != of_other
        {
            let message = format!("{source}: its output is that of {other}, too");
            let hint = "--name makes other names: {dir}, {name}, {stored}…";
            return Err(Abort::new(message).hint(Some(hint)));
        }
    }
    Ok(())
}

//! What a spec says of the names of outputs below a directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::plugins::Plugins;
use crate::job::OutputNames;
use crate::output::{Naming, Template};
use crate::source::Source;
use crate::spec::{JobSpec, Problem};

/// What names of outputs depend on, beside the sources.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) spec: &'a JobSpec,
    pub(super) plugins: &'a Plugins,
    /// Inputs as they were named.
    pub(super) inputs: &'a [PathBuf],
}

impl Names<'_> {
    /// Names all outputs.
    pub(super) fn of(self, sources: Arc<Vec<Source>>) -> Result<OutputNames, Problem> {
        let Self { spec, plugins, inputs } = self;
        let template = template(spec)?;
        let branch = plugins.branches.first();
        let (plugin, output_type) =
            branch.map_or(("", ""), |branch| (branch.name.as_str(), branch.output_type.as_str()));
        let naming = Naming::new(template, plugin, output_type, spec.output.compress);
        let places = OutputNames::of(naming, sources, inputs, spec.inputs.decompress.clone());
        refuse_rivals(&places, inputs)?;
        Ok(places)
    }
}

/// How outputs are called.
pub(super) fn template(spec: &JobSpec) -> Result<Template, Problem> {
    let said = spec.output.name.as_deref();
    said.unwrap_or(Template::DEFAULT).parse().map_err(|error| {
        let said = said.unwrap_or_default();
        Problem::new(format!("invalid value `{said}`: {error}")).of("name")
    })
}

/// Refuses sources of two inputs whose outputs would have one name: that is for the user to say
/// otherwise, and true of all of them, mostly. Within one input it is a failure of the one source.
fn refuse_rivals(places: &OutputNames, inputs: &[PathBuf]) -> Result<(), Problem> {
    let input = |name: &str| inputs.iter().position(|input| Path::new(name).starts_with(input));
    for (source, other) in places.rivals() {
        if let (Some(of), Some(of_other)) = (input(&source), input(&other))
            && of != of_other
        {
            let message = format!("{source}: its output is that of {other}, too");
            let hint = "⟦name⟧ makes other names: {dir}, {name}, {stored}…";
            return Err(Problem::new(message).hint(Some(hint)));
        }
    }
    Ok(())
}

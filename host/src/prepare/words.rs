//! Words of a spec that only those who act on them know: whether there is such a framing, encoding,
//! template or glob.

use super::names::template;
use super::sources::globs;
use crate::input::{Framing, Transcoding};
use crate::spec::{JobSpec, Problem};

/// Checks the words of a spec, before anything is opened.
///
/// # Errors
/// With the first that is none that there can be, by its key.
pub fn check_words(spec: &JobSpec) -> Result<(), Problem> {
    let inputs = &spec.inputs;
    framing(spec)?;
    inputs.encoding.parse::<Transcoding>().map_err(|error| Problem::new(error).of("encoding"))?;
    globs(&inputs.include_members).map_err(|problem| problem.of("include_members"))?;
    template(spec).map(|_template| ())
}

/// Where sources are cut, if not as the plugins say.
pub(super) fn framing(spec: &JobSpec) -> Result<Option<Framing>, Problem> {
    let said = spec.inputs.framing.as_deref().map(str::parse).transpose();
    said.map_err(|error| Problem::new(error).of("framing"))
}

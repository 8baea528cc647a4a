//! What the output of one source is called, for who runs jobs over parts of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::context::{Context, load};
use super::names::Names;
use crate::job::Observer;
use crate::source::{Source, Way};
use crate::spec::{JobSpec, Problem};

/// What the output of one source is called, below the directory for all.
///
/// # Errors
/// When there can be none, or a plugin cannot be loaded.
pub fn output_name(
    spec: &JobSpec,
    context: &Context<'_>,
    events: &Arc<dyn Observer>,
    source: &Path,
) -> Result<PathBuf, Problem> {
    let plugins = load(spec, context, events, None)?;
    let names = Names { spec, plugins: &plugins, inputs: context.inputs(spec) };
    let source = Source { path: source.to_path_buf().into(), listed: Ok(None), way: Way::File };
    names.of(Arc::new(vec![source]))?.place(0, None).map_err(|failure| {
        let hint = failure.hint.clone();
        Problem::new(failure).hint(hint.as_deref())
    })
}

//! `host plugin repro`: a failure that a run has kept, once more.

use std::path::Path;

use super::Exit;
use super::say;
use crate::name::Shown;
use crate::plugin::{ReproError, replay};
use crate::settings::Sandbox;
use crate::spec::Problem;

/// Runs the bundle in `dir` again. Exits with 0 where it fails as it did, and with 1 where it does
/// not.
pub(super) fn repro(dir: &Path, its_limits: bool) -> Result<Exit, Problem> {
    let most = if its_limits { Sandbox::ceiling() } else { Sandbox::default() };
    let replayed = replay(dir, &most).map_err(|error| problem(&error))?;
    let manifest = &replayed.manifest;
    say::line(&format!(
        "{}: {}: {}",
        Shown::of(&manifest.plugin),
        manifest.source,
        manifest.message
    ));
    match &replayed.ended {
        Err(failure) if replayed.is_same() => {
            say::details(failure.detail.as_deref());
            say::line("reproduced: it failed as it did");
            Ok(Exit::Done)
        }
        Err(failure) => {
            say::line(&format!("it failed otherwise: {failure}"));
            say::details(failure.detail.as_deref());
            say::line("not reproduced");
            Ok(Exit::Failed)
        }
        Ok(()) => {
            say::line("not reproduced: it did not fail; it may depend on the chunks before");
            Ok(Exit::Failed)
        }
    }
}

fn problem(error: &ReproError) -> Problem {
    let hint = match error {
        ReproError::Load(error) => error.hint(),
        ReproError::Limits { .. } => {
            Some("bundles come from anywhere; --its-limits allows what `host run` can be given")
        }
        ReproError::NotReproducible { .. } => Some("manifest.json has what is known of it"),
        _ => None,
    };
    Problem::new(error).hint(hint)
}

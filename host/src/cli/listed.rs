//! The list of what a run reads, and the memory that it takes.

use std::sync::Arc;

use super::args::RunArgs;
use super::below::remove_below;
use super::say::Abort;
use super::settings::{Origins, request, unlistable};
use super::unmatched;
use crate::input::{self, Expansion};
use crate::settings::Run;
use crate::source::{self, Globs, Listing, Look, TooManySources};
use crate::stats::MemoryBudget;
use crate::work::Cancel;

/// What there is to read: files and, unless they are to be read as they are, members of archives.
pub(super) fn listing(
    args: &RunArgs,
    look: Look,
    origins: &Origins,
    settings: &Run,
    cancel: &Cancel,
    memory: &Arc<MemoryBudget>,
) -> Result<Listing, Abort> {
    let request = request(args, look, settings.threads, origins)?;
    let mut listing = source::list(&request).map_err(|error| unlistable(&error))?;
    remove_below(&mut listing, &args.inputs.files, &args.output.out);
    let filter = Arc::clone(&listing.filter);
    let too_many = |error: TooManySources| unlistable(&error.into());
    listing.sources =
        input::expand_prefixes(listing.sources, &filter, &listing.room, (&cancel.flag(), memory))
            .map_err(too_many)?;
    unmatched::warn(args, &listing);
    if !args.inputs.no_archives {
        let (members_max, threads) = (settings.members_max, settings.threads);
        let (stop, piped) = (&cancel.flag(), settings.piped);
        let wanted = Globs::new(&settings.include_members).map_err(|error| {
            let hint = error.hint();
            Abort::new(error).hint(hint)
        })?;
        listing.members = Arc::new(wanted);
        let wanted = &*Arc::clone(&listing.members);
        let expansion = Expansion { members_max, threads, stop, piped, wanted };
        input::expand(&mut listing, &expansion).map_err(too_many)?;
    }
    Ok(listing)
}

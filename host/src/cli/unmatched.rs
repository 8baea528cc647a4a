//! Lists and globs that name nothing: their empty result looks like success.

use super::args::RunArgs;
use crate::source::Listing;

/// Warns of what names nothing: it may be a mistake, and an empty result looks like success.
pub(super) fn warn(args: &RunArgs, listing: &Listing) {
    if let Some(list) = &args.inputs.files_from
        && listing.listed == Some(0)
    {
        tracing::warn!("--files-from {} names nothing", list.display());
    }
    if !listing.filtered {
        return;
    }
    for glob in listing.filter.unmatched() {
        tracing::warn!("--include {glob} matches no file");
    }
    if listing.sources.is_empty() && args.inputs.include.is_empty() && !listing.filter.takes_all() {
        tracing::warn!("--exclude leaves no file");
    }
}

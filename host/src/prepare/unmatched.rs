//! Lists and globs that name nothing: their empty result looks like success.

use crate::job::Summary;
use crate::name::Shown;
use crate::source::Listing;
use crate::spec::JobSpec;

/// Warns of what names nothing: it may be a mistake, and an empty result looks like success.
pub(super) fn warn(spec: &JobSpec, listing: &Listing) {
    if let Some(list) = &spec.inputs.files_from
        && listing.listed == Some(0)
    {
        tracing::warn!("⟦files_from⟧ {} names nothing", Shown::of(&list));
    }
    if !listing.filtered {
        return;
    }
    for glob in listing.filter.unmatched() {
        tracing::warn!("⟦include⟧ {glob} matches no file");
    }
    if listing.sources.is_empty() && spec.inputs.include.is_empty() && !listing.filter.takes_all() {
        tracing::warn!("⟦exclude⟧ leaves no file");
    }
}

/// The same of globs for members, which archives that are read from their front are only asked for
/// as they are read.
pub(super) fn warn_of_members(listing: &Listing, summary: &Summary) {
    for glob in listing.members.unmatched() {
        if summary.unmatched_members.iter().any(|other| other == glob) {
            tracing::warn!("⟦include_members⟧ {glob} matches no member of an archive");
        }
    }
}

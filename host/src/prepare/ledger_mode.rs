//! What a job makes of its sources, and so what has to be known of those that are done.

use crate::ledger::Needs;
use crate::process::Kind;
use crate::settings::{RejectsMax, Run};
use crate::spec::JobSpec;

/// What a run makes of its sources.
#[derive(Debug, Clone, Copy)]
pub(super) enum LedgerMode {
    /// A file for each.
    Outputs,
    /// Rows, and a total, of what each gave.
    Results(Needs),
}

impl LedgerMode {
    /// What plugins of that kind make.
    pub(super) fn of(kind: Kind, spec: &JobSpec, settings: &Run) -> Self {
        if kind == Kind::Transformer {
            return Self::Outputs;
        }
        // What a source had set aside is not kept: where it is wanted, or may be too much, the
        // source is read again.
        let rejects_max = match settings.rejects_max {
            _ if spec.output.rejects.is_some() => 0,
            Some(RejectsMax::Percent(_) | RejectsMax::Both { .. }) => 0,
            Some(RejectsMax::Records(max)) => max,
            None => u64::MAX,
        };
        let show = settings.show;
        Self::Results(Needs { result: show.per_source, saved: show.total, rejects_max })
    }

    pub(super) fn needs(self) -> Needs {
        match self {
            Self::Outputs => Needs::NOTHING,
            Self::Results(needs) => needs,
        }
    }
}

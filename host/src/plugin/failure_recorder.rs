//! An instance that remembers what it was given, so that a failure can be reported with its place,
//! and run again.
//!
//! Costs a name for each resource, and nothing for a chunk: the bytes of a chunk are asked for once
//! more when its call has failed. Of a file they are read again, as they are then; the guest's
//! memory may have been changed by the call.

use std::path::PathBuf;

use super::repro::{Case, Keeper, Origin};
use crate::process::{
    Accumulate, ChunkPlace, ChunkReader, Detail, Failure, FailureKind, Header, Held, Instance,
    Opening, Place, Pushed, Reject,
};
use crate::settings::Sandbox;

/// What there is to say of every failure of one plugin.
pub(super) struct About<'a> {
    pub(super) plugin: &'a str,
    pub(super) limits: &'a Sandbox,
    /// Where failures are kept, if anywhere.
    pub(super) keep: Option<(&'a Keeper, &'a Origin)>,
}

/// See the module.
pub(super) struct FailureRecorder<'a> {
    pub(super) inner: Box<dyn Instance + 'a>,
    pub(super) about: About<'a>,
    pub(super) source: String,
    pub(super) header: Header,
    /// Where its failure is kept.
    kept: Option<PathBuf>,
}

impl<'a> FailureRecorder<'a> {
    pub(super) fn new(inner: Box<dyn Instance + 'a>, about: About<'a>) -> Self {
        Self { inner, about, source: String::new(), header: Header::default(), kept: None }
    }

    /// A failure with all that is known of it.
    fn describe(
        &mut self,
        call: &str,
        failure: Failure,
        chunk: Option<(Place, &mut dyn ChunkReader)>,
    ) -> Failure {
        if !is_of_plugin(failure.kind) {
            return failure;
        }
        let Sandbox { memory_bytes, timeout, .. } = *self.about.limits;
        let detail = Detail {
            plugin: self.about.plugin.to_string(),
            call: call.to_string(),
            memory_bytes,
            timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
            chunk: chunk.as_ref().map(|(place, fill)| ChunkPlace {
                index: place.index,
                offset: place.offset,
                last: place.last,
                bytes: fill.len() as u64,
            }),
            ..failure.detail.as_deref().cloned().unwrap_or_default()
        };
        let mut failure = failure.detail(detail);
        if let Some((keeper, origin)) = self.about.keep {
            let Self { source, header, .. } = self;
            let case = Case { source, header, limits: self.about.limits };
            self.kept = keeper.keep(origin, &case, &failure, chunk.map(|(_, fill)| fill));
            if let Some(detail) = &mut failure.detail {
                detail.repro.clone_from(&self.kept);
            }
        }
        failure
    }
}

impl FailureRecorder<'_> {
    /// Discards the failure that was kept last.
    fn withdraw(&mut self) {
        if let Some((bundle, (keeper, _))) = self.kept.take().zip(self.about.keep) {
            keeper.withdraw(&bundle);
        }
    }
}

/// Whether it is the plugin that failed, rather than what it was to be given.
fn is_of_plugin(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::InvalidData
            | FailureKind::Fatal
            | FailureKind::Trap
            | FailureKind::Timeout
            | FailureKind::Fuel
            | FailureKind::Memory
            | FailureKind::Output
    )
}

impl Instance for FailureRecorder<'_> {
    fn open(&mut self, opening: Opening<'_>) -> Result<(), Failure> {
        self.source.clear();
        self.source.push_str(opening.name);
        self.header = opening.header.clone();
        self.inner.open(opening).map_err(|failure| self.describe("constructor", failure, None))
    }

    fn push(&mut self, place: Place, fill: &mut dyn ChunkReader) -> Result<Pushed, Failure> {
        let pushed = self.inner.push(place, fill);
        pushed.map_err(|failure| self.describe("push", failure, Some((place, fill))))
    }

    fn take_rejects(&mut self) -> Vec<Reject> {
        self.inner.take_rejects()
    }

    fn forget(&mut self) {
        self.withdraw();
        self.inner.forget();
    }

    fn forget_chunk(&mut self) {
        self.withdraw();
        self.inner.forget_chunk();
    }

    fn accumulator(&mut self) -> Result<&mut dyn Accumulate, Failure> {
        self.inner.accumulator()?;
        Ok(self)
    }

    fn close(&mut self) -> Result<(), Failure> {
        self.inner.close().map_err(|failure| self.describe("destructor", failure, None))
    }

    fn spent(&self) -> bool {
        self.inner.spent()
    }
}

impl Accumulate for FailureRecorder<'_> {
    fn save(&mut self) -> Result<Held, Failure> {
        self.inner
            .accumulator()
            .and_then(Accumulate::save)
            .map_err(|failure| self.describe("save", failure, None))
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), Failure> {
        self.inner
            .accumulator()
            .and_then(|it| it.merge(state))
            .map_err(|failure| self.describe("merge", failure, None))
    }

    fn finish(&mut self) -> Result<Held, Failure> {
        self.inner
            .accumulator()
            .and_then(Accumulate::finish)
            .map_err(|failure| self.describe("finish", failure, None))
    }
}

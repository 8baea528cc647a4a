//! What an author writes for a plugin that turns bytes into one result, and the macro that exports
//! it. When and how often each method is called is said here; the calls themselves come from
//! `bindings` in WebAssembly and from `testing` elsewhere.

use crate::{Chunk, Error, Manifest, Settings, Source, State};

/// Bytes in, one result out.
///
/// `Self` is the plugin with the settings of one run; [`Aggregator::State`] is what accumulates.
/// One instance holds one `Self` and any number of states.
pub trait Aggregator: Sized + 'static {
    /// What accumulates: any serde type, or one that encodes itself (see [`State`]).
    type State: State;

    /// What the plugin says of itself. Called before anything else, and more than once.
    fn manifest() -> Manifest;

    /// Takes the settings: called once an instance, before any data. By then unknown settings are
    /// refused and defaults filled in.
    ///
    /// # Errors
    /// A setting makes no sense: the user is shown the reason, and nothing runs.
    fn configure(settings: &Settings) -> Result<Self, Error>;

    /// An empty state, for a piece of `source` or, where its name is empty, for a total over
    /// sources. It cannot fail: report a bad header from the first `push`.
    fn open(&self, source: Source) -> Self::State;

    /// Takes in a chunk: whole records only, none at all in an empty chunk.
    ///
    /// # Errors
    /// [`Error::InvalidData`] fails this source, [`Error::Fatal`] the job.
    fn push(&self, state: &mut Self::State, chunk: Chunk, data: &[u8]) -> Result<(), Error>;

    /// Takes in the state of the bytes that stand right after those of `state`. It must be
    /// associative and, where the manifest's order is [`Order::Any`](crate::Order::Any),
    /// commutative.
    ///
    /// # Errors
    /// As for [`Aggregator::push`].
    fn merge(&self, state: &mut Self::State, next: Self::State) -> Result<(), Error>;

    /// The result, for the output. It is the last call a state sees.
    ///
    /// # Errors
    /// As for [`Aggregator::push`].
    fn finish(&self, state: Self::State) -> Result<Vec<u8>, Error>;

    /// Merges a state still in the form that [`State::save`] gave it. Write this one, too, when a
    /// state is large and can be merged without being built first.
    ///
    /// # Errors
    /// As for [`Aggregator::merge`], and when `saved` is not a state.
    fn merge_saved(&self, state: &mut Self::State, saved: Vec<u8>) -> Result<(), Error> {
        self.merge(state, Self::State::load(&saved)?)
    }
}

/// Makes a type that is an [`Aggregator`] the plugin of this crate. Once a crate; on targets other
/// than WebAssembly it exports nothing.
#[macro_export]
macro_rules! export_aggregator {
    ($plugin:ty) => {
        #[allow(unsafe_code, reason = "exported functions have fixed names")]
        const _: () = {
            const fn is_an_aggregator<Plugin: $crate::Aggregator>() {}
            is_an_aggregator::<$plugin>();
            #[cfg(target_family = "wasm")]
            type Exported = $crate::bindings::aggregate::Exported<$plugin>;
            #[cfg(target_family = "wasm")]
            $crate::bindings::lifecycle::generated::export!(
                Exported with_types_in $crate::bindings::lifecycle::generated
            );
            #[cfg(target_family = "wasm")]
            $crate::bindings::aggregate::generated::export!(
                Exported with_types_in $crate::bindings::aggregate::generated
            );
        };
    };
}

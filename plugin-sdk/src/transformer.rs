//! What an author writes for a plugin that turns bytes into bytes, and the macro that exports it.
//! When and how often each method is called is said here; the calls themselves come from `bindings`
//! in WebAssembly and from `testing` elsewhere.

use crate::{Chunk, Error, Manifest, Settings, Source};

/// Bytes in, bytes out.
///
/// `Self` is the plugin with the settings of one run; [`Transformer::State`] is what is carried
/// from chunk to chunk, `()` where nothing is.
pub trait Transformer: Sized + 'static {
    /// What is carried from one chunk to the next that this instance sees.
    type State: 'static;

    /// What the plugin says of itself. Called before anything else, and more than once.
    fn manifest() -> Manifest;

    /// Takes the settings: called once an instance, before any data. By then unknown settings are
    /// refused and defaults filled in.
    ///
    /// # Errors
    /// A setting makes no sense: the user is shown the reason, and nothing runs.
    fn configure(settings: &Settings) -> Result<Self, Error>;

    /// The state before the first chunk of `source` or, with the scope
    /// [`Scope::Chunk`](crate::Scope::Chunk), before any chunk of it.
    /// It cannot fail: report a bad header from the first `push`.
    fn open(&self, source: Source) -> Self::State;

    /// The output for a chunk. The bytes are the plugin's own: edit them in place and give them
    /// back where the output is no longer than the input, and nothing is copied.
    /// [`Kept`](crate::Kept) does so where the output is parts of the input. Where it is longer,
    /// allocate once: a buffer that grows is copied each time, and the instance keeps the memory of
    /// both.
    ///
    /// A record that is bad on its own is no error: [`reject`](crate::reject) it and leave it out.
    ///
    /// # Errors
    /// [`Error::InvalidData`] fails this source, [`Error::Fatal`] the job.
    fn push(&self, state: &mut Self::State, chunk: Chunk, data: Vec<u8>) -> Result<Vec<u8>, Error>;

    /// What is left to say after the last chunk: nothing, unless written otherwise.
    ///
    /// # Errors
    /// As for [`Transformer::push`].
    fn finish(&self, state: Self::State) -> Result<Vec<u8>, Error> {
        drop(state);
        Ok(Vec::new())
    }
}

/// Makes a type that is a [`Transformer`] the plugin of this crate. Once a crate; on targets other
/// than WebAssembly it exports nothing.
#[macro_export]
macro_rules! export_transformer {
    ($plugin:ty) => {
        #[allow(unsafe_code, reason = "exported functions have fixed names")]
        const _: () = {
            const fn is_a_transformer<Plugin: $crate::Transformer>() {}
            is_a_transformer::<$plugin>();
            #[cfg(target_family = "wasm")]
            type Exported = $crate::bindings::transform::Exported<$plugin>;
            #[cfg(target_family = "wasm")]
            $crate::bindings::lifecycle::generated::export!(
                Exported with_types_in $crate::bindings::lifecycle::generated
            );
            #[cfg(target_family = "wasm")]
            $crate::bindings::transform::generated::export!(
                Exported with_types_in $crate::bindings::transform::generated
            );
        };
    };
}

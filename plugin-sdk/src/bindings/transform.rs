//! The contract's interface `transform`, and `lifecycle`, exported for any [`Transformer`].

use std::marker::PhantomData;

use self::generated::exports::gristmill::plugin::transform::{Guest, GuestTransformer};
use super::held::Held;
use super::lifecycle::generated::exports::gristmill::plugin::lifecycle::Guest as Lifecycle;
use super::{lifecycle, types};
use crate::{Transformer, call};

#[allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    reason = "generated"
)]
pub mod generated {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package gristmill:sdk;
            world transform {
                export gristmill:plugin/transform@0.1.0;
            }
        ",
        world: "gristmill:sdk/transform",
        with: {
            "gristmill:plugin/types@0.1.0":
                crate::bindings::lifecycle::generated::gristmill::plugin::types,
        },
        generate_all,
        pub_export_macro: true,
    });
}

/// The contract's exports, made of a plugin.
pub struct Exported<Plugin>(PhantomData<Plugin>);

impl<Plugin: Transformer> Lifecycle for Exported<Plugin> {
    fn describe() -> types::Manifest {
        lifecycle::describe(Plugin::manifest())
    }

    fn configure(settings: Vec<types::Entry>) -> Result<(), String> {
        lifecycle::configure(&Plugin::manifest(), settings, Plugin::configure)
    }
}

impl<Plugin: Transformer> Guest for Exported<Plugin> {
    type Transformer = Resource<Plugin>;
}

/// The contract's resource.
pub struct Resource<Plugin: Transformer>(Held<Plugin, Plugin::State>);

impl<Plugin: Transformer> GuestTransformer for Resource<Plugin> {
    fn new(source: types::Source) -> Self {
        Self(Held::open(|plugin: &Plugin| plugin.open(call::transformed::<Plugin>(source.into()))))
    }

    fn push(&self, chunk: types::Chunk, data: Vec<u8>) -> Result<Vec<u8>, types::Error> {
        self.0.with(|plugin, state| call::transform(plugin, state, chunk.into(), data))
    }

    fn finish(&self) -> Result<Vec<u8>, types::Error> {
        self.0.end(Plugin::finish)
    }
}

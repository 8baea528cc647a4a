//! The contract's interface `aggregate`, and `lifecycle`, exported for any [`Aggregator`].

use std::marker::PhantomData;

use self::generated::exports::gristmill::plugin::aggregate::{Guest, GuestAccumulator};
use super::held::Held;
use super::lifecycle::generated::exports::gristmill::plugin::lifecycle::Guest as Lifecycle;
use super::{lifecycle, types};
use crate::{Aggregator, State, call};

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
            world aggregate {
                export gristmill:plugin/aggregate@0.1.0;
            }
        ",
        world: "gristmill:sdk/aggregate",
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

impl<Plugin: Aggregator> Lifecycle for Exported<Plugin> {
    fn describe() -> types::Manifest {
        lifecycle::describe(Plugin::manifest())
    }

    fn configure(settings: Vec<types::Entry>) -> Result<(), String> {
        lifecycle::configure(&Plugin::manifest(), settings, Plugin::configure)
    }
}

impl<Plugin: Aggregator> Guest for Exported<Plugin> {
    type Accumulator = Accumulator<Plugin>;
}

/// The contract's resource.
pub struct Accumulator<Plugin: Aggregator>(Held<Plugin, Plugin::State>);

impl<Plugin: Aggregator> GuestAccumulator for Accumulator<Plugin> {
    fn new(source: types::Source) -> Self {
        Self(Held::open(|plugin: &Plugin| plugin.open(call::aggregated::<Plugin>(source.into()))))
    }

    fn push(&self, chunk: types::Chunk, data: Vec<u8>) -> Result<(), types::Error> {
        self.0.with(|plugin, state| call::aggregate(plugin, state, chunk.into(), &data))
    }

    fn save(&self) -> Result<Vec<u8>, types::Error> {
        self.0.with(|_, state| state.save())
    }

    fn merge(&self, state: Vec<u8>) -> Result<(), types::Error> {
        self.0.with(|plugin, held| plugin.merge_saved(held, state))
    }

    fn finish(&self) -> Result<Vec<u8>, types::Error> {
        self.0.end(Plugin::finish)
    }
}

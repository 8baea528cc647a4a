//! What every plugin exports first, and what it may ask of the host.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

use self::generated::gristmill::plugin::types;
use super::crash;
use crate::{Error, Manifest, Settings};

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
            world lifecycle {
                import gristmill:plugin/host@0.1.0;
                export gristmill:plugin/lifecycle@0.1.0;
            }
        ",
        world: "gristmill:sdk/lifecycle",
        generate_all,
        pub_export_macro: true,
    });
}

thread_local! {
    /// The plugin of this instance, from `configure` on.
    static CONFIGURED: RefCell<Option<Rc<dyn Any>>> = const { RefCell::new(None) };
}

pub(super) fn describe(manifest: Manifest) -> types::Manifest {
    crash::report_panics();
    manifest.into()
}

/// Checks what the user gave, builds the plugin from it and keeps it for the states of this
/// instance.
pub(super) fn configure<Plugin: 'static>(
    manifest: &Manifest,
    given: Vec<types::Entry>,
    build: impl FnOnce(&Settings) -> Result<Plugin, Error>,
) -> Result<(), String> {
    crash::report_panics();
    let given = given.into_iter().map(|entry| (entry.key, entry.value)).collect();
    let plugin = Settings::check(manifest, given)
        .and_then(|settings| build(&settings))
        .map_err(|error| error.to_string())?;
    CONFIGURED.set(Some(Rc::new(plugin)));
    Ok(())
}

/// The plugin of this instance; none before `configure`.
pub(super) fn configured<Plugin: 'static>() -> Option<Rc<Plugin>> {
    CONFIGURED.with_borrow(Clone::clone)?.downcast().ok()
}

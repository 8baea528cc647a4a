//! Where the functions are among a component's exports that plugins of both kinds have, found once.

use wasmtime::component::{Component, ComponentExportIndex};

use super::sandbox::{Common, find};

/// What every plugin exports, and what every resource has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shared {
    pub(super) common: Common,
    pub(super) constructor: ComponentExportIndex,
    pub(super) push: ComponentExportIndex,
    pub(super) finish: ComponentExportIndex,
}

/// A resource of an interface of the contract.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resource {
    pub(super) interface: &'static str,
    pub(super) name: &'static str,
}

impl Resource {
    /// The functions of a component that are not its own alone; the name of the first that is
    /// missing.
    pub(super) fn shared(self, component: &Component) -> Result<Shared, String> {
        let Self { interface, name } = self;
        Ok(Shared {
            common: Common::of(component)?,
            constructor: find(component, interface, &format!("[constructor]{name}"))?,
            push: self.method(component, "push")?,
            finish: self.method(component, "finish")?,
        })
    }

    /// One of its methods; its full name where it is missing.
    pub(super) fn method(
        self,
        component: &Component,
        method: &str,
    ) -> Result<ComponentExportIndex, String> {
        find(component, self.interface, &format!("[method]{}.{method}", self.name))
    }
}

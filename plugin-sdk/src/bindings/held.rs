//! What a resource of the contract holds: a state, and the plugin that it belongs to.

use std::cell::RefCell;
use std::rc::Rc;

use super::{lifecycle, types};
use crate::Error;

/// A state that its last call takes away. A host that calls again gets an error, not a trap.
pub(super) struct Held<Plugin, State>(RefCell<Option<(Rc<Plugin>, State)>>);

impl<Plugin: 'static, State> Held<Plugin, State> {
    pub(super) fn open(open: impl FnOnce(&Plugin) -> State) -> Self {
        Self(RefCell::new(lifecycle::configured::<Plugin>().map(|plugin| {
            let state = open(&plugin);
            (plugin, state)
        })))
    }

    pub(super) fn with<T>(
        &self,
        call: impl FnOnce(&Plugin, &mut State) -> Result<T, Error>,
    ) -> Result<T, types::Error> {
        let mut held = self.0.try_borrow_mut().map_err(|_| gone())?;
        let (plugin, state) = held.as_mut().ok_or_else(gone)?;
        Ok(call(plugin, state)?)
    }

    pub(super) fn end<T>(
        &self,
        call: impl FnOnce(&Plugin, State) -> Result<T, Error>,
    ) -> Result<T, types::Error> {
        let held = self.0.try_borrow_mut().map_err(|_| gone())?.take();
        let (plugin, state) = held.ok_or_else(gone)?;
        Ok(call(&plugin, state)?)
    }
}

fn gone() -> types::Error {
    types::Error::Fatal("called before `configure` or after `finish`".into())
}

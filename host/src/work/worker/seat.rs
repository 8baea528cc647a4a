//! The instance that a worker has of one processor: at most one at a time, in which one accumulator
//! is open or none.
//!
//! A call takes it out, and puts it back if it succeeded: after any failure it is dropped. A new
//! one costs microseconds.

use crate::process::{Failure, Instance, Opening, Processor};

pub(super) struct Seat<'a> {
    processor: &'a dyn Processor,
    instance: Option<Box<dyn Instance + 'a>>,
}

impl<'a> Seat<'a> {
    /// One for instances of this processor, the first of which may be there.
    pub(super) fn of(
        processor: &'a dyn Processor,
        instance: Option<Box<dyn Instance + 'a>>,
    ) -> Self {
        Self { processor, instance }
    }

    pub(super) fn processor(&self) -> &'a dyn Processor {
        self.processor
    }

    pub(super) fn is_empty(&self) -> bool {
        self.instance.is_none()
    }

    /// The instance with an accumulator open in it; a new one where it is to be `fresh`.
    pub(super) fn accumulator(
        &mut self,
        opening: Opening<'_>,
        fresh: bool,
    ) -> Result<Box<dyn Instance + 'a>, Failure> {
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => self.processor.start()?,
        };
        if fresh {
            instance.open(opening)?;
        }
        Ok(instance)
    }

    /// The instance, if there is one.
    pub(super) fn instance(&mut self) -> Option<&mut (dyn Instance + 'a)> {
        self.instance.as_deref_mut()
    }

    pub(super) fn put(&mut self, instance: Box<dyn Instance + 'a>) {
        self.instance = Some(instance);
    }

    pub(super) fn take(&mut self) -> Option<Box<dyn Instance + 'a>> {
        self.instance.take()
    }

    /// Drops the instance, in which something failed or is worth nothing.
    pub(super) fn clear(&mut self) {
        self.instance = None;
    }

    /// Makes room for a new instance when this one has grown; only called while nothing is open in
    /// it.
    pub(super) fn recycle(&mut self) {
        if self.instance.as_ref().is_some_and(|instance| instance.spent()) {
            self.instance = None;
        }
    }

    /// Closes what is open. An instance that cannot be closed is dropped: what it had to say has
    /// been said.
    pub(super) fn close(&mut self) {
        if let Some(mut instance) = self.instance.take()
            && instance.close().is_ok()
        {
            self.instance = Some(instance);
            self.recycle();
        }
    }
}

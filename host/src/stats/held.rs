//! Bytes that the host holds because of a plugin or an input. None exists without a charge, and the
//! charge moves with them: they count from when they are made to when they are dropped.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::memory::{Charge, Full, MemoryBudget};

/// See the module. What is empty is charged to nobody.
#[derive(Debug, Default)]
pub struct Held {
    bytes: Vec<u8>,
    charge: Option<Charge>,
}

impl Held {
    /// These bytes, with all the room that they have, charged to that budget.
    pub fn within(memory: &Arc<MemoryBudget>, bytes: Vec<u8>) -> Self {
        let room = bytes.capacity() as u64;
        Self { bytes, charge: (room > 0).then(|| memory.hold(room)) }
    }

    /// A buffer for bytes that are yet to come, its room charged to that budget as it grows.
    pub fn buffer(memory: &Arc<MemoryBudget>) -> Self {
        Self { bytes: Vec::new(), charge: Some(memory.hold(0)) }
    }

    /// Changes the bytes; their charge follows.
    pub fn change(&mut self, change: impl FnOnce(&mut Vec<u8>)) {
        change(&mut self.bytes);
        if let Some(charge) = &mut self.charge {
            charge.set(self.bytes.capacity() as u64);
        }
    }

    /// Bytes of memory that they take.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Puts `more` behind them.
    pub fn append(&mut self, more: Self) {
        if self.bytes.is_empty() {
            *self = more;
            return;
        }
        // No more room than is needed: of many results in a row, doubling it would be as much
        // again.
        self.change(|bytes| {
            bytes.reserve_exact(more.len());
            bytes.extend_from_slice(&more);
        });
    }

    /// Bytes that were [apart](Self::apart) from their charge.
    pub fn again(bytes: Vec<u8>, charged: Charged) -> Self {
        Self { bytes, charge: charged.charge }
    }

    /// The bytes, and apart from them their charge, for who keeps both.
    pub fn apart(self) -> (Vec<u8>, Charged) {
        (self.bytes, Charged { charge: self.charge })
    }

    /// The bytes, charged no more.
    pub fn release(self) -> Vec<u8> {
        self.bytes
    }
}

impl Deref for Held {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// As many as there are, so their charge stays right.
impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Held {}

/// The charge of something else that is kept, which is dropped with it. It says nothing of what
/// that is, so all are equal.
#[derive(Debug, Clone, Default)]
pub struct Charged {
    charge: Option<Charge>,
}

impl Charged {
    /// So many bytes.
    ///
    /// # Errors
    /// When the budget does not have them.
    pub fn within(memory: &Arc<MemoryBudget>, bytes: u64) -> Result<Self, Full> {
        let mut charge = memory.hold(0);
        charge.grow(bytes)?;
        Ok(Self { charge: Some(charge) })
    }
}

impl PartialEq for Charged {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Charged {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_charged_with_their_room_until_they_are_dropped() {
        let memory = Arc::new(MemoryBudget::new(100));
        let mut room = Vec::with_capacity(60);
        room.push(b'a');
        let held = Held::within(&memory, room);
        let elsewhere = std::thread::spawn(move || held).join().unwrap();
        assert_eq!((&elsewhere[..], memory.charged()), (&b"a"[..], 60));
        assert_eq!(elsewhere.release().len(), 1);
        assert_eq!(memory.charged(), 0);
    }

    #[test]
    fn a_buffer_is_charged_as_it_grows() {
        let memory = Arc::new(MemoryBudget::new(100));
        let mut buffer = Held::buffer(&memory);
        for room in [10, 60] {
            buffer.change(|bytes| bytes.reserve_exact(room));
            assert_eq!((buffer.capacity(), memory.charged()), (room, room as u64));
        }
        drop(buffer);
        assert_eq!(memory.charged(), 0);
    }

    #[test]
    fn what_is_put_behind_is_charged_with_the_rest() {
        let memory = Arc::new(MemoryBudget::new(100));
        let held = |bytes: &[u8]| Held::within(&memory, bytes.to_vec());
        let mut all = Held::default();
        all.append(held(b"abc"));
        assert_eq!(memory.charged(), 3);
        all.append(held(b"de"));
        assert_eq!((&all[..], memory.charged()), (&b"abcde"[..], 5));
        drop(all);
        assert_eq!(memory.charged(), 0);
    }
}

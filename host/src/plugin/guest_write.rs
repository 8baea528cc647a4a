//! Bytes on their way into a guest: the list is allocated by the guest first and filled in place,
//! so that no buffer of the host's stands between a file and the sandbox.
//!
//! Implements what the engine's own lists of bytes implement, by methods that it does not document:
//! everything that an upgrade could break is in this file, and `tests/fill.rs` compares it with the
//! engine's own lists.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use wasmtime::ValRaw;
use wasmtime::component::__internal::wasmtime_environ::component::StringEncoding;
use wasmtime::component::__internal::{
    CanonicalAbiInfo, InstanceType, InterfaceType, LiftContext, LowerContext,
};
use wasmtime::component::{ComponentNamedList, ComponentType, Lift, Lower, TypedFunc, WasmStr};

use crate::process::{ChunkReader, Failure, Header, Held, MemoryBudget, spare};
use crate::slices;

/// A parameter of type `list<u8>` whose bytes are written by a [`ChunkReader`]. Of use for one
/// call.
pub(super) struct Incoming<'a>(Mutex<Inner<'a>>);

struct Inner<'a> {
    fill: &'a mut (dyn ChunkReader + 'a),
    spent: Duration,
    failure: Option<Failure>,
}

impl<'a> Incoming<'a> {
    pub(super) fn new(fill: &'a mut (dyn ChunkReader + 'a)) -> Self {
        Self(Mutex::new(Inner { fill, spent: Duration::ZERO, failure: None }))
    }

    /// What became of it, once the call is over, whether that went well or not.
    pub(super) fn describe(&self) -> Filled {
        let mut inner = self.0.lock();
        Filled { spent: inner.spent, failure: inner.failure.take() }
    }

    /// Has the guest allocate the list and fills it. Guest time counts from here: the epoch
    /// deadline is set anew.
    fn lower<T>(&self, cx: &mut LowerContext<'_, T>) -> wasmtime::Result<(usize, usize)> {
        let mut inner = self.0.lock();
        let length = inner.fill.len();
        let pointer = cx.realloc(0, 0, 1, length)?;
        let begun = Instant::now();
        let room = cx.as_slice_mut().get_mut(pointer..).and_then(|rest| rest.get_mut(..length));
        let Some(room) = room else { wasmtime::bail!("realloc returned memory out of bounds") };
        let filled = inner.fill.fill(room);
        inner.spent = begun.elapsed();
        cx.store.set_epoch_deadline(1);
        if let Err(failure) = filled {
            inner.failure = Some(failure);
            wasmtime::bail!("the list could not be filled");
        }
        Ok((pointer, length))
    }
}

/// What a call with an [`Incoming`] has reported about it.
pub(super) struct Filled {
    /// How long filling took.
    pub(super) spent: Duration,
    /// Why it could not be filled.
    pub(super) failure: Option<Failure>,
}

// SAFETY: the same `Lower`, `ABI` and `typecheck` as the engine's own `[u8]`.
unsafe impl ComponentType for Incoming<'_> {
    type Lower = <[u8] as ComponentType>::Lower;

    const ABI: CanonicalAbiInfo = <[u8] as ComponentType>::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> wasmtime::Result<()> {
        <[u8] as ComponentType>::typecheck(ty, types)
    }
}

// SAFETY: both methods write all of what they are given room for: pointer and length of a list that
// the guest has allocated, which `LowerContext::realloc` has checked to be within its memory.
unsafe impl Lower for Incoming<'_> {
    fn linear_lower_to_flat<T>(
        &self,
        cx: &mut LowerContext<'_, T>,
        _ty: InterfaceType,
        dst: &mut MaybeUninit<Self::Lower>,
    ) -> wasmtime::Result<()> {
        let (pointer, length) = self.lower(cx)?;
        // Core values are written in 64 bits whatever the width of the memory, as the engine does.
        dst.write([ValRaw::u64(pointer as u64), ValRaw::u64(length as u64)]);
        Ok(())
    }

    fn linear_lower_to_memory<T>(
        &self,
        cx: &mut LowerContext<'_, T>,
        _ty: InterfaceType,
        offset: usize,
    ) -> wasmtime::Result<()> {
        let (pointer, length) = self.lower(cx)?;
        *cx.get(offset) = u32::try_from(pointer)?.to_le_bytes();
        *cx.get(offset + 4) = u32::try_from(length)?.to_le_bytes();
        Ok(())
    }
}

/// A parameter of type `list<u8>` whose bytes are held already, by others, too.
pub(super) struct Lent(pub(super) Header);

// SAFETY: the same `Lower`, `ABI` and `typecheck` as the engine's own `[u8]`.
unsafe impl ComponentType for Lent {
    type Lower = <[u8] as ComponentType>::Lower;

    const ABI: CanonicalAbiInfo = <[u8] as ComponentType>::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> wasmtime::Result<()> {
        <[u8] as ComponentType>::typecheck(ty, types)
    }
}

// SAFETY: both methods are those of the engine's own `[u8]`, over the bytes of the header.
unsafe impl Lower for Lent {
    fn linear_lower_to_flat<T>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        dst: &mut MaybeUninit<Self::Lower>,
    ) -> wasmtime::Result<()> {
        <[u8] as Lower>::linear_lower_to_flat(&self.0, cx, ty, dst)
    }

    fn linear_lower_to_memory<T>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        offset: usize,
    ) -> wasmtime::Result<()> {
        <[u8] as Lower>::linear_lower_to_memory(&self.0, cx, ty, offset)
    }
}

/// A guest has returned more bytes than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes are too many")]
pub(super) struct ReturnedTooMuch {
    pub(super) bytes: usize,
}

/// A result of type `list<u8>`, copied out of the guest once, into a buffer that is reused.
pub(super) struct Outgoing(pub(super) Vec<u8>);

impl Outgoing {
    /// The bytes, for somebody who keeps them: not in a buffer for far longer ones.
    pub(super) fn kept(self, memory: &Arc<MemoryBudget>) -> Held {
        let bytes = Held::within(memory, self.0);
        if bytes.capacity() / 2 <= bytes.len() {
            return bytes;
        }
        let kept = Held::within(memory, bytes.to_vec()); // has no more room than it needs
        spare::give(bytes);
        kept
    }

    fn lift(cx: &mut LiftContext<'_>, pointer: u32, length: u32) -> wasmtime::Result<Self> {
        let (pointer, length) = (usize::try_from(pointer)?, usize::try_from(length)?);
        let is_there =
            |memory: &[u8]| memory.get(pointer..).and_then(|rest| rest.get(..length)).is_some();
        if !is_there(cx.memory()) {
            wasmtime::bail!("list pointer/length out of bounds of memory")
        }
        if cx.consume_fuel(length).is_err() {
            return Err(ReturnedTooMuch { bytes: length }.into());
        }
        let bytes = cx.memory().get(pointer..).and_then(|rest| rest.get(..length));
        let bytes = bytes.unwrap_or_default();
        let mut buffer = spare::take();
        buffer.extend_from_slice(bytes);
        Ok(Self(buffer))
    }
}

// SAFETY: the same `Lower`, `ABI` and `typecheck` as the engine's own `[u8]`.
unsafe impl ComponentType for Outgoing {
    type Lower = <[u8] as ComponentType>::Lower;

    const ABI: CanonicalAbiInfo = <[u8] as ComponentType>::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> wasmtime::Result<()> {
        <[u8] as ComponentType>::typecheck(ty, types)
    }
}

// SAFETY: both methods read a pointer and a length of 32 bits, as which a list is given, and no
// byte outside the memory.
unsafe impl Lift for Outgoing {
    fn linear_lift_from_flat(
        cx: &mut LiftContext<'_>,
        _ty: InterfaceType,
        src: &Self::Lower,
    ) -> wasmtime::Result<Self> {
        let [pointer, length] = src;
        Self::lift(cx, pointer.get_u32(), length.get_u32())
    }

    fn linear_lift_from_memory(
        cx: &mut LiftContext<'_>,
        _ty: InterfaceType,
        bytes: &[u8],
    ) -> wasmtime::Result<Self> {
        let (pointer, length) = pair(bytes);
        Self::lift(cx, pointer, length)
    }
}

/// A text of a guest, which may be as long as its memory: no more than the first units of its
/// encoding are read and copied out.
pub(super) struct Beginning<const UNITS_MAX: usize>(pub(super) String);

/// Set in the length of a text of which the guest says for each whether it is UTF-16 ("Canonical
/// ABI", `load_string`).
const UTF16_TAG: u32 = 1 << 31;

impl<const UNITS_MAX: usize> Beginning<UNITS_MAX> {
    /// That of a text which has been found to be within the memory.
    fn lift(cx: &LiftContext<'_>, pointer: u32, length: u32) -> wasmtime::Result<Self> {
        let encoding = cx.options().string_encoding;
        let is_tagged = encoding == StringEncoding::CompactUtf16 && length & UTF16_TAG != 0;
        let length = usize::try_from(if is_tagged { length ^ UTF16_TAG } else { length })?;
        let (units, is_cut) = (length.min(UNITS_MAX), length > UNITS_MAX);
        let rest = slices::within(cx.memory(), usize::try_from(pointer)?..)?;
        let bytes = |count: usize| slices::within(rest, ..count);
        Ok(Self(match encoding {
            StringEncoding::Utf8 => beginning_of_utf8(bytes(units)?, is_cut)?.to_string(),
            StringEncoding::CompactUtf16 if !is_tagged => {
                bytes(units)?.iter().map(|&latin1| char::from(latin1)).collect()
            }
            _ => beginning_of_utf16(bytes(units * 2)?, is_cut)?,
        }))
    }
}

/// Without what is left of a character that was cut.
fn beginning_of_utf8(bytes: &[u8], is_cut: bool) -> Result<&str, std::str::Utf8Error> {
    std::str::from_utf8(bytes).or_else(|error| {
        let is_whole = error.error_len().is_some() || !is_cut;
        if is_whole {
            Err(error)
        } else {
            std::str::from_utf8(slices::part(bytes, ..error.valid_up_to()))
        }
    })
}

/// The same of UTF-16.
fn beginning_of_utf16(bytes: &[u8], is_cut: bool) -> Result<String, std::char::DecodeUtf16Error> {
    let (pairs, _) = bytes.as_chunks::<2>();
    let mut units: Vec<u16> = pairs.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    units.pop_if(|last| is_cut && (0xd800..0xdc00).contains(last));
    char::decode_utf16(units).collect()
}

// SAFETY: the same `Lower`, `ABI` and `typecheck` as the engine's own `WasmStr`.
unsafe impl<const UNITS_MAX: usize> ComponentType for Beginning<UNITS_MAX> {
    type Lower = <WasmStr as ComponentType>::Lower;

    const ABI: CanonicalAbiInfo = <WasmStr as ComponentType>::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> wasmtime::Result<()> {
        <WasmStr as ComponentType>::typecheck(ty, types)
    }
}

// SAFETY: both methods have the engine check pointer and length, and read no byte outside the
// memory.
unsafe impl<const UNITS_MAX: usize> Lift for Beginning<UNITS_MAX> {
    fn linear_lift_from_flat(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        src: &Self::Lower,
    ) -> wasmtime::Result<Self> {
        <WasmStr as Lift>::linear_lift_from_flat(cx, ty, src)?;
        let [pointer, length] = src;
        Self::lift(cx, pointer.get_u32(), length.get_u32())
    }

    fn linear_lift_from_memory(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        bytes: &[u8],
    ) -> wasmtime::Result<Self> {
        <WasmStr as Lift>::linear_lift_from_memory(cx, ty, bytes)?;
        let (pointer, length) = pair(bytes);
        Self::lift(cx, pointer, length)
    }
}

/// A pointer and a length, as they are in a guest's memory.
fn pair(bytes: &[u8]) -> (u32, u32) {
    let (pointer, rest) = bytes.split_first_chunk().unwrap_or((&[0; 4], &[]));
    let length = rest.first_chunk().unwrap_or(&[0; 4]);
    (u32::from_le_bytes(*pointer), u32::from_le_bytes(*length))
}

/// Parameters that end with an [`Incoming`], typechecked for one of any lifetime.
pub(super) trait Borrowing<'a> {
    /// The same with the lifetime of a call.
    type Params: ComponentNamedList + Lower;
}

impl<'a, A: ComponentType + Lower> Borrowing<'a> for (A, &'static Incoming<'static>) {
    type Params = (A, &'a Incoming<'a>);
}

impl<'a, A: ComponentType + Lower, B: ComponentType + Lower> Borrowing<'a>
    for (A, B, &'static Incoming<'static>)
{
    type Params = (A, B, &'a Incoming<'a>);
}

/// The same function, for parameters that live as long as one call.
pub(super) fn borrowing<'a, Params, Return>(
    func: &TypedFunc<Params, Return>,
) -> TypedFunc<<Params as Borrowing<'a>>::Params, Return>
where
    Params: ComponentNamedList + Lower + Borrowing<'a>,
    Return: ComponentNamedList + Lift,
{
    // SAFETY: the types are those that `func` was typechecked with, but for a lifetime, which a
    // type of the component model knows nothing of.
    unsafe { TypedFunc::new_unchecked(*func.func()) }
}

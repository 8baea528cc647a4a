//! Fails when an upgrade of the engine changes what `host/src/plugin/guest_write.rs` relies on: the
//! bytes that a guest sees through our fill are those that it sees through the engine's own list of
//! bytes.
//!
//! That file is private to `plugin/`, so it is compiled here a second time, and called with
//! functions of any shape; the last tests go the way that the host goes.

#[path = "../host/src/plugin/guest_write.rs"]
mod ours;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gristmill::plugin::{Engine, Plugin};
use gristmill::process::{
    ChunkReader, Failure, FailureKind, Held, Opening, Place, Processor, spare,
};
use wasmtime::Store;
use wasmtime::component::{Component, Instance, Linker, TypedFunc};

use crate::support::guest::Guest;
use crate::support::{job, tree::Tree};
use ours::{Beginning, Incoming, Lent, Outgoing, borrowing};

/// Empty, small, odd, a power of two, and one that needs more memory than the guest has.
const LENGTHS: [usize; 5] = [0, 1, 7, 64 << 10, (1 << 20) + 3];

type Eight = (u64, u64, u64, u64, u64, u64, u64, u64);
type Spill = (Eight, Eight);

/// `flat` takes the list in registers; before that of `spilled` stand 16 numbers, which is as many
/// as are passed flat: all its parameters are lowered to memory. Both return the list that they
/// see.
const ECHO: &str = r#"(component
  (core module $module
    (memory (export "memory") 1)
    (global $heap (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32) (param $align i32) (param $len i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and
        (i32.sub (i32.add (global.get $heap) (local.get $align)) (i32.const 1))
        (i32.sub (i32.const 0) (local.get $align))))
      (global.set $heap (i32.add (local.get $at) (local.get $len)))
      (block $room (loop $more
        (br_if $room (i32.le_u (global.get $heap) (i32.shl (memory.size) (i32.const 16))))
        (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
        (br $more)))
      (local.get $at))
    (func (export "outside") (param i32 i32 i32 i32) (result i32) (i32.const -16))
    (func $told (param $data i32) (param $len i32) (result i32)
      (i32.store (i32.const 8) (local.get $data))
      (i32.store (i32.const 12) (local.get $len))
      (i32.const 8))
    (func (export "flat") (param i32 i32 i32) (result i32)
      (call $told (local.get 1) (local.get 2)))
    (func (export "spilled") (param $params i32) (result i32)
      (call $told (i32.load offset=128 (local.get $params)) (i32.load offset=132 (local.get $params)))))
  (core instance $core (instantiate $module))
  (alias core export $core "memory" (core memory $memory))
  (alias core export $core "realloc" (core func $realloc))
  (alias core export $core "outside" (core func $outside))
  (func (export "flat") (param "before" u32) (param "data" (list u8)) (result (list u8))
    (canon lift (core func $core "flat") (memory $memory) (realloc $realloc)))
  (type $eight (tuple u64 u64 u64 u64 u64 u64 u64 u64))
  (func (export "spilled") (param "before" (tuple $eight $eight))
    (param "data" (list u8)) (result (list u8))
    (canon lift (core func $core "spilled") (memory $memory) (realloc $realloc)))
  (func (export "outside") (param "before" u32) (param "data" (list u8)) (result (list u8))
    (canon lift (core func $core "flat") (memory $memory) (realloc $outside)))
  (func (export "wide") (param "before" u32) (param "data" (list u16)) (result (list u8))
    (canon lift (core func $core "flat") (memory $memory) (realloc $realloc))))"#;

fn echo() -> (Store<()>, Instance) {
    let engine = wasmtime::Engine::default();
    let component = Component::new(&engine, wat::parse_str(ECHO).unwrap()).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
    (store, instance)
}

/// Every byte differs from its neighbours, and from those a page away.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at ^ (at >> 8) ^ (at >> 16)).to_le_bytes()[0]).collect()
}

fn through_engine<Before>(name: &str, before: Before, data: &[u8]) -> Vec<u8>
where
    Before: wasmtime::component::ComponentType + wasmtime::component::Lower,
{
    let (mut store, instance) = echo();
    let func: TypedFunc<(Before, &[u8]), (Vec<u8>,)> =
        instance.get_typed_func(&mut store, name).unwrap();
    func.call(&mut store, (before, data)).unwrap().0
}

fn through_fill<Before>(
    name: &str,
    before: Before,
    fill: &mut dyn ChunkReader,
) -> (wasmtime::Result<Vec<u8>>, ours::Filled)
where
    Before: wasmtime::component::ComponentType + wasmtime::component::Lower + 'static,
{
    let (mut store, instance) = echo();
    let func: TypedFunc<(Before, &Incoming<'_>), (Vec<u8>,)> =
        instance.get_typed_func(&mut store, name).unwrap();
    let incoming = Incoming::new(fill);
    let called = borrowing(&func).call(&mut store, (before, &incoming));
    (called.map(|(seen,)| seen), incoming.describe())
}

#[test]
fn a_filled_list_is_what_the_engines_own_list_is_passed_flat() {
    for data in LENGTHS.map(bytes) {
        let (seen, filled) = through_fill("flat", 7u32, &mut &data[..]);
        assert!(filled.failure.is_none());
        let seen = seen.unwrap();
        assert!(seen == data, "{} bytes", data.len());
        assert!(seen == through_engine("flat", 7u32, &data), "{} bytes", data.len());
    }
}

#[test]
fn a_filled_list_is_what_the_engines_own_list_is_passed_in_memory() {
    for data in LENGTHS.map(bytes) {
        let before = Spill::default();
        let (seen, filled) = through_fill("spilled", before, &mut &data[..]);
        assert!(filled.failure.is_none());
        let seen = seen.unwrap();
        assert!(seen == data, "{} bytes", data.len());
        assert!(seen == through_engine("spilled", before, &data), "{} bytes", data.len());
    }
}

#[test]
fn a_list_is_copied_out_as_the_engines_own_is_and_within_the_same_bounds() {
    let (mut store, instance) = echo();
    let func: TypedFunc<(u32, &[u8]), (Outgoing,)> =
        instance.get_typed_func(&mut store, "flat").unwrap();
    for data in LENGTHS.map(bytes) {
        let (Outgoing(seen),) = func.call(&mut store, (7, &data)).unwrap();
        assert!(seen == data, "{} bytes", data.len());
        assert!(seen == through_engine("flat", 7u32, &data), "{} bytes", data.len());
        spare::give(Held::within(&Arc::default(), seen));
    }
    store.set_hostcall_fuel(99);
    let refused = func.call(&mut store, (7, &bytes(100))).err().unwrap();
    assert!(refused.root_cause().to_string().contains("100 bytes are too many"));
}

#[test]
fn bytes_that_are_lent_are_what_the_engines_own_list_is() {
    let (mut store, instance) = echo();
    let flat: TypedFunc<(u32, Lent), (Vec<u8>,)> =
        instance.get_typed_func(&mut store, "flat").unwrap();
    let spilled: TypedFunc<(Spill, Lent), (Vec<u8>,)> =
        instance.get_typed_func(&mut store, "spilled").unwrap();
    for data in LENGTHS.map(bytes) {
        let lent = || Lent(Held::within(&Arc::default(), data.clone()).into());
        let (seen,) = flat.call(&mut store, (7, lent())).unwrap();
        assert!(seen == data, "{} bytes", data.len());
        let (seen,) = spilled.call(&mut store, (Spill::default(), lent())).unwrap();
        assert!(seen == data, "{} bytes", data.len());
    }
}

/// Takes a text, says it to the host, and returns it.
const REPEAT: &str = r#"(component
  (import "say" (func $say (param "text" string)))
  (core module $room
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
  (core instance $room (instantiate $room))
  (alias core export $room "memory" (core memory $memory))
  (alias core export $room "realloc" (core func $realloc))
  (core func $say (canon lower (func $say) (memory $memory) string-encoding=ENCODING))
  (core module $repeat
    (import "" "memory" (memory 1))
    (import "" "say" (func $say (param i32 i32)))
    (func (export "repeat") (param $text i32) (param $len i32) (result i32)
      (call $say (local.get $text) (local.get $len))
      (i32.store (i32.const 8) (local.get $text))
      (i32.store (i32.const 12) (local.get $len))
      (i32.const 8)))
  (core instance $core (instantiate $repeat (with "" (instance
    (export "memory" (memory $memory)) (export "say" (func $say))))))
  (func (export "repeat") (param "text" string) (result string)
    (canon lift (core func $core "repeat") (memory $memory) (realloc $realloc)
      string-encoding=ENCODING)))"#;

/// The text that the guest returns, and what it said about it.
fn repeated<const UNITS_MAX: usize>(encoding: &str, text: &str) -> (String, String) {
    let engine = wasmtime::Engine::default();
    let component = wat::parse_str(REPEAT.replace("ENCODING", encoding)).unwrap();
    let component = Component::new(&engine, component).unwrap();
    let mut linker = Linker::new(&engine);
    let say = |mut cx: wasmtime::StoreContextMut<'_, String>, (said,): (Beginning<UNITS_MAX>,)| {
        *cx.data_mut() = said.0;
        Ok(())
    };
    linker.root().func_wrap("say", say).unwrap();
    let mut store = Store::new(&engine, String::new());
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let repeat: TypedFunc<(&str,), (Beginning<UNITS_MAX>,)> =
        instance.get_typed_func(&mut store, "repeat").unwrap();
    let (Beginning(seen),) = repeat.call(&mut store, (text,)).unwrap();
    (seen, store.into_data())
}

/// The characters at its start that fit.
fn fitting(text: &str, max: usize, units: impl Fn(char) -> usize) -> String {
    let mut left = max;
    let fits = |c: &char| {
        let rest = left.checked_sub(units(*c));
        left = rest.unwrap_or(left);
        rest.is_some()
    };
    text.chars().take_while(fits).collect()
}

#[test]
fn only_the_beginning_of_a_text_is_copied_out_whatever_its_encoding() {
    fn check<const UNITS_MAX: usize>(text: &str) {
        let utf8 = fitting(text, UNITS_MAX, char::len_utf8);
        let utf16 = fitting(text, UNITS_MAX, char::len_utf16);
        let is_latin1 = text.chars().all(|c| u32::from(c) < 256);
        let either = if is_latin1 { fitting(text, UNITS_MAX, |_| 1) } else { utf16.clone() };
        for (encoding, expected) in [("utf8", utf8), ("utf16", utf16), ("latin1+utf16", either)] {
            let seen = repeated::<UNITS_MAX>(encoding, text);
            assert_eq!(seen, (expected.clone(), expected), "{UNITS_MAX} of {text:?} in {encoding}");
        }
    }
    for text in ["", "abc", "na\u{ef}ve", "\u{20ac}5", "a\u{1f600}b\u{1f600}", "\u{1f600}"] {
        check::<1>(text);
        check::<2>(text);
        check::<3>(text);
        check::<6>(text);
        check::<100>(text);
    }
}

/// Promises bytes that cannot be had.
struct Broken {
    calls: AtomicUsize,
}

impl Broken {
    fn new() -> Self {
        Self { calls: AtomicUsize::new(0) }
    }
}

impl ChunkReader for Broken {
    fn len(&self) -> usize {
        100
    }

    fn fill(&mut self, into: &mut [u8]) -> Result<(), Failure> {
        assert_eq!(into.len(), 100);
        self.calls.fetch_add(1, Ordering::Relaxed);
        Err(Failure::new(FailureKind::Changed, "it is gone"))
    }
}

#[test]
fn a_fill_that_fails_is_reported_as_its_failure() {
    let spilled = through_fill("spilled", Spill::default(), &mut Broken::new());
    for (called, filled) in [through_fill("flat", 7u32, &mut Broken::new()), spilled] {
        assert_eq!(called.unwrap_err().to_string(), "the list could not be filled");
        assert_eq!(filled.failure.unwrap().message, "it is gone");
    }
}

#[test]
fn memory_that_is_not_the_guests_is_never_filled() {
    let mut broken = Broken::new();
    let (called, filled) = through_fill("outside", 7u32, &mut broken);
    assert!(called.is_err());
    assert!(filled.failure.is_none());
    assert_eq!(filled.spent, Duration::ZERO);
    assert_eq!(broken.calls.into_inner(), 0);
}

#[test]
fn a_function_with_other_parameters_is_not_taken_for_one_of_bytes() {
    let (mut store, instance) = echo();
    let typed = |store: &mut Store<()>, name| {
        instance.get_typed_func::<(u32, &Incoming<'_>), (Vec<u8>,)>(store, name).is_ok()
    };
    assert!(typed(&mut store, "flat"));
    assert!(!typed(&mut store, "wide"));
}

fn loaded(guest: &Guest, test: impl FnOnce(&Plugin)) {
    let tree = Tree::new();
    let engine = Engine::new().unwrap();
    test(&job::load(&engine, &guest.file(&tree), &[]));
}

const PIECE: Place = Place { index: 0, offset: 0, last: true };

#[test]
fn a_plugin_sees_the_bytes_of_every_push_and_every_merge() {
    loaded(&Guest::default(), |plugin| {
        for data in LENGTHS.map(bytes) {
            let mut instance = plugin.start().unwrap();
            instance.open(Opening::default()).unwrap();
            instance.push(PIECE, &mut &data[..]).unwrap();
            instance.accumulator().unwrap().merge(&data).unwrap();
            instance.push(PIECE, &mut &data[..]).unwrap();
            assert!(
                *instance.accumulator().unwrap().finish().unwrap() == data.repeat(3),
                "{} bytes",
                data.len()
            );
        }
    });
}

#[test]
fn a_plugin_that_could_not_be_filled_fails_with_the_reason() {
    loaded(&Guest::default(), |plugin| {
        let mut instance = plugin.start().unwrap();
        instance.open(Opening::default()).unwrap();
        let failure = instance.push(PIECE, &mut Broken::new()).unwrap_err();
        assert_eq!(failure, Failure::new(FailureKind::Changed, "it is gone"));
    });
}

#[test]
fn what_is_kept_has_no_more_room_than_it_needs() {
    let mut bytes = Vec::with_capacity(1 << 20);
    bytes.extend(b"result");
    let memory = Arc::default();
    let kept = Outgoing(bytes).kept(&memory);
    assert_eq!((&kept[..], kept.capacity()), (&b"result"[..], 6));
    let whole = Outgoing(b"result".to_vec()).kept(&memory);
    assert_eq!(&whole[..], b"result");
}

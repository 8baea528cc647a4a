//! Guests of our own, in the text format: by default one that gives back what it was given, in
//! order; each function of the contract can be given code that runs first.
//!
//! A guest is a core module that carries the contract as type information, as a compiler makes it,
//! or the component that the module is wrapped into.

use std::fmt::Write as _;
use std::path::PathBuf;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::tree::Tree;

/// The contract as it is shipped.
pub(crate) const CONTRACT: &str = include_str!("../../wit/plugin.wit");

/// What a guest says and does. The instructions in each body come before what the echo would do,
/// and have the parameters of the function as locals: `$data` and `$len` of `push` and `merge`,
/// `$name` and `$name_len` of the constructor, `$offset` of `push`.
#[derive(Clone)]
pub(crate) struct Guest {
    pub(crate) framing: &'static str,
    /// Discriminants of the manifest's `scope` and `order`.
    pub(crate) scope: u8,
    pub(crate) order: u8,
    pub(crate) header_records: u32,
    pub(crate) output_type: &'static str,
    pub(crate) describe: &'static str,
    pub(crate) configure: &'static str,
    pub(crate) constructor: &'static str,
    pub(crate) push: &'static str,
    pub(crate) save: &'static str,
    pub(crate) merge: &'static str,
    pub(crate) finish: &'static str,
    /// Comes before the guest allocates room for what it is given.
    pub(crate) realloc: &'static str,
    /// Texts in its memory: `("hello", "…")` is at `$hello`, `$hello_len` bytes long.
    pub(crate) texts: &'static [(&'static str, &'static str)],
    /// Further imports of the module.
    pub(crate) imports: &'static str,
    /// Further items of the module.
    pub(crate) items: &'static str,
    /// Pages of memory that it starts with.
    pub(crate) pages: u32,
    /// The contract that it is built for.
    pub(crate) contract: String,
    /// Version of that contract.
    pub(crate) version: &'static str,
    /// `aggregator` or `transformer`. A transformer has what it was given in `$seen`, too, and
    /// gives that back chunk by chunk.
    pub(crate) world: &'static str,
}

impl Default for Guest {
    fn default() -> Self {
        Self {
            framing: "lines",
            scope: 0,
            order: 0,
            header_records: 0,
            output_type: "text/plain",
            describe: "",
            configure: "",
            constructor: "",
            push: "",
            save: "",
            merge: "",
            finish: "",
            realloc: "",
            texts: &[],
            imports: "",
            items: "",
            pages: 2,
            contract: CONTRACT.to_string(),
            version: "0.1.0",
            world: "aggregator",
        }
    }
}

impl Guest {
    /// One that says that the data is invalid at a `!`, wherever it is in the chunk.
    pub(crate) fn picky() -> Self {
        let push = "(block $none (loop $next
            (br_if $none (i32.ge_u (local.get $at) (local.get $len)))
            (if (i32.eq (i32.load8_u (i32.add (local.get $data) (local.get $at))) (i32.const 33))
              (then (return (call $invalid (i64.extend_i32_u (local.get $at))
                (global.get $reason) (global.get $reason_len)))))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br $next)))";
        Self { push, texts: &[("reason", "no such month")], ..Self::default() }
    }

    /// A core module with type information.
    pub(crate) fn module(&self) -> Vec<u8> {
        let mut module = self.bare_module();
        let mut resolve = Resolve::default();
        let package = resolve.push_str("plugin.wit", &self.contract).unwrap();
        let world = resolve.select_world(&[package], Some(self.world)).unwrap();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        module
    }

    /// The component that the module is wrapped into.
    pub(crate) fn component(&self) -> Vec<u8> {
        let mut encoder =
            ComponentEncoder::default().validate(true).module(&self.module()).unwrap();
        encoder.encode().unwrap()
    }

    /// A core module without type information.
    pub(crate) fn bare_module(&self) -> Vec<u8> {
        let text = self.text();
        wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    /// Writes the module to `guest.wasm` in `tree`.
    pub(crate) fn file(&self, tree: &Tree) -> PathBuf {
        tree.file("guest.wasm", self.module())
    }

    fn text(&self) -> String {
        let Self { version, items, imports, pages, .. } = self;
        let Self { describe, configure, constructor, push, finish, .. } = self;
        let data = self.data();
        let support = SUPPORT.replace("REALLOC", self.realloc);
        let lifecycle = format!("gristmill:plugin/lifecycle@{version}");
        let (interface, resource) = match self.world {
            "transformer" => ("transform", "transformer"),
            _ => ("aggregate", "accumulator"),
        };
        let interface = format!("gristmill:plugin/{interface}@{version}");
        let method = format!("{interface}#[method]{resource}");
        let (pushed, rest) = match self.world {
            "transformer" => ("(call $bytes (local.get $data) (local.get $len))", String::new()),
            _ => ("(call $ok)", self.states(&method)),
        };
        let finished = match self.world {
            "transformer" => "(call $bytes (i32.const 0) (i32.const 0))",
            _ => "(call $bytes (global.get $seen) (global.get $seen_len))",
        };
        format!(
            r#"(module
  (import "gristmill:plugin/host@{version}" "log" (func $log (param i32 i32 i32)))
  (import "gristmill:plugin/host@{version}" "count" (func $count (param i32 i32 i64)))
  (import "gristmill:plugin/host@{version}" "reject" (func $reject (param i64 i32 i32 i32 i32)))
  (import "[export]{interface}" "[resource-new]{resource}" (func $new (param i32) (result i32)))
  {imports}
  (memory (export "memory") {pages})
  (global $heap (mut i32) (i32.const 65536))
  (global $seen (mut i32) (i32.const 0))
  (global $seen_len (mut i32) (i32.const 0))
  {data}
  {support}
  {items}
  (func (export "{lifecycle}#describe") (result i32) (local $at i32) {describe} (i32.const {MANIFEST_AT}))
  (func (export "{lifecycle}#configure") (param $settings i32) (param $count i32) (result i32)
    {configure} (call $ok))
  (func (export "{interface}#[constructor]{resource}")
    (param $name i32) (param $name_len i32) (param $header i32) (param $header_len i32)
    (param $properties i32) (param $properties_len i32) (result i32)
    (global.set $seen_len (i32.const 0)) {constructor} (call $new (i32.const 1)))
  (func (export "{method}.push")
    (param $self i32) (param $index i64) (param $offset i64) (param $last i32)
    (param $data i32) (param $len i32) (result i32) (local $at i32)
    {push} (call $append (local.get $data) (local.get $len)) {pushed})
  {rest}
  (func (export "{method}.finish") (param $self i32) (result i32) {finish} {finished}))"#
        )
    }

    /// What only an aggregator has.
    fn states(&self, method: &str) -> String {
        let Self { save, merge, .. } = self;
        format!(
            r#"(func (export "{method}.save") (param $self i32) (result i32)
    {save} (call $bytes (global.get $seen) (global.get $seen_len)))
  (func (export "{method}.merge")
    (param $self i32) (param $data i32) (param $len i32) (result i32)
    {merge} (call $append (local.get $data) (local.get $len)) (call $ok))"#
        )
    }

    /// The manifest and the texts, where they are in memory.
    fn data(&self) -> String {
        let mut wat = String::new();
        let mut at = TEXTS_AT;
        let mut place = |wat: &mut String, text: &str| {
            let placed = (at, u32::try_from(text.len()).unwrap());
            writeln!(wat, "(data (i32.const {at}) \"{}\")", escaped(text.as_bytes())).unwrap();
            at += placed.1;
            placed
        };
        for (name, text) in self.texts {
            let (text_at, length) = place(&mut wat, text);
            writeln!(wat, "(global ${name} i32 (i32.const {text_at}))").unwrap();
            writeln!(wat, "(global ${name}_len i32 (i32.const {length}))").unwrap();
        }
        let mut manifest = Vec::new();
        let mut push = |(text_at, length): (u32, u32)| {
            manifest.extend(text_at.to_le_bytes());
            manifest.extend(length.to_le_bytes());
        };
        for text in ["guest", "1.0.0", "A guest of the tests.", self.framing] {
            push(place(&mut wat, text));
        }
        push((u32::from_le_bytes([self.scope, self.order, 0, 0]), self.header_records));
        push(place(&mut wat, self.output_type));
        push((0, 0)); // settings
        push((0, 0)); // properties
        writeln!(wat, "(data (i32.const {MANIFEST_AT}) \"{}\")", escaped(&manifest)).unwrap();
        wat
    }
}

/// One guest for each function that is called for a source, by how the host calls that function.
/// There it does its worst, at a source whose name is three bytes long and whose first byte is `!`.
pub(crate) fn crashing(crash: &'static str) -> Vec<(&'static str, Guest)> {
    let guest = |place: fn(&mut Guest) -> &mut &'static str, condition: &str| {
        let mut guest = Guest::default();
        let body = format!("(if {condition} (then {crash}))");
        *place(&mut guest) = Box::leak(body.into_boxed_str());
        guest
    };
    let named = "(i32.eq (local.get $name_len) (i32.const 3))";
    vec![
        ("its constructor", guest(|guest| &mut guest.constructor, named)),
        (
            "push",
            guest(|guest| &mut guest.push, "(call $marked (local.get $data) (local.get $len))"),
        ),
        ("save", guest(|guest| &mut guest.save, "(call $seen_marked)")),
        ("finish", guest(|guest| &mut guest.finish, "(call $seen_marked)")),
    ]
}

const MANIFEST_AT: u32 = 512;
const TEXTS_AT: u32 = 4096;

/// Results are laid out as the canonical ABI has `result<list<u8>, error>`: the payload is aligned
/// to 8.
const SUPPORT: &str = "
  (func $realloc (export \"cabi_realloc\")
    (param $old i32) (param $old_len i32) (param $align i32) (param $len i32) (result i32)
    (local $at i32) (local $end i32) (local $pages i32)
    REALLOC
    (local.set $at (i32.and
      (i32.sub (i32.add (global.get $heap) (local.get $align)) (i32.const 1))
      (i32.sub (i32.const 0) (local.get $align))))
    (local.set $end (i32.add (local.get $at) (local.get $len)))
    (local.set $pages (i32.sub
      (i32.shr_u (i32.add (local.get $end) (i32.const 65535)) (i32.const 16)) (memory.size)))
    (if (i32.gt_s (local.get $pages) (i32.const 0)) (then
      (if (i32.eq (memory.grow (local.get $pages)) (i32.const -1)) (then unreachable))))
    (memory.copy (local.get $at) (local.get $old) (local.get $old_len))
    (global.set $heap (local.get $end))
    (local.get $at))
  (func $append (param $data i32) (param $len i32) (local $at i32)
    (if (i32.ne (i32.add (global.get $seen) (global.get $seen_len)) (local.get $data)) (then
      (local.set $at (call $realloc (global.get $seen) (global.get $seen_len) (i32.const 1)
        (i32.add (global.get $seen_len) (local.get $len))))
      (memory.copy (i32.add (local.get $at) (global.get $seen_len)) (local.get $data) (local.get $len))
      (global.set $seen (local.get $at))))
    (global.set $seen_len (i32.add (global.get $seen_len) (local.get $len))))
  (func $marked (param $data i32) (param $len i32) (result i32)
    (if (result i32) (local.get $len)
      (then (i32.eq (i32.load8_u (local.get $data)) (i32.const 33))) (else (i32.const 0))))
  (func $seen_marked (result i32) (call $marked (global.get $seen) (global.get $seen_len)))
  (func $ok (result i32) (i32.store8 (i32.const 1024) (i32.const 0)) (i32.const 1024))
  (func $bytes (param $data i32) (param $len i32) (result i32)
    (i32.store8 (i32.const 1024) (i32.const 0))
    (i32.store (i32.const 1032) (local.get $data))
    (i32.store (i32.const 1036) (local.get $len))
    (i32.const 1024))
  (func $invalid (param $offset i64) (param $text i32) (param $len i32) (result i32)
    (i32.store8 (i32.const 1024) (i32.const 1))
    (i32.store8 (i32.const 1032) (i32.const 0))
    (i64.store (i32.const 1040) (local.get $offset))
    (i32.store (i32.const 1048) (local.get $text))
    (i32.store (i32.const 1052) (local.get $len))
    (i32.const 1024))
  (func $fatal (param $text i32) (param $len i32) (result i32)
    (i32.store8 (i32.const 1024) (i32.const 1))
    (i32.store8 (i32.const 1032) (i32.const 1))
    (i32.store (i32.const 1040) (local.get $text))
    (i32.store (i32.const 1044) (local.get $len))
    (i32.const 1024))";

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "\\{byte:02x}").unwrap();
        text
    })
}

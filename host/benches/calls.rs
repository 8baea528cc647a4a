//! What the boundary costs: a call, a chunk, an instance, a load; beside the same counting without
//! a boundary.
//!
//! `cargo bench --workspace --bench calls`, after `cargo xtask plugins`. Wasm runs `wordcount`;
//! native is the plugin's own kernel, called directly on the same bytes.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench may stop, as a test may"
)]

use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gristmill::input::{Access, Input, Opener};
use gristmill::plugin::{Cache, Engine, Options, Plugin};
use gristmill::process::{ChunkReader, Failure, Instance, Opening, Place, Processor};
use gristmill::source::{Source, Way};

/// Bytes of a chunk.
const CHUNK: usize = 256 << 10;

/// A chunk of a file, read into the sandbox.
struct FromFile<'a>(&'a Input);

impl ChunkReader for FromFile<'_> {
    fn len(&self) -> usize {
        CHUNK
    }

    fn fill(&mut self, into: &mut [u8]) -> Result<(), Failure> {
        Ok(self.0.read_at(into, 0)?)
    }
}

fn wordcount() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    target.join("plugins/wordcount.wasm")
}

fn load(engine: &Engine, cache: Option<&Cache>) -> Plugin {
    let options = Options { settings: Vec::new(), ..Options::default() };
    match Plugin::load(engine, &wordcount(), options, cache) {
        Ok(plugin) => plugin,
        Err(error) => panic!("{error}: run `cargo xtask plugins` first"),
    }
}

fn text() -> Vec<u8> {
    let line = b"the quick brown fox jumps over the lazy dog, and\tso on\n";
    line.iter().copied().cycle().take(CHUNK).collect()
}

fn push(instance: &mut dyn Instance, fill: &mut dyn ChunkReader) {
    let place = Place { index: 0, offset: 0, last: false };
    instance.push(place, fill).expect("wordcount takes any bytes");
}

fn chunks(criterion: &mut Criterion) {
    let engine = Engine::new().expect("the engine runs here");
    let plugin = load(&engine, None);
    let mut instance = plugin.start().expect("wordcount starts");
    instance.open(Opening::default()).expect("wordcount opens");
    let text = text();
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(&text).expect("room for it");
    let source = Source { path: file.path().into(), listed: Ok(None), way: Way::File };
    let input = Input::open(&mut Opener::default(), &source, &Access::default()).expect("it opens");

    let mut group = criterion.benchmark_group("chunk of 256 KiB");
    group.throughput(Throughput::Bytes(CHUNK as u64));
    let mut buffer = vec![0; CHUNK];
    group.bench_function("native, read", |bench| {
        bench.iter(|| {
            input.read_at(&mut buffer, 0).expect("it reads");
            wordcount::count(black_box(&buffer))
        });
    });
    group.bench_function("sandbox, read into it", |bench| {
        bench.iter(|| push(&mut *instance, &mut FromFile(&input)));
    });
    group.bench_function("native, in memory", |bench| {
        bench.iter(|| wordcount::count(black_box(&text)));
    });
    group.bench_function("sandbox, copied in", |bench| {
        bench.iter(|| push(&mut *instance, &mut text.as_slice()));
    });
    group.finish();

    criterion.bench_function("call with 16 bytes", |bench| {
        bench.iter(|| push(&mut *instance, &mut &text[..16]));
    });
}

fn lives(criterion: &mut Criterion) {
    let engine = Engine::new().expect("the engine runs here");
    let plugin = load(&engine, None);
    criterion.bench_function("instance, described and configured", |bench| {
        bench.iter(|| plugin.start().expect("wordcount starts").spent());
    });
    let dir = tempfile::tempdir().expect("a temporary directory");
    let cache = Cache::open(&dir.path().join("code")).expect("a cache");
    load(&engine, Some(&cache));
    criterion.bench_function("plugin, from the cache", |bench| {
        bench.iter(|| load(&engine, Some(&cache)).manifest().header_records);
    });
}

criterion_group!(benches, chunks, lives);
criterion_main!(benches);

//! A short search on stable Rust: each target over mutations of its seeds, the same in each run.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

use std::fs;
use std::path::Path;

use gristmill_fuzz::TARGETS;

/// Mutations of each target.
const CASES: u64 = 3000;

/// splitmix64, as Steele, Lea and Flood give it.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % bound.max(1)
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len());
        let end = (at + 1 + self.below(24)).min(bytes.len());
        match self.below(6) {
            _ if bytes.is_empty() => bytes.push(b'0'),
            0 | 1 => bytes[at] ^= 1 << self.below(8),
            2 => bytes[at] = [0, 0xff, b'\n', b'"', b'9', 0x80][self.below(6)],
            3 => bytes.truncate(at),
            4 => drop(bytes.drain(at..end)),
            _ => {
                let part = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, part));
            }
        }
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let mut paths: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn each_target_survives_mutations_of_its_seeds() {
    std::thread::scope(|scope| {
        for (name, target) in TARGETS {
            let search = move || {
                let seeds = seeds(name);
                assert!(!seeds.is_empty(), "{name}");
                for (at, seed) in seeds.iter().enumerate() {
                    assert!(target(seed), "seed {at} of {name} is refused");
                }
                for case in 0..CASES {
                    let mut random = Random(case);
                    let mut bytes = seeds[random.below(seeds.len())].clone();
                    for _ in 0..=random.below(4) {
                        random.mutate(&mut bytes);
                    }
                    target(&bytes);
                }
            };
            std::thread::Builder::new().name(name.into()).spawn_scoped(scope, search).unwrap();
        }
    });
}

//! Good plugins with a bit flipped, or cut: refused, or run to an end. Nothing panics, nothing
//! hangs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use gristmill::output::Format;
use gristmill::plugin::{Options, Plugin};
use gristmill::settings::{Run, Sandbox};

use super::attack::{FILES, engine, neighbour};
use crate::support::guest::Guest;
use crate::support::job::{self, Task};
use crate::support::tree::Tree;

const MUTANTS: usize = 2000;

/// Numbers of splitmix64 (Steele, Lea, Flood, 2014): the same in each run.
fn random(seed: &mut u64) -> usize {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((mixed ^ (mixed >> 31)) >> 1).unwrap()
}

/// One to three flipped bits, and now and then a cut, or bytes of one place at another.
fn mutant(whole: &[u8], seed: u64) -> Vec<u8> {
    let mut seed = seed;
    let mut bytes = whole.to_vec();
    for _ in 0..=random(&mut seed) % 3 {
        let at = random(&mut seed) % bytes.len();
        bytes[at] ^= 1 << (random(&mut seed) % 8);
    }
    match random(&mut seed) % 8 {
        0 => bytes.truncate(8 + random(&mut seed) % (bytes.len() - 8)),
        1 => {
            let length = random(&mut seed) % 64;
            let (from, to) = (
                random(&mut seed) % (bytes.len() - length),
                random(&mut seed) % (bytes.len() - length),
            );
            bytes.copy_within(from..from + length, to);
        }
        _ => {}
    }
    bytes
}

/// What became of one.
enum Became {
    Refused,
    Ran,
}

fn runs(bytes: &[u8]) -> Became {
    let tree = Tree::with(&FILES);
    let path = tree.file("guest.wasm", bytes);
    let sandbox =
        Sandbox { memory_bytes: 8 << 20, timeout: Duration::from_millis(20), ..Sandbox::default() };
    let options = Options { sandbox, ..Options::default() };
    let Ok(plugin) = Plugin::load(engine(), &path, options, None) else { return Became::Refused };
    let task = Task { processor: &plugin, framing: "lines", format: Format::Jsonl };
    let ran = job::run(task, &FILES.map(|(name, _)| tree.path().join(name)), &Run::default());
    // Where a second instance does not start, the job ends, and says why.
    if let Err(error) = ran.ended {
        assert!(!error.to_string().is_empty());
        return Became::Ran;
    }
    let message = ran.failures.len() as u64;
    assert!(ran.done == 3 || message > 0, "{} of 3 sources ended, {message} failed", ran.done);
    Became::Ran
}

#[test]
fn two_thousand_damaged_plugins() {
    let guests = [
        Guest::default().module(),
        Guest::default().component(),
        Guest { world: "transformer", ..Guest::default() }.module(),
        Guest { world: "transformer", ..Guest::default() }.component(),
    ];
    let (next, ran) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= MUTANTS {
                        break;
                    }
                    if let Became::Ran = runs(&mutant(&guests[at % guests.len()], at as u64)) {
                        ran.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    neighbour().assert_exact();
    // Some run, as a flipped bit of a text or a constant is no damage that can be seen.
    let ran = ran.into_inner();
    assert!((100..MUTANTS - 100).contains(&ran), "{ran} of {MUTANTS} ran");
}

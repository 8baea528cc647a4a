//! The branches that wordcount has in a sandbox, which no test of its own crate can run, against a
//! plain loop: every byte at every place of a turn, white space or not before it, and counters that
//! are full.

use gristmill::plugin::{Engine, Plugin};
use gristmill::process::{Instance, Opening, Place, Processor};

use crate::support::job::load;
use crate::support::plugins::plugin;

/// Two turns of 64 bytes and the beginning of a third.
const LENGTH: usize = 2 * 64 + 17;

fn wordcount() -> Plugin {
    load(&Engine::new().unwrap(), &plugin("wordcount"), &[])
}

/// What the plugin says, of all of `data` in one chunk.
fn counted(instance: &mut dyn Instance, data: &[u8]) -> String {
    instance.open(Opening::default()).unwrap();
    let place = Place { index: 0, offset: 0, last: true };
    instance.push(place, &mut &data[..]).unwrap();
    String::from_utf8(instance.accumulator().unwrap().finish().unwrap().to_vec()).unwrap()
}

/// White space is what Python's `bytes.split` takes for it.
fn expected(data: &[u8]) -> String {
    let lines = data.split(|&byte| byte == b'\n').count() - 1;
    let is_space = |byte: &u8| b"\t\n\x0b\x0c\r ".contains(byte);
    let words = data.split(is_space).filter(|word| !word.is_empty()).count();
    format!(r#"{{"lines":{lines},"words":{words},"bytes":{}}}"#, data.len())
}

#[test]
fn every_byte_counts_as_what_it_is_at_every_place() {
    let plugin = wordcount();
    let mut instance = plugin.start().unwrap();
    // With its lower half, each of them names a place of the table of white space.
    for background in [b'x', b' ', b'\n', 0] {
        for byte in 0..=u8::MAX {
            let mut data = vec![background; LENGTH];
            for at in 0..LENGTH {
                data[at] = byte;
                let counted = counted(&mut *instance, &data);
                assert_eq!(counted, expected(&data), "{byte} in {background} at {at}");
                data[at] = background;
            }
        }
    }
}

#[test]
fn every_pair_of_bytes_counts_across_every_edge() {
    let plugin = wordcount();
    let mut instance = plugin.start().unwrap();
    // Between branches, between turns, and before the rest.
    for edge in [16, 64, 128] {
        let mut data = vec![b'x'; LENGTH];
        for before in 0..=u8::MAX {
            for after in 0..=u8::MAX {
                data[edge - 1..=edge].copy_from_slice(&[before, after]);
                let counted = counted(&mut *instance, &data);
                assert_eq!(counted, expected(&data), "{before} {after} at {edge}");
            }
        }
    }
}

/// Counters of a byte each are emptied after 63 turns.
#[test]
fn counters_do_not_overflow() {
    let plugin = wordcount();
    let mut instance = plugin.start().unwrap();
    for turns in [1, 62, 63, 64, 126, 127, 1000] {
        for length in [turns * 64 - 1, turns * 64, turns * 64 + 1] {
            for pattern in [&b"\n"[..], b"a", b"a ", b" a", b"\na", b"ab\n"] {
                let data: Vec<u8> = pattern.iter().copied().cycle().take(length).collect();
                let counted = counted(&mut *instance, &data);
                assert_eq!(counted, expected(&data), "{length} bytes of {pattern:?}");
            }
        }
    }
}

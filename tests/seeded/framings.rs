//! The framing that a manifest names.

use gristmill::input::Framing;

use super::MIB;
use crate::support::search::Search;

const WORDS: [&str; 9] = [
    "bytes",
    "lines",
    "csv",
    "delimited:0x1e",
    "delimited:0x0a",
    "fixed:80",
    "prefixed:u32be",
    "prefixed:u32le",
    "whole",
];

#[test]
fn a_framing_that_is_read_is_written_as_one_that_is_the_same() {
    let search = Search {
        module: module_path!(),
        test: "a_framing_that_is_read_is_written_as_one_that_is_the_same",
        cases: 5000,
        memory_bytes_max: 16 * MIB,
    };
    search.run(|random| {
        let mut word = random.pick(&WORDS).as_bytes().to_vec();
        let whole = 0..word.len();
        random.damage(&mut word, whole);
        let word = String::from_utf8_lossy(&word);
        let settings = [("delimiter".to_string(), word.clone().into_owned())];
        match word.parse::<Framing>() {
            Ok(framing) => {
                assert_eq!(framing.to_string().parse(), Ok(framing), "{word}");
                if let Framing::Fixed(bytes) = framing {
                    assert!(bytes > 0, "records of no bytes have no end");
                }
                let _configured = framing.configured(&settings);
            }
            Err(error) => assert!(error.to_string().contains(&*word), "{error}"),
        }
        let _configured = "csv".parse::<Framing>().unwrap().configured(&settings);
    });
}

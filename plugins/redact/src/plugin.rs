//! The plugin: what is looked for, and what is put in its place.

use std::ops::Range;

use gristmill_sdk::{
    Chunk, Error, Framing, Kept, Manifest, Settings, Source, Transformer, count, manifest, records,
    reject,
};
use simdutf8::{basic, compat};

use crate::find::{Found, find};
use crate::scan::Kinds;

/// The plugin, with the settings of a run.
#[derive(Clone, Debug)]
pub struct Redact {
    kinds: Kinds,
    mask: Mask,
}

#[derive(Clone, Debug)]
enum Mask {
    /// A star for each byte.
    Stars,
    /// This, once for each place.
    Text(String),
}

impl Transformer for Redact {
    type State = ();

    fn manifest() -> Manifest {
        manifest!()
            .framing(Framing::Lines)
            .setting(
                "kinds",
                "email,card,ip",
                "What is masked: of email, card and ip, with commas.",
            )
            .setting("mask", "*", "What is put there: * for a star each byte, or a text.")
    }

    fn configure(settings: &Settings) -> Result<Self, Error> {
        let mask: String = settings.parse("mask")?;
        if mask.contains('\n') {
            return Err(Error::fatal(
                "setting `mask` cannot hold a line feed: it would make lines",
            ));
        }
        let mask = if mask == "*" { Mask::Stars } else { Mask::Text(mask) };
        Ok(Self { kinds: kinds(&settings.parse::<String>("kinds")?)?, mask })
    }

    fn open(&self, _: Source) {}

    fn push(&self, (): &mut (), _: Chunk, data: Vec<u8>) -> Result<Vec<u8>, Error> {
        let text = without_bad_lines(data);
        let found = find(&text, self.kinds);
        tell(&found);
        Ok(match &self.mask {
            _ if found.places.is_empty() => text,
            Mask::Stars => starred(text, &found.places),
            Mask::Text(mask) => replaced(&text, &found.places, mask.as_bytes()),
        })
    }
}

fn kinds(names: &str) -> Result<Kinds, Error> {
    let mut kinds = Kinds::default();
    for name in names.split(',') {
        match name.trim() {
            "email" => kinds.email = true,
            "card" => kinds.card = true,
            "ip" => kinds.ip = true,
            other => {
                return Err(Error::fatal(format_args!(
                    "setting `kinds` cannot be `{names}`: `{other}` is none of email, card, ip"
                )));
            }
        }
    }
    Ok(kinds)
}

/// Leaves out, and sets aside, the lines that are not UTF-8. A sequence that is cut short by a line feed is bad on its own,
/// so text without a bad sequence is text without a bad line.
fn without_bad_lines(data: Vec<u8>) -> Vec<u8> {
    if basic::from_utf8(&data).is_ok() {
        return data;
    }
    let mut good = Vec::new();
    let mut next = 0;
    for line in records::lines_with_end(&data) {
        let place = next..next + line.len();
        next = place.end;
        match compat::from_utf8(line) {
            Ok(_) => good.push(place),
            Err(error) => {
                let reason = format!("is not UTF-8 at byte {} of the line", error.valid_up_to());
                reject(place.start as u64, &reason, line.strip_suffix(b"\n").unwrap_or(line));
            }
        }
    }
    let mut kept = Kept::of(data);
    for line in good {
        kept.keep(line);
    }
    kept.into_output()
}

/// Adds to the counters of the run.
fn tell(found: &Found) {
    for (counter, by) in [("emails", found.emails), ("cards", found.cards), ("ips", found.ips)] {
        if by > 0 {
            count(counter, by);
        }
    }
}

fn starred(mut text: Vec<u8>, places: &[Range<usize>]) -> Vec<u8> {
    for place in places {
        if let Some(found) = text.get_mut(place.clone()) {
            found.fill(b'*');
        }
    }
    text
}

fn replaced(text: &[u8], places: &[Range<usize>], mask: &[u8]) -> Vec<u8> {
    let dropped: usize = places.iter().map(Range::len).sum();
    let mut output = Vec::with_capacity(text.len() - dropped + places.len() * mask.len());
    let mut next = 0;
    for place in places {
        output.extend_from_slice(text.get(next..place.start).unwrap_or_default());
        output.extend_from_slice(mask);
        next = place.end;
    }
    output.extend_from_slice(text.get(next..).unwrap_or_default());
    output
}

#[cfg(test)]
mod tests {
    use gristmill_sdk::testing;
    use proptest::prelude::*;

    use super::*;

    fn redacted(given: &[(&str, &str)], text: &[u8]) -> String {
        let output = testing::transform_every_cut::<Redact>(given, text);
        String::from_utf8(output.unwrap()).unwrap()
    }

    fn refused(given: &[(&str, &str)]) -> String {
        testing::transform::<Redact>(given, &[]).unwrap_err().to_string()
    }

    const TEXT: &str = "from 192.0.2.1 by a@b.org\n4111 1111 1111 1111, ::1\nnothing";

    #[test]
    fn stars_keep_the_columns() {
        assert_eq!(
            redacted(&[], TEXT.as_bytes()),
            "from ********* by *******\n*******************, ***\nnothing"
        );
        let counts = testing::recorded().counts;
        let counts: Vec<_> = counts.iter().map(|(name, by)| (name.as_str(), *by)).collect();
        assert_eq!(counts, [("cards", 1), ("emails", 1), ("ips", 2)]);
    }

    #[test]
    fn a_text_stands_for_each_place() {
        assert_eq!(
            redacted(&[("mask", "[out]")], TEXT.as_bytes()),
            "from [out] by [out]\n[out], [out]\nnothing"
        );
        assert_eq!(redacted(&[("mask", "")], TEXT.as_bytes()), "from  by \n, \nnothing");
        assert!(refused(&[("mask", "a\nb")]).contains("line feed"));
    }

    #[test]
    fn kinds_are_a_setting() {
        let of = |kinds| redacted(&[("kinds", kinds), ("mask", "X")], TEXT.as_bytes());
        assert_eq!(of("email"), "from 192.0.2.1 by X\n4111 1111 1111 1111, ::1\nnothing");
        assert_eq!(of("card"), "from 192.0.2.1 by a@b.org\nX, ::1\nnothing");
        assert_eq!(of("ip, email"), "from X by X\n4111 1111 1111 1111, X\nnothing");
        let error = refused(&[("kinds", "email,name")]);
        assert_eq!(
            error,
            "setting `kinds` cannot be `email,name`: `name` is none of email, card, ip"
        );
        assert!(refused(&[("kinds", "")]).contains("`` is none of"));
    }

    #[test]
    fn lines_that_are_not_utf_8_are_set_aside() {
        let text = b"a@b.org\n\xff a@b.org\n\nok \xc3\n\xa4 x\nc@d.org";
        assert_eq!(redacted(&[("mask", "X")], text), "X\n\nX");
        let rejects = testing::recorded().rejects;
        let told: Vec<_> = rejects.iter().map(|r| (r.offset, &*r.reason, &*r.data)).collect();
        assert_eq!(
            told,
            [
                (8, "is not UTF-8 at byte 0 of the line", &b"\xff a@b.org"[..]),
                (19, "is not UTF-8 at byte 3 of the line", b"ok \xc3"),
                (24, "is not UTF-8 at byte 0 of the line", b"\xa4 x"),
            ]
        );
    }

    #[test]
    fn a_chunk_without_a_match_is_given_back() {
        let data = b"12:34:56 level=info v1.2.3 0.5 2024-01-02 a@b\n".to_vec();
        let memory = data.as_ptr();
        let plugin =
            Redact { kinds: kinds("email,card,ip").unwrap(), mask: Mask::Text("X".into()) };
        let chunk = Chunk { index: 0, offset: 0, last: true };
        let output = plugin.push(&mut (), chunk, data.clone());
        assert_eq!(output, Ok(data.clone()));
        let output = plugin.push(&mut (), chunk, data).unwrap();
        assert_eq!(output.as_ptr(), memory);
    }

    proptest! {
        #[test]
        fn what_is_masked_is_not_found_again(
            text in "(([a-f]@[a-f]\\.com|4111 1111 1111 1111|10\\.0\\.[0-9]{1,3}\\.1|fe80::[0-9a-f]|[:.@0-9a]{0,9})[,\n]){0,30}",
        ) {
            let once = testing::transform::<Redact>(&[], &[text.as_bytes()]).unwrap();
            testing::recorded();
            let twice = testing::transform::<Redact>(&[], &[&once]).unwrap();
            prop_assert_eq!(String::from_utf8_lossy(&once), String::from_utf8_lossy(&twice));
        }
    }
}

//! A plugin that means harm, written as others are: it gives back what it was given, in order,
//! until it meets a source whose first byte is `!` and whose name ends with a `d`. There, in the
//! call that `at` names, it does what `attack` names.
//!
//! What a few instructions show as well is in the text format, in `tests/hostile/`; here is what
//! takes an allocator, collections, panics and formatted text.

#![allow(
    unsafe_code,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unnecessary_wraps,
    reason = "what a plugin that means harm has no reason to avoid"
)]

mod burn;
mod hoard;
mod shout;
mod spy;

use gristmill_sdk::{
    Aggregator, Chunk, Error, Framing, Manifest, Settings, Source, State, manifest,
};

/// What it does, and adds to its result where that comes to an end.
type Harm = fn() -> Result<Vec<u8>, Error>;

const HARMS: [(&str, Harm); 21] = [
    ("leak", hoard::leak),
    ("leak-a-little", hoard::leak_a_little),
    ("allocate", hoard::allocate),
    ("collide", burn::collide),
    ("backtrack", burn::backtrack),
    ("sort", burn::sort),
    ("recurse", burn::recurse),
    ("recurse-with-arrays", burn::recurse_with_arrays),
    ("nest", burn::nest),
    ("log-half-a-character", shout::log_half_a_character),
    ("log-long-lines", shout::log_long_lines),
    ("reject", shout::reject),
    ("count", shout::count),
    ("escapes", shout::escapes),
    ("panic", shout::panic),
    ("panic-without-text", shout::panic_without_text),
    ("abort", shout::abort),
    ("exit", shout::exit),
    ("misplace", shout::misplace),
    ("recall", spy::recall),
    ("search", spy::search),
];

/// The plugin.
pub struct Vandal {
    at: String,
    harm: Harm,
}

/// What was seen, and what is to be done when that is saved.
pub struct Seen {
    bytes: Vec<u8>,
    on_save: Option<Harm>,
}

impl Seen {
    fn is_marked(&self) -> bool {
        self.bytes.first() == Some(&b'!')
    }
}

impl Vandal {
    fn harm_at(&self, at: &str) -> Option<Harm> {
        (self.at == at).then_some(self.harm)
    }
}

fn harm(name: &str) -> Result<Harm, Error> {
    let known = HARMS.iter().find(|(known, _)| *known == name);
    known.map(|(_, harm)| *harm).ok_or_else(|| Error::fatal(format_args!("no attack `{name}`")))
}

impl Aggregator for Vandal {
    type State = Seen;

    fn manifest() -> Manifest {
        manifest!()
            .framing(Framing::Lines)
            .output_type("text/plain")
            .required_setting("attack", "what it does")
            .required_setting(
                "at",
                "in which call: configure, open, each-open, push, each-push, save, merge or finish",
            )
    }

    fn configure(settings: &Settings) -> Result<Self, Error> {
        let text = |key| settings.get(key).unwrap_or_default();
        let vandal = Self { at: text("at").to_string(), harm: harm(text("attack"))? };
        if let Some(harm) = vandal.harm_at("configure") {
            harm()?;
        }
        Ok(vandal)
    }

    fn open(&self, source: Source) -> Seen {
        let mut bytes = Vec::new();
        let harms = [
            self.harm_at("open").filter(|_| source.name.ends_with('d')),
            self.harm_at("each-open").filter(|_| !source.is_total()),
        ];
        for harm in harms.into_iter().flatten() {
            bytes.extend(harm().unwrap_or_default());
        }
        Seen { bytes, on_save: self.harm_at("save") }
    }

    fn push(&self, seen: &mut Seen, _: Chunk, data: &[u8]) -> Result<(), Error> {
        let harm = self.harm_at("push").filter(|_| data.first() == Some(&b'!'));
        if let Some(harm) = harm.or(self.harm_at("each-push")) {
            seen.bytes.extend(harm()?);
        }
        seen.bytes.extend_from_slice(data);
        spy::remember(data);
        Ok(())
    }

    fn merge(&self, seen: &mut Seen, next: Seen) -> Result<(), Error> {
        if let Some(harm) = self.harm_at("merge").filter(|_| next.is_marked()) {
            seen.bytes.extend(harm()?);
        }
        seen.bytes.extend(next.bytes);
        Ok(())
    }

    fn finish(&self, mut seen: Seen) -> Result<Vec<u8>, Error> {
        if let Some(harm) = self.harm_at("finish").filter(|_| seen.is_marked()) {
            seen.bytes.extend(harm()?);
        }
        Ok(seen.bytes)
    }
}

impl State for Seen {
    fn save(&self) -> Result<Vec<u8>, Error> {
        if let Some(harm) = self.on_save.filter(|_| self.is_marked()) {
            harm()?;
        }
        Ok(self.bytes.clone())
    }

    fn load(saved: &[u8]) -> Result<Self, Error> {
        Ok(Self { bytes: saved.to_vec(), on_save: None })
    }
}

gristmill_sdk::export_aggregator!(Vandal);

//! The settings: what they are called, and what they may be.

use gristmill_sdk::{Error, Manifest, Settings};

use crate::closer::{Lines, Numbers, Places, Search};
use crate::escapes::Escapes;
use crate::expressions::Expressions;
use crate::find::Class;
use crate::mask::Mask;
use crate::scan::{Kinds, Strictness};

const KINDS: &str = "email, card, ip, phone, iban, ssn, token";
const EVERY: &str = "email,card,ip,phone,iban,ssn,token";

/// Adds the settings to a manifest.
pub(crate) fn declare(manifest: Manifest) -> Manifest {
    manifest
        .setting(
            "kinds",
            "email,card,ip",
            "What is masked: of email, card, ip, phone, iban, ssn and token, with commas; or all, or none.",
        )
        .setting("pattern", "", "What is masked besides: a regular expression, several on a line each.")
        .setting("allow", "", "What is left alone if it has a match: a regular expression, or several.")
        .setting(
            "format",
            "auto",
            "auto: looks through escapes of JSON, URLs and HTML. json: lines of JSON. url: URLs and forms. text: as it is.",
        )
        .setting("numbers", "string", "What numbers of JSON become that are masked: string, or keep.")
        .setting("replace", "star", "What is put there: star (or `mask`), label, or hash: a pseudonym by `key`.")
        .setting("mask", "*", "What is put there: * for a star each byte, or a text.")
        .setting("key", "", "The secret that pseudonyms depend on: the same makes the same.")
}

/// What the settings ask for.
pub(crate) fn search(settings: &Settings, mask: &Mask) -> Result<Search, Error> {
    let mut expressions = Expressions::default();
    let mut kinds = kinds(&settings.parse::<String>("kinds")?, &mut expressions)?;
    expressions.add_patterns(&settings.parse::<String>("pattern")?)?;
    expressions.allow(&settings.parse::<String>("allow")?)?;
    if expressions.finds_more() {
        kinds.strictness = Strictness::All;
    }
    let all = Escapes { backslash: true, percent: true, entities: true };
    let url = Escapes { backslash: false, entities: false, ..all };
    let formats = [
        ("auto", (all, Lines::Either)),
        ("json", (all, Lines::Json)),
        ("url", (url, Lines::Text)),
        ("text", (Escapes::default(), Lines::Text)),
    ];
    let (escapes, lines) = settings.choice("format", &formats)?;
    let numbers = [("string", Numbers::String), ("keep", Numbers::Keep)];
    let numbers = settings.choice("numbers", &numbers)?;
    let places = if mask.knows_strings() { Places::InStrings } else { Places::Plain };
    Ok(Search { kinds, expressions, escapes, lines, numbers, places })
}

fn kinds(names: &str, expressions: &mut Expressions) -> Result<Kinds, Error> {
    let mut kinds = Kinds::default();
    let names = match names {
        "none" => return Ok(kinds),
        "all" => EVERY,
        names => names,
    };
    for name in names.split(',') {
        match name.trim() {
            "email" => kinds.email = true,
            "card" => kinds.card = true,
            "ip" => kinds.ip = true,
            "phone" => expressions.add(Class::Phone)?,
            "iban" => expressions.add(Class::Iban)?,
            "ssn" => expressions.add(Class::Ssn)?,
            "token" => expressions.add(Class::Token)?,
            other => {
                return Err(Error::fatal(format_args!(
                    "setting `kinds` cannot be `{names}`: `{other}` is none of {KINDS}, all"
                )));
            }
        }
    }
    Ok(kinds)
}

//! What texts below the front ends may not say.

use proc_macro2::{TokenStream, TokenTree};

/// Settings that messages below the front ends name as no front end may: as flags, or by keys that
/// no spec has. Tests may.
pub(super) fn front_end_words(text: &str) -> Vec<(usize, String)> {
    let code = text.split("\n#[cfg(test)]").next().unwrap();
    let mut found = Vec::new();
    for (literal, line) in literals(code.parse().expect("the file is Rust")) {
        let is_flag = |at: usize| {
            let (before, behind) = (literal[..at].chars().next_back(), literal[at + 2..].chars());
            let starts = behind.clone().next().is_some_and(|c| c.is_ascii_lowercase());
            starts && !before.is_some_and(|c| c == '-' || c.is_alphanumeric())
        };
        if literal.match_indices("--").any(|(at, _)| is_flag(at)) {
            found.push((line, format!("names a flag, which is for cli/ to do: {literal}")));
        }
        for key in gristmill::settings::keys(&literal).filter(|key| !is_key(key)) {
            found.push((line, format!("names a setting that no spec has: {key}")));
        }
    }
    found
}

/// Whether a spec has a setting of that name, or a command line.
fn is_key(key: &str) -> bool {
    use gristmill::spec::{InputSpec, OutputSpec, SandboxSpec, WatchSpec, WorkSpec, fields};
    let sections = [
        fields::<InputSpec>(),
        fields::<OutputSpec>(),
        fields::<WorkSpec>(),
        fields::<SandboxSpec>(),
        fields::<WatchSpec>(),
    ];
    sections.iter().any(|keys| keys.contains(&key)) || matches!(key, "plugin" | "set" | "pipeline")
}

/// The literals of a file, but for those of comments, with their lines.
fn literals(stream: TokenStream) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for token in stream {
        match token {
            TokenTree::Group(group) => {
                let mut inner = group.stream().into_iter();
                let is_doc = matches!(inner.next(), Some(TokenTree::Ident(it)) if it == "doc");
                if !is_doc {
                    found.extend(literals(group.stream()));
                }
            }
            TokenTree::Literal(literal) => {
                found.push((literal.to_string(), literal.span().start().line));
            }
            _ => {}
        }
    }
    found
}

//! Files of one folder that use each other in a circle, and public types of one name: there are no
//! more than are known, each for a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};

/// Circles between files, and why they stay.
const CIRCLES: [(&[&str], &str); 1] = [(
    &["input/holes.rs", "input/store.rs"],
    "a sparse member is a store over the store of its archive: each type holds the other",
)];

/// Names that several public types have: their module says which is meant.
const SHARED: [&str; 13] = [
    "Attempt",
    "Entry",
    "Error",
    "BranchFormat",
    "Look",
    "Member",
    "Options",
    "Order",
    "Place",
    "Room",
    "Shown",
    "Stretch",
    "Tree",
];

/// What the files of the host say before their tests, by their paths below `src`.
fn files() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeMap::new();
    super::walk(&root, &mut |path| {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_string();
        let is_test = name.contains("test") || name.contains("seeded");
        if !is_test && !matches!(name.as_str(), "lib.rs" | "main.rs") {
            let text = fs::read_to_string(path).unwrap();
            let code = text.split("\n#[cfg(test)]").next().unwrap().to_string();
            files.insert(name, code);
        }
    });
    files
}

/// The path of a file's module.
fn module(name: &str) -> Vec<String> {
    let path = name.strip_suffix(".rs").unwrap();
    let path = path.strip_suffix("/mod").unwrap_or(path);
    path.split('/').map(str::to_string).collect()
}

/// The paths that `use` lines of a file begin with, from the root of the crate.
fn used(text: &str, own: &[String]) -> Vec<Vec<String>> {
    let tokens: Vec<TokenTree> = text.parse::<TokenStream>().unwrap().into_iter().collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if matches!(token, TokenTree::Ident(word) if word == "use") {
            paths(&tokens[at + 1..], &mut Vec::new(), own, &mut found);
        }
    }
    found
}

/// Reads one tree of a `use` line, up to its end or a comma.
fn paths(
    tokens: &[TokenTree],
    before: &mut Vec<String>,
    own: &[String],
    to: &mut Vec<Vec<String>>,
) {
    let mut path = before.clone();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(word) if word == "as" => {}
            TokenTree::Ident(word) => match word.to_string().as_str() {
                "crate" if path.is_empty() => path.push("crate".into()),
                "super" if path.is_empty() || path == ["crate"] && before.is_empty() => {
                    path = vec!["crate".into()];
                    path.extend(own.iter().take(own.len() - 1).cloned());
                }
                "super" => drop(path.pop()),
                "self" if path.is_empty() => {
                    path = vec!["crate".into()];
                    path.extend(own.iter().cloned());
                }
                "self" => {}
                other => path.push(other.into()),
            },
            TokenTree::Group(group) => {
                let inner: Vec<_> = group.stream().into_iter().collect();
                return paths(&inner, &mut path, own, to);
            }
            TokenTree::Punct(mark) if mark.as_char() == ',' => {
                to.push(path);
                return paths(&tokens[at + 1..], before, own, to);
            }
            TokenTree::Punct(mark) if mark.as_char() == ';' => break,
            _ => {}
        }
    }
    to.push(path);
}

/// Which files each file uses, but for those that it is below or above of.
fn arrows(files: &BTreeMap<String, String>) -> BTreeMap<&str, BTreeSet<&str>> {
    let modules: BTreeMap<_, _> = files.keys().map(|name| (module(name), name.as_str())).collect();
    let mut arrows = BTreeMap::new();
    for (name, text) in files {
        let own = module(name);
        let mut to = BTreeSet::new();
        for path in used(text, &own) {
            let Some(("crate", rest)) =
                path.split_first().map(|(root, rest)| (root.as_str(), rest))
            else {
                continue;
            };
            let longest = (1..=rest.len()).rev().find_map(|length| {
                let module = &rest[..length];
                modules.get(module).map(|file| (module, *file))
            });
            if let Some((module, file)) = longest
                && !own.starts_with(module)
                && !module.starts_with(&own)
            {
                to.insert(file);
            }
        }
        arrows.insert(name.as_str(), to);
    }
    arrows
}

/// What can be reached from a file.
fn reach<'a>(arrows: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(next) = open.pop() {
        for to in &arrows[next] {
            if reached.insert(*to) {
                open.push(to);
            }
        }
    }
    reached
}

#[test]
fn no_files_use_each_other_in_a_circle_but_those_that_are_known() {
    let files = files();
    let arrows = arrows(&files);
    let reached: BTreeMap<_, _> = arrows.keys().map(|from| (*from, reach(&arrows, from))).collect();
    let mut circles = BTreeSet::new();
    for (from, to) in &reached {
        let circle: Vec<_> = to.iter().filter(|it| reached[**it].contains(from)).copied().collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    let known: BTreeSet<Vec<_>> = CIRCLES.iter().map(|(files, _)| files.to_vec()).collect();
    let new: Vec<_> = circles.difference(&known).collect();
    assert!(new.is_empty(), "circles that are not known: {new:#?}");
    let gone: Vec<_> = known.difference(&circles).collect();
    assert!(gone.is_empty(), "no circles any more, take them from the list: {gone:#?}");
}

#[test]
fn public_types_have_names_of_their_own() {
    let mut types: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, text) in files() {
        for line in text.lines() {
            let kinds = ["pub struct ", "pub enum ", "pub trait ", "pub type "];
            let Some(rest) = kinds.iter().find_map(|kind| line.strip_prefix(kind)) else {
                continue;
            };
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
            types.entry(name).or_default().push(file.clone());
        }
    }
    assert!(types.len() > 200, "{}", types.len());
    let shared: Vec<_> = types.iter().filter(|(_, files)| files.len() > 1).collect();
    let new: Vec<_> = shared.iter().filter(|(name, _)| !SHARED.contains(&name.as_str())).collect();
    assert!(new.is_empty(), "names that several types have: {new:#?}");
}

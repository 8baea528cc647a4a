//! What comes out of transformers, and where it goes: the same bytes however they are brought and
//! taken, whole files or none, and nothing of the user's overwritten by accident.

mod branches;
mod compressed;
mod faults;
mod finishing;
mod killed;
mod leftovers;
mod objects;
mod order;
mod overwriting;
mod owned;
mod places;
mod queue;
mod refused;
mod rejects;
mod same;
mod sinks;
mod slow;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::tree::Tree;

/// The files below a directory, hidden ones too, by their names in it.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![dir.to_path_buf()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            if entry.file_type().unwrap().is_dir() {
                waiting.push(path);
            } else if path.is_file() {
                let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_string();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Those without temporary files, which a killed run leaves.
fn visible(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = files(dir);
    files.retain(|name, _| !name.rsplit('/').next().unwrap().starts_with('.'));
    files
}

/// The figures that a run left in `report.json` beside its sources.
fn report(tree: &Tree) -> Value {
    serde_json::from_slice(&tree.read("report.json")).unwrap()
}

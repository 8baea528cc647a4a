//! What a host says to a plugin, and what it says of one that is wrong.

use crate::{Chunk, Error, Manifest, Settings, Source};

/// The name of the source that data is said to come from.
pub(super) const SOURCE_NAME: &str = "test";

/// The settings of a run, checked.
pub(super) fn settings(manifest: &Manifest, given: &[(&str, &str)]) -> Result<Settings, Error> {
    let given = given.iter().map(|&(key, value)| (key.into(), value.into())).collect();
    Settings::check(manifest, given)
}

/// What a host says of a source. Where the setting that the property `header-setting` names is
/// `skip:3`, its header has three records more.
pub(super) fn source(
    manifest: &Manifest,
    given: &[(&str, &str)],
    name: &str,
    data: &[u8],
) -> Source {
    let setting = manifest.properties.iter().find(|(key, _)| key == "header-setting");
    let value = setting.and_then(|(_, setting)| given.iter().find(|(key, _)| key == setting));
    let skipped = value.and_then(|(_, value)| value.strip_prefix("skip:")?.parse::<u32>().ok());
    let records = manifest.header_records + skipped.unwrap_or(0);
    let header = super::cuts::header(manifest.framing, data, records);
    Source { name: name.into(), header: header.to_vec(), properties: Vec::new() }
}

/// The pieces of one source with what the host says of each. An empty source has one empty chunk.
pub(super) fn numbered<'a>(pieces: &[&'a [u8]]) -> Vec<(Chunk, &'a [u8])> {
    let pieces = if pieces.is_empty() { &[&[][..]] } else { pieces };
    let mut offset = 0;
    let mut chunks = Vec::with_capacity(pieces.len());
    for (index, piece) in pieces.iter().enumerate() {
        let last = index + 1 == pieces.len();
        chunks.push((Chunk { index: index as u64, offset, last }, *piece));
        offset += piece.len() as u64;
    }
    chunks
}

/// An output that should not depend on how the input was cut, but did.
pub(super) fn differs(how: &str, cuts: [usize; 2], found: &[u8], expected: &[u8]) -> Error {
    let [found, expected] = [found, expected].map(String::from_utf8_lossy);
    let [first, second] = cuts;
    Error::fatal(format_args!(
        "cut at {first} and {second}, {how}: got `{found}`, expected `{expected}`"
    ))
}

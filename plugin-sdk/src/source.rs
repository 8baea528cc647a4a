//! What the host says about the bytes it hands over.

/// What the chunks are pieces of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The name, as the user gave it. Empty for a total over sources.
    pub name: String,
    /// The first records, as many as [`Manifest::header_records`](crate::Manifest::header_records)
    /// asks for. They are in the first chunk, too.
    pub header: Vec<u8>,
    /// Further properties by name: ignore those that you do not know.
    pub properties: Vec<(String, String)>,
}

impl Source {
    /// Whether this is no single source but a total over several.
    pub fn is_total(&self) -> bool {
        self.name.is_empty()
    }

    /// The value of a property, if the host gives it.
    pub fn property(&self, key: &str) -> Option<&str> {
        self.properties.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// Which piece of its source the data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Position among the chunks of the source, from 0.
    pub index: u64,
    /// Offset of the first byte in the decompressed source.
    pub offset: u64,
    /// Whether this is the last chunk of the source.
    pub last: bool,
}

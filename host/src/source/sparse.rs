//! Files with holes, as archives have them: which stretches are stored, one behind the other, and
//! which read as zeros.
//!
//! Plain data, and the one question that readers ask of it.

/// A file of which an archive stores only what is not a hole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sparse {
    /// Its size, with holes.
    pub bytes: u64,
    /// What is stored, in the order of the file: none is empty, and none begins before the last one
    /// ends.
    pub stretches: Vec<DataExtent>,
}

/// A stretch of a file that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataExtent {
    /// Where it begins in the file.
    pub offset: u64,
    /// Where it begins in what is stored of the file.
    pub stored_offset: u64,
    /// How long it is.
    pub bytes: u64,
}

/// What is at an offset of a sparse file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// So many zeros.
    Hole(u64),
    /// So many bytes, from this place of what is stored.
    Stored {
        /// The place.
        stored_offset: u64,
        /// How many.
        bytes: u64,
    },
}

impl Sparse {
    /// What is at `offset`, up to where that changes; `None` at the end.
    pub fn at(&self, offset: u64) -> Option<Part> {
        let next = self.stretches.partition_point(|stretch| stretch.offset <= offset);
        let within = next.checked_sub(1).and_then(|last| self.stretches.get(last));
        if let Some(stretch) = within
            && let Some(bytes) = stretch.bytes.checked_sub(offset - stretch.offset)
            && bytes > 0
        {
            let stored_offset = stretch.stored_offset + (offset - stretch.offset);
            return Some(Part::Stored { stored_offset, bytes });
        }
        let end = self.stretches.get(next).map_or(self.bytes, |stretch| stretch.offset);
        end.checked_sub(offset).filter(|&bytes| bytes > 0).map(Part::Hole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_stored_or_a_zero() {
        let stretch = |offset, stored_offset, bytes| DataExtent { offset, stored_offset, bytes };
        let stretches = vec![stretch(3, 0, 2), stretch(5, 2, 1), stretch(8, 3, 2)];
        let sparse = Sparse { bytes: 12, stretches };
        let stored = |stored_offset, bytes| Some(Part::Stored { stored_offset, bytes });
        let found: Vec<_> = (0..13).map(|offset| sparse.at(offset)).collect();
        let hole = |bytes| Some(Part::Hole(bytes));
        let expected = [
            [hole(3), hole(2), hole(1)],
            [stored(0, 2), stored(1, 1), stored(2, 1)],
            [hole(2), hole(1), stored(3, 2)],
            [stored(4, 1), hole(2), hole(1)],
        ];
        assert_eq!(found[..12], expected.concat());
        assert_eq!(found[12], None);
        assert_eq!(Sparse::default().at(0), None);
    }
}

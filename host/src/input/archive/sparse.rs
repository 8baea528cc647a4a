//! Maps of sparse files in tar archives, in all forms that GNU tar writes (GNU tar manual, appendix
//! "Sparse Formats"): in headers of its own, in extended headers (versions 0.0 and 0.1), and before
//! the data (version 1.0).
//!
//! The fault of an impossible map is kept, and fails its member only. Bounded by [`STRETCHES_MAX`].

use tar::{GnuExtSparseHeader, GnuSparseHeader, Header};

use super::block::{BLOCK_BYTES, Block};
use crate::settings::limits::ARCHIVE_STRETCHES_MAX as STRETCHES_MAX;
use crate::source::{ArchiveError, DataExtent, Sparse};

/// What has been read of a map.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::input) struct Map {
    /// The size of the file, with its holes.
    bytes: Option<u64>,
    stretches: Vec<DataExtent>,
    /// Where a stretch begins whose length comes next.
    begun: Option<u64>,
    /// Where the last stretch ends, and how much is stored of all.
    end: u64,
    stored: u64,
    version: [u64; 2],
    wrong: Option<&'static str>,
}

impl Map {
    /// What a header of type `S` says.
    pub(super) fn of_header(header: &Header) -> Self {
        let mut map = Self::default();
        match header.as_gnu() {
            Some(gnu) => {
                match gnu.real_size() {
                    Ok(bytes) => map.bytes = Some(bytes),
                    Err(_) => map.fail("a size that is no number"),
                }
                map.add_written(&gnu.sparse);
            }
            None => map.fail("it is not in a form of GNU tar"),
        }
        map
    }

    /// What a block says that follows such a header.
    pub(super) fn add_block(&mut self, block: &Block) {
        let mut more = GnuExtSparseHeader::new();
        more.as_mut_bytes().copy_from_slice(block);
        self.add_written(more.sparse());
    }

    fn add_written(&mut self, written: &[GnuSparseHeader]) {
        for stretch in written.iter().take_while(|stretch| !stretch.is_empty()) {
            match (stretch.offset(), stretch.length()) {
                (Ok(offset), Ok(bytes)) => self.add(offset, bytes),
                _ => self.fail(NO_NUMBER),
            }
        }
    }

    /// What a record of an extended header says, by what stands behind `GNU.sparse.` in its key.
    pub(super) fn add_record(&mut self, key: &[u8], value: &[u8]) {
        if key == b"map" {
            value.split(|&byte| byte == b',').for_each(|digits| self.add_number(digits));
            return;
        }
        let Some(number) = number(value) else {
            if key != b"name" {
                self.fail(NO_NUMBER);
            }
            return;
        };
        match key {
            b"major" => self.version[0] = number,
            b"minor" => self.version[1] = number,
            b"size" | b"realsize" => self.bytes = Some(number),
            b"offset" if self.begun.is_none() => self.begun = Some(number),
            b"numbytes" if self.begun.is_some() => self.add_next(number),
            b"offset" | b"numbytes" => self.fail("an offset and a length do not take turns"),
            _ => {}
        }
    }

    /// Says what is wrong; what was said first counts.
    pub(super) fn fail(&mut self, what: &'static str) {
        self.wrong.get_or_insert(what);
    }

    fn add_number(&mut self, digits: &[u8]) {
        match number(digits) {
            Some(number) => self.add_next(number),
            None => self.fail(NO_NUMBER),
        }
    }

    /// Offsets and lengths take turns.
    fn add_next(&mut self, number: u64) {
        match self.begun.take() {
            None => self.begun = Some(number),
            Some(offset) => self.add(offset, number),
        }
    }

    fn add(&mut self, offset: u64, bytes: u64) {
        // GNU tar marks the end of a file so.
        if bytes == 0 {
            return;
        }
        let (Some(end), Some(stored)) = (offset.checked_add(bytes), self.stored.checked_add(bytes))
        else {
            return self.fail("a stretch that ends nowhere");
        };
        if offset < self.end {
            return self.fail("a stretch that begins before the last one ends");
        }
        // Some readers have the next one follow at once, others in the next block; no writer has
        // been seen that leaves it open.
        if !self.stored.is_multiple_of(BLOCK_BYTES as u64) {
            return self.fail("a stretch that ends within a block, with others behind it");
        }
        let is_full = self.stretches.len() >= STRETCHES_MAX;
        match self.stretches.last_mut() {
            Some(last) if offset == self.end => last.bytes += bytes,
            _ if is_full => return self.fail("more stretches than are read"),
            _ => self.stretches.push(DataExtent { offset, stored_offset: self.stored, bytes }),
        }
        (self.end, self.stored) = (end, stored);
    }

    /// The file that is stored as `bytes` bytes, and how many of these are its map: `next` gives
    /// them block by block.
    ///
    /// # Errors
    /// When a block cannot be had. A map that is wrong is no such error.
    pub(in crate::input) fn read<E>(
        mut self,
        bytes: u64,
        next: impl FnMut() -> Result<Block, E>,
    ) -> Result<(u64, Result<Sparse, ArchiveError>), E> {
        let map_bytes = match (self.version, self.wrong) {
            (_, Some(_)) | ([0, 0 | 1], None) => 0,
            ([1, 0], None) => self.read_from_data(bytes, next)?,
            _ => {
                self.fail("it is in a version that is not known");
                0
            }
        };
        let sparse = self.whole(bytes - map_bytes).map_err(ArchiveError::Sparse);
        Ok((map_bytes, sparse))
    }

    fn whole(self, stored: u64) -> Result<Sparse, &'static str> {
        match self {
            Self { wrong: Some(wrong), .. } => Err(wrong),
            Self { begun: Some(_), .. } => Err("a stretch without a length"),
            Self { bytes: Some(bytes), stretches, end, .. } if end <= bytes => {
                let is_all = self.stored == stored;
                is_all
                    .then_some(Sparse { bytes, stretches })
                    .ok_or("its stretches are not as long as what is stored")
            }
            Self { bytes: Some(_), .. } => Err("a stretch that goes beyond the end of the file"),
            Self { bytes: None, .. } => Err("there is no size"),
        }
    }

    /// Reads how many stretches there are, and then their offsets and lengths, each number in a
    /// line; returns how many bytes that took.
    fn read_from_data<E>(
        &mut self,
        bytes: u64,
        mut next: impl FnMut() -> Result<Block, E>,
    ) -> Result<u64, E> {
        let mut read = 0;
        let mut digits = Vec::new();
        let mut left: Option<u64> = None;
        while left != Some(0) && self.wrong.is_none() {
            if bytes - read < BLOCK_BYTES as u64 {
                self.fail("it does not end");
                break;
            }
            let block = next()?;
            read += BLOCK_BYTES as u64;
            for byte in block {
                match (byte, left) {
                    (_, Some(0)) => break,
                    (b'\n', Some(numbers)) => {
                        self.add_number(&digits);
                        left = Some(numbers - 1);
                        digits.clear();
                    }
                    (b'\n', None) => {
                        let numbers = number(&digits).and_then(|count| count.checked_mul(2));
                        left = numbers.or_else(|| {
                            self.fail(NO_NUMBER);
                            Some(0)
                        });
                        digits.clear();
                    }
                    // The longest number has 20.
                    (digit, _) if digits.len() < 20 => digits.push(digit),
                    _ => self.fail(NO_NUMBER),
                }
            }
        }
        Ok(read)
    }
}

const NO_NUMBER: &str = "a number that is none";

fn number(digits: &[u8]) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    is_number.then_some(())?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(records: &[(&str, &str)]) -> Map {
        let mut map = Map::default();
        for (key, value) in records {
            map.add_record(key.as_bytes(), value.as_bytes());
        }
        map
    }

    /// Of a file that is stored as `text`, filled up to whole blocks, and `bytes` bytes.
    fn read(map: Map, text: &str, bytes: u64) -> Result<Sparse, String> {
        let mut data = text.as_bytes().to_vec();
        data.resize(data.len().next_multiple_of(BLOCK_BYTES), 0);
        let mut blocks = data.as_chunks::<BLOCK_BYTES>().0.iter();
        let all = data.len() as u64 + bytes;
        let (map_bytes, sparse) = map.read(all, || blocks.next().copied().ok_or(())).unwrap();
        assert!(sparse.is_err() || map_bytes == data.len() as u64);
        sparse.map_err(|error| error.to_string())
    }

    fn stretches(all: &[(u64, u64, u64)]) -> Vec<DataExtent> {
        let stretch = |&(offset, stored_offset, bytes)| DataExtent { offset, stored_offset, bytes };
        all.iter().map(stretch).collect()
    }

    #[test]
    fn all_forms_of_extended_headers_say_the_same() {
        let expected =
            Sparse { bytes: 5000, stretches: stretches(&[(512, 0, 1024), (4096, 1024, 9)]) };
        let in_turns =
            [("size", "5000"), ("numblocks", "3"), ("offset", "512"), ("numbytes", "1024")];
        let more = [("offset", "4096"), ("numbytes", "9"), ("offset", "5000"), ("numbytes", "0")];
        assert_eq!(read(map(&[in_turns, more].concat()), "", 1033).unwrap(), expected);
        let joined = [("size", "5000"), ("name", "a"), ("map", "512,512,1024,512,4096,9")];
        assert_eq!(read(map(&joined), "", 1033).unwrap(), expected);
        let before = [("major", "1"), ("minor", "0"), ("realsize", "5000")];
        let text = "3\n512\n1024\n4096\n9\n5000\n0\n";
        assert_eq!(read(map(&before), text, 1033).unwrap(), expected);
        let long = format!(
            "400\n{}",
            (0..400).map(|at| format!("{}\n512\n", at * 1024)).collect::<Vec<_>>().concat()
        );
        let many = map(&[("major", "1"), ("realsize", "409600")]);
        assert_eq!(read(many, &long, 400 * 512).unwrap().stretches.len(), 400);
    }

    #[test]
    fn an_impossible_map_is_reported_with_its_fault() {
        let of = |text: &str| read(map(&[("size", "5000"), ("map", text)]), "", 512).unwrap_err();
        insta::assert_snapshot!(
            [
                "", "x,1", "0", "0,-1", "0,512,0,512", "9,512,512,512", "4999,512", "0,511", "0,9,512,503",
                "18446744073709551615,2", "0,99999999999999999999",
            ]
            .map(|text| format!("{text}: {}\n", of(text)))
            .concat(),
            @"
        : is a sparse file whose map cannot be read: a number that is none
        x,1: is a sparse file whose map cannot be read: a number that is none
        0: is a sparse file whose map cannot be read: a stretch without a length
        0,-1: is a sparse file whose map cannot be read: a number that is none
        0,512,0,512: is a sparse file whose map cannot be read: a stretch that begins before the last one ends
        9,512,512,512: is a sparse file whose map cannot be read: a stretch that begins before the last one ends
        4999,512: is a sparse file whose map cannot be read: a stretch that goes beyond the end of the file
        0,511: is a sparse file whose map cannot be read: its stretches are not as long as what is stored
        0,9,512,503: is a sparse file whose map cannot be read: a stretch that ends within a block, with others behind it
        18446744073709551615,2: is a sparse file whose map cannot be read: a stretch that ends nowhere
        0,99999999999999999999: is a sparse file whose map cannot be read: a number that is none
        "
        );
        let none = read(map(&[("map", "0,512")]), "", 512).unwrap_err();
        assert!(none.ends_with("there is no size"), "{none}");
        for text in ["", "x\n", "1\n0", "2\n0\n512\n", "9999999999999999999\n", &"1".repeat(600)] {
            let before = map(&[("major", "1"), ("minor", "0"), ("realsize", "5000")]);
            assert!(read(before, text, 0).is_err(), "{text}");
        }
        assert!(read(map(&[("major", "2"), ("size", "0")]), "", 0).is_err());
        for wrong in
            [&[("numbytes", "1")][..], &[("offset", "1"), ("offset", "2")], &[("size", "")]]
        {
            assert!(read(map(&[&[("size", "0")], wrong].concat()), "", 0).is_err());
        }
    }

    #[test]
    fn a_map_has_no_more_stretches_than_are_read() {
        let text = |count: usize| {
            (0..count).map(|at| format!("{},512,", at * 1024)).collect::<Vec<_>>().concat() + "0,0"
        };
        let read = |count: usize| {
            let bytes = (count * 1024).to_string();
            read(map(&[("size", &bytes), ("map", &text(count))]), "", count as u64 * 512)
        };
        assert_eq!(read(STRETCHES_MAX).unwrap().stretches.len(), STRETCHES_MAX);
        assert!(read(STRETCHES_MAX + 1).unwrap_err().ends_with("more stretches than are read"));
    }
}

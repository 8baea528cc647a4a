//! Archives byte by byte: what no tool would write.

/// An entry of a zip file, as its header and the directory say it is.
#[derive(Debug, Clone)]
pub(in crate::inputs) struct Zipped {
    pub(in crate::inputs) name: Vec<u8>,
    pub(in crate::inputs) flags: u16,
    pub(in crate::inputs) method: u16,
    pub(in crate::inputs) crc32: u32,
    pub(in crate::inputs) bytes: u32,
    /// What is in the archive, and how long that is said to be.
    pub(in crate::inputs) data: Vec<u8>,
    pub(in crate::inputs) packed_bytes: u32,
    /// Mode of the file, for an archive that a Unix wrote.
    pub(in crate::inputs) mode: u32,
    /// Where the directory says that the header is; where it is, if nothing is said.
    pub(in crate::inputs) offset: Option<u32>,
}

impl Zipped {
    pub(in crate::inputs) fn stored(name: &str, data: &[u8]) -> Self {
        let mut crc = flate2::Crc::new();
        crc.update(data);
        let bytes = u32::try_from(data.len()).unwrap();
        let (name, data) = (name.into(), data.to_vec());
        let (crc32, packed_bytes) = (crc.sum(), bytes);
        let mode = 0o100_644;
        Self { name, flags: 0, method: 0, crc32, bytes, data, packed_bytes, mode, offset: None }
    }

    pub(in crate::inputs) fn deflated(name: &str, plain: &[u8]) -> Self {
        use std::io::Write;
        let level = flate2::Compression::new(9);
        let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), level);
        deflate.write_all(plain).unwrap();
        let data = deflate.finish().unwrap();
        let packed_bytes = u32::try_from(data.len()).unwrap();
        Self { method: 8, data, packed_bytes, ..Self::stored(name, plain) }
    }

    /// What the header and the directory have in common (APPNOTE.TXT 6.3.10, sections 4.3.7 and
    /// 4.3.12).
    fn common(&self) -> Vec<u8> {
        let mut common = Vec::new();
        for field in [20, self.flags, self.method, 0, 0x21] {
            common.extend(field.to_le_bytes());
        }
        for field in [self.crc32, self.packed_bytes, self.bytes] {
            common.extend(field.to_le_bytes());
        }
        common.extend(u16::try_from(self.name.len()).unwrap().to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        common
    }
}

/// A zip file of these entries, whose directory is said to have so many; as many as it has, if
/// nothing is said.
pub(in crate::inputs) fn zip(entries: &[Zipped], count: Option<u16>) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let offset = entry.offset.unwrap_or(u32::try_from(archive.len()).unwrap());
        archive.extend([b"PK\x03\x04", &entry.common()[..], &entry.name, &entry.data].concat());
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(entry.common());
        directory.extend([0; 6]);
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(&entry.name);
    }
    let count = count.unwrap_or(u16::try_from(entries.len()).unwrap()).to_le_bytes();
    let bytes = u32::try_from(directory.len()).unwrap().to_le_bytes();
    let offset = u32::try_from(archive.len()).unwrap().to_le_bytes();
    archive.extend(directory);
    archive.extend([b"PK\x05\x06\0\0\0\0", &count[..], &count, &bytes, &offset, b"\0\0"].concat());
    archive
}

/// A header of a tar file with a name, a type and a size, which are followed by nothing.
pub(in crate::inputs) fn header(name: &[u8], kind: u8, size: &str) -> [u8; 512] {
    let mut header = [0; 512];
    header[..name.len()].copy_from_slice(name);
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..124 + size.len()].copy_from_slice(size.as_bytes());
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    summed(header)
}

/// The header with the checksum that it should have.
pub(in crate::inputs) fn summed(mut header: [u8; 512]) -> [u8; 512] {
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

/// A member of a tar file, or anything that has data.
pub(in crate::inputs) fn tarred(name: &[u8], kind: u8, data: &[u8]) -> Vec<u8> {
    let mut member = header(name, kind, &format!("{:011o}", data.len())).to_vec();
    member.extend(data);
    member.resize(member.len().next_multiple_of(512), 0);
    member
}

/// A tar file of these pieces, with an end.
pub(in crate::inputs) fn tar(pieces: &[Vec<u8>]) -> Vec<u8> {
    [pieces.concat(), vec![0; 1024]].concat()
}

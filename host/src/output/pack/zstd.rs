//! Zstandard frames (RFC 8878), with the size of their content and its checksum.

use zstd_safe::{CCtx, CParameter, compress_bound, get_error_name};

use crate::slices;

pub(super) struct Zstd {
    context: CCtx<'static>,
    packed: Vec<u8>,
}

impl Zstd {
    pub(super) fn new(level: u8) -> Result<Self, String> {
        let mut context = CCtx::try_create().ok_or("no memory for an encoder")?;
        for parameter in [
            CParameter::CompressionLevel(level.into()),
            CParameter::ContentSizeFlag(true),
            CParameter::ChecksumFlag(true),
        ] {
            context.set_parameter(parameter).map_err(get_error_name)?;
        }
        Ok(Self { context, packed: Vec::new() })
    }

    /// Bytes of memory that it takes.
    pub(super) fn held_bytes(&self) -> usize {
        self.context.sizeof() + self.packed.capacity()
    }

    /// Appends `plain` as one frame.
    pub(super) fn frame(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        let room = compress_bound(plain.len());
        if self.packed.len() < room {
            self.packed.resize(room, 0);
        }
        // All of the content is there at once: so its size is in the frame, and the window is no
        // larger than it.
        let packed = slices::part_mut(&mut self.packed, ..room);
        let bytes = self.context.compress2(packed, plain).map_err(get_error_name)?;
        out.extend_from_slice(slices::part(packed, ..bytes));
        Ok(())
    }
}

//! Frames of the LZ4 frame format 1.6.4, with the size of their content and its checksum.

use std::io::Write;

use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};

/// Appends `plain` as one frame.
///
/// The encoder is new each time, as the size of the content can only be said to a new one: its
/// tables are 16 KB. Blocks have no checksum of their own: together with the size, a reader takes
/// such a frame as one independent piece.
pub(super) fn frame(plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let bytes = u64::try_from(plain.len()).map_err(|error| error.to_string())?;
    let info = FrameInfo::new()
        .block_mode(BlockMode::Independent)
        .block_size(BlockSize::Max1MB)
        .content_size(Some(bytes))
        .content_checksum(true);
    let mut encoder = FrameEncoder::with_frame_info(info, out);
    encoder.write_all(plain).map_err(|error| error.to_string())?;
    encoder.try_finish().map_err(|error| error.to_string())
}

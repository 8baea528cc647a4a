//! Compressed text: 250 MB of the large text, packed in each way once and kept in TARGET/bench.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::bench::Bench;
use crate::bench::corpus::{self, write_whole};
use crate::bench::tools::{BGZIP, GZIP, LZ4, Tool, XZ, ZSTD};

/// Before compression, in MB.
const TEXT_MEGABYTES: u64 = 250;

/// Text in one frame of [`Packing::ZstdFrames`].
const FRAME_BYTES: u64 = 1 << 20;

/// How the text is packed.
#[derive(Clone, Copy, Debug)]
pub(in crate::bench) enum Packing {
    /// One gzip member.
    Gzip,
    /// One zstd frame.
    Zstd,
    /// One lz4 frame, as `lz4` makes it: independent blocks of 4 MiB.
    Lz4,
    /// Gzip members of 64 KiB that tell their size (SAM/BAM format specification, section 4.1).
    Bgzf,
    /// zstd frames that tell how much is in them, one after the other.
    ZstdFrames,
    /// One xz stream of blocks that tell their size.
    XzBlocks,
}

impl Packing {
    /// How the table calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Bgzf => "BGZF",
            Self::ZstdFrames => "zstd frames",
            Self::XzBlocks => "xz blocks",
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Gzip => "gz",
            Self::Zstd => "zst",
            Self::Lz4 => "lz4",
            Self::Bgzf => "bgzf.gz",
            Self::ZstdFrames => "frames.zst",
            Self::XzBlocks => "blocks.xz",
        }
    }

    /// What packs it, to its standard output.
    fn tool(self) -> (Tool, &'static [&'static str]) {
        match self {
            Self::Gzip => (GZIP, &["-6", "-n", "-c"]),
            Self::Zstd | Self::ZstdFrames => (ZSTD, &["-3", "-q", "-c"]),
            Self::Lz4 => (LZ4, &["-q", "-c"]),
            Self::Bgzf => (BGZIP, &["-@2", "-c"]),
            Self::XzBlocks => (XZ, &["-T2", "--block-size=8MiB", "-1", "-c"]),
        }
    }

    /// The packed text; made when it is not there.
    pub(super) fn file(self, bench: &Bench) -> Result<PathBuf> {
        self.file_of(bench, TEXT_MEGABYTES)
    }

    /// So many megabytes of the text, packed; made when it is not there.
    pub(in crate::bench) fn file_of(self, bench: &Bench, megabytes: u64) -> Result<PathBuf> {
        let path = bench.directory().join(format!("text-{megabytes}m.{}", self.suffix()));
        if path.is_file() {
            return Ok(path);
        }
        let (tool, arguments) = self.tool();
        let program = tool.find(bench)?;
        let text = corpus::beginning(bench, megabytes)?;
        let packer = || {
            let mut command = Command::new(&program);
            command.args(arguments);
            command
        };
        eprintln!("bench: making {}", path.display());
        write_whole(&path, |file| match self {
            Self::ZstdFrames => pack_pieces(&text, packer, file),
            _ => finish(packer().arg(&text).stdout(file.try_clone()?).spawn()),
        })?;
        Ok(path)
    }
}

/// Packs each piece of the text into a frame of its own.
fn pack_pieces(text: &Path, packer: impl Fn() -> Command, file: &File) -> Result<()> {
    let text = File::open(text)?;
    let mut piece = Vec::new();
    while (&text).take(FRAME_BYTES).read_to_end(&mut piece)? > 0 {
        let mut packer = packer();
        // A pipe has no size that could be written into the frame, so it is told.
        packer.arg(format!("--stream-size={}", piece.len()));
        let mut child = packer.stdin(Stdio::piped()).stdout(file.try_clone()?).spawn()?;
        if let Some(mut pipe) = child.stdin.take() {
            pipe.write_all(&piece)?;
        }
        finish(Ok(child))?;
        piece.clear();
    }
    Ok(())
}

fn finish(child: io::Result<Child>) -> Result<()> {
    let status = child.context("cannot start")?.wait()?;
    ensure!(status.success(), "{status}");
    Ok(())
}

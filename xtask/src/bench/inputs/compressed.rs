//! Words of compressed text: beside the decoder alone, beside other decompressors, beside one
//! thread.

use std::path::Path;

use anyhow::Result;

use super::MOST_MIB;
use super::packed::Packing;
use crate::bench::corpus::Input;
use crate::bench::measure::{check_agreement, pairs};
use crate::bench::program::Program;
use crate::bench::row::{Goal, Row};
use crate::bench::tools::{LIBDEFLATE, LZ4, PIGZ, RAPIDGZIP, Tool, ZSTD};
use crate::bench::{Bench, THREADS};

/// What the host runs beside.
#[derive(Clone, Copy)]
enum Rival {
    /// The decoder that the host uses, for this codec, with nothing behind it.
    Decoder(&'static str),
    /// Another program, with its arguments before the file, writing to /dev/null.
    Tool(Tool, &'static [&'static str]),
    /// The host with one thread.
    OneThread,
}

/// An input, and what it is measured beside.
struct Case {
    packing: Packing,
    rivals: &'static [(Rival, Goal)],
}

/// At most 1.05 times the other's time: counting is free.
const AS_FAST: Goal = Goal::RatioAtLeast(0.952);
/// At most 1.10 times the other's time.
const NEARLY_AS_FAST: Goal = Goal::RatioAtLeast(0.909);
const FASTER: Goal = Goal::RatioAtLeast(1.0);
/// Of two threads over one.
const PARALLEL: Goal = Goal::RatioAtLeast(1.8);

const CASES: [Case; 6] = [
    Case {
        packing: Packing::Gzip,
        rivals: &[
            (Rival::Decoder("gzip"), AS_FAST),
            (Rival::Tool(PIGZ, &["-dc"]), FASTER),
            (Rival::Tool(RAPIDGZIP, &["-P2", "-d", "-c"]), FASTER),
            // Decodes in one shot into memory as large as the text, so nothing is asked here.
            (Rival::Tool(LIBDEFLATE, &["-c"]), Goal::RatioReported),
        ],
    },
    Case {
        packing: Packing::Zstd,
        rivals: &[
            (Rival::Decoder("zstd"), NEARLY_AS_FAST),
            (Rival::Tool(ZSTD, &["-q", "-dc"]), NEARLY_AS_FAST),
        ],
    },
    Case {
        packing: Packing::Lz4,
        rivals: &[
            (Rival::Decoder("lz4"), NEARLY_AS_FAST),
            (Rival::Tool(LZ4, &["-q", "-dc"]), NEARLY_AS_FAST),
        ],
    },
    Case { packing: Packing::Bgzf, rivals: &[(Rival::OneThread, PARALLEL)] },
    Case { packing: Packing::ZstdFrames, rivals: &[(Rival::OneThread, PARALLEL)] },
    Case { packing: Packing::XzBlocks, rivals: &[(Rival::OneThread, PARALLEL)] },
];

/// A row for each rival of each case, then one for the memory of the host.
pub(super) fn rows(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for case in &CASES {
        rows.extend(case.rows(bench)?);
    }
    Ok(rows)
}

impl Case {
    fn rows(&self, bench: &Bench) -> Result<Vec<Row>> {
        let file = match self.packing.file(bench) {
            Ok(file) => file,
            Err(reason) => return Ok(self.skipped(&reason)),
        };
        let host = bench.host("wordcount", THREADS).arg(&file);
        let input = Input::File(file.clone());
        let (mut rows, mut runs) = (Vec::new(), Vec::new());
        for &(rival, goal) in self.rivals {
            let name = self.row_name(rival);
            let other = match rival.program(bench, &file) {
                Ok(other) => other,
                Err(reason) => {
                    rows.push(Row::skipped(name, goal, &reason));
                    continue;
                }
            };
            if rival.prints_counts() {
                check_agreement(&host, &other)?;
            }
            let pairs = pairs(&host, &other, &input, bench.runs)?;
            rows.push(Row::ratio(name, goal, [&host, &other], &pairs));
            runs.extend(pairs.into_our_runs());
        }
        rows.push(Row::memory(self.memory_name(), MOST_MIB, &host, &runs));
        Ok(rows)
    }

    /// The rows of an input that could not be made.
    fn skipped(&self, reason: &anyhow::Error) -> Vec<Row> {
        let rivals = self.rivals.iter().map(|&(rival, goal)| (self.row_name(rival), goal));
        let memory = (self.memory_name(), Goal::MebibytesAtMost(MOST_MIB));
        rivals.chain([memory]).map(|(name, goal)| Row::skipped(name, goal, reason)).collect()
    }

    fn row_name(&self, rival: Rival) -> String {
        let packing = self.packing.name();
        match rival {
            Rival::Decoder(_) => format!("words of {packing}, vs decoder alone"),
            Rival::Tool(tool, _) => format!("words of {packing}, vs {}", tool.program),
            Rival::OneThread => format!("words of {packing}, {THREADS} thr. vs 1"),
        }
    }

    fn memory_name(&self) -> String {
        format!("words of {}, memory", self.packing.name())
    }
}

impl Rival {
    /// What to run over a packed file.
    ///
    /// # Errors
    /// When the tool is missing and cannot be installed.
    fn program(self, bench: &Bench, file: &Path) -> Result<Program> {
        Ok(match self {
            Self::Decoder(codec) => Program::new("decoder", bench.project.program("baseline"))
                .args(["decode", "--codec", codec])
                .arg(file),
            Self::Tool(tool, arguments) => Program::new(tool.program, tool.find(bench)?)
                .args(arguments.iter().copied())
                .arg(file)
                .silenced(),
            Self::OneThread => bench.host("wordcount", 1).arg(file),
        })
    }

    /// Whether what it prints can be compared with what the host prints.
    fn prints_counts(self) -> bool {
        match self {
            Self::Decoder(_) | Self::OneThread => true,
            Self::Tool(..) => false,
        }
    }
}

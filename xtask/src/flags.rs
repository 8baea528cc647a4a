//! The command line. The text here is also what `--help` prints.

// The macro makes every item `pub`; nothing outside this crate can see them.
#![allow(unreachable_pub)]

use std::path::PathBuf;

use crate::toolchain::Choice;

xflags::xflags! {
    /// The project's own commands.
    cmd xtask {
        /// Build every crate in plugins/, and those of the tests, to TARGET/plugins/NAME.wasm.
        cmd plugins {
            /// Where the Wasm standard library comes from: auto (default), installed, rustup or
            /// debian.
            optional --std std: Choice
        }
        /// Build plugins and host, and install them: bin/host and bin/gristmill, which are one
        /// program, the plugins, manual pages and completions.
        cmd install {
            /// Where to (default ~/.local).
            optional --prefix prefix: PathBuf
            /// Build nothing: take what is built from this target directory.
            optional --from target: PathBuf
        }
        /// Build plugins and host, then count the words of this repository's own files.
        cmd demo {}
        /// Build plugins, then run every test, `corpora` too where they can be had.
        cmd test {}
        /// Decode the test files of xz, zstd, lz4, bzip2, gzip and htslib, and compare with those
        /// tools. The files come with Debian's source packages, are kept in TARGET/corpora, and are
        /// fetched again once that is deleted.
        cmd corpora {}
        /// Run each seeded search of the tests for a while, over new cases: readers of plugins,
        /// ledgers and kept failures. A case that fails is told with the command that runs it
        /// again.
        cmd fuzz {
            /// How long each is run (default 60).
            optional seconds: u64
        }
        /// Format, clippy, docs, the SDK as a package, versions of dependencies that nobody has
        /// looked at (.reviewed), and cargo-deny where it is installed.
        cmd lint {}
        /// Draw host/docs/img: the terminal of a run that is made for it, and the chart of
        /// host/docs/img/speed.json.
        cmd pictures {}
        /// Type-check the host for Linux and macOS on 64-bit ARM, with zig as the C compiler.
        /// Nothing is linked or run.
        cmd platforms {
            /// Where tools cannot be had, say what is missing and end well.
            optional --if-there
        }
        /// Measure against native programs on the same bytes, in the same run.
        cmd bench {
            /// What to measure: words, files, start, memory, topwords (default: these five),
            /// inputs, outputs, sandbox, fairness, watch, peers, or all.
            repeated subjects: String
            /// Measured runs of each program (default 7).
            optional --runs runs: usize
            /// Write the rows here as JSON, too.
            optional --json file: PathBuf
            /// Size of the text of `outputs` and `sandbox` in MB, 20 to 1000 (default 1000): less
            /// is to see that it works.
            optional --megabytes megabytes: u64
            /// Also measure memory on a 10 GB file, made for this and deleted afterwards.
            optional --big
        }
    }
}

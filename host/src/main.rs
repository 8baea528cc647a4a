//! The binary `host`: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    gristmill::cli::main()
}

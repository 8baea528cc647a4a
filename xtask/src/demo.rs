//! `cargo xtask demo`: the host on this repository's own files.

use anyhow::Result;

use crate::plugins;
use crate::project::Project;

/// What the demo reads: sources only, so that no target directory is walked.
const SOURCES: [&str; 7] = ["README.md", "host", "plugin-sdk", "plugins", "wit", "tests", "xtask"];

/// Builds what is needed, prints the command line, and runs it.
pub(crate) fn run(project: &Project) -> Result<()> {
    let wordcount = plugins::build(project)?.join("wordcount.wasm");
    project.build_programs(&["host"])?;
    let host = project.program("host");
    // The shell prints the command before it runs it.
    let command = project.shell.cmd(shorten(project, &host)).arg("run");
    let command = command.arg("--plugin").arg(shorten(project, &wordcount));
    Ok(command.args(["--format", "table"]).args(SOURCES).run()?)
}

/// The path as one would type it in the root.
fn shorten<'a>(project: &Project, path: &'a std::path::Path) -> &'a std::path::Path {
    path.strip_prefix(&project.root).unwrap_or(path)
}

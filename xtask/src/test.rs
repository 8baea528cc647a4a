//! `cargo xtask test`: the plugins, then every test of the workspace in the release profile.
//!
//! Then the corpora, where they can be had. Release, and the whole workspace, so that tests, demo
//! and benches share one optimised engine.

use anyhow::Result;

use crate::project::Project;
use crate::{corpora, debian, install, plugins};

/// Names the directory of built plugins to the tests.
pub(crate) const PLUGINS_VARIABLE: &str = "GRISTMILL_TEST_PLUGINS";

/// The seed of property tests, and the one that makes each run try the same cases: what a change
/// must pass does not depend on luck. `cargo xtask fuzz` tries new ones.
pub(crate) const SEED_VARIABLE: &str = "PROPTEST_RNG_SEED";
const SEED: &str = "1";

/// Programs the tests compare results with, and Debian's package of each.
const ORACLES: [(&str, &str); 1] = [("python3", "python3")];

/// Builds the plugins, runs `cargo test` with their directory in the environment, and compares the
/// corpora.
pub(crate) fn run(project: &Project) -> Result<()> {
    report_missing_oracles(project);
    let directory = plugins::build(project)?;
    let cargo = project.cargo().env(PLUGINS_VARIABLE, directory).env(SEED_VARIABLE, SEED);
    cargo.args(["test", "--release", "--workspace"]).run()?;
    installs(project)?;
    corpora::run_if_there(project)
}

/// Installs what was built, and counts words with it by the names that users say.
fn installs(project: &Project) -> Result<()> {
    let prefix = project.target.join("installed");
    install::run(project, Some(prefix.clone()), Some(&project.target))?;
    let host = prefix.join("bin/gristmill");
    let command = project.shell.cmd(host).args(["run", "--plugin", "wordcount", "--total"]);
    Ok(command.arg("README.md").run()?)
}

fn report_missing_oracles(project: &Project) {
    for (program, package) in ORACLES {
        if !debian::succeeds(&project.shell, program, &["--version"]) {
            eprintln!("{program} is missing, so tests that compare with it will fail");
            eprintln!("hint: apt-get install {package}");
        }
    }
}

//! `cargo xtask test`: the plugins, then every test of the workspace in the release profile.
//!
//! Then the corpora, where they can be had. Release, and the whole workspace, so that tests, demo
//! and benches share one optimised engine.

use anyhow::Result;

use crate::project::Project;
use crate::{corpora, debian, plugins};

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
    corpora::run_if_there(project)
}

fn report_missing_oracles(project: &Project) {
    for (program, package) in ORACLES {
        if !debian::succeeds(&project.shell, program, &["--version"]) {
            eprintln!("{program} is missing, so tests that compare with it will fail");
            eprintln!("hint: apt-get install {package}");
        }
    }
}

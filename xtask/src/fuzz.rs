//! `cargo xtask fuzz`: the property tests and the seeded searches, which the tests run over the
//! same few cases each time, over new ones.
//!
//! The searches are tests in modules named `seeded`, run one after the other for as long as is
//! asked, so that each has the machine for itself.

use anyhow::{Context, Result, ensure};

use crate::plugins;
use crate::project::Project;
use crate::test::{PLUGINS_VARIABLE, SEED_VARIABLE};

/// How long the tests run each search.
const SECONDS_VARIABLE: &str = "GRISTMILL_FUZZ_SECONDS";

const SECONDS: u64 = 60;

/// How many cases the property tests of libraries try.
const CASES_VARIABLE: &str = "PROPTEST_CASES";
const CASES: &str = "10000";

/// What is part of the name of each search.
const FILTER: &str = "seeded::";

/// Runs all of them, each search for `seconds`.
pub(crate) fn run(project: &Project, seconds: Option<u64>) -> Result<()> {
    let directory = plugins::build(project)?;
    let cargo = project.cargo().env(PLUGINS_VARIABLE, &directory).env(CASES_VARIABLE, CASES);
    cargo.env_remove(SEED_VARIABLE).args(["test", "--release", "--workspace", "--lib"]).run()?;
    let seconds = seconds.unwrap_or(SECONDS);
    let test =
        ["test", "--release", "--package", "gristmill", "--lib", "--test", "tests", "--", FILTER];
    let cargo = || project.cargo().env(PLUGINS_VARIABLE, &directory).args(test);
    // A name that no test has would be no failure.
    let listed = cargo().arg("--list").read().context("the tests cannot be listed")?;
    let count = listed.lines().filter(|line| line.ends_with(": test")).count();
    ensure!(count > 0, "no test is named {FILTER}");
    eprintln!("{count} searches of {seconds} s each");
    let cargo = cargo().env(SECONDS_VARIABLE, seconds.to_string());
    Ok(cargo.args(["--nocapture", "--test-threads=1"]).run()?)
}

//! `cargo xtask corpora`: compressed files that others test their own tools with, decoded by the
//! host and by those tools.
//!
//! Each file is given to its reference tool and to the host, as a file and through a pipe, whole
//! and in pieces. What the tool decodes must come out the same, what it refuses must be refused by
//! name; where we differ on purpose, it is listed in `verdict.rs`. The files are those of Debian's
//! source packages: see `fetch.rs`.

mod fetch;
mod host;
mod samples;
mod tool;
mod verdict;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail};

use crate::plugins;
use crate::project::Project;
use host::Host;
use samples::{Found, Sample};
use verdict::Verdict;

/// Fetches and compares. What cannot be had is an error.
pub(crate) fn run(project: &Project) -> Result<()> {
    let packages = fetch::packages(project)?;
    compare(project, &packages)
}

/// The same, as a part of all tests: where the files cannot be had, says so and goes on.
pub(crate) fn run_if_there(project: &Project) -> Result<()> {
    match fetch::packages(project) {
        Ok(packages) => compare(project, &packages),
        Err(error) => {
            eprintln!("skipped: corpora: {error:#}");
            Ok(())
        }
    }
}

fn compare(project: &Project, packages: &Path) -> Result<()> {
    let plugins = plugins::build(project)?;
    project.build_programs(&["host"])?;
    let host = Host::new(project, &plugins)?;
    let mut tally = Tally::default();
    for found in samples::find(packages)? {
        match found {
            Found::Sample(sample) => tally.sample(project, &host, &sample)?,
            Found::Unread { why } => *tally.skipped.entry(why.to_string()).or_default() += 1,
        }
    }
    tally.report()
}

/// What came of the files.
#[derive(Default)]
struct Tally {
    same: usize,
    refused: usize,
    different: Vec<String>,
    /// Files by the reason why they were not compared.
    skipped: BTreeMap<String, usize>,
    wrong: usize,
}

impl Tally {
    fn sample(&mut self, project: &Project, host: &Host, sample: &Sample) -> Result<()> {
        if !tool::is_there(&project.shell, sample.tool) {
            let why = format!(
                "{} is missing (hint: apt-get install {})",
                sample.tool.program, sample.tool.package
            );
            *self.skipped.entry(why).or_default() += 1;
            return Ok(());
        }
        match verdict::of(host, sample)? {
            Verdict::Same => self.same += 1,
            Verdict::Refused => self.refused += 1,
            Verdict::Different(reason) => {
                self.different.push(format!("{}: {reason}", sample.name()));
            }
            Verdict::Wrong(what) => {
                self.wrong += 1;
                eprintln!("{}: {what}", sample.path.display());
            }
        }
        Ok(())
    }

    fn report(&self) -> Result<()> {
        let skipped: usize = self.skipped.values().sum();
        println!(
            "corpora: {} good with the same bytes, {} bad refused by name, {} different on purpose, {skipped} skipped",
            self.same,
            self.refused,
            self.different.len(),
        );
        for different in &self.different {
            println!("  different: {different}");
        }
        for (why, files) in &self.skipped {
            println!("  skipped: {files}: {why}");
        }
        if self.wrong > 0 {
            bail!("{} files are wrong", self.wrong);
        }
        if self.same == 0 || self.refused == 0 {
            bail!("too little was compared to say anything: delete the directory and try again");
        }
        Ok(())
    }
}

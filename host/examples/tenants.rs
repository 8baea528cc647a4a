//! Two tenants share one process, one of them with three times the weight:
//! `tenants PLUGIN DIRECTORY`. Inputs are in `DIRECTORY/NAME/in`, results in `DIRECTORY/NAME/out`.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use gristmill::plugin::compile_if_asked;
use gristmill::settings::Quotas;
use gristmill::spec::JobSpec;
use gristmill::tenant::{Host, Limits, Options, Tenant};

/// Runs a plugin over the inputs of each tenant. Returns the bytes that the plugin took of each.
pub(crate) fn run(plugin: &Path, directory: &Path) -> Result<Vec<u64>, Box<dyn Error>> {
    let memory_bytes = Some(1 << 30); // for all jobs together
    let host = Host::new(Options { memory_bytes, ..Options::default() })?;
    let mut jobs = Vec::new();
    for (name, weight) in [("acme", 3), ("globex", 1)] {
        let [inputs, outputs] = ["in", "out"].map(|part| directory.join(name).join(part));
        fs::create_dir_all(&outputs)?;
        let quotas = Quotas { bytes_in: Some(1 << 30), ..Quotas::default() };
        let limits = Limits { quotas, ..Limits::default() };
        host.add(Tenant { name: name.into(), weight, limits, inputs, outputs })?;
        // Names of inputs and outputs are those within the tenant's directories.
        let mut spec = JobSpec::of(plugin.into(), vec![".".into()]);
        spec.output.out = "results.jsonl".into();
        jobs.push(host.submit(name, spec)?); // it runs beside the others
    }
    let bytes = jobs.iter().map(|job| match &*job.wait() {
        Ok(ended) => Ok(ended.summary.bytes),
        Err(error) => Err(error.to_string()),
    });
    Ok(bytes.collect::<Result<_, _>>()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    compile_if_asked(); // plugins are compiled in a process of their own, which is this program again
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(plugin), Some(directory)) = (args.next(), args.next()) else {
        return Err("usage: tenants PLUGIN DIRECTORY".into());
    };
    println!("bytes of each tenant: {:?}", run(&plugin, &directory)?);
    Ok(())
}

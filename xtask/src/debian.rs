//! Debian packages: installs what a command needs, or says exactly what to run.
//!
//! Never asks: apt-get runs without a terminal, and sudo only where it needs no password.

use anyhow::{Result, bail};
use xshell::{Shell, cmd};

/// Installs `packages`, or the newest version of those that are there.
///
/// # Errors
/// Says what to run by hand when this is not Debian, or when we may not install.
pub(crate) fn install(shell: &Shell, packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    let by_hand = format!("hint: apt-get update && apt-get install {list}   (as root)");
    if !succeeds(shell, "apt-get", &["--version"]) {
        bail!("needs {list} of Debian 12, and there is no apt-get here");
    }
    let Some(prefix) = root_prefix(shell) else {
        bail!("needs {list}, and installing them takes root\n{by_hand}");
    };
    eprintln!("installing {list} with apt-get");
    let apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"];
    let apt: Vec<_> = prefix.iter().chain(&apt).copied().collect();
    let Some((program, arguments)) = apt.split_first() else { bail!("no program to run") };
    // Lists that are a little old may do: what counts is whether the install works.
    if let Err(error) = cmd!(shell, "{program} {arguments...} update").ignore_stdout().run() {
        eprintln!("apt-get update: {error}");
    }
    let options = ["-o", "DPkg::Lock::Timeout=120", "--yes", "--no-install-recommends"];
    let install = cmd!(shell, "{program} {arguments...} {options...} install {packages...}");
    if let Err(error) = install.ignore_stdout().run() {
        bail!("{error}\n{by_hand}");
    }
    Ok(())
}

/// What to put before a command so that it runs as root; nothing when no way is open.
fn root_prefix(shell: &Shell) -> Option<&'static [&'static str]> {
    if cmd!(shell, "id -u").quiet().read().is_ok_and(|id| id == "0") {
        return Some(&[]);
    }
    succeeds(shell, "sudo", &["-n", "true"]).then_some(&["sudo", "-n"])
}

/// Whether a program is there and exits with 0. Prints nothing.
pub(crate) fn succeeds(shell: &Shell, program: &str, arguments: &[&str]) -> bool {
    let command = shell.cmd(program).args(arguments);
    command.quiet().ignore_stdout().ignore_stderr().run().is_ok()
}

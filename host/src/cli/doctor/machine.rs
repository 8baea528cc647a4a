//! What the kernel says of this process and its bounds.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use rustix::fs::{Access, CWD, OFlags, access};
use rustix::process::{Resource, getrlimit};

use super::{Check, Need, called};
use crate::platform::{Links, PLACE, SYSTEM, open_beneath};
use crate::settings::limits::{OPEN_FILES_MIN, RESERVED_BYTES};

/// Name and release.
pub(super) fn kernel() -> String {
    let kernel = |name: &str| fs::read_to_string(Path::new("/proc/sys/kernel").join(name));
    let kernel = |name| kernel(name).unwrap_or_else(|error| error.to_string());
    let machine = std::env::consts::ARCH;
    if !cfg!(target_os = "linux") {
        return format!("{SYSTEM} {machine}");
    }
    format!("{} {} {machine}", kernel("ostype").trim(), kernel("osrelease").trim())
}

/// Opens the directory at hand in the way that nothing can lead out of.
pub(super) fn openat2() -> io::Result<()> {
    let flags = PLACE | OFlags::DIRECTORY;
    Ok(open_beneath(CWD, Path::new("."), flags, Links::Followed).map(drop)?)
}

/// Bounds on open files, addresses and memory.
pub(super) fn limits() -> [Check; 3] {
    [open_files(), addresses(), memory()]
}

fn open_files() -> Check {
    let name = "open files";
    let limit = getrlimit(Resource::Nofile).current;
    let found = limit.map_or("no limit".into(), |limit| format!("at most {limit}"));
    if limit.is_none_or(|limit| limit >= OPEN_FILES_MIN) {
        return Check::ok(name, Need::Run, found);
    }
    Check::missing(name, Need::Run, found, "raise it with `ulimit -n 1024`")
}

fn addresses() -> Check {
    let name = "addresses";
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let Some(limit) = getrlimit(Resource::As).current else {
        return Check::ok(name, Need::Run, "no limit");
    };
    let found = format!("at most {}", ByteSize(limit).display().iec());
    if limit >= RESERVED_BYTES.saturating_mul(threads) {
        return Check::ok(name, Need::Run, found);
    }
    let each = ByteSize(RESERVED_BYTES).display().iec();
    let hint =
        format!("each worker reserves {each} of addresses, not of memory: `ulimit -v unlimited`");
    Check::missing(name, Need::Run, found, &hint)
}

fn memory() -> Check {
    let name = "memory cgroup";
    match memory_limit() {
        Some(bytes) => {
            Check::ok(name, Need::Bound, format!("at most {}", ByteSize(bytes).display().iec()))
        }
        None => Check::missing(
            name,
            Need::Bound,
            "no limit",
            &format!(
                "--memory bounds each sandbox; for the whole, `systemd-run --scope -p MemoryMax=4G {} run …`",
                called::name()
            ),
        ),
    }
}

/// The smallest limit on the memory of this process's cgroup and those above it (cgroups(7)).
fn memory_limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    groups.lines().filter_map(limit_of).min()
}

/// That of a line `ID:CONTROLLERS:PATH`.
fn limit_of(line: &str) -> Option<u64> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (controllers, path) = (parts.next()?, Path::new(parts.next()?));
    let (root, file) = match controllers {
        "" => ("/sys/fs/cgroup", "memory.max"),
        _ if controllers.split(',').any(|controller| controller == "memory") => {
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
        }
        _ => return None,
    };
    let within = path.strip_prefix("/").unwrap_or(path);
    let limit = |group: &Path| -> Option<u64> {
        let text = fs::read_to_string(PathBuf::from(root).join(group).join(file)).ok()?;
        // The older interface says that there is none with a number larger than any memory.
        text.trim().parse().ok().filter(|bytes| *bytes < 1 << 60)
    };
    within.ancestors().filter_map(limit).min()
}

/// Whether the nearest directory above that is there lets a new one be made.
pub(super) fn can_make(dir: &Path) -> bool {
    let above = dir.ancestors().skip(1).find(|above| above.exists());
    above.is_some_and(|above| access(above, Access::WRITE_OK | Access::EXEC_OK).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_are_none_have_no_limit() {
        for line in ["", "0", "1:cpu:/", "0::/no/such/group-anywhere"] {
            assert!(limit_of(line).is_none_or(|bytes| bytes > 0), "{line}");
        }
        assert_eq!(limit_of("1:cpu,cpuacct:/"), None);
    }
}

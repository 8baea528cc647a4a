//! What code in the jail could try to get out of it, tried: by the calling thread, on files,
//! processes and sockets of its own.
//!
//! Whether a kernel keeps what its version promises is known once it has been asked. All that is
//! tried is harmless where it works, and works outside a jail (there is a test), so that a denial
//! is the jail's.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{Jail, JailError};

/// One attempt, and whether the kernel said no.
#[derive(Debug)]
pub struct Attempt {
    /// What was tried.
    pub name: &'static str,
    /// What the kernel said.
    pub result: io::Result<()>,
}

/// A file that the jail does not let in, and a directory that may be written.
#[derive(Debug)]
pub struct Ground {
    outside: PathBuf,
    inside: PathBuf,
    /// Open since before the jail.
    open: File,
}

impl Ground {
    /// Makes both below an empty directory.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn new(dir: &Path) -> io::Result<Self> {
        let (outside, inside) = (dir.join("outside"), dir.join("inside"));
        fs::create_dir(&inside)?;
        fs::write(&outside, "kept")?;
        let open = File::open(&outside)?;
        Ok(Self { outside, inside, open })
    }

    /// Puts the calling thread into the jail of a run that writes inside, and tries what there is
    /// to try.
    ///
    /// # Errors
    /// When there is no jail.
    pub fn try_in_jail(&self) -> Result<Vec<Attempt>, JailError> {
        let jail = Jail { write: vec![self.inside.clone()], ..Jail::default() };
        jail.enter()?;
        Ok(self.attempts())
    }

    /// There is no jail to try.
    #[cfg(not(target_os = "linux"))]
    fn attempts(&self) -> Vec<Attempt> {
        let Self { outside, inside, open } = self;
        let _ = (outside, inside, open);
        Vec::new()
    }

    #[cfg(target_os = "linux")]
    fn attempts(&self) -> Vec<Attempt> {
        use std::fs::FileTimes;
        use std::net::{TcpListener, UdpSocket};
        use std::os::unix::fs::{PermissionsExt, fchown};
        use std::os::unix::net::UnixStream;
        use std::process::Command;
        use std::time::SystemTime;

        use rustix::fs::{XattrFlags, inotify};
        use rustix::process::{Resource, getppid, prlimit, test_kill_process};

        let Self { outside, inside, open } = self;
        let owner = || fchown(open, Some(rustix::process::getuid().as_raw()), None);
        let mode = || open.set_permissions(fs::Permissions::from_mode(0o600));
        let times = || open.set_times(FileTimes::new().set_modified(SystemTime::UNIX_EPOCH));
        let parent = getppid();
        let all: [(&'static str, &dyn Fn() -> io::Result<()>); 18] = [
            ("read a file", &|| File::open(outside).map(drop)),
            ("list a directory", &|| fs::read_dir(outside.parent().unwrap_or(outside)).map(drop)),
            ("write a file", &|| File::options().write(true).open(outside).map(drop)),
            ("make a file", &|| File::create(outside.with_file_name("new")).map(drop)),
            ("link a file inside", &|| fs::hard_link(outside, inside.join("link"))),
            ("read memory by /proc", &|| File::open("/proc/self/mem").map(drop)),
            ("change the mode of an open file", &mode),
            ("change the owner of an open file", &owner),
            ("change the times of an open file", &times),
            ("set an attribute of an open file", &|| {
                Ok(rustix::fs::fsetxattr(open, "user.jail", b"", XattrFlags::empty())?)
            }),
            ("watch files", &|| Ok(inotify::init(inotify::CreateFlags::CLOEXEC).map(drop)?)),
            ("start a program", &|| Command::new("/bin/true").status().map(drop)),
            ("signal another process", &|| Ok(parent.map_or(Ok(()), test_kill_process)?)),
            ("limit another process", &|| {
                let same = rustix::process::getrlimit(Resource::Core);
                Ok(prlimit(parent, Resource::Core, same).map(drop)?)
            }),
            ("listen for connections", &|| TcpListener::bind("127.0.0.1:0").map(drop)),
            ("send to the network", &|| UdpSocket::bind("127.0.0.1:0").map(drop)),
            ("make a local socket", &|| UnixStream::pair().map(drop)),
            ("move a file inside", &|| fs::rename(outside, inside.join("moved"))),
        ];
        all.into_iter().map(|(name, attempt)| Attempt { name, result: attempt() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_jail_denies_works_without_it() {
        let dir = tempfile::tempdir().unwrap();
        let attempts = Ground::new(dir.path()).unwrap().attempts();
        for Attempt { name, result } in attempts {
            // A parent that is somebody else's, and a file system without attributes, say no by
            // themselves.
            let may_fail =
                name.ends_with("another process") || name.starts_with("set an attribute");
            assert!(result.is_ok() || may_fail, "{name}: {result:?}");
        }
    }
}

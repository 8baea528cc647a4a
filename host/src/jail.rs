//! The second wall: what is left to the process if a plugin should ever break out of its sandbox.
//!
//! The kernel's own means, entered once and never left: Landlock (`files`) says which files there
//! are, a filter of system calls (`calls`) allows what a run needs. Both hold for the thread that
//! enters and for all that it starts from then on, so they are entered before there is another.
//! Knows nothing of plugins, sources or outputs, only paths.
//!
//! What is not kept in: memory and time of the process (the sandbox bounds those of guests, and a
//! cgroup all of it), what was open before, and `stat`, which reveals names and sizes of files
//! outside, but no bytes.

#[cfg(not(target_os = "linux"))]
mod absent;
mod attempts;
#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod files;
mod probe;

use std::path::PathBuf;

#[cfg(not(target_os = "linux"))]
use absent::{calls, files};
use calls::Purpose;
use thiserror::Error;

use crate::name::Shown;
use crate::platform::SYSTEM;

pub use attempts::{Attempt, Ground};
pub use probe::{Support, probe};

/// What a process keeps when it goes into the jail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Jail {
    /// Files that may be read, and directories below which all may. What is not there stays out of
    /// reach.
    pub read: Vec<PathBuf>,
    /// Files that may be written and read, and directories below which all may, made and removed,
    /// too. They are there.
    pub write: Vec<PathBuf>,
    /// Whether there may be new connections.
    pub sockets: Sockets,
}

/// Whether there may be new connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sockets {
    /// None, to no machine.
    #[default]
    Denied,
    /// Those of the internet's protocols: sources or outputs are remote.
    Allowed,
}

/// Why a process is not in its jail.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JailError {
    /// The system is another one, which has no such means.
    #[error("needs Linux: this program was built for {SYSTEM}")]
    NotLinux,
    /// The kernel lacks what holds files back.
    #[error("the kernel lacks Landlock {needed} or newer: {reason}")]
    NoLandlock {
        /// The version of its interface that is needed.
        needed: u8,
        /// What it says.
        reason: String,
    },
    /// The kernel lacks what holds system calls back.
    #[error("the kernel takes no seccomp filter: {0}")]
    NoSeccomp(String),
    /// A file or directory could not be let in.
    #[error("{}: cannot be let into the jail: {reason}", Shown::of(&path))]
    Path {
        /// Which one.
        path: PathBuf,
        /// What the kernel says.
        reason: String,
    },
}

impl JailError {
    /// The way out.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotLinux => "run it on Linux, in a container or a virtual machine",
            Self::NoLandlock { .. } => {
                "needs Linux 6.2 with `landlock` among its security modules (lsm=landlock,…); `host doctor` tells"
            }
            Self::NoSeccomp(_) => {
                "needs a kernel with CONFIG_SECCOMP_FILTER, and no filter around it that forbids one"
            }
            Self::Path { .. } => "name a file or directory that is there",
        }
    }
}

/// Whether the system is one that has jails, whatever its kernel was built with.
///
/// # Errors
/// On all but Linux.
pub fn check_system() -> Result<(), JailError> {
    if cfg!(target_os = "linux") { Ok(()) } else { Err(JailError::NotLinux) }
}

impl Jail {
    /// Puts the calling thread, and all that it starts from now on, into the jail.
    ///
    /// # Errors
    /// When the kernel lacks what it takes, or a path that is to be written cannot be let in. The
    /// thread may be half in then: it should not go on.
    pub fn enter(&self) -> Result<(), JailError> {
        files::restrict(self)?;
        calls::restrict(Purpose::Run(self.sockets))
    }
}

/// Puts the calling thread, and all that it starts from now on, into a jail in which there is no
/// file: what is open is read and written, and memory that is computed in is not run.
///
/// # Errors
/// As for [`Jail::enter`].
pub fn enter_to_compile() -> Result<(), JailError> {
    files::restrict(&Jail::default())?;
    calls::restrict(Purpose::Compile)
}

//! Elsewhere than on Linux there is no jail: a request for one is refused, by the names that
//! `calls` and `files` have there.

/// Stands for the wall around files.
pub(super) mod files {
    use crate::jail::{Jail, JailError};

    /// What Linux would need.
    pub(in crate::jail) const NEEDED_VERSION: u8 = 3;

    pub(in crate::jail) fn restrict(_jail: &Jail) -> Result<(), JailError> {
        Err(JailError::NotLinux)
    }

    pub(in crate::jail) fn version() -> Result<u8, String> {
        Err(JailError::NotLinux.to_string())
    }
}

/// Stands for the wall around system calls.
pub(super) mod calls {
    use crate::jail::{JailError, Sockets};

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(in crate::jail) enum Purpose {
        Run(Sockets),
        Compile,
    }

    pub(in crate::jail) fn restrict(_purpose: Purpose) -> Result<(), JailError> {
        Err(JailError::NotLinux)
    }

    pub(in crate::jail) fn probe() -> Result<(), String> {
        Err(JailError::NotLinux.to_string())
    }
}

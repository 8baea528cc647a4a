//! What the kernel has for a jail, tried out rather than read from its version. Nothing of the
//! process changes.

use super::{JailError, calls, check_system, files};

/// What there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Support {
    /// Version of Landlock's interface, as far as it is known here; or what the kernel says.
    pub landlock: Result<u8, String>,
    /// The version that a jail needs.
    pub landlock_needed: u8,
    /// Whether a filter of system calls can be set.
    pub seccomp: Result<(), String>,
}

impl Support {
    /// Whether there is all that a jail needs.
    ///
    /// # Errors
    /// With what [`Jail::enter`](super::Jail::enter) would fail with.
    pub fn check(&self) -> Result<(), JailError> {
        check_system()?;
        let needed = self.landlock_needed;
        let lacking = |reason| Err(JailError::NoLandlock { needed, reason });
        match (&self.landlock, &self.seccomp) {
            (Err(reason), _) => lacking(reason.clone()),
            (Ok(version), _) if *version < needed => lacking(format!("it has {version}")),
            (Ok(_), Err(reason)) => Err(JailError::NoSeccomp(reason.clone())),
            (Ok(_), Ok(())) => Ok(()),
        }
    }
}

/// Tries what the kernel has.
pub fn probe() -> Support {
    Support {
        landlock: files::version(),
        landlock_needed: files::NEEDED_VERSION,
        seccomp: calls::probe(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_requirement_is_reported_with_what_is_needed() {
        let all = Support { landlock: Ok(3), landlock_needed: 3, seccomp: Ok(()) };
        assert!(all.check().is_ok());
        let message = |support: Support| support.check().unwrap_err().to_string();
        assert_eq!(
            JailError::NotLinux.to_string(),
            format!("needs Linux: this program was built for {}", std::env::consts::OS)
        );
        assert_eq!(
            message(Support { landlock: Ok(2), ..all.clone() }),
            "the kernel lacks Landlock 3 or newer: it has 2"
        );
        assert_eq!(
            message(Support { landlock: Err("Function not implemented".into()), ..all.clone() }),
            "the kernel lacks Landlock 3 or newer: Function not implemented"
        );
        assert_eq!(
            message(Support { seccomp: Err("Invalid argument".into()), ..all }),
            "the kernel takes no seccomp filter: Invalid argument"
        );
    }
}

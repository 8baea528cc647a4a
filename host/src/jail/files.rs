//! Which files there are: Landlock, by a rule for each path. A rule applies to the file or
//! directory that is there now, even if it is renamed.
//!
//! Version 3 of its interface is asked for: before that, any file could be emptied. What newer ones
//! hold back besides (devices, TCP, signals, abstract sockets) is held back where the kernel has
//! it.

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, Scope,
};

use super::{Jail, JailError, Sockets};

/// What is asked for.
const NEEDED: ABI = ABI::V3;

/// Its number.
pub(super) const NEEDED_VERSION: u8 = NEEDED as u8;

/// The newest whose meaning is known here.
const KNOWN: ABI = ABI::V6;

/// Where processes see their streams, which were open before: no rule is needed for those, and none
/// is to be had.
const STREAMS: &str = "/proc/";

pub(super) fn restrict(jail: &Jail) -> Result<(), JailError> {
    let mut rules = ruleset(jail.sockets).map_err(|error| lacking(&error))?;
    for path in &jail.read {
        // The rest of the run could not read what cannot be opened by its name now.
        if let Ok(file) = PathFd::new(path) {
            rules = allow(rules, path, file, AccessFs::ReadFile | AccessFs::ReadDir)?;
        }
    }
    for path in &jail.write {
        let file = PathFd::new(path).map_err(|error| refused(path, &error))?;
        let access = AccessFs::from_all(KNOWN) & !NOT_MADE;
        rules = allow(rules, path, file, access)?;
    }
    rules.restrict_self().map(|_status| ()).map_err(|error| lacking(&error))
}

/// Programs, devices and sockets, which no run starts or makes.
const NOT_MADE: BitFlags<AccessFs> =
    landlock::make_bitflags!(AccessFs::{Execute | MakeChar | MakeBlock | MakeSock | IoctlDev});

/// Nothing is allowed, but for what rules are added for.
fn ruleset(sockets: Sockets) -> Result<RulesetCreated, RulesetError> {
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(NEEDED))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?;
    let rules = match sockets {
        Sockets::Denied => rules.handle_access(AccessNet::from_all(KNOWN))?,
        Sockets::Allowed => rules,
    };
    rules.create()
}

fn allow(
    rules: RulesetCreated,
    path: &Path,
    file: PathFd,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, JailError> {
    let found = fs::metadata(path).map_err(|error| refused(path, &error))?;
    if is_stream(path, &found) {
        return Ok(rules);
    }
    let access = if found.is_dir() { access } else { access & AccessFs::from_file(KNOWN) };
    rules.add_rule(PathBeneath::new(file, access)).map_err(|error| refused(path, &error))
}

/// Whether it is an end of a pipe, as `/dev/stdout` may be.
fn is_stream(path: &Path, found: &fs::Metadata) -> bool {
    let kind = found.file_type();
    (kind.is_fifo() || kind.is_socket())
        && fs::canonicalize(path).map_or(true, |path| path.starts_with(STREAMS))
}

fn refused(path: &Path, error: &(dyn std::error::Error + 'static)) -> JailError {
    JailError::Path { path: path.into(), reason: innermost(error) }
}

fn lacking(error: &(dyn std::error::Error + 'static)) -> JailError {
    JailError::NoLandlock { needed: NEEDED_VERSION, reason: innermost(error) }
}

/// What the kernel said, where the error carries that.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    match error.downcast_ref::<io::Error>() {
        Some(error) => error.to_string(),
        None => error.to_string().to_lowercase(),
    }
}

/// The newest version of the interface that the kernel has, tried out; nothing of the thread
/// changes.
pub(super) fn version() -> Result<u8, String> {
    let has = |version: ABI| {
        Ruleset::default()
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::from_all(version))
            .and_then(|rules| {
                let scopes = Scope::from_all(version);
                if scopes.is_empty() { Ok(rules) } else { rules.scope(scopes) }
            })
            .and_then(|rules| {
                let net = AccessNet::from_all(version);
                if net.is_empty() { Ok(rules) } else { rules.handle_access(net) }
            })
            .and_then(Ruleset::create)
            .map_err(|error| innermost(&error))
    };
    let mut newest = has(ABI::V1).map(|_rules| ABI::V1)?;
    for version in [ABI::V2, ABI::V3, ABI::V4, ABI::V5, KNOWN] {
        if has(version).is_err() {
            break;
        }
        newest = version;
    }
    Ok(newest as u8)
}

//! `host doctor --jail`: enters the jail of a run, in a thread of its own, and reports which walls
//! hold.

use std::io::ErrorKind;
use std::thread;

use super::{Check, Need};
use crate::jail::{Attempt, Ground};

const NAME: &str = "jail";

/// A check for each attempt to get out, or one that says why there is no jail.
pub(super) fn checks() -> Vec<Check> {
    let none = |why: String, hint: &str| vec![Check::missing(NAME, Need::Jail, why, hint)];
    let ground = tempfile::tempdir().and_then(|dir| Ok((Ground::new(dir.path())?, dir)));
    let (ground, _dir) = match ground {
        Ok(ground) => ground,
        Err(error) => {
            let why = format!("there is no directory to try it in: {error}");
            return none(why, "set TMPDIR to a directory that may be written");
        }
    };
    // A jail is one of threads: the one here stays free, and removes the directory.
    let tried = thread::scope(|scope| scope.spawn(|| ground.try_in_jail()).join());
    match tried {
        Ok(Ok(attempts)) => attempts.into_iter().map(check).collect(),
        Ok(Err(error)) => none(error.to_string(), error.hint()),
        Err(_) => none("the thread in it has crashed".into(), "a report of this would help"),
    }
}

fn check(Attempt { name, result }: Attempt) -> Check {
    match result {
        // A link from outside is one across devices there.
        Err(error)
            if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::CrossesDevices) =>
        {
            Check::ok(NAME, Need::Jail, format!("cannot {name}: {error}"))
        }
        Err(error) => {
            let found = format!("not known whether one can {name}: {error}");
            Check::missing(NAME, Need::Jail, found, "it has to be denied, and failed otherwise")
        }
        Ok(()) => {
            let hint = "the kernel, or a filter around this process, takes that wall away";
            Check::missing(NAME, Need::Jail, format!("can {name}"), hint)
        }
    }
}

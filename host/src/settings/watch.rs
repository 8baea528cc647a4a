//! The words for how files are taken as they arrive: when one is ready, in which order, and what
//! becomes of it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use humantime::{format_duration, format_rfc3339_seconds, parse_duration, parse_rfc3339_weak};

use super::words::{expected, words};

/// What to do with files that are there when a watch is begun for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// They are processed.
    #[default]
    Process,
    /// They are left.
    Skip,
    /// Those that were written at that time or later are processed.
    Since(SystemTime),
}

impl fmt::Display for Existing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process => f.write_str("process"),
            Self::Skip => f.write_str("skip"),
            Self::Since(time) => write!(f, "since:{}", format_rfc3339_seconds(*time)),
        }
    }
}

impl FromStr for Existing {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let time = |text: &str| {
            let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.into() };
            parse_rfc3339_weak(&whole)
                .map(Self::Since)
                .map_err(|_| "expected a time, as since:2026-01-31 or since:2026-01-31T12:00:00Z")
        };
        match (word, word.strip_prefix("since:")) {
            ("process", _) => Ok(Self::Process),
            ("skip", _) => Ok(Self::Skip),
            (_, Some(text)) => time(text).map_err(str::to_string),
            _ => Err(expected(&["process", "skip", "since:TIME"])),
        }
    }
}

/// When a file is ready to be processed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SettleMode {
    /// It was closed or moved in, and has not changed for a while.
    #[default]
    Quiet,
    /// It was moved in: at once. Others are taken as with `quiet`.
    Rename,
    /// A file of that name, a template, lies beside it.
    Marker(String),
    /// It was last written so long ago.
    MinAge(Duration),
}

impl fmt::Display for SettleMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quiet => f.write_str("quiet"),
            Self::Rename => f.write_str("rename"),
            Self::Marker(template) => write!(f, "marker:{template}"),
            Self::MinAge(age) => write!(f, "min-age:{}", format_duration(*age)),
        }
    }
}

impl FromStr for SettleMode {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word.split_once(':').unwrap_or((word, "")) {
            ("quiet", "") => Ok(Self::Quiet),
            ("rename", "") => Ok(Self::Rename),
            ("marker", template) => {
                let is_name = !template.contains('/');
                let is_itself = template == "{name}";
                if !is_name
                    || is_itself
                    || !(template.contains("{name}") || template.contains("{stem}"))
                {
                    return Err(
                        "expected a name with {name} or {stem}, as marker:{name}.done".into()
                    );
                }
                Ok(Self::Marker(template.into()))
            }
            ("min-age", age) => parse_duration(age)
                .map(Self::MinAge)
                .map_err(|_| "expected a time, as min-age:5m".to_string()),
            _ => Err(expected(&["quiet", "rename", "marker:TEMPLATE", "min-age:TIME"])),
        }
    }
}

/// What to do with another version of a file that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Changed {
    /// It is processed, and its output replaces that of the version before.
    #[default]
    Again,
    /// It is left.
    Ignore,
    /// It fails.
    Fail,
}

words!(Changed { Again = "again", Ignore = "ignore", Fail = "fail" });

/// What becomes of a file once its output is in place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum AfterCommit {
    /// It stays.
    #[default]
    Keep,
    /// It is removed.
    Delete,
    /// It is moved: to a directory, or to what a template says.
    Move(PathBuf),
}

impl fmt::Display for AfterCommit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keep => f.write_str("keep"),
            Self::Delete => f.write_str("delete"),
            Self::Move(to) => write!(f, "move:{}", to.display()),
        }
    }
}

impl FromStr for AfterCommit {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match (word, word.strip_prefix("move:")) {
            ("keep", _) => Ok(Self::Keep),
            ("delete", _) => Ok(Self::Delete),
            (_, Some(to)) if !to.is_empty() => {
                let known = ["{name}", "{stem}", "{dir}"];
                let rest = known.iter().fold(to.to_string(), |to, part| to.replace(part, ""));
                if rest.contains(['{', '}']) {
                    return Err("expected a template of {name}, {stem} and {dir}".into());
                }
                Ok(Self::Move(to.into()))
            }
            _ => Err(expected(&["keep", "delete", "move:DIR/"])),
        }
    }
}

/// What becomes of a file that has failed for good.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum OnFail {
    /// It stays.
    #[default]
    Keep,
    /// It is moved to that directory, with the reason beside it.
    Move(PathBuf),
}

impl fmt::Display for OnFail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keep => f.write_str("keep"),
            Self::Move(to) => write!(f, "move:{}", to.display()),
        }
    }
}

impl FromStr for OnFail {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match (word, word.strip_prefix("move:")) {
            ("keep", _) => Ok(Self::Keep),
            (_, Some(to)) if !to.is_empty() => Ok(Self::Move(to.into())),
            _ => Err(expected(&["keep", "move:DIR"])),
        }
    }
}

/// In which order files that are ready are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Order {
    /// As they were seen.
    #[default]
    Arrival,
    /// The one that was written longest ago first.
    Oldest,
    /// The one that was written last first.
    Newest,
    /// By path.
    Name,
    /// The largest first.
    Largest,
}

words!(Order {
    Arrival = "arrival",
    Oldest = "oldest",
    Newest = "newest",
    Name = "name",
    Largest = "largest",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_as_they_are_written() {
        for word in ["process", "skip", "since:2026-01-31T00:00:00Z"] {
            assert_eq!(word.parse::<Existing>().unwrap().to_string(), word);
        }
        assert_eq!("since:2026-01-31".parse::<Existing>(), "since:2026-01-31T00:00:00Z".parse());
        for word in ["quiet", "rename", "marker:{name}.done", "min-age:5m"] {
            assert_eq!(word.parse::<SettleMode>().unwrap().to_string(), word);
        }
        for word in ["keep", "delete", "move:done/"] {
            assert_eq!(word.parse::<AfterCommit>().unwrap().to_string(), word);
        }
        for word in ["keep", "move:bad"] {
            assert_eq!(word.parse::<OnFail>().unwrap().to_string(), word);
        }
    }

    #[test]
    fn words_that_mean_nothing_are_refused_with_what_was_expected() {
        let refused = "since:yesterday".parse::<Existing>().unwrap_err();
        assert!(refused.contains("as since:2026-01-31"), "{refused}");
        for word in
            ["marker:{name}", "marker:done", "marker:a/{name}", "min-age:", "quiet:1", "loud"]
        {
            assert!(word.parse::<SettleMode>().is_err(), "{word}");
        }
        assert!("move:{year}/".parse::<AfterCommit>().is_err());
        for word in ["move:", "move", "remove"] {
            assert!(word.parse::<AfterCommit>().is_err(), "{word}");
            assert!(word.parse::<OnFail>().is_err(), "{word}");
        }
    }
}

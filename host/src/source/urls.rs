//! Which addresses a list of names may have: the author of the list may not be the user who runs
//! the job.

use super::{Address, Refusal, Source, SourcePath, Way};

/// Which stores and web servers may be named by a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Urls {
    /// Any.
    #[default]
    All,
    /// Those of these hosts and buckets; an empty list is none.
    Of(Vec<String>),
}

impl Urls {
    /// Whether that address is among them: by its bucket, or by its host, with or without its port.
    pub fn allow(&self, address: &Address<'_>) -> bool {
        let Self::Of(hosts) = self else { return true };
        let host = address.host();
        let bare = host.rsplit_once(':').map_or(host, |(bare, _port)| bare);
        let is = |name: &str, host: &str| name.eq_ignore_ascii_case(host);
        hosts.iter().any(|name| is(name, host) || is(name, bare) || is(name, address.authority))
    }
}

/// A name of a list, as an object if it is an address: the lists are of single objects, but for
/// what says that it is none. The source itself where it is not.
pub(super) fn named(source: Source, urls: &Urls) -> Result<Source, Source> {
    let path = source.path.to_path();
    let Some(address) = Address::of(&path) else {
        drop(path);
        return Err(source);
    };
    let way = if address.is_prefix() { Way::Prefix } else { Way::Object };
    let (way, listed) =
        if urls.allow(&address) { (way, Ok(None)) } else { (Way::File, Err(Refusal::Url.into())) };
    // A query may have slashes: it is no directory.
    let whole = SourcePath::from(&*path);
    drop(path);
    Ok(Source { path: whole, listed, way })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn hosts_and_buckets_are_allowed_by_name() {
        let urls = Urls::Of(vec!["example.org".into(), "bucket".into(), "h:81".into()]);
        let allows = |name: &str| urls.allow(&Address::of(Path::new(name)).unwrap());
        for name in
            ["https://example.org/a", "http://EXAMPLE.org:80/", "s3://bucket/k", "http://u:p@h:81/"]
        {
            assert!(allows(name), "{name}");
        }
        for name in [
            "https://example.org.evil/a",
            "http://h/",
            "s3://bucket2/k",
            "https://evil/example.org",
        ] {
            assert!(!allows(name), "{name}");
        }
        assert!(Urls::All.allow(&Address::of(Path::new("gs://b")).unwrap()));
    }
}

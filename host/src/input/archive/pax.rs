//! Extended headers of tar files (POSIX.1-2017, pax, "pax Extended Header"): records `LENGTH
//! KEY=VALUE\n`, where a value may hold anything, line feeds too.

use super::sparse::Map;

/// What an extended header says of the member that follows it, as far as that matters here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) bytes: Option<u64>,
    /// Where the holes are of a file that is stored without them, and its name where that is said
    /// beside.
    pub(super) sparse: Option<Map>,
    pub(super) sparse_name: Option<Vec<u8>>,
}

impl Pax {
    /// What the records in `data` say.
    pub(super) fn read(data: &[u8]) -> Result<Self, &'static str> {
        let mut pax = Self::default();
        pax.add(data)?;
        Ok(pax)
    }

    /// Adds what the records in `data` say; of two that say the same thing, the later one counts.
    pub(super) fn add(&mut self, data: &[u8]) -> Result<(), &'static str> {
        let pax = self;
        let mut rest = data;
        // Some writers pad with zeros.
        while rest.first().is_some_and(|&byte| byte != 0) {
            let (key, value, after) = record(rest).ok_or("a malformed extended header")?;
            match key {
                // An empty value takes back what was said before.
                b"path" => pax.path = (!value.is_empty()).then(|| value.to_vec()),
                b"size" => pax.bytes = Some(number(value).ok_or("a size that is no number")?),
                key => {
                    if let Some(key) = key.strip_prefix(b"GNU.sparse.") {
                        pax.sparse.get_or_insert_default().add_record(key, value);
                        if key == b"name" {
                            pax.sparse_name = (!value.is_empty()).then(|| value.to_vec());
                        }
                    }
                }
            }
            rest = after;
        }
        Ok(())
    }
}

/// The first record: its key, its value, and what follows.
fn record(data: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = memchr::memchr(b' ', data)?;
    let length = usize::try_from(number(data.get(..space)?)?).ok()?;
    let (record, after) = data.split_at_checked(length)?;
    let (line_feed, record) = record.get(space + 1..)?.split_last()?;
    let equals = memchr::memchr(b'=', record)?;
    (*line_feed == b'\n').then_some((record.get(..equals)?, record.get(equals + 1..)?, after))
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().all(u8::is_ascii_digit).then_some(())?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_as_long_as_they_say() {
        let pax = Pax::read(b"30 mtime=1700000000.123456789\n12 path=a\nb\n20 size=12345678901\n")
            .unwrap();
        let (path, bytes) = (Some(b"a\nb".into()), Some(12_345_678_901));
        let expected = Pax { path, bytes, ..Pax::default() };
        assert_eq!(pax, expected);
        assert_eq!(Pax::read(b"").unwrap(), Pax::default());
        assert_eq!(Pax::read(b"9 path=a\n8 path=\n\0\0").unwrap(), Pax::default());
        let sparse = Pax::read(b"22 GNU.sparse.major=1\n23 GNU.sparse.name=a/b\n").unwrap();
        assert!(sparse.sparse.is_some());
        assert_eq!(sparse.sparse_name.unwrap(), b"a/b");
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for data in [
            &b"8 path=a\n"[..],
            b"11 path=a\n",
            b"99999999999999999999 path=a\n",
            b"9 path:a\n",
            b"9path=ab\n",
            b"0 path=a\n",
            b"2 \n",
            b"-9 path=a\n",
            b"9 size=x\n",
            b"29 size=18446744073709551616\n",
            b"path",
        ] {
            assert!(Pax::read(data).is_err(), "{}", data.escape_ascii());
        }
    }
}

//! Keys of objects that the clients of the stores cannot take: with an empty part, as in `a//b`,
//! with `.` or `..`, with control characters, or with a slash before all. One of them in an answer
//! that lists keys makes a client refuse all of it.
//!
//! So each is changed, in the text of the answer, to one that can be listed and has a mark; who
//! lists takes the mark off again, and refuses that key alone.

/// A character that nobody has in a key: it is for private use (Unicode Standard, section 23.5).
const MARK: char = '\u{f8ff}';

/// What a key stands between: in answers of S3 and Google, and of Azure.
const KEYS: [(&str, &str); 2] = [("<Key>", "</Key>"), ("<Name>", "</Name>")];

/// Whether a query asks for a list of keys (`ListObjectsV2`, `List Blobs`).
pub(super) fn is_list(query: &str) -> bool {
    query.split('&').any(|pair| pair == "list-type=2" || pair == "comp=list")
}

/// A list whose keys can all be taken; `None` where they can be as they are.
pub(super) fn marked(list: &str) -> Option<String> {
    let mut text = String::with_capacity(list.len());
    let mut rest = list;
    let mut is_marked = false;
    let next = |rest: &str| {
        let found = KEYS.iter().filter_map(|(open, close)| Some((rest.find(open)?, open, close)));
        found.min_by_key(|(at, ..)| *at).map(|(at, open, close)| (at + open.len(), *close))
    };
    while let Some((start, close)) = next(rest) {
        let (before, behind) = rest.split_at(start);
        text.push_str(before);
        let end = behind.find(close).unwrap_or(behind.len());
        let (key, after) = behind.split_at(end);
        if is_unfit(key) {
            text.push_str(&mark(key));
            is_marked = true;
        } else {
            text.push_str(key);
        }
        rest = after;
    }
    text.push_str(rest);
    is_marked.then_some(text)
}

/// Whether a key, as it is written in a list, cannot be taken.
fn is_unfit(key: &str) -> bool {
    let inner = key.strip_suffix('/').unwrap_or(key);
    let bad = |part: &str| matches!(part, "" | "." | "..") || part.chars().any(is_control);
    !inner.is_empty() && inner.split('/').any(|part| bad(part) || part.contains("&#"))
}

fn is_control(c: char) -> bool {
    c.is_ascii_control()
}

fn mark(key: &str) -> String {
    let part = |part: &str| {
        let plain: String = part.chars().filter(|c| !is_control(*c)).collect();
        format!("{MARK}{}", plain.replace("&#", "&amp;#"))
    };
    key.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// The key that was marked; `None` for one that was not.
pub(crate) fn unmarked(key: &str) -> Option<String> {
    key.contains(MARK).then(|| key.replace(MARK, ""))
}

#[cfg(test)]
mod tests {
    use object_store::path::Path;

    use super::*;

    #[test]
    fn a_key_that_cannot_be_taken_is_marked_and_the_others_stay() {
        let keys = ["a/b", "a//b", "/a", "a/../b", "./a", "a/", "a//", "x&amp;y", "a&#10;b"];
        let list = keys.map(|key| format!("<Key>{key}</Key><Size>1</Size>")).concat();
        let marked = marked(&list).unwrap();
        for (key, found) in keys.iter().zip(marked.split("<Key>").skip(1)) {
            let found = found.split("</Key>").next().unwrap();
            assert!(Path::parse(found).is_ok(), "{found}");
            let fits = matches!(*key, "a/b" | "a/" | "x&amp;y");
            assert_eq!(unmarked(found).is_none(), fits, "{key}");
            assert_eq!(unmarked(found).unwrap_or(found.into()).replace("&amp;#", "&#"), *key);
        }
        assert_eq!(super::marked("<Key>a/b</Key>"), None);
        assert!(is_list("list-type=2&prefix=a") && is_list("comp=list") && !is_list("uploads"));
    }
}

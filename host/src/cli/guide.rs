//! `host guide`: the pages of `docs/` in the terminal, offline.

use std::io::{self, Write};

use super::Exit;
use crate::spec::Problem;

/// The pages by topic.
const PAGES: [(&str, &str); 13] = [
    ("guide", include_str!("../../docs/guide.md")),
    ("watch", include_str!("../../docs/watch.md")),
    ("pipeline-files", include_str!("../../docs/pipeline-files.md")),
    ("remote", include_str!("../../docs/remote.md")),
    ("plugins", include_str!("../../docs/plugins.md")),
    ("limits", include_str!("../../docs/limits.md")),
    ("security", include_str!("../../docs/security.md")),
    ("operations", include_str!("../../docs/operations.md")),
    ("schemas", include_str!("../../docs/schemas.md")),
    ("troubleshooting", include_str!("../../docs/troubleshooting.md")),
    ("performance", include_str!("../../docs/performance.md")),
    ("library", include_str!("../../docs/library.md")),
    ("glossary", include_str!("../../docs/glossary.md")),
];

/// The topics, as the help lists them.
pub(super) fn topics() -> [&'static str; 13] {
    PAGES.map(|(topic, _)| topic)
}

/// Prints a page.
pub(super) fn guide(topic: &str) -> Result<Exit, Problem> {
    let Some((_, page)) = PAGES.iter().find(|(name, _)| *name == topic) else {
        let hint = format!("topics are {}", topics().join(", "));
        return Err(Problem::new(format!("there is no page `{topic}`")).hint(Some(&hint)));
    };
    print(&without_links(page))
}

/// Prints the contract between plugins and the host.
pub(super) fn wit() -> Result<Exit, Problem> {
    print(include_str!("../../../wit/plugin.wit"))
}

fn print(text: &str) -> Result<Exit, Problem> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Problem::new(error)),
        _ => Ok(Exit::Done),
    }
}

/// The page with the text of its links alone: a terminal follows none.
fn without_links(page: &str) -> String {
    let mut text = String::with_capacity(page.len());
    let mut rest = page;
    while let Some((before, link)) = rest.split_once("](") {
        let Some(((start, label), (_, behind))) = before.rsplit_once('[').zip(link.split_once(')'))
        else {
            break;
        };
        text.extend([start, label]);
        rest = behind;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_become_their_labels() {
        let page = "see [Limits](limits.md) and [all](x.md#y). [no link] (nor this)\n";
        assert_eq!(without_links(page), "see Limits and all. [no link] (nor this)\n");
        for (topic, page) in PAGES {
            assert!(page.starts_with("# "), "{topic}");
            assert!(!without_links(page).contains(".md)"), "{topic}");
        }
    }
}

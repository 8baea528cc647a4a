//! The tokens of a file, and what it uses of its crate.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The tokens of a file in one row, brackets among them; comments and strings are no words.
pub(super) struct Tokens(Vec<(String, usize)>);

impl Tokens {
    pub(super) fn of(text: &str) -> Self {
        let mut tokens = Self(Vec::new());
        tokens.add(text.parse().expect("the file is Rust"));
        tokens
    }

    fn add(&mut self, stream: TokenStream) {
        for token in stream {
            let line = token.span().start().line;
            match token {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::None => ("", ""),
                    };
                    self.0.push((open.into(), line));
                    self.add(group.stream());
                    self.0.push((close.into(), group.span_close().start().line));
                }
                TokenTree::Literal(_) => self.0.push((String::new(), line)),
                other => self.0.push((other.to_string(), line)),
            }
        }
    }

    pub(super) fn words(&self) -> impl Iterator<Item = (usize, &str)> {
        self.0.iter().map(|(word, _)| word.as_str()).enumerate()
    }

    pub(super) fn line(&self, at: usize) -> usize {
        self.0[at].1
    }

    pub(super) fn is(&self, at: usize, text: &str) -> bool {
        self.0.get(at).is_some_and(|(token, _)| token == text)
    }

    fn is_path_separator(&self, at: usize) -> bool {
        self.is(at, ":") && self.is(at + 1, ":")
    }

    /// Whether a path begins with the word there.
    pub(super) fn begins_path(&self, at: usize) -> bool {
        let goes_on = at >= 3 && self.is_path_separator(at - 2) && self.ends_segment(at - 3);
        self.is_path_separator(at + 1) && !goes_on
    }

    /// Whether a path may go on after the token there: it is a name or `>`, and no keyword.
    fn ends_segment(&self, at: usize) -> bool {
        let token = self.0[at].0.as_str();
        let name = token.chars().all(|c| c.is_alphanumeric() || c == '_');
        token == ">" || (name && !matches!(token, "" | "use" | "as" | "return" | "in" | "else"))
    }

    /// What the file uses of the crate's root, with the line.
    pub(super) fn used(&self, name: &str) -> Vec<(usize, String)> {
        let mut used = Vec::new();
        let mut inline = Vec::new(); // for each open brace, whether it is that of a module
        for (at, word) in self.words() {
            match word {
                "{" => inline.push(at >= 2 && self.is(at - 2, "mod")),
                "}" => drop(inline.pop()),
                "crate" if self.begins_path(at) => self.roots(at + 3, &mut used),
                "super" if self.begins_path(at) => {
                    let mut next = at;
                    let mut depth = depth(name) + inline.iter().filter(|module| **module).count();
                    while self.is(next, "super") && self.is_path_separator(next + 1) {
                        depth = depth.saturating_sub(1);
                        next += 3;
                    }
                    if depth == 0 {
                        self.roots(next, &mut used);
                    }
                }
                _ => {}
            }
        }
        used
    }

    /// The first words of the paths that begin at `at`: one, or several in braces.
    fn roots(&self, at: usize, used: &mut Vec<(usize, String)>) {
        let mut push = |at: usize| used.push((self.line(at), self.0[at].0.clone()));
        if !self.is(at, "{") {
            return push(at);
        }
        let mut depth = 0;
        for here in at.. {
            match self.0[here].0.as_str() {
                "{" => depth += 1,
                "}" if depth == 1 => return,
                "}" => depth -= 1,
                _ => {}
            }
            let begins = self.is(here, "{") || self.is(here, ",");
            if depth == 1 && begins && !self.is(here + 1, "}") {
                push(here + 1);
            }
        }
    }
}

/// How many modules a file is below the root.
fn depth(name: &str) -> usize {
    name.split('/').count()
}

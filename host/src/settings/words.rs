//! Settings that are one of a few words.

/// Gives each variant of an enum its word, by which it is written and read.
macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $type {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its word.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl ::std::str::FromStr for $type {
            type Err = String;

            fn from_str(word: &str) -> Result<Self, String> {
                let found = Self::ALL.iter().copied().find(|it| it.word() == word);
                found.ok_or_else(|| $crate::settings::words::expected(&[$($word),+]))
            }
        }
    };
}
pub(super) use words;

/// That it should have been one of these.
pub(super) fn expected(words: &[&str]) -> String {
    match words {
        [first @ .., last] if !first.is_empty() => {
            format!("expected {} or {last}", first.join(", "))
        }
        _ => format!("expected {}", words.join("")),
    }
}

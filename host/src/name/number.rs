//! How many of what, in words that agree.

/// `1 source`, `2 sources`: the number, and what there is one or several of.
pub fn number(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

//! Secrets that say by their first characters what they are, as those who issue them document;
//! `JSON` web tokens (RFC 7519); what stands behind `Bearer` and `Basic` (RFC 6750, RFC 7617); user
//! and password of a URL.

use std::ops::Range;

use super::is_in_word;

pub(super) const EXPRESSION: &str = concat!(
    // Amazon, Google
    r"(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA|AGPA|AIPA|ANPA|ANVA)[A-Z2-7]{16}",
    r"|AIza[0-9A-Za-z_-]{35}|ya29\.[0-9A-Za-z_-]{20,}|GOCSPX-[0-9A-Za-z_-]{20,}",
    // GitHub, GitLab
    r"|gh[pousr]_[0-9A-Za-z]{30,}|github_pat_[0-9A-Za-z_]{22,}|gl(?:pat|ptt|dt|rt|cbt|soat)-[0-9A-Za-z_-]{20,}",
    // Slack, Stripe, Twilio, SendGrid, Mailgun, Shopify, Square
    r"|xox[abeoprs]-[0-9A-Za-z-]{10,}|xapp-[0-9A-Za-z-]{10,}|[rsp]k_(?:live|test)_[0-9A-Za-z]{10,}|whsec_[0-9A-Za-z+/=]{20,}",
    r"|SK[0-9a-f]{32}|SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}|key-[0-9a-f]{32}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|sq0(?:atp|csp)-[0-9A-Za-z_-]{22,}",
    // OpenAI, Anthropic, Hugging Face; npm, PyPI, RubyGems, Docker, DigitalOcean, Databricks,
    // Vault, Linear, Figma
    r"|sk-[0-9A-Za-z_-]{20,}|hf_[0-9A-Za-z]{30,}|npm_[0-9A-Za-z]{30,}|pypi-[0-9A-Za-z_-]{50,}|rubygems_[0-9a-f]{48}|dckr_pat_[0-9A-Za-z_-]{20,}",
    r"|do[opr]_v1_[0-9a-f]{64}|dapi[0-9a-f]{32}|hv[sb]\.[0-9A-Za-z_-]{20,}|lin_api_[0-9A-Za-z]{30,}|fig[dou]_[0-9A-Za-z_-]{30,}",
    // Web tokens
    r"|eyJ[0-9A-Za-z_-]{5,}\.[0-9A-Za-z_-]{5,}(?:\.[0-9A-Za-z_-]*)*",
    r"|(?i:bearer|basic)[ +]+[0-9A-Za-z._~+/=-]{8,}",
    r"|[A-Za-z][0-9A-Za-z+.-]{0,20}://[^\s:/@?#<>\x22']{0,100}:[^\s/@?#<>\x22']{1,200}@",
);

/// No part of a word; of a header and a URL only what is secret.
pub(super) fn check(text: &[u8], found: Range<usize>) -> Option<Range<usize>> {
    let part = text.get(found.clone())?;
    if let Some(slashes) = part.windows(3).position(|sign| sign == b"://") {
        return Some(found.start + slashes + 3..found.end - 1);
    }
    if is_in_word(text, found.start) {
        return None;
    }
    let gap = part.iter().position(|byte| matches!(byte, b' ' | b'+')).filter(|_| is_header(part));
    let secret = gap.map_or(0, |gap| {
        gap + part.iter().skip(gap).take_while(|byte| matches!(byte, b' ' | b'+')).count()
    });
    Some(found.start + secret..found.end)
}

fn is_header(part: &[u8]) -> bool {
    let begins =
        |word: &[u8]| part.get(..word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word));
    begins(b"bearer") || begins(b"basic")
}

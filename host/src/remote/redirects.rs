//! Web servers that send a client elsewhere: how far that is followed.
//!
//! A server is not trusted like the user who named it: it may send a client into the network that
//! the client is in. So a redirect leads to the same scheme, or from http to https; from a public
//! address to no private one, unless that is allowed; and at most five times. What is sent on is
//! the request alone: no credentials, no query and no word of where it comes from (`Referer`).

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use object_store::client::{
    HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse, HttpService,
};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url, redirect};
use thiserror::Error;

use crate::settings::limits::{REDIRECTS_MAX, REMOTE_CONNECT, REMOTE_IDLE, REMOTE_REQUEST};

/// Whether public servers may send this process to private addresses.
static PRIVATE: AtomicBool = AtomicBool::new(false);

/// Lets public servers send this process to private addresses, for as long as it runs.
pub fn allow_private() {
    PRIVATE.store(true, Ordering::Release);
}

/// A server sends somebody where nobody is sent.
#[derive(Debug, Error)]
pub(super) enum Astray {
    #[error("it redirects more than {REDIRECTS_MAX} times")]
    TooOften,
    #[error("it redirects to {scheme}, from {from}")]
    Scheme { scheme: String, from: String },
    #[error("it redirects to {host}, which is a private address")]
    Private { host: String },
    #[error("it redirects to what is no address")]
    Nowhere,
}

impl Astray {
    /// The way out.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::Private { .. } => "⟦allow_private⟧ follows it; or name where it leads",
            _ => "name where it leads, if that is what you want",
        }
    }
}

impl From<Astray> for HttpError {
    fn from(astray: Astray) -> Self {
        Self::new(HttpErrorKind::Unknown, astray)
    }
}

/// Sends requests, and follows redirects as far as they may lead.
#[derive(Debug)]
pub(super) struct Redirects {
    anywhere: HttpClient,
    /// Connects to public addresses alone, whatever a name resolves to.
    in_public: HttpClient,
}

impl Redirects {
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        Self::within(REMOTE_IDLE)
    }

    /// That is how long headers may take, and how long there may be silence afterwards.
    pub(super) fn within(idle: Duration) -> Result<Self, reqwest::Error> {
        let client = || {
            Client::builder()
                .redirect(redirect::Policy::none())
                .referer(false)
                .connect_timeout(REMOTE_CONNECT)
                .read_timeout(idle)
                .timeout(REMOTE_REQUEST)
        };
        Ok(Self {
            anywhere: HttpClient::new(client().build()?),
            in_public: HttpClient::new(client().dns_resolver(PublicNames).build()?),
        })
    }
}

#[async_trait::async_trait]
impl HttpService for Redirects {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (mut head, body) = request.into_parts();
        let mut at = Url::parse(&head.uri.to_string()).map_err(|_| Astray::Nowhere)?;
        // Only asked where a server redirects: nearly none does.
        let mut is_public = None;
        let mut body = Some(body);
        for _ in 0..=REDIRECTS_MAX {
            let client = if is_public == Some(true) { &self.in_public } else { &self.anywhere };
            let mut request = HttpRequest::new(body.take().unwrap_or_else(HttpRequestBody::empty));
            *request.method_mut() = head.method.clone();
            *request.uri_mut() = head.uri.clone();
            *request.headers_mut() = head.headers.clone();
            let answer = client.execute(request).await?;
            let is_read = ["GET", "HEAD"].contains(&head.method.as_str());
            let Some(next) =
                Some(&answer).filter(|_| is_read).and_then(|answer| location(answer, &at))
            else {
                return Ok(answer);
            };
            let next = next?;
            if is_public.is_none() {
                is_public = Some(!PRIVATE.load(Ordering::Acquire) && leads_into_public(&at).await);
            }
            may_lead(&at, &next, is_public == Some(true))?;
            for secret in ["authorization", "cookie", "proxy-authorization"] {
                head.headers.remove(secret);
            }
            head.uri = next.as_str().parse().map_err(|_| Astray::Nowhere)?;
            at = next;
        }
        Err(Astray::TooOften.into())
    }
}

/// Where an answer sends whoever asked (RFC 9110 section 15.4); `None` where it is what was asked
/// for.
fn location(answer: &HttpResponse, at: &Url) -> Option<Result<Url, Astray>> {
    if ![301, 302, 303, 307, 308].contains(&answer.status().as_u16()) {
        return None;
    }
    let location = answer.headers().get("location")?.to_str().ok();
    let mut next = location.and_then(|text| at.join(text).ok()).ok_or(Astray::Nowhere);
    if let Ok(next) = &mut next {
        // Whoever is named there is none of ours.
        let _ = next.set_username("");
        let _ = next.set_password(None);
        next.set_fragment(None);
    }
    Some(next)
}

/// Whether a redirect may be followed, judged by its address.
fn may_lead(at: &Url, next: &Url, is_public: bool) -> Result<(), Astray> {
    let is_safer = (at.scheme(), next.scheme()) == ("http", "https");
    if next.scheme() != at.scheme() && !is_safer {
        let scheme = next.scheme().chars().take(16).collect();
        return Err(Astray::Scheme { scheme, from: at.scheme().into() });
    }
    let host = next.host_str().ok_or(Astray::Nowhere)?;
    if is_public && ip(host).is_some_and(is_private) {
        return Err(Astray::Private { host: host.into() });
    }
    Ok(())
}

/// The address that a host is, if it is no name.
fn ip(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether a server is one of the public network: one of its addresses is.
async fn leads_into_public(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    if let Some(ip) = ip(host) {
        return !is_private(ip);
    }
    let port = url.port_or_known_default().unwrap_or_default();
    match tokio::net::lookup_host((host, port)).await {
        Ok(mut addresses) => addresses.any(|address| !is_private(address.ip())),
        // Whoever has no name here was reached by a proxy, which is in the public network or not.
        Err(_) => true,
    }
}

/// Names, but for their private addresses.
struct PublicNames;

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> =
                found.filter(|address| !is_private(address.ip())).collect();
            if public.is_empty() {
                let host = name.as_str().into();
                return Err(io::Error::other(Astray::Private { host }).into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is of no public network (RFC 6890, the registries of special-purpose
/// addresses).
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_multicast()
                || ip.is_broadcast()
                || ip.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && b & 0xc0 == 64) // shared by carriers (RFC 6598)
                || (a == 198 && b & 0xfe == 18) // benchmarks (RFC 2544)
                || ip.octets().starts_with(&[192, 0, 0])
        }
        IpAddr::V6(ip) => embedded(ip).map_or_else(
            || {
                ip.is_loopback()
                    || ip.is_unspecified()
                    || ip.is_multicast()
                    || ip.is_unique_local()
                    || ip.is_unicast_link_local()
                    || matches!(ip.segments(), [0x2001, 0xdb8, ..])
            },
            |ip| is_private(IpAddr::V4(ip)),
        ),
    }
}

/// The address of version 4 that one of version 6 stands for: mapped (RFC 4291), translated (RFC
/// 6052), by 6to4 (RFC 3056).
fn embedded(ip: Ipv6Addr) -> Option<std::net::Ipv4Addr> {
    let halves = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        [a, b, c, d].into()
    };
    match ip.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(halves(high, low))
        }
        [0x2002, high, low, ..] => Some(halves(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn led(from: &str, to: &str, is_public: bool) -> Option<String> {
        let url = |text| Url::parse(text).unwrap();
        may_lead(&url(from), &url(to), is_public).err().map(|astray| astray.to_string())
    }

    #[test]
    fn a_redirect_leads_to_the_same_scheme_or_a_safer_one() {
        assert_eq!(led("http://a/", "http://b/", true), None);
        assert_eq!(led("http://a/", "https://b/", true), None);
        assert_eq!(
            led("https://a/", "http://b/", true).unwrap(),
            "it redirects to http, from https"
        );
        for to in ["file:///etc/passwd", "s3://bucket/key", "ftp://b/"] {
            assert!(led("http://a/", to, false).is_some(), "{to}");
        }
    }

    #[test]
    fn no_public_server_leads_to_a_private_address() {
        for host in [
            "127.0.0.1",
            "10.1.2.3",
            "169.254.169.254",
            "[::1]",
            "[fd00::1]",
            "[::ffff:10.0.0.1]",
            "2130706433",
            "0x7f.1",
        ] {
            let to = format!("http://{host}/");
            assert!(led("http://a/", &to, true).unwrap().contains("private address"), "{to}");
            assert_eq!(led("http://a/", &to, false), None);
        }
        assert_eq!(led("http://a/", "http://93.184.216.34/", true), None);
    }

    #[test]
    fn private_addresses_are_those_of_the_registries() {
        let private = |text: &str| is_private(text.parse().unwrap());
        for text in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.9.9.9",
            "169.254.0.1",
            "172.16.0.1",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "::ffff:192.168.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
        ] {
            assert!(private(text), "{text}");
        }
        for text in ["1.1.1.1", "100.128.0.1", "172.32.0.1", "198.20.0.1", "2606:4700::1111"] {
            assert!(!private(text), "{text}");
        }
    }
}

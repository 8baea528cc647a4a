//! Clients of stores, with what the environment says of credentials and endpoints: the variables
//! that each store's own tools know, and no more.

use std::sync::{Arc, OnceLock};

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzure, MicrosoftAzureBuilder};
use object_store::client::{HttpClient, HttpConnector, ReqwestConnector};
use object_store::gcp::{GoogleCloudStorage, GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::http::HttpBuilder;
use object_store::multipart::MultipartStore;
use object_store::{
    BackoffConfig, ClientConfigKey, ClientOptions, ObjectStore, Result as StoreResult, RetryConfig,
};

use super::http::{Completes, Pieces, Plain};
use super::patience::Patient;
use super::redirects::Redirects;
use crate::settings::limits::{
    REMOTE_CONNECT, REMOTE_HEADERS, REMOTE_IDLE, REMOTE_PAUSE, REMOTE_PAUSE_MAX, REMOTE_REQUEST,
    REMOTE_RETRIES, REMOTE_RETRY,
};
use crate::source::{Address, Scheme};

/// A client for the store of `address`; one for a web server knows that one URL.
pub(super) fn client(
    address: &Address<'_>,
    name: &str,
    web: &Web,
) -> StoreResult<Arc<dyn ObjectStore>> {
    install_tls();
    let wish = Wish::default();
    Ok(match address.scheme {
        Scheme::S3 => Arc::new(s3(address, wish)?.0),
        Scheme::Google => Arc::new(google(address, &wish)?),
        Scheme::Azure => Arc::new(azure(address, &wish)?),
        Scheme::Http => Arc::new(
            HttpBuilder::new()
                .with_url(name)
                .with_retry(retry())
                .with_http_connector(web.clone())
                .build()?,
        ),
    })
}

/// How objects shall be written.
#[derive(Debug, Clone, Default)]
pub(super) struct Wish {
    /// Their media type.
    pub(super) content_type: Option<String>,
    /// What becomes of one that is there.
    pub(super) completes: Completes,
    pub(super) to: To,
}

/// What a client is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum To {
    #[default]
    Read,
    Write,
}

/// A client that writes objects, in one request or in parts.
pub(super) struct Writing {
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) parts: Arc<dyn MultipartStore>,
    /// What the store does where parts are put together to an object that is there, whatever was
    /// wished for.
    pub(super) completes: Completes,
}

/// A client that writes to the store of `address`; `None` for a web server, which takes nothing.
pub(super) fn writing(address: &Address<'_>, wish: Wish) -> StoreResult<Option<Writing>> {
    fn of<T: ObjectStore + MultipartStore>(client: T, completes: Completes) -> Writing {
        let client = Arc::new(client);
        let objects: Arc<T> = Arc::clone(&client);
        Writing { objects, parts: client, completes }
    }
    install_tls();
    Ok(Some(match address.scheme {
        Scheme::S3 => {
            let (client, completes) = s3(address, wish)?;
            of(client, completes)
        }
        Scheme::Google => of(google(address, &wish)?, Completes::Over),
        Scheme::Azure => of(azure(address, &wish)?, Completes::Over),
        Scheme::Http => return Ok(None),
    }))
}

fn s3(address: &Address<'_>, mut wish: Wish) -> StoreResult<(AmazonS3, Completes)> {
    use AmazonS3ConfigKey::{Client, ConditionalPut, Endpoint, S3Endpoint};
    let mut builder =
        AmazonS3Builder::from_env().with_bucket_name(address.authority).with_retry(retry());
    let endpoints = [S3Endpoint, Endpoint].map(|key| builder.get_config_value(&key));
    // The user says that the store has no conditional writes: an upload completes over what is
    // there.
    if builder.get_config_value(&ConditionalPut).is_some_and(|word| word == "disabled") {
        wish.completes = Completes::Over;
    }
    for (key, value) in options(&wish) {
        builder = builder.with_config(Client(key), value);
    }
    if endpoints.iter().flatten().next().is_some_and(|endpoint| is_plain(endpoint)) {
        builder = builder.with_allow_http(true);
    }
    let completes = wish.completes;
    Ok((builder.with_http_connector(Connector { completes }).build()?, completes))
}

fn google(address: &Address<'_>, wish: &Wish) -> StoreResult<GoogleCloudStorage> {
    let mut builder = GoogleCloudStorageBuilder::from_env()
        .with_bucket_name(address.authority)
        .with_retry(retry())
        .with_http_connector(Connector::default());
    let endpoint = builder.get_config_value(&GoogleConfigKey::BaseUrl);
    for (key, value) in options(wish) {
        builder = builder.with_config(GoogleConfigKey::Client(key), value);
    }
    if endpoint.is_some_and(|endpoint| is_plain(&endpoint)) {
        let key = GoogleConfigKey::Client(ClientConfigKey::AllowHttp);
        builder = builder.with_config(key, "true");
    }
    builder.build()
}

fn azure(address: &Address<'_>, wish: &Wish) -> StoreResult<MicrosoftAzure> {
    let mut builder = MicrosoftAzureBuilder::from_env()
        .with_url(address.store)
        .with_retry(retry())
        .with_http_connector(Connector::default());
    let endpoint = builder.get_config_value(&AzureConfigKey::Endpoint);
    for (key, value) in options(wish) {
        builder = builder.with_config(AzureConfigKey::Client(key), value);
    }
    if endpoint.is_some_and(|endpoint| is_plain(&endpoint)) {
        builder = builder.with_allow_http(true);
    }
    builder.build()
}

/// Whether whoever names that endpoint asks for a connection without TLS.
fn is_plain(endpoint: &str) -> bool {
    endpoint.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"))
}

fn options(wish: &Wish) -> impl Iterator<Item = (ClientConfigKey, String)> {
    // Of one who writes, no answer is read but by `answers`, which has its own patience.
    let idle = match wish.to {
        To::Read => Some((ClientConfigKey::ReadTimeout, REMOTE_IDLE)),
        To::Write => None,
    };
    let times = [
        (ClientConfigKey::ConnectTimeout, REMOTE_CONNECT),
        (ClientConfigKey::Timeout, REMOTE_REQUEST),
    ];
    let times = times
        .into_iter()
        .chain(idle)
        .map(|(key, time)| (key, humantime::format_duration(time).to_string()));
    let content_type = wish.content_type.clone();
    times.chain(content_type.map(|word| (ClientConfigKey::DefaultContentType, word)))
}

fn retry() -> RetryConfig {
    let backoff =
        BackoffConfig { init_backoff: REMOTE_PAUSE, max_backoff: REMOTE_PAUSE_MAX, base: 2.0 };
    RetryConfig { backoff, max_retries: REMOTE_RETRIES, retry_timeout: REMOTE_RETRY }
}

/// TLS by ring, for the whole process. Whoever comes second finds it installed.
pub(super) fn install_tls() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// Connections that are made as a store asks for.
#[derive(Debug, Default)]
struct Connector {
    completes: Completes,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = ReqwestConnector::default().connect(options)?;
        let client = HttpClient::new(Patient { client, headers: REMOTE_HEADERS });
        Ok(HttpClient::new(Plain { client, completes: self.completes, pieces: Pieces::Marked }))
    }
}

/// The connections to all web servers: one pool of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Web(Arc<OnceLock<HttpClient>>);

impl HttpConnector for Web {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        if let Some(client) = self.0.get() {
            return Ok(client.clone());
        }
        let redirects = Redirects::new().map_err(|error| object_store::Error::Generic {
            store: "HTTP",
            source: Box::new(error),
        })?;
        let (client, completes) = (HttpClient::new(redirects), Completes::default());
        let client = HttpClient::new(Plain { client, completes, pieces: Pieces::Always });
        Ok(self.0.get_or_init(|| client).clone())
    }
}

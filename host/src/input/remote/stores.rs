//! Clients of stores, with what the environment says of credentials and endpoints: the variables that each store's own tools
//! know, and no more.

use std::sync::{Arc, OnceLock};

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::client::{HttpClient, HttpConnector, ReqwestConnector};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::http::HttpBuilder;
use object_store::{BackoffConfig, ClientConfigKey, ClientOptions, ObjectStore, RetryConfig};

use super::Plain;
use crate::settings::limits::{
    REMOTE_CONNECT, REMOTE_IDLE, REMOTE_PAUSE, REMOTE_PAUSE_MAX, REMOTE_REQUEST, REMOTE_RETRIES,
    REMOTE_RETRY,
};
use crate::source::{Address, Scheme};

/// A client for the store of `address`; one for a web server knows that one URL.
pub(super) fn client(
    address: &Address<'_>,
    name: &str,
    web: &Web,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    install_tls();
    Ok(match address.scheme {
        Scheme::S3 => Arc::new(s3(address)?),
        Scheme::Google => Arc::new(google(address)?),
        Scheme::Azure => Arc::new(azure(address)?),
        Scheme::Http => Arc::new(
            HttpBuilder::new()
                .with_url(name)
                .with_retry(retry())
                .with_http_connector(web.clone())
                .build()?,
        ),
    })
}

fn s3(address: &Address<'_>) -> object_store::Result<impl ObjectStore> {
    use AmazonS3ConfigKey::{Client, Endpoint, S3Endpoint};
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(address.authority)
        .with_retry(retry())
        .with_http_connector(Connector);
    let endpoints = [S3Endpoint, Endpoint].map(|key| builder.get_config_value(&key));
    for (key, value) in timeouts() {
        builder = builder.with_config(Client(key), value);
    }
    if endpoints.iter().flatten().next().is_some_and(|endpoint| is_plain(endpoint)) {
        builder = builder.with_allow_http(true);
    }
    builder.build()
}

fn google(address: &Address<'_>) -> object_store::Result<impl ObjectStore> {
    let mut builder = GoogleCloudStorageBuilder::from_env()
        .with_bucket_name(address.authority)
        .with_retry(retry())
        .with_http_connector(Connector);
    let endpoint = builder.get_config_value(&GoogleConfigKey::BaseUrl);
    for (key, value) in timeouts() {
        builder = builder.with_config(GoogleConfigKey::Client(key), value);
    }
    if endpoint.is_some_and(|endpoint| is_plain(&endpoint)) {
        let key = GoogleConfigKey::Client(ClientConfigKey::AllowHttp);
        builder = builder.with_config(key, "true");
    }
    builder.build()
}

fn azure(address: &Address<'_>) -> object_store::Result<impl ObjectStore> {
    let mut builder = MicrosoftAzureBuilder::from_env()
        .with_url(address.store)
        .with_retry(retry())
        .with_http_connector(Connector);
    let endpoint = builder.get_config_value(&AzureConfigKey::Endpoint);
    for (key, value) in timeouts() {
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

fn timeouts() -> [(ClientConfigKey, String); 3] {
    [
        (ClientConfigKey::ConnectTimeout, REMOTE_CONNECT),
        (ClientConfigKey::ReadTimeout, REMOTE_IDLE),
        (ClientConfigKey::Timeout, REMOTE_REQUEST),
    ]
    .map(|(key, time)| (key, humantime::format_duration(time).to_string()))
}

fn retry() -> RetryConfig {
    let backoff =
        BackoffConfig { init_backoff: REMOTE_PAUSE, max_backoff: REMOTE_PAUSE_MAX, base: 2.0 };
    RetryConfig { backoff, max_retries: REMOTE_RETRIES, retry_timeout: REMOTE_RETRY }
}

/// TLS by ring, for the whole process. Whoever comes second finds it installed.
fn install_tls() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// Connections that are made as a store asks for.
#[derive(Debug)]
struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Plain(ReqwestConnector::default().connect(options)?)))
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
        let options = ClientOptions::new()
            .with_allow_http(true)
            .with_connect_timeout(REMOTE_CONNECT)
            .with_read_timeout(REMOTE_IDLE)
            .with_timeout(REMOTE_REQUEST);
        let client = Connector.connect(&options)?;
        Ok(self.0.get_or_init(|| client).clone())
    }
}

//! How long a store may take to answer: until the headers of its answer are whole, counted from
//! when the request begins to be sent.
//!
//! The time that a client gives a server to say something runs on while a request is sent, so a
//! part of an object on a slow network would never arrive. Here its length counts: the time is
//! longer by what it takes at the least rate.

use std::time::Duration;

use object_store::client::{
    HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use thiserror::Error;
use tokio::time::timeout;

use crate::settings::limits::UPLOAD_BYTES_PER_SECOND_MIN;

/// Sends requests, and gives up on answers that do not begin.
#[derive(Debug)]
pub(super) struct Patient {
    pub(super) client: HttpClient,
    /// For the headers of an answer to a request that is sent at once.
    pub(super) headers: Duration,
}

/// The headers of an answer are not whole in time.
#[derive(Debug, Error)]
#[error("the headers of its answer were not whole after {0:?}")]
struct Late(Duration);

#[async_trait::async_trait]
impl HttpService for Patient {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let sent_bytes = request.body().content_length() as u64;
        let time = self.headers + sending(sent_bytes);
        let answer = timeout(time, self.client.execute(request)).await;
        answer.unwrap_or_else(|_| Err(HttpError::new(HttpErrorKind::Timeout, Late(time))))
    }
}

/// How long so many bytes may take to be sent.
fn sending(bytes: u64) -> Duration {
    Duration::from_secs(bytes / UPLOAD_BYTES_PER_SECOND_MIN)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread;
    use std::time::Instant;

    use object_store::client::{ClientOptions, HttpConnector, HttpRequestBody, ReqwestConnector};

    use super::*;
    use crate::remote::clients::install_tls;
    use crate::remote::redirects::Redirects;
    use crate::settings::limits::UPLOAD_PART_BYTES;

    const HEADERS: Duration = Duration::from_millis(300);
    const PACE: Duration = Duration::from_millis(20);

    /// A server of one request, which says `first` and then `again` for as long as somebody
    /// listens.
    fn server(first: &'static str, again: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 1024];
            assert!(stream.read(&mut asked).unwrap() > 0);
            let mut said = stream.write_all(first.as_bytes());
            while said.is_ok() {
                thread::sleep(PACE);
                said = stream.write_all(again.as_bytes());
            }
        });
        url
    }

    /// A server of one request, which reads so many bytes at a time and answers when it has all of
    /// them.
    fn slow_reader(body_bytes: usize, step: usize) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let read = move |mut stream: TcpStream| {
            let (mut came, mut step) = (0, vec![0; step]);
            while came < body_bytes {
                thread::sleep(PACE);
                came += stream.read(&mut step).unwrap();
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        };
        thread::spawn(move || read(listener.accept().unwrap().0));
        url
    }

    fn ask(client: &HttpClient, url: &str, body: HttpRequestBody) -> Result<u16, String> {
        let mut request = HttpRequest::new(body);
        *request.uri_mut() = url.parse().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(client.execute(request));
        answer.map(|answer| answer.status().as_u16()).map_err(|error| error.to_string())
    }

    fn to_a_store() -> HttpClient {
        install_tls();
        let client = ReqwestConnector::default();
        let client = client.connect(&ClientOptions::new().with_allow_http(true)).unwrap();
        HttpClient::new(Patient { client, headers: HEADERS })
    }

    fn to_the_web() -> HttpClient {
        install_tls();
        HttpClient::new(Redirects::within(HEADERS).unwrap())
    }

    #[test]
    fn headers_that_come_byte_by_byte_or_only_announce_others_are_not_waited_for() {
        let hint = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
        for (first, again) in [("HTTP/1.1 200 OK\r\nX-A: ", "a"), (hint, hint)] {
            for client in [to_a_store(), to_the_web()] {
                let begun = Instant::now();
                let empty = HttpRequestBody::empty();
                assert!(ask(&client, &server(first, again), empty).is_err(), "{first}");
                let took = begun.elapsed();
                assert!(took >= HEADERS && took < 20 * HEADERS, "{first}: {took:?}");
            }
        }
    }

    #[test]
    fn a_request_that_takes_long_to_be_sent_is_answered() {
        let body = vec![b'a'; 8 << 20];
        let url = slow_reader(body.len(), 256 << 10);
        let begun = Instant::now();
        assert_eq!(ask(&to_a_store(), &url, body.into()), Ok(200));
        assert!(begun.elapsed() > HEADERS, "it was not slow");
    }

    #[test]
    fn a_part_has_time_on_a_line_of_a_megabit_with_seven_others() {
        let line_bytes_per_second = 1_000_000 / 8;
        let eight = Duration::from_secs(8 * UPLOAD_PART_BYTES as u64 / line_bytes_per_second);
        assert!(sending(UPLOAD_PART_BYTES as u64) + Duration::from_secs(30) >= eight);
    }
}

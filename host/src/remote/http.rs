//! What is done to requests and answers between the clients of the stores and the network.

use object_store::client::{
    HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};
use object_store::{GetOptions, GetRange};

use super::answers;
use super::fault::WholeInstead;
use super::keys;

/// A server that does not say how long its answer is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoLength;

/// Stands in a request for an object, whose reader takes the answer piece by piece. What else is
/// asked for is held: lists, and what a server of credentials says.
#[derive(Debug, Clone, Copy)]
struct ByPieces;

/// Options of a request for an object.
pub(crate) fn by_pieces(range: Option<GetRange>) -> GetOptions {
    let mut options = GetOptions { range, ..GetOptions::default() };
    options.extensions.insert(ByPieces);
    options
}

/// Which answers are taken piece by piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pieces {
    /// Those to [`by_pieces`].
    Marked,
    /// All: of a web server nothing is asked but pages, and its client passes no marks on.
    Always,
}

/// What becomes of an object that is there when parts are put together to one of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Completes {
    /// It is replaced.
    #[default]
    Over,
    /// It stays, and the store says so.
    Beside,
}

/// Sends requests, and makes the answers of plain web servers ones that the clients of stores can
/// take.
#[derive(Debug)]
pub(super) struct Plain {
    pub(super) client: HttpClient,
    pub(super) completes: Completes,
    pub(super) pieces: Pieces,
}

#[async_trait::async_trait]
impl HttpService for Plain {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if self.completes == Completes::Beside && completes(&request) {
            // What the client can only do for single requests. The header is no part of what is
            // signed.
            let any = "*".parse().map_err(|error| HttpError::new(HttpErrorKind::Request, error))?;
            request.headers_mut().insert("if-none-match", any);
        }
        if request.method().as_str() == "GET" && !request.headers().contains_key("accept-encoding")
        {
            // Without it any coding is as good (RFC 9110 section 12.5.3).
            let identity = "identity"
                .parse()
                .map_err(|error| HttpError::new(HttpErrorKind::Request, error))?;
            request.headers_mut().insert("accept-encoding", identity);
        }
        let is_list = keys::is_list(request.uri().query().unwrap_or_default());
        let is_for_part = request.headers().contains_key("range");
        let is_by_pieces = match self.pieces {
            Pieces::Marked => request.extensions().get::<ByPieces>().is_some(),
            Pieces::Always => request.method().as_str() == "GET",
        };
        let is_read = is_by_pieces || request.method().as_str() == "HEAD";
        let mut answer = self.client.execute(request).await?;
        if is_for_part && answer.status().as_u16() == 200 {
            return Err(HttpError::new(HttpErrorKind::Unknown, WholeInstead));
        }
        if !answer.status().is_success() {
            return answers::beginning(answer).await;
        }
        if !answer.headers().contains_key("content-length") {
            answer.headers_mut().insert("content-length", 0.into());
            answer.extensions_mut().insert(NoLength);
        }
        if is_list {
            return with_keys(answer).await;
        }
        if is_read {
            return Ok(answer);
        }
        let (head, body) = answer.into_parts();
        Ok(HttpResponse::from_parts(head, answers::whole(body).await?.into()))
    }
}

/// A list of keys that its reader can take.
async fn with_keys(answer: HttpResponse) -> Result<HttpResponse, HttpError> {
    let (head, body) = answer.into_parts();
    let list = answers::whole(body).await?;
    let marked = std::str::from_utf8(list.as_ref()).ok().and_then(keys::marked);
    let body = marked.map_or_else(|| list.into(), HttpResponseBody::from);
    Ok(HttpResponse::from_parts(head, body))
}

/// Whether a request makes one object of parts (Amazon S3, `CompleteMultipartUpload`).
fn completes(request: &HttpRequest) -> bool {
    let query = request.uri().query().unwrap_or_default();
    request.method().as_str() == "POST"
        && query.split('&').any(|pair| pair.starts_with("uploadId="))
}

//! How much is held of an answer that no reader takes piece by piece.
//!
//! The clients of the stores collect such answers into memory, with room from the start for as much as the server says that there is. What a
//! server says, and how much it goes on to say, is its own choice, and no such text is long: of an error its beginning is enough, and a
//! page of a list has an end.

use futures_util::StreamExt;
use object_store::client::{HttpError, HttpErrorKind, HttpResponse, HttpResponseBody};
use thiserror::Error;

use crate::settings::limits::{REMOTE_ERROR_BYTES_MAX, REMOTE_TEXT_BYTES_MAX};

/// An answer that is held is longer than any is.
#[derive(Debug, Error)]
#[error("a list or a receipt of more than {REMOTE_TEXT_BYTES_MAX} bytes")]
struct TooLong;

/// An answer that is no success, with as much of its text as is ever read: the rest is not waited for.
pub(super) async fn beginning(answer: HttpResponse) -> Result<HttpResponse, HttpError> {
    let (head, body) = answer.into_parts();
    let (text, _is_whole) = held(body, REMOTE_ERROR_BYTES_MAX).await?;
    // A character that is cut makes it no text for its reader.
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(HttpResponse::from_parts(head, text.into()))
}

/// The whole of a text that is held.
///
/// # Errors
/// When it is longer than any is.
pub(super) async fn whole(body: HttpResponseBody) -> Result<Vec<u8>, HttpError> {
    match held(body, REMOTE_TEXT_BYTES_MAX).await? {
        (text, true) => Ok(text),
        (_, false) => Err(HttpError::new(HttpErrorKind::Unknown, TooLong)),
    }
}

/// So many bytes at most, and whether that is all.
async fn held(body: HttpResponseBody, bytes_max: usize) -> Result<(Vec<u8>, bool), HttpError> {
    let (mut text, mut pieces) = (Vec::new(), body.bytes_stream());
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        let fits = piece.get(..bytes_max - text.len()).unwrap_or(&piece);
        text.extend_from_slice(fits);
        if fits.len() < piece.len() {
            return Ok((text, false));
        }
    }
    Ok((text, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: usize) -> HttpResponseBody {
        vec![b'x'; bytes].into()
    }

    fn wait<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn a_text_is_held_whole_up_to_its_bound_and_refused_beyond_it() {
        let bytes = |count| wait(whole(of(count))).map(|text| text.len());
        assert_eq!(bytes(0).unwrap(), 0);
        assert_eq!(bytes(REMOTE_TEXT_BYTES_MAX).unwrap(), REMOTE_TEXT_BYTES_MAX);
        let told = bytes(REMOTE_TEXT_BYTES_MAX + 1).unwrap_err();
        assert_eq!(told.to_string(), "HTTP error: a list or a receipt of more than 16777216 bytes");
    }

    #[test]
    fn an_error_is_cut_and_stays_text() {
        let text = "é".repeat(REMOTE_ERROR_BYTES_MAX);
        let answer = HttpResponse::new(format!("a{text}").into());
        let cut = wait(async { beginning(answer).await.unwrap().into_body().bytes().await });
        let cut = String::from_utf8(cut.unwrap().into()).unwrap();
        assert!(cut.starts_with("aéé") && cut.len() < REMOTE_ERROR_BYTES_MAX + 4, "{}", cut.len());
    }
}

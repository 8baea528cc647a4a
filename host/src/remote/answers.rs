//! How much is held of an answer that no reader takes piece by piece.
//!
//! The clients of the stores collect such answers into memory, with room from the start for as much
//! as the server says that there is. What a server says, and how much it goes on to say, is its own
//! choice, and no such text is long: of an error its beginning is enough, and a page of a list has
//! an end. What is held is charged to the run that asked, and refused where that has no memory
//! left.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use object_store::client::{HttpError, HttpErrorKind, HttpResponse, HttpResponseBody};
use thiserror::Error;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use crate::settings::limits::{
    REMOTE_ERROR_BYTES_MAX, REMOTE_IDLE, REMOTE_TEXT, REMOTE_TEXT_BYTES_MAX,
};
use crate::stats::{Charge, Full, MemoryBudget};

tokio::task_local! {
    /// What answers are charged to that come while somebody waits for them.
    static MEMORY: Arc<MemoryBudget>;
}

/// The same, with all texts that it holds charged to `memory`. Clients are shared by all who ask,
/// so it is who asks that brings it.
pub(crate) async fn charged<T>(memory: &Arc<MemoryBudget>, asking: impl Future<Output = T>) -> T {
    MEMORY.scope(Arc::clone(memory), asking).await
}

/// An answer that is held is longer than any is.
#[derive(Debug, Error)]
#[error("a list, a receipt or credentials of more than {REMOTE_TEXT_BYTES_MAX} bytes")]
struct TooLong;

/// There is no memory for an answer.
#[derive(Debug, Error)]
#[error("no memory for it: {0}")]
struct NoMemory(Full);

/// A text, and what is charged for it until its reader is done.
struct Held {
    text: Vec<u8>,
    _charge: Option<Charge>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

impl From<Held> for HttpResponseBody {
    fn from(held: Held) -> Self {
        Bytes::from_owner(held).into()
    }
}

/// An answer that is no success, with as much of its text as is ever read: the rest is not waited
/// for.
pub(super) async fn beginning(answer: HttpResponse) -> Result<HttpResponse, HttpError> {
    let (head, body) = answer.into_parts();
    let (text, _is_whole) = in_time(held(body, REMOTE_ERROR_BYTES_MAX)).await?;
    // A character that is cut makes it no text for its reader.
    let text = String::from_utf8_lossy(text.as_ref()).into_owned();
    Ok(HttpResponse::from_parts(head, text.into()))
}

/// The whole of a text that is held.
///
/// # Errors
/// When it is longer than any is, or there is no memory for it.
pub(super) async fn whole(
    body: HttpResponseBody,
) -> Result<impl AsRef<[u8]> + Into<HttpResponseBody>, HttpError> {
    match in_time(held(body, REMOTE_TEXT_BYTES_MAX)).await? {
        (text, true) => Ok(text),
        (_, false) => Err(HttpError::new(HttpErrorKind::Unknown, TooLong)),
    }
}

/// The same, unless it takes too long as a whole.
async fn in_time<T>(text: impl Future<Output = Result<T, HttpError>>) -> Result<T, HttpError> {
    timeout(REMOTE_TEXT, text).await.map_err(late)?
}

fn late(elapsed: Elapsed) -> HttpError {
    HttpError::new(HttpErrorKind::Timeout, elapsed)
}

/// So many bytes at most, and whether that is all.
async fn held(body: HttpResponseBody, bytes_max: usize) -> Result<(Held, bool), HttpError> {
    let (mut text, mut pieces) = (Vec::new(), body.bytes_stream());
    let mut charge = MEMORY.try_with(|memory| memory.hold(0)).ok();
    while let Some(piece) = timeout(REMOTE_IDLE, pieces.next()).await.map_err(late)? {
        let piece = piece?;
        let fits = piece.get(..bytes_max - text.len()).unwrap_or(&piece);
        text.extend_from_slice(fits);
        if let Some(charge) = &mut charge {
            let charged = charge.grow(text.capacity() as u64);
            charged.map_err(|full| HttpError::new(HttpErrorKind::Unknown, NoMemory(full)))?;
        }
        if fits.len() < piece.len() {
            return Ok((Held { text, _charge: charge }, false));
        }
    }
    Ok((Held { text, _charge: charge }, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: usize) -> HttpResponseBody {
        vec![b'x'; bytes].into()
    }

    fn wait<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn a_text_is_held_whole_up_to_its_bound_and_refused_beyond_it() {
        let bytes = |count| wait(whole(of(count))).map(|text| text.as_ref().len());
        assert_eq!(bytes(0).unwrap(), 0);
        assert_eq!(bytes(REMOTE_TEXT_BYTES_MAX).unwrap(), REMOTE_TEXT_BYTES_MAX);
        let message = bytes(REMOTE_TEXT_BYTES_MAX + 1).unwrap_err().to_string();
        assert_eq!(
            message,
            "HTTP error: a list, a receipt or credentials of more than 16777216 bytes"
        );
    }

    #[test]
    fn a_text_is_charged_while_it_is_held_and_refused_where_there_is_no_memory() {
        let memory = Arc::new(MemoryBudget::new(1 << 20));
        let ask = |bytes| wait(charged(&memory, whole(of(bytes))));
        let text = ask(600_000).unwrap();
        assert!(memory.peak() >= 600_000);
        let refused = ask(600_000).map(drop).unwrap_err();
        assert!(refused.to_string().contains("no memory"), "{refused}");
        let body: HttpResponseBody = text.into();
        assert!(ask(600_000).is_err());
        drop(body);
        assert!(ask(600_000).is_ok());
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

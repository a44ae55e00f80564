//! What every change has in common: `If-Match` says upon which state it acts, `Idempotency-Key` that it is done once.

use super::idempotency::{MAX_KEY, Replies, Turn};
use super::reply::problem;
use axum::response::Response;
use cutover::Generation;
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// The headers of a change.
#[derive(Debug)]
pub(super) struct Mutation {
    /// Only upon this generation; `None`: whatever stands.
    pub(super) only_if: Option<Generation>,
    key: Option<String>,
}

impl Mutation {
    /// Reads them; what is malformed is refused.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Box<Response>> {
        let bad = |title: &str, detail: String| problem(StatusCode::BAD_REQUEST, title, detail);
        let only_if = expected(headers).map_err(|detail| bad("Malformed If-Match", detail))?;
        let key = headers.get("idempotency-key");
        let key = key.map(|key| key.to_str().unwrap_or_default().to_owned());
        if key.as_ref().is_some_and(|key| key.is_empty() || key.len() > MAX_KEY) {
            let detail = format!("It is 1 to {MAX_KEY} visible characters.");
            return Err(bad("Malformed Idempotency-Key", detail).into());
        }
        Ok(Self { only_if, key })
    }

    /// Does it, unless the same was asked under the same key before: then the answer is that one's. `asked` tells one
    /// change from another.
    pub(super) async fn once(
        self,
        replies: &Replies,
        asked: String,
        doing: impl Future<Output = Response> + Send + 'static,
    ) -> Response {
        let Some(key) = self.key else { return doing.await };
        let answered = match replies.begin(key, asked) {
            Turn::Other => {
                let detail = "This Idempotency-Key came with another request before.";
                return problem(StatusCode::CONFLICT, "Key used twice", detail);
            }
            Turn::Again(repeated) => repeated.answer().await,
            Turn::First(promise) => {
                // A task of its own: who else waits for the answer gets it, also if this client leaves.
                let done = async move { promise.keep(doing.await).await };
                tokio::spawn(done).await.ok()
            }
        };
        answered.unwrap_or_else(|| {
            let detail = "It broke off; the process's log says why.";
            problem(StatusCode::INTERNAL_SERVER_ERROR, "Failed", detail)
        })
    }
}

/// `If-Match: "7"` is generation 7; `*` is any.
fn expected(headers: &HeaderMap) -> Result<Option<Generation>, String> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let number = text.trim_matches('"').parse();
    number
        .map(|number| Some(Generation(number)))
        .map_err(|_| "Give the generation that GET answers as ETag, in quotes.".to_owned())
}

/// `"7"` of generation 7.
pub(super) fn etag(generation: Generation) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{generation}\"")).expect("digits and quotes are visible")
}

//! Transitions as they happen, and where everything stands, as server-sent events.

use super::AdminState;
use super::reply::problem;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use cutover::{Conductor, Happened};
use futures_util::stream::unfold;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{Receiver, Sender};

/// Events that a slow listener may be behind; beyond it some are left out, and it is told.
const BEHIND: usize = 256;

/// Tells every listener from now on.
pub(super) fn of(conductor: &Conductor) -> Sender<Happened> {
    let sender = Sender::new(BEHIND);
    let told = sender.clone();
    conductor.listen(move |happened| {
        // Without a listener there is nobody to tell.
        let _ = told.send(happened.clone());
    });
    sender
}

/// Listeners at once; each is a connection that stays.
pub(super) const MOST: usize = 64;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Also tell where everything stands, at once and every five seconds.
    #[serde(default)]
    samples: bool,
}

/// One who listens.
struct Listener {
    events: Receiver<Happened>,
    samples: Option<Receiver<Arc<str>>>,
    /// The sample that comes first.
    first: Option<Event>,
    _place: OwnedSemaphorePermit,
}

/// `event:` is what happened, `id:` its number in the audit log.
pub(super) async fn stream(
    State(state): State<AdminState>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    let Ok(Query(Wanted { samples })) = wanted else {
        let detail = "It takes samples=true.";
        return problem(StatusCode::BAD_REQUEST, "Malformed request", detail);
    };
    let Ok(place) = Arc::clone(&state.listeners).try_acquire_owned() else {
        let detail = format!("{MOST} listen already; close a page, or ask without a stream.");
        return problem(StatusCode::SERVICE_UNAVAILABLE, "Too many listeners", detail);
    };
    let (events, told) = (state.events.subscribe(), samples.then(|| state.samples().subscribe()));
    let first = match samples {
        true => {
            let server = Arc::clone(&state.server);
            let sample = tokio::task::spawn_blocking(move || super::samples::sample(&server)).await;
            sample.ok().map(|sample| Event::default().event("sample").data(sample))
        }
        false => None,
    };
    let listener = Listener { events, samples: told, first, _place: place };
    let stream = unfold(listener, async |mut listener| {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    Sse::new(stream).keep_alive(KeepAlive::default()).into_response()
}

impl Listener {
    async fn next(&mut self) -> Option<Event> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            tokio::select! {
                happened = self.events.recv() => return match happened {
                    Ok(happened) => Some(told(&happened)),
                    Err(RecvError::Lagged(count)) => {
                        let data = json!({ "leftOut": count, "see": "/admin/v1/audit" });
                        Some(Event::default().event("lagged").data(data.to_string()))
                    }
                    Err(RecvError::Closed) => None,
                },
                sample = next_of(&mut self.samples) => match sample {
                    Ok(sample) => return Some(Event::default().event("sample").data(&*sample)),
                    // The next one says as much as those that were missed.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => self.samples = None,
                },
            }
        }
    }
}

/// Never comes back without samples.
async fn next_of(samples: &mut Option<Receiver<Arc<str>>>) -> Result<Arc<str>, RecvError> {
    match samples {
        Some(samples) => samples.recv().await,
        None => std::future::pending().await,
    }
}

fn told(happened: &Happened) -> Event {
    let (entry, receipt) = (&happened.entry, &happened.receipt);
    let data = json!({
        "seq": receipt.seq,
        "receipt": receipt.to_string(),
        "atMs": entry.at.millis(),
        "migration": entry.migration,
        "event": entry.event.name(),
        "by": entry.by.to_string(),
        "reason": entry.why,
        "from": entry.from.to_string(),
        "to": entry.to.to_string(),
        "generation": entry.generation.0,
    });
    Event::default().id(receipt.seq.to_string()).event(entry.event.name()).data(data.to_string())
}

//! Transitions as they happen, as server-sent events.

use super::AdminState;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use cutover::{Conductor, Happened};
use futures_util::stream::{Stream, unfold};
use serde_json::json;
use std::convert::Infallible;
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

/// `event:` is what happened, `id:` its number in the audit log.
pub(super) async fn stream(
    State(state): State<AdminState>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = unfold(state.events.subscribe(), async |mut receiver: Receiver<Happened>| {
        let event = match receiver.recv().await {
            Ok(happened) => told(&happened),
            Err(RecvError::Lagged(count)) => {
                let data = json!({ "leftOut": count, "see": "/admin/v1/audit" });
                Event::default().event("lagged").data(data.to_string())
            }
            Err(RecvError::Closed) => return None,
        };
        Some((Ok(event), receiver))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
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

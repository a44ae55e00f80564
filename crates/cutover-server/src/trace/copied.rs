//! The span of a copy. Nobody waits for a copy, so that it would stretch the trace of the exchange beyond its reply: it
//! is a trace of its own, with a link.

use super::context::TraceParent;
use super::spans::{self, status_attributes};
use super::{Parent, Trace, Tracer, fresh_trace};
use cutover::mirror::{Ended, Mirrored};
use cutover::{Clock, Side};
use http::StatusCode;
use opentelemetry::KeyValue;
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

/// The trace of a copy; recorded if the exchange's is.
#[derive(Debug)]
pub(crate) struct CopySpan {
    own: TraceParent,
    recorded: Option<Recorded>,
}

#[derive(Debug)]
struct Recorded {
    tracer: Arc<Tracer>,
    clock: Arc<dyn Clock>,
    /// The request that was copied.
    linked: TraceParent,
    began: (Instant, Duration),
    migration: Box<str>,
    backend: Box<str>,
    side: Side,
}

impl CopySpan {
    /// Begins with the copy. Notes in the exchange's own recording where it is to be found.
    pub(crate) fn begin(
        trace: &mut Trace,
        tracer: &Arc<Tracer>,
        (migration, backend, mirrored): (&str, &str, &Mirrored),
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let own = TraceParent::fresh(fresh_trace(), trace.own.sampled());
        let linked = trace.own;
        let recorded = trace.recording().map(|recording| {
            recording.copied(own.trace());
            Recorded {
                tracer: Arc::clone(tracer),
                clock: Arc::clone(clock),
                linked,
                began: (clock.now(), Duration::from_nanos(clock.unix_ns())),
                migration: migration.into(),
                backend: backend.into(),
                side: mirrored.side(),
            }
        });
        Self { own, recorded }
    }

    /// Who calls the backend.
    pub(crate) fn parent(&self) -> Parent {
        Parent(self.own, false)
    }

    /// The copy is over, its reply read.
    pub(crate) fn ended(self, how: &Ended) {
        let Some(recorded) = self.recorded else { return };
        recorded.tracer.send(vec![recorded.span(self.own, how)]);
    }
}

impl Recorded {
    fn span(&self, own: TraceParent, how: &Ended) -> opentelemetry_sdk::trace::SpanData {
        let (began, unix) = self.began;
        let began_at = UNIX_EPOCH + unix;
        let ended_at = began_at + self.clock.now().saturating_duration_since(began);
        let mut attributes = vec![
            KeyValue::new("cutover.migration", self.migration.to_string()),
            KeyValue::new("cutover.backend", self.backend.to_string()),
            KeyValue::new("cutover.side", self.side.name()),
        ];
        let (status, broke) = match how {
            Ended::Replied(status) => (Some(*status), None),
            Ended::Timeout => (None, Some("timeout")),
            Ended::Connect => (None, Some("connect")),
            Ended::Broken => (None, Some("reset")),
        };
        let bad = status_attributes(&mut attributes, status, StatusCode::is_server_error);
        if let Some(broke) = broke {
            attributes.push(KeyValue::new("error.type", broke));
        }
        spans::of_copy((own, self.linked), (began_at, ended_at), attributes, bad || broke.is_some())
    }
}

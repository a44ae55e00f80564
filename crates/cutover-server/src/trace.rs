//! Distributed tracing: which trace a request belongs to, what is recorded of it, and how that leaves the process.
//!
//! With `[telemetry]` every request belongs to a trace, the caller's or one that begins here, and its backend is told by
//! `traceparent`. A sampled one also gets a `Recording`, which callbacks note things in and which becomes spans when
//! the exchange ends; for the others nothing is allocated but the header. Spans go into a bounded queue, and what finds
//! no room there is counted and lost: a collector that is slow or dead costs spans, never a request.

mod context;
mod copied;
mod export;
mod recording;
mod spans;

pub(crate) use copied::CopySpan;
pub use export::SpanCounts;
pub(crate) use recording::{Asked, Ended, Recording};

use context::TraceParent;
use cutover::config::TelemetrySettings;
use cutover::core::Bucket;
use cutover::{Clock, Exchange, Side};
use export::Export;
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator, SpanData};
use pingora::http::RequestHeader;
use std::sync::Arc;

const TRACEPARENT_NAME: &str = "traceparent";
const TRACEPARENT: HeaderName = HeaderName::from_static(TRACEPARENT_NAME);
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
const BAGGAGE_NAME: &str = "baggage";
const BAGGAGE: HeaderName = HeaderName::from_static(BAGGAGE_NAME);

/// Tracing, as one configuration wants it.
#[derive(Debug)]
pub struct Tracer {
    settings: TelemetrySettings,
    /// `None`: nothing is recorded.
    export: Option<Export>,
}

/// The trace of one request.
#[derive(Debug)]
pub(crate) struct Trace {
    /// The span that called us.
    caller: Option<TraceParent>,
    /// Our own.
    own: TraceParent,
    recording: Option<Box<Recording>>,
}

impl Tracer {
    /// Starts what sends spans, if they are to be sent.
    pub fn start(settings: &TelemetrySettings, counts: &Arc<SpanCounts>) -> Self {
        let name = settings.service_name.as_str();
        let collector = settings.collector.as_ref();
        let export = collector.and_then(|collector| Export::start(collector, name, counts));
        Self { settings: settings.clone(), export }
    }

    /// What it was started with.
    pub fn settings(&self) -> &TelemetrySettings {
        &self.settings
    }

    /// Waits until what was recorded has been sent or lost, for a shutdown; at most two seconds.
    pub fn flush(&self) {
        if let Some(export) = &self.export {
            export.flush();
        }
    }

    /// The trace a request belongs to. Whether it is sampled is for a caller that is `believed` to say, if there is one:
    /// others could have everything recorded.
    pub(crate) fn join(
        &self,
        headers: &HeaderMap,
        believed: bool,
        clock: &Arc<dyn Clock>,
    ) -> Trace {
        let caller =
            TraceParent::of(headers.get_all(TRACEPARENT).iter().map(HeaderValue::as_bytes));
        let sampled = match caller {
            Some(caller) if believed => caller.sampled(),
            Some(_) | None => self.picks(),
        };
        let trace = caller.map_or_else(fresh_trace, TraceParent::trace);
        let own = TraceParent::fresh(trace, sampled);
        let recorded = sampled && self.export.is_some();
        let recording = recorded.then(|| Box::new(Recording::begin(Arc::clone(clock))));
        Trace { caller, own, recording }
    }

    /// Is a request one of those that are sampled?
    fn picks(&self) -> bool {
        let number = fresh_span() % 100_000;
        let bucket = u32::try_from(number).ok().and_then(Bucket::new);
        bucket.is_some_and(|bucket| self.settings.sample.admits(bucket))
    }

    /// What is told to a backend: the trace, and the decision if that is wanted.
    pub(crate) fn tell(&self, head: &mut RequestHeader, parent: Parent, told: Told<'_>) {
        // Inserting fails only at 32,768 headers, and the head guard knows less than 256.
        let Ok(value) = HeaderValue::from_bytes(&parent.0.header()) else { return };
        let _ = head.insert_header(TRACEPARENT_NAME, value);
        if !parent.1 {
            head.remove_header(&TRACESTATE);
        }
        if self.settings.baggage {
            told.write(head);
        }
    }

    fn send(&self, spans: Vec<SpanData>) {
        if let Some(export) = &self.export {
            export.send(spans);
        }
    }
}

/// Who calls a backend, and whether that span belongs to the caller's trace, of which `tracestate` tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parent(TraceParent, bool);

/// A decision as a backend is told it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'t>(Option<(&'t str, Side, Option<Bucket>)>);

impl<'t> Told<'t> {
    /// The decision of an exchange, for an attempt on this side.
    pub(crate) fn of(exchange: &'t Exchange, side: Option<Side>) -> Self {
        let migration = exchange.migration().zip(side);
        Self(
            migration.map(|(migration, side)| (&*migration.name, side, exchange.decision().bucket)),
        )
    }

    /// As baggage. What a client says under our names never passes.
    fn write(self, head: &mut RequestHeader) {
        let mut digits = itoa::Buffer::new();
        let cohort = self.0.and_then(|(_, _, bucket)| bucket);
        let cohort = cohort.map(|bucket| ("cutover.cohort", digits.format(bucket.number())));
        let decided = self.0.map(|(migration, side, _)| {
            [("cutover.migration", migration), ("cutover.side", side.name())]
        });
        let members = decided.into_iter().flatten().chain(cohort);
        let came = head.headers.get_all(BAGGAGE).iter().filter_map(|value| value.to_str().ok());
        let Some(whole) = context::baggage_with(came, members) else { return };
        let _ = match HeaderValue::try_from(whole) {
            Ok(value) if !value.is_empty() => head.insert_header(BAGGAGE_NAME, value),
            Ok(_) | Err(_) => {
                head.remove_header(&BAGGAGE);
                Ok(())
            }
        };
    }
}

impl Trace {
    /// Is it recorded?
    pub(crate) fn is_recorded(&self) -> bool {
        self.recording.is_some()
    }

    /// Its id, for the log.
    pub(crate) fn id(&self) -> u128 {
        self.own.trace()
    }

    /// Where things are noted, if they are.
    pub(crate) fn recording(&mut self) -> Option<&mut Recording> {
        self.recording.as_deref_mut()
    }

    /// Who calls the backend of the present attempt: that attempt's own span, if there is one.
    pub(crate) fn parent(&self) -> Parent {
        let span = self.recording.as_ref().and_then(|recording| recording.present_span());
        let own = span.and_then(|span| TraceParent::new(self.id(), span, self.own.sampled()));
        Parent(own.unwrap_or(self.own), self.caller.is_some())
    }

    /// Ends the recording, and sends it.
    pub(crate) fn finish(&mut self, tracer: &Tracer, ended: &Ended<'_>) {
        if let Some(recording) = self.recording.take() {
            tracer.send(spans::of(&recording, (self.caller, self.own), ended));
        }
    }
}

/// The id of the trace that a request names, where no tracer is asked.
pub(crate) fn named_by(headers: &HeaderMap) -> Option<u128> {
    let fields = headers.get_all(TRACEPARENT).iter().map(HeaderValue::as_bytes);
    TraceParent::of(fields).map(TraceParent::trace)
}

/// Gives a request the trace of another.
pub(crate) fn follow(head: &mut RequestHeader, other: &RequestHeader) {
    let Some(parent) = other.headers.get(TRACEPARENT).cloned() else { return };
    let state = other.headers.get(TRACESTATE).cloned();
    // Fails only at 32,768 headers.
    let _ = head.insert_header(TRACEPARENT, parent);
    match state {
        Some(state) => drop(head.insert_header(TRACESTATE, state)),
        None => drop(head.remove_header(&TRACESTATE)),
    }
}

impl TraceParent {
    /// A new span of a trace.
    fn fresh(trace: u128, sampled: bool) -> Self {
        Self::new(trace, fresh_span(), sampled).expect("no trace and no fresh span is zero")
    }
}

/// Never zero.
fn fresh_trace() -> u128 {
    u128::from_be_bytes(RandomIdGenerator::default().new_trace_id().to_bytes()).max(1)
}

fn fresh_span() -> u64 {
    u64::from_be_bytes(RandomIdGenerator::default().new_span_id().to_bytes()).max(1)
}

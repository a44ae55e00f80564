//! A recording becomes spans: one for the request, below it one for the decision, for each call of a plugin, each attempt
//! and each judgement of a failure. Names of attributes are OpenTelemetry's semantic conventions for HTTP, and ours begin
//! with `cutover.`; `docs/tracing.md` lists them.

use super::context::TraceParent;
use super::recording::{Attempt, Ended, Fallback, Recording, cohort};
use super::{fresh_span, recording};
use cutover::{Exchange, PluginCall};
use http::{Method, StatusCode, Version};
use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use std::borrow::Cow;
use std::time::{Instant, SystemTime};

/// The spans of one request; the request's own comes last, as it ends last.
pub(super) fn of(
    recording: &Recording,
    (caller, own): (Option<TraceParent>, TraceParent),
    ended: &Ended<'_>,
) -> Vec<SpanData> {
    let now = recording.now();
    let mut all = Spans { recording, own, now, spans: Vec::new() };
    if let Some(exchange) = ended.exchange {
        all.decision(exchange);
    }
    for (times, attempt) in recording.attempts.iter().enumerate() {
        all.attempt(attempt, times);
    }
    for fallback in &recording.fallbacks {
        all.fallback(fallback, ended.exchange);
    }
    all.request(caller, ended);
    all.spans
}

/// One span, before it is written down.
struct Span {
    id: u64,
    parent: u64,
    kind: SpanKind,
    name: Cow<'static, str>,
    when: (Instant, Instant),
    attributes: Vec<KeyValue>,
    error: bool,
}

struct Spans<'r> {
    recording: &'r Recording,
    own: TraceParent,
    now: Instant,
    spans: Vec<SpanData>,
}

impl Spans<'_> {
    fn decision(&mut self, exchange: &Exchange) {
        let Some(timeline) = exchange.timeline() else { return };
        let (began, decision) = (exchange.began(), exchange.decision());
        let decided = began + timeline.decided();
        let id = fresh_span();
        let mut attributes = vec![
            KeyValue::new("cutover.reason", decision.reason.name()),
            KeyValue::new(
                "cutover.generation",
                i64::try_from(exchange.generation().0).unwrap_or(0),
            ),
        ];
        if let Some((migration, side)) = exchange.migration().zip(decision.migration) {
            attributes.push(KeyValue::new("cutover.migration", migration.name.to_string()));
            attributes.push(KeyValue::new("cutover.side", side.1.name()));
        }
        if let Some(bucket) = decision.bucket {
            attributes.push(KeyValue::new("cutover.cohort", cohort(bucket)));
        }
        if let Some(reason) = exchange.plugin_reason() {
            attributes.push(KeyValue::new("cutover.plugin.reason", reason.to_owned()));
        }
        self.push(Span {
            id,
            parent: self.own.span(),
            kind: SpanKind::Internal,
            name: "decide".into(),
            when: (began, decided),
            attributes,
            error: false,
        });
        for call in timeline.calls() {
            let parent = if call.hook == "split" { id } else { self.own.span() };
            // What a failure's judgement calls is below that judgement.
            if call.hook != "on-failure" {
                self.plugin(call, exchange, parent);
            }
        }
    }

    fn plugin(&mut self, call: &PluginCall, exchange: &Exchange, parent: u64) {
        let place = exchange.snapshot().place(call.place);
        let mut attributes = vec![
            KeyValue::new("cutover.plugin", place.plugin.to_string()),
            KeyValue::new("cutover.hook", call.hook),
        ];
        if let Some(fault) = call.fault {
            attributes.push(KeyValue::new("error.type", fault));
        }
        self.push(Span {
            id: fresh_span(),
            parent,
            kind: SpanKind::Internal,
            name: format!("plugin {}", call.hook).into(),
            when: (call.began, call.began + call.took),
            attributes,
            error: call.fault.is_some(),
        });
    }

    fn attempt(&mut self, attempt: &Attempt, times: usize) {
        let method = self.recording.asked.as_ref().map(|asked| method(&asked.method));
        let (host, port) = attempt.address.rsplit_once(':').unwrap_or((&attempt.address, ""));
        let mut attributes = vec![
            KeyValue::new("server.address", host.to_owned()),
            KeyValue::new("cutover.backend", attempt.backend.to_string()),
        ];
        if let Ok(port) = port.parse::<i64>() {
            attributes.push(KeyValue::new("server.port", port));
        }
        if let Some(method) = method {
            attributes.push(KeyValue::new("http.request.method", method));
        }
        if let Some(side) = attempt.side {
            attributes.push(KeyValue::new("cutover.side", side.name()));
        }
        if times > 0 {
            let times = i64::try_from(times).unwrap_or(i64::MAX);
            attributes.push(KeyValue::new("http.request.resend_count", times));
        }
        let bad = status_attributes(&mut attributes, attempt.status, |status| {
            status.is_client_error() || status.is_server_error()
        });
        match attempt.failed {
            Some(cause) if !bad => attributes.push(KeyValue::new("error.type", cause.name())),
            Some(_) | None => {}
        }
        self.push(Span {
            id: attempt.span,
            parent: self.own.span(),
            kind: SpanKind::Client,
            name: method.unwrap_or("HTTP").into(),
            when: (attempt.began, attempt.ended.unwrap_or(self.now)),
            attributes,
            error: bad || attempt.failed.is_some(),
        });
    }

    fn fallback(&mut self, fallback: &Fallback, exchange: Option<&Exchange>) {
        let id = fresh_span();
        self.push(Span {
            id,
            parent: self.own.span(),
            kind: SpanKind::Internal,
            name: "fallback".into(),
            when: (fallback.began, fallback.ended),
            attributes: vec![
                KeyValue::new("cutover.cause", fallback.cause.name()),
                KeyValue::new("cutover.action", fallback.action),
            ],
            error: false,
        });
        let Some((exchange, timeline)) =
            exchange.and_then(|exchange| Some((exchange, exchange.timeline()?)))
        else {
            return;
        };
        let during = fallback.began..=fallback.ended;
        for call in timeline.calls() {
            if call.hook == "on-failure" && during.contains(&call.began) {
                self.plugin(call, exchange, id);
            }
        }
    }

    fn request(&mut self, caller: Option<TraceParent>, ended: &Ended<'_>) {
        let exchange = ended.exchange;
        let route = exchange.map(|exchange| {
            let routes = exchange.snapshot().routes();
            routes.spec(exchange.decision().route).path.to_string()
        });
        let mut attributes = Vec::with_capacity(16);
        let mut name = "HTTP".to_owned();
        if let Some(asked) = &self.recording.asked {
            name = method(&asked.method).to_owned();
            describe(&mut attributes, asked);
        }
        if let Some(route) = route {
            name.push(' ');
            name.push_str(&route);
            attributes.push(KeyValue::new("http.route", route));
        }
        if let Some(exchange) = exchange {
            if let Some((migration, side)) = exchange.migration().zip(exchange.side()) {
                attributes.push(KeyValue::new("cutover.migration", migration.name.to_string()));
                attributes.push(KeyValue::new("cutover.side", side.name()));
                attributes.push(KeyValue::new("cutover.role", exchange.role().name()));
            }
            attributes.push(KeyValue::new("cutover.reason", exchange.decision().reason.name()));
        }
        if let Some(trace) = self.recording.copied_as {
            attributes.push(KeyValue::new("cutover.mirror.trace_id", format!("{trace:032x}")));
        }
        let bad = status_attributes(&mut attributes, ended.status, StatusCode::is_server_error);
        if let Some(refused) = ended.refused {
            attributes.push(KeyValue::new("cutover.refused", refused));
        }
        let none = ended.status.is_none();
        if none {
            let why = ended.refused.unwrap_or("no-reply");
            attributes.push(KeyValue::new("error.type", why));
        }
        let span = Span {
            id: self.own.span(),
            parent: caller.map_or(0, TraceParent::span),
            kind: SpanKind::Server,
            name: name.into(),
            when: (self.recording.began, self.now),
            attributes,
            error: bad || none,
        };
        self.push(span);
        if let Some(span) = self.spans.last_mut() {
            span.parent_span_is_remote = caller.is_some();
        }
    }

    fn push(&mut self, span: Span) {
        let when = (self.recording.unix(span.when.0), self.recording.unix(span.when.1));
        let Span { id, parent, kind, name, attributes, error, .. } = span;
        let mut data = data((self.own.trace(), id, parent), kind, name, when, attributes);
        if error {
            data.status = Status::error("");
        }
        self.spans.push(data);
    }
}

/// A span of a trace, without links.
fn data(
    (trace, id, parent): (u128, u64, u64),
    kind: SpanKind,
    name: Cow<'static, str>,
    (start_time, end_time): (SystemTime, SystemTime),
    attributes: Vec<KeyValue>,
) -> SpanData {
    SpanData {
        span_context: context(trace, id, false),
        parent_span_id: SpanId::from(parent),
        parent_span_is_remote: false,
        span_kind: kind,
        name,
        start_time,
        end_time,
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: scope(),
    }
}

/// The span of a copy: a trace of its own, linked to the exchange that was copied.
pub(super) fn of_copy(
    (own, linked): (TraceParent, TraceParent),
    when: (SystemTime, SystemTime),
    attributes: Vec<KeyValue>,
    error: bool,
) -> SpanData {
    let ids = (own.trace(), own.span(), 0);
    let mut span = data(ids, SpanKind::Client, "mirror".into(), when, attributes);
    let link = Link::with_context(context(linked.trace(), linked.span(), false));
    span.links.links.push(link);
    if error {
        span.status = Status::error("");
    }
    span
}

fn context(trace: u128, span: u64, remote: bool) -> SpanContext {
    let (trace, span) = (TraceId::from(trace), SpanId::from(span));
    SpanContext::new(trace, span, TraceFlags::SAMPLED, remote, TraceState::NONE)
}

fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("cutover").with_version(env!("CARGO_PKG_VERSION")).build()
}

fn describe(attributes: &mut Vec<KeyValue>, asked: &recording::Asked) {
    attributes.push(KeyValue::new("http.request.method", method(&asked.method)));
    attributes.push(KeyValue::new("url.path", asked.path.clone()));
    attributes.push(KeyValue::new("url.scheme", if asked.tls { "https" } else { "http" }));
    attributes.push(KeyValue::new("server.address", asked.host.clone()));
    let version = match asked.version {
        Version::HTTP_2 => "2",
        Version::HTTP_10 => "1.0",
        _ => "1.1",
    };
    attributes.push(KeyValue::new("network.protocol.version", version));
    if let Some(client) = asked.client {
        attributes.push(KeyValue::new("client.address", client.to_string()));
    }
}

/// Adds a status. True if it is an error.
pub(super) fn status_attributes(
    attributes: &mut Vec<KeyValue>,
    status: Option<StatusCode>,
    is_bad: impl Fn(&StatusCode) -> bool,
) -> bool {
    let Some(status) = status else { return false };
    attributes.push(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
    let bad = is_bad(&status);
    if bad {
        attributes.push(KeyValue::new("error.type", status.as_str().to_owned()));
    }
    bad
}

/// A method that is not of RFC 9110 or RFC 5789 is not repeated: clients could make as many names as they like.
pub(super) fn method(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] =
        ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("_OTHER")
}

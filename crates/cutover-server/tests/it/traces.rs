//! Traces: what backends are told, and what a real OTLP receiver gets.

use crate::collector::{Collector, Taken, hex};
use crate::world::{Proxy, World, all_to, backend, migration};
use cutover_test::{Client, Upstream, dead_address};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use std::net::TcpListener;
use std::time::Duration;

const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLERS_SPAN: &str = "00f067aa0ba902b7";

/// Two services and a proxy between them and its clients.
struct Scene {
    /// Goes first: it may still talk to the others.
    proxy: Proxy,
    world: World,
    old: Upstream,
    new: Upstream,
}

impl Scene {
    /// `telemetry`: the lines of `[telemetry]`; `""` for none.
    fn new(world: World, server: &str, telemetry: &str, of_migration: &str) -> Self {
        let old = world.run(Upstream::named("old"));
        let new = world.run(Upstream::named("new"));
        Self::between(world, (old, new), server, telemetry, of_migration)
    }

    fn between(
        world: World,
        (old, new): (Upstream, Upstream),
        server: &str,
        telemetry: &str,
        of_migration: &str,
    ) -> Self {
        let config = [
            telemetry.to_owned(),
            backend("old", &[old.address()], ""),
            backend("new", &[new.address()], ""),
            migration(of_migration),
            all_to("old"),
        ];
        let proxy = Proxy::with_server(server, &config.concat());
        Self { proxy, world, old, new }
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> u16 {
        let client = self.world.client(&self.proxy);
        self.world.run(client.get(path, headers)).status().as_u16()
    }

    /// A sample of the server's own metrics.
    fn spans(&self, outcome: &str) -> u64 {
        let address = self.proxy.running().admin_address().expect("it listens");
        let text = self.world.run(async {
            let reply = Client::http1(address).get("/metrics", &[]).await;
            String::from_utf8(reply.body().to_vec()).expect("text")
        });
        let series = format!("cutover_trace_spans_total{{outcome=\"{outcome}\"}} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&series));
        value.unwrap_or_else(|| panic!("no {series}")).parse().expect("a number")
    }

    #[expect(clippy::disallowed_methods, reason = "a counter of another thread gives no event")]
    fn until(&self, outcome: &str, at_least: u64) {
        for _ in 0..4_000 {
            if self.spans(outcome) >= at_least {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("{outcome}: {}", self.spans(outcome));
    }
}

fn all_sampled(collector: impl std::fmt::Display) -> String {
    format!("[telemetry]\ntraces = \"http://{collector}\"\nsample-percent = 100\n")
}

#[test]
fn a_request_is_a_span_of_its_callers_trace_and_its_attempt_calls_the_backend() {
    let world = World::new();
    let (collector, at) = Collector::grpc(&world);
    let scene = Scene::new(world, "", &all_sampled(at), "read-percent = 100");
    let headers = [("x-user-id", "a"), ("traceparent", CALLER), ("tracestate", "vendor=1")];
    assert_eq!(scene.get("/api/profile?secret=1", &headers), 200);

    let request = collector.span("the request's", |t| t.span.kind() == SpanKind::Server);
    assert_eq!((request.trace().as_str(), request.parent().as_str()), (TRACE, CALLERS_SPAN));
    assert_eq!(request.service, "cutover");
    assert_eq!(request.span.name, "GET /api/{*rest}");
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/api/{*rest}"),
        ("url.path", "/api/profile"),
        ("http.response.status_code", "200"),
        ("client.address", "127.0.0.1"),
        ("cutover.migration", "profile"),
        ("cutover.side", "new"),
        ("cutover.role", "served"),
        ("cutover.reason", "percent"),
    ] {
        assert_eq!(request.attribute(key).as_deref(), Some(value), "{key}");
    }
    assert!(!format!("{:?}", collector.all()).contains("secret"), "a query may hold secrets");

    let below = |name: &str| collector.span(name, |t| t.span.name == name);
    let (decide, attempt) = (below("decide"), below("GET"));
    for span in [&decide, &attempt] {
        assert_eq!((span.trace(), span.parent()), (TRACE.to_owned(), request.id()));
        let inside = request.span.start_time_unix_nano..=request.span.end_time_unix_nano;
        assert!(inside.contains(&span.span.start_time_unix_nano), "{span:?}");
        assert!(inside.contains(&span.span.end_time_unix_nano), "{span:?}");
    }
    assert!(decide.attribute("cutover.cohort").is_some());
    assert_eq!(attempt.span.kind(), SpanKind::Client);
    let port = scene.new.address().port().to_string();
    assert_eq!(attempt.attribute("server.port"), Some(port));

    let seen = scene.new.last();
    assert_eq!(seen.header("traceparent"), format!("00-{TRACE}-{}-01", attempt.id()));
    assert_eq!(seen.header("tracestate"), "vendor=1");
    let line = scene.proxy.log_line(|line| line["status"] == 200);
    assert_eq!(line["trace_id"], TRACE);
    assert_eq!(line["cohort"].to_string(), decide.attribute("cutover.cohort").expect("one"));
    scene.until("exported", 3);
}

#[test]
fn a_fallback_is_seen_as_two_attempts_and_a_judgement_over_http() {
    let world = World::new();
    let (collector, upstream) = Collector::http(&world);
    let telemetry = format!("{}protocol = \"http\"\n", all_sampled(upstream.address()));
    let old = world.run(Upstream::named("old"));
    let new = world.run(Upstream::answering(503, "no"));
    let scene = Scene::between(world, (old, new), "", &telemetry, "read-percent = 100");
    assert_eq!(scene.get("/api/profile", &[("x-user-id", "a")]), 200);

    let request = collector.span("the request's", |t| t.span.kind() == SpanKind::Server);
    assert_eq!(request.parent(), "", "the trace begins here");
    assert_eq!(request.attribute("cutover.role").as_deref(), Some("fallback"));
    let attempt = |side: &str| {
        collector.span(side, |t| {
            t.span.kind() == SpanKind::Client
                && t.attribute("cutover.side").as_deref() == Some(side)
        })
    };
    let (first, second) = (attempt("new"), attempt("old"));
    assert_eq!(first.attribute("http.response.status_code").as_deref(), Some("503"));
    assert_eq!(first.span.status.as_ref().expect("one").code(), StatusCode::Error);
    assert_eq!(first.attribute("http.request.resend_count"), None);
    assert_eq!(second.attribute("http.request.resend_count").as_deref(), Some("1"));
    assert!(first.span.end_time_unix_nano <= second.span.start_time_unix_nano);
    let judged = collector.span("the judgement's", |t| t.span.name == "fallback");
    assert_eq!(judged.attribute("cutover.cause").as_deref(), Some("5xx"));
    assert_eq!(judged.attribute("cutover.action").as_deref(), Some("retry"));
    for (upstream, attempt) in [(&scene.new, &first), (&scene.old, &second)] {
        let told = upstream.last().header("traceparent");
        assert_eq!(told, format!("00-{}-{}-01", request.trace(), attempt.id()));
    }
}

#[test]
fn a_backend_that_cannot_be_reached_is_an_attempt_that_failed() {
    let world = World::new();
    let (collector, at) = Collector::grpc(&world);
    let scene = Scene::new(world, "", &all_sampled(at), "read-percent = 100");
    let dead = scene.world.run(dead_address());
    scene.proxy.reload(&scene.new.address().to_string(), &dead.to_string());
    assert_eq!(scene.get("/api/profile", &[("x-user-id", "a")]), 200);
    let failed = collector
        .span("the failed attempt's", |t| t.attribute("error.type").as_deref() == Some("connect"));
    assert_eq!(failed.attribute("cutover.backend").as_deref(), Some("new"));
}

#[test]
fn a_copy_is_a_trace_of_its_own_with_a_link() {
    let world = World::new();
    let (collector, at) = Collector::grpc(&world);
    let scene = Scene::new(world, "", &all_sampled(at), "read-percent = 0\nmirror-percent = 100");
    let headers = [("x-user-id", "a"), ("traceparent", CALLER), ("tracestate", "vendor=1")];
    assert_eq!(scene.get("/api/profile", &headers), 200);

    let copy = collector.span("the copy's", |t| t.span.name == "mirror");
    let request = collector.span("the request's", |t| t.span.kind() == SpanKind::Server);
    assert_eq!(copy.parent(), "");
    assert_ne!(copy.trace(), TRACE);
    let link = &copy.span.links[0];
    let linked = (hex(&link.trace_id), hex(&link.span_id));
    assert_eq!(linked, (TRACE.to_owned(), request.id()));
    assert_eq!(request.attribute("cutover.mirror.trace_id"), Some(copy.trace()));
    assert_eq!(copy.attribute("cutover.side").as_deref(), Some("new"));
    assert_eq!(copy.attribute("http.response.status_code").as_deref(), Some("200"));
    // "old" and "new" differ, so that both are asked again; that is the copy's doing too.
    for told in scene.new.seen() {
        let told = (told.header("traceparent"), told.header("tracestate"));
        assert_eq!(told, (format!("00-{}-{}-01", copy.trace(), copy.id()), String::new()));
    }
}

#[test]
fn a_plugins_call_is_a_span_below_the_decision() {
    let world = World::new();
    let (collector, at) = Collector::grpc(&world);
    let dist = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/dist"));
    let file = dist.join("tenant_split.wasm").canonicalize().expect("it is committed");
    let plugin = format!(
        "plugins = {{ split = \"by-tenant\" }}\nread-percent = 50\n\
         [plugins.by-tenant]\ncomponent = {file:?}\ndeadline = \"1s\"\n\
         config = {{ tenants = [\"acme\"] }}\n"
    );
    let scene = Scene::new(world, "", &all_sampled(at), &plugin);
    let headers = [("x-user-id", "a"), ("x-tenant", "acme")];
    assert_eq!(scene.get("/api/profile", &headers), 200);
    let decide = collector.span("the decision's", |t| t.span.name == "decide");
    let call = collector.span("the call's", |t| t.span.name == "plugin split");
    assert_eq!(call.parent(), decide.id());
    assert_eq!(call.attribute("cutover.plugin").as_deref(), Some("by-tenant"));
    assert!(call.span.start_time_unix_nano >= decide.span.start_time_unix_nano);
    assert!(call.span.end_time_unix_nano <= decide.span.end_time_unix_nano);
}

#[test]
fn who_decides_what_is_recorded() {
    let unsampled = CALLER.replace("-01", "-00");
    // Trusted proxies, percent, what the caller says, recorded?
    for (trusted, percent, caller, recorded) in [
        (true, 0, Some(CALLER), true),
        (true, 100, Some(unsampled.as_str()), false),
        (true, 100, None, true),
        (false, 0, Some(CALLER), false),
        (false, 100, Some(unsampled.as_str()), true),
        (false, 0, None, false),
    ] {
        let case = format!("{trusted} {percent} {caller:?}");
        let world = World::new();
        let (collector, at) = Collector::grpc(&world);
        let telemetry =
            format!("[telemetry]\ntraces = \"http://{at}\"\nsample-percent = {percent}\n");
        let server = if trusted { "trusted-proxies = [\"127.0.0.0/8\"]" } else { "" };
        let scene = Scene::new(world, server, &telemetry, "read-percent = 100");
        let headers: Vec<_> = caller.map(|caller| ("traceparent", caller)).into_iter().collect();
        assert_eq!(scene.get("/other", &headers), 200);
        let told = scene.old.last().header("traceparent");
        assert_eq!(told.len(), CALLER.len(), "{case}: every request belongs to a trace");
        assert_eq!(told.ends_with("-01"), recorded, "{case}");
        assert_eq!(told.contains(TRACE), caller.is_some(), "{case}");
        if recorded {
            collector.span(&case, |t| t.span.kind() == SpanKind::Server);
        } else {
            scene.proxy.running().flush();
            assert!(collector.all().is_empty(), "{case}");
        }
    }
}

#[test]
fn what_is_no_trace_is_replaced_and_its_state_goes() {
    let scene = Scene::new(World::new(), "", "[telemetry]\n", "read-percent = 100");
    let nobodys = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
    assert_eq!(scene.get("/x", &[("traceparent", nobodys), ("tracestate", "vendor=1")]), 200);
    let seen = scene.old.last();
    assert_eq!(seen.header("tracestate"), "");
    let told = seen.header("traceparent");
    assert!(told.len() == CALLER.len() && !told.contains(&"0".repeat(32)), "{told}");
}

#[test]
fn without_telemetry_headers_pass_as_they_came() {
    let scene = Scene::new(World::new(), "", "", "read-percent = 100");
    let baggage = "cutover.side=old,a=1";
    for traceparent in [CALLER, "nonsense"] {
        let headers =
            [("traceparent", traceparent), ("tracestate", "vendor=1"), ("baggage", baggage)];
        assert_eq!(scene.get("/x", &headers), 200);
        let seen = scene.old.last();
        let told = ["traceparent", "tracestate", "baggage"].map(|name| seen.header(name));
        assert_eq!(told, [traceparent, "vendor=1", baggage]);
    }
    let line = scene.proxy.log_line(|line| !line["trace_id"].is_null());
    assert_eq!(line["trace_id"], TRACE, "the log names the caller's trace all the same");
}

#[test]
fn baggage_carries_the_decision_and_nobody_elses() {
    let telemetry = "[telemetry]\nbaggage = true\n";
    let scene = Scene::new(World::new(), "", telemetry, "read-percent = 100");
    let headers = [("x-user-id", "a"), ("baggage", "user=7;x=y, cutover.side=old")];
    assert_eq!(scene.get("/api/x", &headers), 200);
    let told = scene.new.last().header("baggage");
    let cohort = scene.proxy.log_line(|line| line["side"] == "new")["cohort"].to_string();
    let expected =
        format!("user=7;x=y,cutover.migration=profile,cutover.side=new,cutover.cohort={cohort}");
    assert_eq!(told, expected);
    assert_eq!(scene.get("/other", &[("baggage", "cutover.side=new")]), 200);
    assert_eq!(scene.old.last().header("baggage"), "", "no decision, and nobody may invent one");
}

#[test]
fn a_collector_that_is_dead_or_hangs_costs_spans_and_no_request() {
    let world = World::new();
    let dead = world.run(dead_address());
    let scene = Scene::new(world, "", &all_sampled(dead), "read-percent = 100");
    for _ in 0..20 {
        assert_eq!(scene.get("/api/x", &[("x-user-id", "a")]), 200);
    }
    scene.until("failed", 1);

    // Accepts into its backlog, and never answers.
    let hung = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = hung.local_addr().expect("it is bound");
    let scene = Scene::new(World::new(), "", &all_sampled(at), "read-percent = 100");
    let client = scene.world.client(&scene.proxy);
    scene.world.run(async {
        for _ in 0..4_000 {
            let reply = client.get("/api/x", &[("x-user-id", "a")]).await;
            assert_eq!(reply.status(), 200);
        }
    });
    assert!(scene.spans("dropped") > 0, "the queue is bounded");
}

#[test]
fn a_reload_turns_traces_on() {
    let world = World::new();
    let (collector, at) = Collector::grpc(&world);
    let scene = Scene::new(world, "", "[telemetry]\nsample-percent = 100\n", "read-percent = 100");
    assert_eq!(scene.get("/api/before", &[]), 200);
    let to = format!("traces = \"http://{at}\"\nservice-name = \"edge\"\nsample-percent = 100\n");
    scene.proxy.reload("sample-percent = 100\n", &to);
    assert_eq!(scene.get("/api/after", &[]), 200);
    let span = collector.span("the second request's", |t| t.span.kind() == SpanKind::Server);
    assert_eq!(span.service, "edge");
    assert_eq!(span.attribute("url.path").as_deref(), Some("/api/after"));
}

/// A batch that still waits for others is not lost with the server, nor one that is taken slowly.
#[test]
fn spans_of_the_last_request_leave_before_the_server_does() {
    let world = World::new();
    let (collector, upstream) = Collector::http_after(&world, Duration::from_millis(700));
    let telemetry = format!("{}protocol = \"http\"\n", all_sampled(upstream.address()));
    let scene = Scene::new(world, "", &telemetry, "read-percent = 100");
    assert_eq!(scene.get("/the/last", &[]), 200);
    scene.proxy.log_line(|line| line["path"] == "/the/last");
    let Scene { proxy, world: _world, .. } = scene;
    drop(proxy);
    let sent = collector.all();
    let path = |t: &Taken| t.attribute("url.path");
    assert!(sent.iter().any(|t| path(t).as_deref() == Some("/the/last")), "{sent:#?}");
}

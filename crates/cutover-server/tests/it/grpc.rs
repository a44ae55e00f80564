//! gRPC between a client and a server that are somebody else's, tonic's: the service is OTLP's.

use crate::collector::Collector;
use crate::protocol::channel_body;
use crate::world::{Proxy, World, all_to, backend};
use bytes::Bytes;
use cutover_test::dead_address;
use http::Request;
use http::header::CONTENT_TYPE;
use hyper::body::{Body as _, Frame};
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::rt::TokioExecutor;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use std::net::SocketAddr;
use tokio::sync::mpsc;
use tonic::Code;
use tonic::transport::Endpoint;

/// Callers at once, and the calls of each.
const CALLERS: u32 = 8;
const CALLS: u32 = 25;

fn request(name: String) -> ExportTraceServiceRequest {
    let value = Some(AnyValue { value: Some(Value::StringValue("caller".to_owned())) });
    let service = KeyValue { key: "service.name".to_owned(), value, ..KeyValue::default() };
    let resource = Some(Resource { attributes: vec![service], ..Resource::default() });
    let span = Span { name, ..Span::default() };
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
    let all = ResourceSpans { resource, scope_spans, ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![all] }
}

fn config(service: SocketAddr) -> String {
    [backend("service", &[service], "protocol = \"http2\""), all_to("service")].concat()
}

#[test]
fn calls_of_many_callers_arrive_and_are_answered() {
    let world = World::new();
    let (collector, at) = Collector::grpc(&world);
    let proxy = Proxy::start(&config(at));
    let address = format!("http://{}", proxy.address());
    world.run(async {
        let channel = Endpoint::from_shared(address).expect("a URL").connect_lazy();
        let mut callers = tokio::task::JoinSet::new();
        for caller in 0..CALLERS {
            let mut client = TraceServiceClient::new(channel.clone());
            callers.spawn(async move {
                for call in 0..CALLS {
                    let answer = client.export(request(format!("{caller}/{call}"))).await;
                    assert_eq!(answer.expect("an answer").into_inner().partial_success, None);
                }
            });
        }
        while let Some(done) = callers.join_next().await {
            done.expect("no caller panics");
        }
    });
    let mut names: Vec<_> = collector.all().into_iter().map(|taken| taken.span.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), (CALLERS * CALLS) as usize, "each once");
}

/// The proxy's own replies are in gRPC's words; its log has the status of HTTP, as for everybody else.
#[test]
fn a_service_that_is_not_there_is_an_error_that_says_why() {
    let world = World::new();
    let dead = world.run(dead_address());
    let proxy = Proxy::start(&config(dead));
    let address = format!("http://{}", proxy.address());
    let error = world.run(async {
        let channel = Endpoint::from_shared(address).expect("a URL").connect_lazy();
        TraceServiceClient::new(channel).export(request("lost".to_owned())).await
    });
    let error = error.expect_err("nobody is there");
    assert_eq!(error.code(), Code::Unavailable);
    let line = proxy.log_line(|line| line["refused"] == "connect");
    let id = line["id"].as_str().expect("every line has an id");
    assert_eq!(error.message(), format!("no connection to the backend; id {id}"));
    assert_eq!(line["status"], 502);
}

/// What is refused before anything is decided is said in the same way.
#[test]
fn a_call_that_no_route_takes_is_unimplemented() {
    let world = World::new();
    let dead = world.run(dead_address());
    let route = "[[routes]]\npath = \"/elsewhere\"\nbackend = \"service\"\n".to_owned();
    let proxy =
        Proxy::start(&[backend("service", &[dead], "protocol = \"http2\""), route].concat());
    let address = format!("http://{}", proxy.address());
    let error = world.run(async {
        let channel = Endpoint::from_shared(address).expect("a URL").connect_lazy();
        TraceServiceClient::new(channel).export(request("lost".to_owned())).await
    });
    assert_eq!(error.expect_err("no route leads there").code(), Code::Unimplemented);
}

/// Trailers-Only: the stream ends with the head, whatever still comes of the call. A status in a head that does not end it is
/// none to a client that reads on.
#[test]
fn such_a_reply_ends_with_its_head_and_only_calls_get_one() {
    let world = World::new();
    let dead = world.run(dead_address());
    let proxy = Proxy::start(&config(dead));
    for (media_type, is_call) in
        [("application/grpc+proto", true), ("application/grpc-web+proto", false)]
    {
        let (more, frames) = mpsc::channel(1);
        let call = Request::post(format!("http://{}/service/Method", proxy.address()))
            .header(CONTENT_TYPE, media_type)
            .body(channel_body(frames))
            .expect("a request");
        world.run(async {
            let client = Hyper::builder(TokioExecutor::new()).http2_only(true).build_http();
            more.send(Frame::data(Bytes::from("a message"))).await.expect("it is taken");
            let reply = client.request(call).await.expect("a reply");
            assert_eq!(reply.status().as_u16(), if is_call { 200 } else { 502 }, "{media_type}");
            assert_eq!(reply.headers().contains_key("grpc-status"), is_call, "{media_type}");
            assert_eq!(reply.body().is_end_stream(), is_call, "{media_type}");
        });
        drop(more);
    }
}

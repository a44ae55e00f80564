//! A collector: takes spans by OTLP, over gRPC or HTTP, and remembers them.

use crate::world::World;
use cutover_test::Upstream;
use http_body_util::BodyExt as _;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;

/// One span, with what its sender says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) span: Span,
    pub(crate) service: String,
}

/// What was taken so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Collector(Arc<Mutex<Vec<Taken>>>);

impl Taken {
    /// An attribute as text.
    pub(crate) fn attribute(&self, key: &str) -> Option<String> {
        let found = self.span.attributes.iter().find(|attribute| attribute.key == key)?;
        let value = found.value.as_ref()?.value.as_ref()?;
        if let Value::IntValue(number) = value { Some(number.to_string()) } else { text(value) }
    }

    pub(crate) fn trace(&self) -> String {
        hex(&self.span.trace_id)
    }

    pub(crate) fn id(&self) -> String {
        hex(&self.span.span_id)
    }

    /// Empty if it has none.
    pub(crate) fn parent(&self) -> String {
        hex(&self.span.parent_span_id)
    }
}

fn text(value: &Value) -> Option<String> {
    if let Value::StringValue(text) = value { Some(text.clone()) } else { None }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Collector {
    /// Over gRPC. Ends with the world.
    pub(crate) fn grpc(world: &World) -> (Self, SocketAddr) {
        let taken = Self::default();
        let service = TraceServiceServer::new(taken.clone());
        let address = world.run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("it is bound");
            let server = tonic::transport::Server::builder().add_service(service);
            tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
            address
        });
        (taken, address)
    }

    /// Over HTTP, at `/v1/traces` and nowhere else.
    pub(crate) fn http(world: &World) -> (Self, Upstream) {
        Self::http_after(world, Duration::ZERO)
    }

    /// The same, and it takes its time.
    pub(crate) fn http_after(world: &World, delay: Duration) -> (Self, Upstream) {
        let taken = Self::default();
        let theirs = taken.clone();
        let upstream = world.run(Upstream::start(move |request| {
            let theirs = theirs.clone();
            async move {
                if request.uri().path() != "/v1/traces" {
                    return cutover_test::text(404, "");
                }
                assert_eq!(request.headers()["content-type"], "application/x-protobuf");
                tokio::time::sleep(delay).await;
                let body = request.into_body().collect().await.expect("a body").to_bytes();
                theirs.take(ExportTraceServiceRequest::decode(body).expect("Protocol Buffers"));
                cutover_test::text(200, ExportTraceServiceResponse::default().encode_to_vec())
            }
        }));
        (taken, upstream)
    }

    fn take(&self, request: ExportTraceServiceRequest) {
        let mut taken = self.0.lock().expect("nobody panics");
        for resource in request.resource_spans {
            let attributes = resource.resource.expect("who sends").attributes;
            let name = attributes.iter().find(|attribute| attribute.key == "service.name");
            let service = name.and_then(|name| text(name.value.as_ref()?.value.as_ref()?));
            let service = service.expect("a name");
            for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                taken.push(Taken { span, service: service.clone() });
            }
        }
    }

    pub(crate) fn all(&self) -> Vec<Taken> {
        self.0.lock().expect("nobody panics").clone()
    }

    /// Waits for a span that fits, for 20 s at most.
    #[expect(clippy::disallowed_methods, reason = "spans of another thread give no event")]
    pub(crate) fn span(&self, what: &str, fits: impl Fn(&Taken) -> bool) -> Taken {
        for _ in 0..4_000 {
            if let Some(found) = self.all().into_iter().find(&fits) {
                return found;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("no span: {what}; there are {:#?}", self.all());
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        self.take(request.into_inner());
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}

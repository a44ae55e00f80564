//! Sample traffic: 2,000 users over real connections, and everything counted at the client, not in the proxy.

use cutover::{Clock as _, SystemClock};
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How many requests are under way at a time.
const CONNECTIONS: usize = 32;

/// Who answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// The monolith.
    Old,
    /// The new service.
    New,
    /// Nobody, or not with 200.
    Failed,
}

/// Why `old` answered in the place of `new`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StandIn {
    /// `new` was asked, and failed.
    Fallback,
    /// `new` is being left alone for a while.
    Breaker,
}

/// One request as its client saw it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// Number of the user.
    pub(crate) user: usize,
    /// Who answered.
    pub(crate) answered: Answered,
    /// From sending to the last byte.
    pub(crate) took: Duration,
    /// Did `old` stand in for `new`?
    pub(crate) stand_in: Option<StandIn>,
    /// When it was sent: Unix time in milliseconds.
    pub(crate) began_ms: u64,
    /// When its last byte came.
    pub(crate) ended_ms: u64,
}

/// A population of users behind one client.
#[derive(Clone, Debug)]
pub(crate) struct Traffic {
    client: Client<HttpConnector, Empty<Bytes>>,
    proxy: SocketAddr,
    users: usize,
}

/// Which resource, and who asks for it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ask {
    /// `/api/profile/{user}`, the user in a header.
    Profile,
    /// `/api/orders/{user}`, every fourth user being of the tenant `acme`.
    Orders,
}

impl Traffic {
    /// Users of a proxy.
    pub(crate) fn new(proxy: SocketAddr, users: usize) -> Self {
        let client =
            Client::builder(TokioExecutor::new()).pool_max_idle_per_host(CONNECTIONS).build_http();
        Self { client, proxy, users }
    }

    /// Number of users.
    pub(crate) fn users(&self) -> usize {
        self.users
    }

    /// Every user asks `times` times, the users in turn.
    pub(crate) async fn round(&self, ask: Ask, times: usize) -> Vec<Seen> {
        self.requests(ask, self.users * times, || false).await
    }

    /// Users ask in turn until `stop` says so, `most` times at most.
    pub(crate) async fn until(
        &self,
        ask: Ask,
        most: usize,
        stop: impl Fn() -> bool + Clone + Send + 'static,
    ) -> Vec<Seen> {
        self.requests(ask, most, stop).await
    }

    async fn requests(
        &self,
        ask: Ask,
        count: usize,
        stop: impl Fn() -> bool + Clone + Send + 'static,
    ) -> Vec<Seen> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut connections = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            let (traffic, next, stop) = (self.clone(), Arc::clone(&next), stop.clone());
            connections.push(tokio::spawn(async move {
                let mut seen = Vec::new();
                while !stop() {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    seen.push(traffic.one(ask, number % traffic.users).await);
                }
                seen
            }));
        }
        let mut all = Vec::with_capacity(count.min(100_000));
        for connection in connections {
            all.extend(connection.await.unwrap_or_default());
        }
        all
    }

    /// One request.
    #[expect(clippy::disallowed_methods, reason = "a load generator measures real time")]
    pub(crate) async fn one(&self, ask: Ask, user: usize) -> Seen {
        let (began, began_ms) = (Instant::now(), unix_ms());
        let (answered, stand_in) = self.send(ask, user).await.unwrap_or((Answered::Failed, None));
        Seen { user, answered, took: began.elapsed(), stand_in, began_ms, ended_ms: unix_ms() }
    }

    /// Who answered, and whether as a stand-in.
    async fn send(&self, ask: Ask, user: usize) -> anyhow::Result<(Answered, Option<StandIn>)> {
        let (resource, tenant) = match ask {
            Ask::Profile => ("profile", ""),
            Ask::Orders if user.is_multiple_of(4) => ("orders", "acme"),
            Ask::Orders => ("orders", "globex"),
        };
        let uri: Uri = format!("http://{}/api/{resource}/{user}", self.proxy).parse()?;
        let request = Request::get(uri)
            .header("x-user-id", format!("user-{user}"))
            .header("x-tenant", tenant)
            .body(Empty::new())?;
        let response = self.client.request(request).await?;
        let status = response.status();
        let new = response.headers().get("x-service").is_some_and(|name| name != "monolith");
        let reason = response.headers().get("x-cutover-reason").map(HeaderValue::as_bytes);
        let stand_in = match reason {
            Some(b"fallback") => Some(StandIn::Fallback),
            Some(b"breaker") => Some(StandIn::Breaker),
            Some(_) | None => None,
        };
        // The reply counts only when it is whole.
        response.into_body().collect().await?;
        let answered = match (status, new) {
            (StatusCode::OK, true) => Answered::New,
            (StatusCode::OK, false) => Answered::Old,
            _ => Answered::Failed,
        };
        Ok((answered, stand_in))
    }
}

/// The same clock as the proxy's, so that both agree on what came first.
pub(crate) fn unix_ms() -> u64 {
    SystemClock.unix_ms()
}

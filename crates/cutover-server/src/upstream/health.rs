//! Active checks: GET a path of an address, healthy if the answer is 2xx or 3xx.

use super::{Address, Pool};
use cutover::core::backend::HealthCheck;
use http::HeaderValue;
use http::header::{HOST, USER_AGENT};
use pingora::connectors::http::Connector;
use pingora::http::RequestHeader;
use pingora::upstreams::peer::HttpPeer;
use std::sync::Arc;
use std::time::Duration;

/// Checks one address until dropped.
pub(super) async fn keep_checking(pool: Arc<Pool>, connector: Arc<Connector>, check: HealthCheck) {
    loop {
        let endpoints = pool.endpoints();
        let checks = endpoints.iter().map(|endpoint| async {
            let asked = ask(&connector, &endpoint.peer, &pool, &check);
            let healthy = matches!(tokio::time::timeout(check.timeout, asked).await, Ok(Ok(true)));
            note(&pool, &endpoint.address, healthy, &check);
        });
        futures_util::future::join_all(checks).await;
        tokio::time::sleep(check.every.max(Duration::from_millis(10))).await;
    }
}

fn note(pool: &Pool, address: &Address, healthy: bool, check: &HealthCheck) {
    if !address.checked(healthy, check.unhealthy_after, check.healthy_after) {
        return;
    }
    let (backend, address) = (pool.name(), address.text());
    if healthy {
        tracing::info!(backend, address, "answers its health checks again");
    } else {
        tracing::warn!(backend, address, path = %check.path, "fails its health checks: left out");
    }
}

async fn ask(
    connector: &Connector,
    peer: &HttpPeer,
    pool: &Pool,
    check: &HealthCheck,
) -> pingora::Result<bool> {
    let mut peer = peer.clone();
    peer.options.connection_timeout = Some(check.timeout);
    peer.options.total_connection_timeout = Some(check.timeout);
    let (mut session, _) = connector.get_http_session(&peer).await?;
    session.set_read_timeout(Some(check.timeout));
    let mut request = RequestHeader::build("GET", check.path.as_bytes(), Some(2))?;
    let host = match pool.host() {
        Some(host) => host.clone(),
        None => authority(&peer),
    };
    request.insert_header(HOST, host)?;
    request.insert_header(USER_AGENT, HeaderValue::from_static("cutover-health"))?;
    session.write_request_header(Box::new(request)).await?;
    session.finish_request_body().await?;
    session.read_response_header().await?;
    let healthy = session
        .response_header()
        .is_some_and(|reply| reply.status.is_success() || reply.status.is_redirection());
    while session.read_response_body().await?.is_some() {}
    connector.release_http_session(session, &peer, Some(check.every * 2)).await;
    Ok(healthy)
}

fn authority(peer: &HttpPeer) -> HeaderValue {
    let port = peer._address.as_inet().map_or(0, std::net::SocketAddr::port);
    let text = if peer.sni.is_empty() || peer.sni.contains(':') {
        peer._address.to_string()
    } else {
        format!("{}:{port}", peer.sni)
    };
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("localhost"))
}

//! Who may talk to the admin API at all: keeps out web pages that a browser beside it has open.

use super::AdminState;
use super::reply::problem;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode, header};

pub(super) async fn check(
    State(state): State<AdminState>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let host = text(headers, header::HOST).or(request.uri().authority().map(|host| host.as_str()));
    if !host.is_some_and(|host| state.serves_host(host)) {
        let detail = "The Host header names neither this machine's loopback nor admin.listen.";
        return problem(StatusCode::MISDIRECTED_REQUEST, "Unknown host", detail);
    }
    let mutates = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if mutates && is_foreign(&state, headers) {
        let detail = "This request was made by a web page of another origin.";
        return problem(StatusCode::FORBIDDEN, "Foreign origin", detail);
    }
    next.run(request).await
}

/// Browsers say where a request comes from; other clients say nothing.
fn is_foreign(state: &AdminState, headers: &HeaderMap) -> bool {
    let by_site = headers.get("sec-fetch-site").is_some_and(|site| {
        let site = site.as_bytes();
        site != b"same-origin" && site != b"none"
    });
    let by_origin = headers.get(header::ORIGIN).is_some_and(|origin| {
        let host = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        // The origin must be the very host asked, not only another page on this machine.
        host.is_none_or(|(_, host)| {
            !state.serves_host(host) || text(headers, header::HOST) != Some(host)
        })
    });
    by_site || by_origin
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

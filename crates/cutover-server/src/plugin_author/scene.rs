//! A case's request, as the host would see it.

use super::cases::{Case, CauseName, Failed, Headers};
use cutover::core::backend::{Backend, Balance, Protocol};
use cutover::core::fallback::{Cause, Failure, is_safe};
use cutover::core::path::normalise;
use cutover::core::route::{Params, RouteSpec, RouteTable};
use cutover::core::{BackendId, Bucket, Percent, RequestView, Snapshot};
use cutover::wasm::CallView;
use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// One request with everything that a view of it borrows.
#[derive(Debug)]
pub(super) struct Scene {
    method: Method,
    host: String,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
    peer: Option<IpAddr>,
    tls: bool,
    has_body: bool,
    websocket: bool,
    now_ms: u64,
    /// One route that gives the path's parameters their names; none if the case has none.
    routes: RouteTable,
    bucket: Option<Bucket>,
    share: Percent,
}

impl Scene {
    /// Of a case. What the proxy would refuse is refused here, too.
    pub(super) fn new(case: &Case) -> Result<Self, String> {
        let request = &case.request;
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| format!("`{}` is not a method", request.method))?;
        let (path, query) = match request.path.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (request.path.as_str(), None),
        };
        let path = normalise(path).map_err(|error| error.to_string())?.into_owned();
        let mut headers = header_map(&request.headers)?;
        if !request.host.is_empty() && !headers.contains_key(HOST) {
            headers.insert(HOST, header_value("host", &request.host)?);
        }
        if !request.cookies.is_empty() {
            let cookies: Vec<_> =
                request.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            headers.append(http::header::COOKIE, header_value("cookie", &cookies.join("; "))?);
        }
        let mut routes = RouteTable::default();
        if !request.params.is_empty() {
            let pattern = pattern(&path, &request.params)?;
            let spec = RouteSpec { path: pattern.into(), ..RouteSpec::default() };
            routes.insert(spec).map_err(|error| format!("params: {error}"))?;
        }
        Ok(Self {
            method,
            host: request.host.clone(),
            path,
            query,
            headers,
            peer: request.peer,
            tls: request.tls,
            has_body: request.has_body,
            websocket: request.websocket,
            now_ms: request.now_ms,
            routes,
            bucket: case.bucket.and_then(Bucket::new),
            share: case.share()?,
        })
    }

    /// Looks at it.
    pub(super) fn with<R>(&self, look: impl FnOnce(&CallView<'_>) -> R) -> R {
        let request = RequestView {
            query: self.query.as_deref(),
            peer: self.peer,
            tls: self.tls,
            has_body: self.has_body,
            websocket: self.websocket,
            now_ms: self.now_ms,
            ..RequestView::new(&self.method, &self.host, &self.path, &self.headers)
        };
        let matched = self.routes.find(&request);
        let params = matched.as_ref().map_or(Params::none(), |matched| self.routes.params(matched));
        let (bucket, share) = (self.bucket, self.share);
        look(&CallView { request: &request, params: &params, bucket, share })
    }

    /// A failed attempt at it.
    pub(super) fn failure(&self, failed: &Failed) -> Result<Failure, String> {
        let status = match failed.status {
            0 => None,
            status => Some(StatusCode::from_u16(status).map_err(|_| format!("status {status}"))?),
        };
        Ok(Failure {
            cause: match failed.cause {
                CauseName::Connect => Cause::Connect,
                CauseName::Reset => Cause::Reset,
                CauseName::Timeout => Cause::Timeout,
                CauseName::Status => Cause::Status,
                CauseName::CircuitOpen => Cause::CircuitOpen,
            },
            backend: any_backend(),
            attempt: failed.attempt,
            status,
            elapsed: Duration::from_millis(failed.elapsed_ms.into()),
            left: Duration::from_millis(failed.left_ms.into()),
            safe: failed.idempotent.unwrap_or_else(|| is_safe(&self.method)),
            replayable: failed.replayable,
            response_started: failed.response_started,
        })
    }
}

/// Headers of a case.
pub(super) fn header_map(headers: &Headers) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    for (name, lines) in headers {
        let parsed = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| format!("`{name}` is not the name of a header"))?;
        for line in lines.iter() {
            map.append(parsed.clone(), header_value(name, line)?);
        }
    }
    Ok(map)
}

fn header_value(name: &str, line: &str) -> Result<HeaderValue, String> {
    // Bytes, because a value may hold what is not ASCII.
    HeaderValue::from_bytes(line.as_bytes())
        .map_err(|_| format!("the value of `{name}` has bytes that no header may have"))
}

/// The pattern of a route that gives this path these parameters.
fn pattern(path: &str, params: &BTreeMap<String, String>) -> Result<String, String> {
    let mut segments: Vec<String> = path.split('/').map(str::to_owned).collect();
    let mut rest = None;
    for (name, value) in params {
        if let Some(at) = segments.iter().position(|segment| !value.is_empty() && segment == value)
        {
            segments[at] = format!("{{{name}}}");
        } else if path.ends_with(&format!("/{value}")) && rest.is_none() {
            rest = Some((name, value));
        } else {
            return Err(format!("params: no part of the path {path} is `{value}`, of `{name}`"));
        }
    }
    if let Some((name, value)) = rest {
        let kept = segments.len() - value.split('/').count();
        segments.truncate(kept);
        segments.push(format!("{{*{name}}}"));
    }
    Ok(segments.join("/"))
}

/// An id, which only a snapshot can make; the host is told the backend's index beside it.
fn any_backend() -> BackendId {
    Snapshot::builder().backend(Backend {
        name: "new".into(),
        addresses: Box::new(["127.0.0.1:1".into()]),
        tls: None,
        protocol: Protocol::default(),
        host: None,
        balance: Balance::default(),
        connect_timeout: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        health: None,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn parameters_are_found_in_the_path() {
        let pattern = |path, params: &[(&str, &str)]| {
            let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
            super::pattern(path, &params.iter().map(own).collect())
        };
        assert_eq!(pattern("/api/7", &[("id", "7")]).as_deref(), Ok("/api/{id}"));
        assert_eq!(pattern("/7/7", &[("a", "7"), ("b", "7")]).as_deref(), Ok("/{a}/{b}"));
        assert_eq!(pattern("/f/a/b", &[("rest", "a/b")]).as_deref(), Ok("/f/{*rest}"));
        assert!(pattern("/api/7", &[("id", "8")]).is_err());
    }
}

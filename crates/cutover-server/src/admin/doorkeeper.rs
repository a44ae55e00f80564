//! Who may talk to the admin API at all: whoever has a token, if there are any; and never web pages that a browser
//! beside it has open.

use super::AdminState;
use super::failures::Counted;
use super::listener::Peer;
use super::reply::problem;
use super::{dashboard, session};
use crate::token::Token;
use axum::extract::{Extension, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use cutover::config::AdminToken;
use cutover::core::migration::{Actor, Role};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

/// Who acts, where there are no tokens.
const LOCAL: &str = "local";
/// Says who acts, where there are no tokens: nothing proves it.
const ACTOR: HeaderName = HeaderName::from_static("x-cutover-actor");
/// What anybody may ask: whoever restarts processes has no token.
const OPEN: [&str; 2] = ["/livez", "/readyz"];
/// Where a token is given once.
const LOGIN: &str = "/admin/v1/session";

pub(super) async fn check(
    State(state): State<AdminState>,
    Extension(Peer(peer)): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let tokens = state.server.reloader.tokens();
    let host = text(headers, header::HOST).or(request.uri().authority().map(|host| host.as_str()));
    // A page that made its own name resolve to our address has no token; without tokens the name is all there is.
    if tokens.is_empty() && !host.is_some_and(|host| state.serves_host(host)) {
        let detail = "The Host header names neither this machine's loopback nor admin.listen.";
        return problem(StatusCode::MISDIRECTED_REQUEST, "Unknown host", detail);
    }
    let mutates = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if mutates && is_foreign(&state, headers) {
        let detail = "This request was made by a web page of another origin.";
        return problem(StatusCode::FORBIDDEN, "Foreign origin", detail);
    }
    let path = request.uri().path();
    let logs_in = path == LOGIN && *request.method() == Method::POST;
    if OPEN.contains(&path) || logs_in || dashboard::is_part(path) {
        return next.run(request).await;
    }
    let actor = match tokens.is_empty() {
        true => named(headers),
        false => owner(&state, headers, &tokens, mutates).unwrap_or_else(|| {
            Err(refused(&state, peer, headers.contains_key(AUTHORIZATION)).into())
        }),
    };
    match actor {
        Ok(actor) => {
            request.extensions_mut().insert(actor);
            next.run(request).await
        }
        Err(reply) => *reply,
    }
}

/// Whose token or session it is; `None`: nobody's.
fn owner(
    state: &AdminState,
    headers: &HeaderMap,
    tokens: &[AdminToken],
    mutates: bool,
) -> Option<Result<Actor, Box<Response>>> {
    // A token that is presented counts, and no session in its place.
    if headers.contains_key(AUTHORIZATION) {
        return presented(headers)?.owner(tokens).map(|owner| Ok(actor(owner)));
    }
    let owner = session::owner(state, headers, tokens)?;
    if mutates && !headers.contains_key(session::MARK) {
        let detail =
            format!("A change by the dashboard's cookie needs the header {}.", session::MARK);
        return Some(Err(problem(StatusCode::FORBIDDEN, "Not by our page", detail).into()));
    }
    Some(Ok(actor(owner)))
}

fn actor(owner: &AdminToken) -> Actor {
    Actor::new(&owner.name, owner.role)
}

/// The one token of the one header that may hold it.
fn presented(headers: &HeaderMap) -> Option<Token> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (only, None) = (all.next()?, all.next()) else { return None };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") { Token::parse(token) } else { None }
}

/// Whoever reaches the listener may do everything, under whatever name.
fn named(headers: &HeaderMap) -> Result<Actor, Box<Response>> {
    let Some(name) = headers.get(ACTOR) else { return Ok(Actor::new(LOCAL, Role::Admin)) };
    let name = std::str::from_utf8(name.as_bytes()).unwrap_or_default();
    match AdminToken::name_fault(name) {
        None => Ok(Actor::new(name, Role::Admin)),
        Some((what, help)) => {
            let detail = format!("{ACTOR}: {what}; {help}.");
            Err(problem(StatusCode::BAD_REQUEST, "Malformed name", detail).into())
        }
    }
}

/// What was presented is never repeated, here or in the log.
pub(super) fn refused(state: &AdminState, peer: std::net::IpAddr, presented: bool) -> Response {
    let failures = state.failures.count(peer, state.server.engine.clock().now());
    if let Counted::First(left) = failures {
        let seconds = left.as_secs();
        tracing::warn!(%peer, "admin API: too many requests without a good token; answered with 429 for {seconds} s");
    }
    if let Counted::First(left) | Counted::TooMany(left) = failures {
        let detail = "Too many requests without a good token came from your address.";
        let mut reply = problem(StatusCode::TOO_MANY_REQUESTS, "Too many failures", detail);
        // Rounded up: before that nothing has changed.
        let seconds = HeaderValue::from(left.as_secs() + 1);
        reply.headers_mut().insert(header::RETRY_AFTER, seconds);
        return reply;
    }
    let (challenge, detail) = match presented {
        true => (
            "Bearer realm=\"cutover\", error=\"invalid_token\"",
            "The token is none of admin.tokens in the configuration in force. `cutover token new` makes one.",
        ),
        false => (
            "Bearer realm=\"cutover\"",
            "Send `authorization: Bearer …`; for the command line set CUTOVER_TOKEN, or give --token-file.",
        ),
    };
    let mut reply = problem(StatusCode::UNAUTHORIZED, "A token is needed", detail);
    let challenge = HeaderValue::from_static(challenge);
    reply.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    reply
}

/// `Err`: the actor's role is none of these.
pub(super) fn allow(actor: &Actor, roles: &[Role]) -> Result<(), Box<Response>> {
    if roles.contains(&actor.role) {
        return Ok(());
    }
    let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
    let detail = format!("{actor} may not do this; it takes one of: {}.", names.join(", "));
    Err(problem(StatusCode::FORBIDDEN, "Not with this role", detail).into())
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

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

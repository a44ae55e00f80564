//! Log-ins of the dashboard: a token, given once, becomes a cookie that scripts cannot read.
//!
//! A session is kept in memory, by its hash. It ends after twelve hours, with the process, and as soon as its token is not
//! in the configuration any more. A page of another origin can make a browser send the cookie, but neither the header
//! that changes need beside it ([`MARK`]) nor a request that the doorkeeper takes for one of ours.

use super::AdminState;
use super::doorkeeper;
use super::listener::Peer;
use super::reply::{json, problem};
use crate::token::Token;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse as _, Response};
use cutover::config::{AdminToken, TokenHash};
use cutover::core::migration::Actor;
use http::{HeaderMap, HeaderName, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const COOKIE: &str = "cutover-session";
/// Says that a change was asked for by our own page; any value does.
pub(super) const MARK: HeaderName = HeaderName::from_static("x-cutover-dashboard");
/// How long a session lasts.
const LASTS: Duration = Duration::from_secs(12 * 60 * 60);
/// Sessions of one token at once; one more ends its oldest, and nobody else's. As tokens are as many as the configuration
/// has, sessions are bounded.
const MOST_OF_ONE: usize = 50;

/// The sessions there are, by the hash of what the cookie holds.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<[u8; 32], Session>>);

#[derive(Debug)]
struct Session {
    /// The token that was given.
    token: [u8; 32],
    ends: Instant,
}

impl Sessions {
    /// Begins one, and answers with what its cookie holds.
    fn begin(&self, of: &AdminToken, now: Instant) -> std::io::Result<Token> {
        let id = Token::random()?;
        let mut all = self.lock();
        all.retain(|_, session| session.ends > now);
        let mut own: Vec<_> =
            all.iter().filter(|(_, session)| session.token == of.hash.0).map(by_end).collect();
        if own.len() >= MOST_OF_ONE {
            own.sort_unstable();
            all.remove(&own[0].1);
        }
        let TokenHash(hash) = id.hash();
        all.insert(hash, Session { token: of.hash.0, ends: now + LASTS });
        Ok(id)
    }

    /// Whose session this is.
    fn owner<'t>(
        &self,
        id: &Token,
        tokens: &'t [AdminToken],
        now: Instant,
    ) -> Option<&'t AdminToken> {
        let all = self.lock();
        let session = all.get(&id.hash().0).filter(|session| session.ends > now)?;
        tokens.iter().find(|token| token.hash.0 == session.token)
    }

    fn end(&self, id: &Token) {
        self.lock().remove(&id.hash().0);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn by_end((id, session): (&[u8; 32], &Session)) -> (Instant, [u8; 32]) {
    (session.ends, *id)
}

/// Whose session a request is part of.
pub(super) fn owner<'t>(
    state: &AdminState,
    headers: &HeaderMap,
    tokens: &'t [AdminToken],
) -> Option<&'t AdminToken> {
    let now = state.server.engine.clock().now();
    state.sessions.owner(&presented(headers)?, tokens, now)
}

/// What the one cookie of that name holds.
fn presented(headers: &HeaderMap) -> Option<Token> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs =
        lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut ours = pairs.filter(|(name, _)| *name == COOKIE);
    match (ours.next(), ours.next()) {
        (Some((_, value)), None) => Token::parse(value),
        _ => None,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    token: String,
}

/// `POST /admin/v1/session`
pub(super) async fn begin(
    State(state): State<AdminState>,
    Extension(Peer(peer)): Extension<Peer>,
    login: Result<Json<Login>, JsonRejection>,
) -> Response {
    let Ok(Json(Login { token })) = login else {
        let detail = "Send a JSON object with the member token.";
        return problem(StatusCode::BAD_REQUEST, "Malformed request", detail);
    };
    let tokens = state.server.reloader.tokens();
    if tokens.is_empty() {
        let detail = "This listener has no tokens: whoever reaches it may do everything.";
        return problem(StatusCode::CONFLICT, "Nothing to log in to", detail);
    }
    let found = Token::parse(&token).and_then(|token| token.owner(&tokens));
    let Some(owner) = found else { return doorkeeper::refused(&state, peer, true) };
    match state.sessions.begin(owner, state.server.engine.clock().now()) {
        Ok(id) => {
            let value = cookie(id.reveal(), LASTS);
            let body = json!({ "name": owner.name, "role": owner.role.name() });
            ([(header::SET_COOKIE, value)], json(&body)).into_response()
        }
        Err(error) => {
            let detail = format!("The system has no randomness to give: {error}.");
            problem(StatusCode::SERVICE_UNAVAILABLE, "No session", detail)
        }
    }
}

/// `DELETE /admin/v1/session`
pub(super) async fn end(State(state): State<AdminState>, headers: HeaderMap) -> Response {
    if let Some(id) = presented(&headers) {
        state.sessions.end(&id);
    }
    let value = cookie("", Duration::ZERO);
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, value)]).into_response()
}

/// `Secure` is not said: the listener speaks plain HTTP, and a browser would not give it back.
fn cookie(value: &str, lasts: Duration) -> String {
    let seconds = lasts.as_secs();
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}")
}

/// `GET /admin/v1/whoami`
pub(super) async fn whoami(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
) -> Response {
    json(&json!({
        "name": actor.name,
        "role": actor.role.name(),
        "login": !state.server.reloader.tokens().is_empty(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutover::core::migration::Role;
    use cutover::{Clock as _, SystemClock};

    fn token(name: &str) -> AdminToken {
        let hash = Token::parse(name).expect("a token").hash();
        AdminToken { name: name.to_owned(), role: Role::Viewer, hash }
    }

    #[test]
    fn whoever_logs_in_again_and_again_ends_their_own_sessions_alone() {
        let (sessions, tokens) = (Sessions::default(), [token("cut_ana"), token("cut_ben")]);
        let now = SystemClock.now();
        let after = |seconds: usize| now + Duration::from_secs(seconds as u64);
        let begin = |of, at| sessions.begin(of, at).expect("randomness");
        let ben = begin(&tokens[1], now);
        let anas: Vec<_> = (0..=MOST_OF_ONE).map(|at| begin(&tokens[0], after(at))).collect();
        let lives = |id| sessions.owner(id, &tokens, after(MOST_OF_ONE)).is_some();
        assert!(lives(&ben) && !lives(&anas[0]) && anas[1..].iter().all(lives));
        assert_eq!(sessions.lock().len(), MOST_OF_ONE + 1);
    }

    #[test]
    fn a_session_ends_by_itself_and_with_its_token() {
        let (sessions, tokens) = (Sessions::default(), [token("cut_ana")]);
        let now = SystemClock.now();
        let id = sessions.begin(&tokens[0], now).expect("randomness");
        assert!(sessions.owner(&id, &tokens, now).is_some());
        assert!(sessions.owner(&id, &[], now).is_none());
        assert!(sessions.owner(&id, &tokens, now + LASTS).is_none());
    }
}

//! Who the command line speaks for: a token from a file or the environment, or a name where there are no tokens. Never
//! a token among the arguments, which everybody on the machine can read.

use cutover::config::AdminToken;
use cutover_server::token::Token;
use http::request::Builder;
use http::{HeaderValue, header};
use std::path::Path;

/// Holds a token.
const TOKEN: &str = "CUTOVER_TOKEN";
/// Says who acts, where there are no tokens.
const ACTOR: &str = "x-cutover-actor";

/// Adds who asks to a request.
///
/// # Errors
/// If a token is given that is none: a sentence for people.
pub(crate) fn sign(request: Builder, file: Option<&Path>) -> Result<Builder, String> {
    if let Some(token) = token(file)? {
        let value = format!("Bearer {}", token.reveal());
        let mut value = HeaderValue::from_str(&value).expect("a token's characters are visible");
        value.set_sensitive(true);
        return Ok(request.header(header::AUTHORIZATION, value));
    }
    let user = variable("USER").filter(|user| AdminToken::name_fault(user).is_none());
    let user = user.and_then(|user| HeaderValue::from_bytes(user.as_bytes()).ok());
    Ok(match user {
        Some(user) => request.header(ACTOR, user),
        None => request,
    })
}

fn token(file: Option<&Path>) -> Result<Option<Token>, String> {
    let Some(file) = file else {
        let Some(text) = variable(TOKEN).filter(|text| !text.trim().is_empty()) else {
            return Ok(None);
        };
        let token = Token::parse(&text);
        return token.map(Some).ok_or_else(|| format!("what {TOKEN} holds is no token"));
    };
    let path = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("--token-file {path} cannot be read: {error}"))?;
    let token = Token::parse(&text);
    token.map(Some).ok_or_else(|| format!("--token-file {path} holds no token: one line, a token"))
}

#[expect(clippy::disallowed_methods, reason = "this is the edge where the environment is read")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

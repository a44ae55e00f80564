//! The dashboard's page and its parts, which are in the binary. They hold no data and need no token; what they show
//! they ask of the API.

use super::reply::no_such_path;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, StatusCode, header};
use rust_embed::{Embed, EmbeddedFile};

/// Everything below `dashboard/`, as it was when this was compiled.
#[derive(Embed)]
#[folder = "dashboard/"]
struct Files;

/// Nothing but our own files, no inline script or style, nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    // Asked again each time, and answered with 304: after an upgrade nobody has half of the old page.
    (header::CACHE_CONTROL, "no-cache"),
];

/// May anybody have this?
pub(super) fn is_part(path: &str) -> bool {
    path == "/" || path.starts_with("/assets/")
}

pub(super) async fn page(headers: HeaderMap) -> Response {
    part("index.html", &headers).await
}

pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    part(&name, &headers).await
}

async fn part(name: &str, asked: &HeaderMap) -> Response {
    let Some(EmbeddedFile { data, metadata }) = Files::get(name) else {
        return no_such_path().await;
    };
    let digest = metadata.sha256_hash();
    let tag: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let known =
        asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    if known {
        return (StatusCode::NOT_MODIFIED, HEADERS, [(header::ETAG, tag)]).into_response();
    }
    let kind = [(header::CONTENT_TYPE, content_type(name))];
    (HEADERS, kind, [(header::ETAG, tag)], data).into_response()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}

//! The header of a copy: what the client sent, without what belongs to its connection, with what every request gets on
//! its way to that backend, and with a mark by which the backend knows that nobody waits for its reply.

use crate::plane::Serving;
use cutover::mirror::{Mirrored, Shed};
use cutover::{Exchange, RequestView};
use http::header::{
    CONNECTION, EXPECT, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, Version};
use pingora::http::RequestHeader;

/// Says that a request is a copy.
pub(crate) const MARK: HeaderName = HeaderName::from_static("x-cutover-mirror");

/// What ends at this hop.
const OF_THE_CONNECTION: [HeaderName; 11] = [
    CONNECTION,
    EXPECT,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("http2-settings"),
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// The header of a copy of what was received; `address` adds what every request gets on its way to a backend.
pub(crate) fn copy_of(
    received: &RequestHeader,
    view: &RequestView<'_>,
    exchange: &Exchange,
    mirrored: &Mirrored,
    serving: &Serving,
    address: impl FnOnce(&mut RequestHeader) -> pingora::Result<()>,
) -> Result<RequestHeader, Shed> {
    let unfit = |_| Shed::Unfit;
    let path = exchange.copy_path(mirrored, received.uri.path());
    let target = match received.uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.into_owned(),
    };
    let target: Uri = target.parse().map_err(|_| Shed::Unfit)?;
    let mut head = received.clone();
    strip(&mut head)?;
    head.set_version(Version::HTTP_11);
    head.set_uri(target);
    if !head.headers.contains_key(HOST) {
        head.insert_header(HOST, view.host).map_err(unfit)?;
    }
    address(&mut head).map_err(unfit)?;
    if let Some(host) = serving.backends().pool(mirrored.backend()).host() {
        head.insert_header(HOST, host.clone()).map_err(unfit)?;
    }
    exchange.edit_copy(mirrored, view, &mut crate::proxy::RequestSink(&mut head))?;
    mark(&mut head).map_err(unfit)?;
    Ok(head)
}

/// Marks a request as a copy.
pub(super) fn mark(head: &mut RequestHeader) -> pingora::Result<()> {
    head.insert_header(MARK, HeaderValue::from_static("1"))
}

fn strip(head: &mut RequestHeader) -> Result<(), Shed> {
    for name in named_by_connection(&head.headers)? {
        head.remove_header(&name);
    }
    for name in &OF_THE_CONNECTION {
        head.remove_header(name);
    }
    Ok(())
}

/// What `Connection` takes away. A word that is no name: whoever serves the request will refuse it.
fn named_by_connection(headers: &HeaderMap) -> Result<Vec<HeaderName>, Shed> {
    let fields = headers.get_all(CONNECTION).iter();
    let words = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b','));
    let words = words.map(<[u8]>::trim_ascii).filter(|word| !word.is_empty());
    words.map(|word| HeaderName::from_bytes(word).map_err(|_| Shed::Unfit)).collect()
}

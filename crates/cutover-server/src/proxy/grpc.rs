//! Replies of our own in gRPC's words: "Trailers-Only" of its protocol over HTTP/2 (gRPC, PROTOCOL-HTTP2), as its clients
//! expect them of whoever answers.

use crate::digits::percent;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use pingora::http::ResponseHeader;
use pingora::protocols::http::ServerSession;
use pingora::proxy::Session;
use pingora::{Error, ErrorType, Result};

const MEDIA_TYPE: &str = "application/grpc";

/// Is the request a call of gRPC? `application/grpc-web` is not: it is plain HTTP, and has its status in a body.
pub(super) fn is_call(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    media_type
        .and_then(|text| text.strip_prefix(MEDIA_TYPE))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';']))
}

/// The head of a reply that has nothing else: an answer of this status, and why.
pub(super) fn trailers_only(status: StatusCode, why: &str) -> Result<ResponseHeader> {
    let mut head = ResponseHeader::build(StatusCode::OK, Some(6))?;
    head.insert_header(CONTENT_TYPE, MEDIA_TYPE)?;
    head.insert_header("grpc-status", code(status))?;
    head.insert_header("grpc-message", message(why))?;
    Ok(head)
}

/// Writes such a head, and ends the stream with it: a status that comes in a frame of its own before the end is none.
pub(super) fn write(session: &mut Session, head: ResponseHeader) -> Result<()> {
    match session.as_downstream_mut() {
        ServerSession::H2(stream) => stream.write_response_header(Box::new(head), true),
        ServerSession::H1(_) | ServerSession::Subrequest(_) | ServerSession::Custom(_) => {
            Error::e_explain(ErrorType::InternalError, "gRPC is spoken over HTTP/2 alone")
        }
    }
}

/// gRPC's code for a status of HTTP: what its clients would make of it (gRPC, http-grpc-status-mapping), but
/// `DEADLINE_EXCEEDED` where we know that it was time that ran out: `UNAVAILABLE` asks to send again what may have been done.
fn code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "13",
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => "4",
        StatusCode::UNAUTHORIZED => "16",
        StatusCode::FORBIDDEN => "7",
        StatusCode::NOT_FOUND => "12",
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE => "14",
        _ => "2",
    }
}

/// Percent-encodes what a `grpc-message` may not hold: all but the printable characters of ASCII, and the percent sign.
fn message(text: &str) -> String {
    let mut out = String::new();
    percent(&mut out, text, |byte| matches!(byte, b' '..=b'~') && byte != b'%');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_calls_are_answered_so() {
        for (media_type, is) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;charset=utf-8", true),
            ("application/grpc-web+proto", false),
            ("application/grpcish", false),
            ("application/json", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
            assert_eq!(is_call(&headers), is, "{media_type}");
        }
        assert!(!is_call(&HeaderMap::new()));
    }

    #[test]
    fn a_status_has_the_code_that_clients_would_give_it() {
        for (status, wanted) in [
            (400, "13"),
            (401, "16"),
            (403, "7"),
            (404, "12"),
            (408, "4"),
            (413, "2"),
            (429, "14"),
            (500, "2"),
            (502, "14"),
            (503, "14"),
            (504, "4"),
        ] {
            assert_eq!(code(StatusCode::from_u16(status).expect("a status")), wanted, "{status}");
        }
    }

    #[test]
    fn a_message_is_one_line_of_ascii() {
        assert_eq!(message("no connection, 100% sure"), "no connection, 100%25 sure");
        assert_eq!(message("é\n~\x7f"), "%C3%A9%0A~%7F");
    }
}

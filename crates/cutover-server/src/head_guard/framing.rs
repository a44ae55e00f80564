//! What one HTTP/1 message on a connection is, judged from its raw bytes: limits, and why a message is refused.
//!
//! Pure and incremental. [`HeadScan`](super::head::HeadScan) reads request heads, [`BodyScan`](super::body::BodyScan)
//! finds the end of bodies. Whoever disagrees with another server about where a message ends can be made to smuggle
//! one, so whatever two servers could read differently is refused rather than repaired (RFC 9112, 11.2).

use http::StatusCode;

/// Limits for one request head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest head in bytes: request line, fields and the empty line.
    pub header_bytes: usize,
    /// Most header fields.
    pub headers: usize,
    /// Longest request target in bytes.
    pub target_bytes: usize,
}

impl Limits {
    /// Limits from the configuration. The longest target follows from the largest head: at most 8 KiB.
    pub fn new(header_bytes: usize, headers: usize) -> Self {
        Self { header_bytes, headers, target_bytes: (header_bytes / 2).min(8 * 1024) }
    }
}

/// How the end of a message's body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// After this many bytes; 0 without a body.
    Fixed(u64),
    /// After the last chunk and its trailers.
    Chunked,
}

/// A complete request head that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its bytes, the empty line included.
    pub bytes: usize,
    /// Where the message ends.
    pub body: BodyLength,
    /// It asks to switch protocols.
    pub upgrade: bool,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident, $metric:literal, $status:ident, $detail:literal;)*) => {
        /// Why a message is refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Refusal {
            $($(#[$doc])* $name,)*
        }

        impl Refusal {
            /// Every reason, in the order of [`index`](Self::index).
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name used in metrics and logs.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $metric,)* }
            }

            /// The status it is answered with.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// One sentence for the client.
            pub fn detail(self) -> &'static str {
                match self { $(Self::$name => $detail,)* }
            }
        }
    };
}

refusals! {
    /// The head did not arrive in time.
    Timeout, "timeout", REQUEST_TIMEOUT, "The request header did not arrive in time.";
    /// The head is too large.
    HeadTooLarge, "head-too-large", REQUEST_HEADER_FIELDS_TOO_LARGE, "The request header is too large.";
    /// The head has too many fields.
    TooManyFields, "too-many-fields", REQUEST_HEADER_FIELDS_TOO_LARGE, "The request has too many header fields.";
    /// The request target is too long.
    TargetTooLong, "target-too-long", URI_TOO_LONG, "The request target is too long.";
    /// The request line is not `method SP target SP version`.
    RequestLine, "request-line", BAD_REQUEST, "The request line is malformed.";
    /// CONNECT.
    Connect, "connect", METHOD_NOT_ALLOWED, "CONNECT is not served here: this is no forward proxy.";
    /// The target names another host than `Host` does, or none that can be told.
    Authority, "authority", BAD_REQUEST, "The request target and the Host header do not agree on one host.";
    /// Neither HTTP/1.1 nor HTTP/1.0.
    Version, "version", HTTP_VERSION_NOT_SUPPORTED, "Only HTTP/1.1, HTTP/1.0 and HTTP/2 are spoken here.";
    /// A line ends with LF alone.
    BareLf, "bare-lf", BAD_REQUEST, "A line ends with LF instead of CRLF.";
    /// A CR inside a line.
    BareCr, "bare-cr", BAD_REQUEST, "A CR is not followed by LF.";
    /// A NUL or another control character.
    Control, "control-character", BAD_REQUEST, "The request header has a control character.";
    /// A field continued on the next line.
    Folded, "folded", BAD_REQUEST, "A header field is folded over two lines.";
    /// White space before the colon.
    SpaceBeforeColon, "space-before-colon", BAD_REQUEST, "White space stands before the colon of a header field.";
    /// A field name that is not a token, or no colon.
    FieldName, "field-name", BAD_REQUEST, "A header field has an invalid name.";
    /// No `Host`.
    NoHost, "no-host", BAD_REQUEST, "An HTTP/1.1 request needs a Host header.";
    /// Several `Host` fields.
    DuplicateHost, "duplicate-host", BAD_REQUEST, "The request has more than one Host header.";
    /// A `Host` that is no authority.
    BadHost, "bad-host", BAD_REQUEST, "The Host header is malformed.";
    /// Several `Content-Length` fields, or a list.
    DuplicateLength, "duplicate-length", BAD_REQUEST, "The request has more than one Content-Length.";
    /// A `Content-Length` that is not a number.
    BadLength, "bad-length", BAD_REQUEST, "Content-Length is not a plain number.";
    /// Both `Content-Length` and `Transfer-Encoding`.
    BothLengths, "both-lengths", BAD_REQUEST, "Content-Length and Transfer-Encoding exclude each other.";
    /// A `Transfer-Encoding` that is not exactly `chunked`.
    TransferEncoding, "transfer-encoding", BAD_REQUEST, "Transfer-Encoding must be exactly `chunked`.";
    /// A transfer coding besides `chunked`.
    TransferCoding, "transfer-coding", NOT_IMPLEMENTED, "No transfer coding but `chunked` is implemented.";
    /// `Transfer-Encoding` in HTTP/1.0.
    TransferEncodingOld, "transfer-encoding-http10", BAD_REQUEST, "HTTP/1.0 has no Transfer-Encoding.";
    /// A malformed chunk.
    Chunk, "chunk", BAD_REQUEST, "The chunked body is malformed.";
    /// A trailer that would change framing or routing.
    Trailer, "trailer", BAD_REQUEST, "A trailer field may not say how a message is framed or routed.";
}

impl Refusal {
    /// Position in [`ALL`](Self::ALL).
    pub fn index(self) -> usize {
        self as usize
    }
}

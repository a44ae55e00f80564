//! Pingora's headers as the engine edits them. They keep a second map with the case of names, so that editing the
//! `http` map behind their back is not an option.

use crate::forwarded;
use cutover::{HeaderSink, Headers};
use http::{HeaderName, HeaderValue};
use pingora::http::{RequestHeader, ResponseHeader};

/// The header of a request on its way to a backend.
pub(crate) struct RequestSink<'h>(pub(crate) &'h mut RequestHeader);

/// The header of a reply on its way to the client.
pub(super) struct ResponseSink<'h>(pub(super) &'h mut ResponseHeader);

macro_rules! sink {
    ($sink:ident) => {
        impl Headers for $sink<'_> {
            fn first(&self, name: &HeaderName) -> Option<&[u8]> {
                self.0.headers.first(name)
            }

            fn each<'a>(&'a self, name: &HeaderName, visit: &mut dyn FnMut(&'a [u8]) -> bool) {
                self.0.headers.each(name, visit);
            }
        }

        impl HeaderSink for $sink<'_> {
            fn set(&mut self, name: &HeaderName, value: HeaderValue) {
                // Fails only at 32,768 headers; then the header stays as it was.
                let _ = match forwarded::literal(name) {
                    Some(name) => self.0.insert_header(name, value),
                    None => self.0.insert_header(name, value),
                };
            }

            fn append(&mut self, name: &HeaderName, value: HeaderValue) {
                let _ = self.0.append_header(name, value);
            }

            fn remove(&mut self, name: &HeaderName) {
                self.0.remove_header(name);
            }
        }
    };
}

sink!(RequestSink);
sink!(ResponseSink);

//! Header edits: what a rewrite plugin may do with the headers it has declared.

use crate::Header;
use std::fmt;

/// The edits of one call. The host applies them after the call, in the order they were made, and only
/// if the call succeeded.
pub struct Edits<'a> {
    sink: &'a mut dyn Sink,
}

/// Where edits go: to the host in a component, into a list in a unit test.
pub trait Sink {
    /// Replaces every value of the header.
    fn set(&mut self, header: Header, value: &[u8]);
    /// Adds one more value to the header.
    fn append(&mut self, header: Header, value: &[u8]);
    /// Removes every value of the header.
    fn remove(&mut self, header: Header);
}

impl<'a> Edits<'a> {
    /// Edits that go to this sink.
    pub fn new(sink: &'a mut dyn Sink) -> Self {
        Self { sink }
    }

    /// Replaces every value of the header by this one.
    pub fn set(&mut self, header: Header, value: impl AsRef<[u8]>) {
        self.sink.set(header, value.as_ref());
    }

    /// Adds one more value to the header.
    pub fn append(&mut self, header: Header, value: impl AsRef<[u8]>) {
        self.sink.append(header, value.as_ref());
    }

    /// Removes every value of the header.
    pub fn remove(&mut self, header: Header) {
        self.sink.remove(header);
    }
}

impl fmt::Debug for Edits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edits").finish_non_exhaustive()
    }
}

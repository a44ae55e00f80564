//! What a plugin declares: all it may read, write and say.

/// Collects what a plugin declares while it is configured. The host passes and accepts nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    reads: Vec<Declared>,
    writes: Vec<String>,
    reasons: Vec<String>,
}

/// A value that was declared to be read; [`View::get`](crate::View::get) gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Field(pub(crate) u16);

/// A header that was declared to be edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header(pub(crate) u16);

/// A declared reason for a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reason(pub(crate) u16);

/// What a [`Field`] stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Declared {
    /// The host the client asked for, without the port.
    Host,
    /// The path that is matched and forwarded, without the query.
    Path,
    /// The raw query, without the question mark.
    Query,
    /// The client's address, without the port.
    Peer,
    /// A request header; several values are joined by `, `.
    Header(String),
    /// The first cookie of that name, raw.
    Cookie(String),
    /// The first query parameter of that name, raw.
    QueryParam(String),
    /// A parameter of the route's path.
    PathParam(String),
    /// A header of the reply, in `on_response` and `make_comparable` alone; several values are joined by a
    /// line feed.
    ReplyHeader(String),
}

impl Manifest {
    /// Reads the host the client asked for, without the port.
    pub fn host(&mut self) -> Field {
        self.read(Declared::Host)
    }

    /// Reads the path, without the query.
    pub fn path(&mut self) -> Field {
        self.read(Declared::Path)
    }

    /// Reads the raw query, without the question mark.
    pub fn query(&mut self) -> Field {
        self.read(Declared::Query)
    }

    /// Reads the client's address, without the port.
    pub fn peer(&mut self) -> Field {
        self.read(Declared::Peer)
    }

    /// Reads a request header. Several values arrive as one, joined by `, `.
    pub fn header(&mut self, name: impl Into<String>) -> Field {
        self.read(Declared::Header(name.into().to_ascii_lowercase()))
    }

    /// Reads a cookie: the first of that name, raw.
    pub fn cookie(&mut self, name: impl Into<String>) -> Field {
        self.read(Declared::Cookie(name.into()))
    }

    /// Reads a query parameter: the first of that name, raw.
    pub fn query_param(&mut self, name: impl Into<String>) -> Field {
        self.read(Declared::QueryParam(name.into()))
    }

    /// Reads a parameter of the route's path: `id` of `/api/profile/{id}`.
    pub fn path_param(&mut self, name: impl Into<String>) -> Field {
        self.read(Declared::PathParam(name.into()))
    }

    /// Reads a header of the reply. It is absent everywhere but in `on_response` and `make_comparable`;
    /// several values arrive as one, joined by a line feed, since `Set-Cookie` has commas of its own.
    pub fn reply_header(&mut self, name: impl Into<String>) -> Field {
        self.read(Declared::ReplyHeader(name.into().to_ascii_lowercase()))
    }

    /// Asks to edit a header, of requests and of replies.
    pub fn edits(&mut self, name: impl Into<String>) -> Header {
        Header(place(&mut self.writes, name.into().to_ascii_lowercase()))
    }

    /// A reason that decisions may give. Short, lower case, words joined by hyphens: it becomes a label.
    pub fn reason(&mut self, words: impl Into<String>) -> Reason {
        Reason(place(&mut self.reasons, words.into()))
    }

    /// Declares what this value stands for.
    pub fn read(&mut self, what: Declared) -> Field {
        Field(place(&mut self.reads, what))
    }

    /// What is read, in the order of the fields.
    pub fn reads(&self) -> &[Declared] {
        &self.reads
    }

    /// Names of the headers that may be edited.
    pub fn writes(&self) -> &[String] {
        &self.writes
    }

    /// The declared reasons.
    pub fn reasons(&self) -> &[String] {
        &self.reasons
    }

    /// Takes the lists apart, for the host.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn into_parts(self) -> (Vec<Declared>, Vec<String>, Vec<String>) {
        (self.reads, self.writes, self.reasons)
    }
}

/// The index of an item, which joins the list if it is not there.
fn place<T: PartialEq>(list: &mut Vec<T>, item: T) -> u16 {
    let index = list.iter().position(|known| *known == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    });
    u16::try_from(index).expect("a manifest declares fewer than 65 536 things")
}

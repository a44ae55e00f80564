//! Keys: what identifies a user for stickiness, and the lists and signed header that outrank the
//! percent.

use crate::RequestView;
use crate::Side;
use crate::route::Params;
use crate::slots::{Slots, hash};
use hmac::{Hmac, Mac};
use http::{HeaderName, header};
use sha2::Sha256;
use std::sync::Arc;

/// One place where a user's key may be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// First value of a header.
    Header(HeaderName),
    /// A cookie. Its value is taken as it stands, quotes included.
    Cookie(Box<str>),
    /// A query parameter, not decoded.
    Query(Box<str>),
    /// A parameter of the route's path, by its name.
    Path(Box<str>),
}

impl KeySource {
    /// The raw bytes found there, if any and not empty.
    pub fn find<'r>(&self, request: &RequestView<'r>, params: &Params<'_>) -> Option<&'r [u8]> {
        let found = match self {
            Self::Header(name) => request.headers.first(name),
            Self::Cookie(name) => cookie(request, name),
            Self::Query(name) => query_param(request.query, name),
            Self::Path(name) => params.value(request.path, name).map(str::as_bytes),
        };
        found.filter(|value| !value.is_empty())
    }
}

/// The value of a cookie, over all `cookie` headers (HTTP/2 may split them: RFC 9113, 8.2.3).
pub fn cookie<'r>(request: &RequestView<'r>, name: &str) -> Option<&'r [u8]> {
    let mut found = None;
    request.headers.each(&header::COOKIE, &mut |line| {
        found = line.split(|&b| b == b';').find_map(|pair| {
            let pair = pair.trim_ascii();
            let value = pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
            Some(value)
        });
        found.is_none()
    });
    found
}

/// The first value of a query parameter, as it stands.
pub fn query_param<'r>(query: Option<&'r str>, name: &str) -> Option<&'r [u8]> {
    query?.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then_some(value.as_bytes())
    })
}

/// A list of users by key.
#[derive(Clone, Debug, Default)]
pub struct UserList {
    /// Sorted, each once. Shared, since a migration is copied whenever it moves.
    users: Arc<[Box<[u8]>]>,
    index: Slots,
}

impl UserList {
    /// Is the user on it?
    #[inline]
    pub fn contains(&self, key: &[u8]) -> bool {
        !self.users.is_empty() && self.holds(key)
    }

    fn holds(&self, key: &[u8]) -> bool {
        let is_key = |id: u32| *self.users[id as usize] == *key;
        self.index.find(hash(self.index.seed(), key), is_key).is_some()
    }

    /// Number of users.
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Nobody?
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }
}

impl PartialEq for UserList {
    fn eq(&self, other: &Self) -> bool {
        self.users == other.users
    }
}

impl Eq for UserList {}

impl<'a> FromIterator<&'a str> for UserList {
    fn from_iter<I: IntoIterator<Item = &'a str>>(users: I) -> Self {
        let mut users: Vec<Box<[u8]>> =
            users.into_iter().map(|user| user.as_bytes().into()).collect();
        users.sort_unstable();
        users.dedup();
        let index =
            Slots::build(&(0..users.len() as u32), |seed, id| hash(seed, &users[id as usize]));
        Self { users: users.into(), index }
    }
}

/// A header by which testers choose a side, signed so that users cannot.
///
/// Value: `<side>;<expiry, unix seconds>;<signature>`, the signature being the lower-case hex of
/// HMAC-SHA256(secret, `"<migration>;<side>;<expiry>"`).
#[derive(Clone)]
pub struct QaHeader {
    /// Name of the header.
    pub name: HeaderName,
    /// Key of the signature.
    pub secret: Box<[u8]>,
}

impl std::fmt::Debug for QaHeader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QaHeader").field("name", &self.name).finish_non_exhaustive()
    }
}

impl QaHeader {
    /// The side the header asks for, if it is there, signed and not expired.
    pub fn side(&self, migration: &str, request: &RequestView<'_>) -> Option<Side> {
        let text = std::str::from_utf8(request.headers.first(&self.name)?).ok()?;
        let (claim, signature) = text.rsplit_once(';')?;
        let (side, expiry) = claim.split_once(';')?;
        let side = match side {
            "old" => Side::Old,
            "new" => Side::New,
            _ => return None,
        };
        let expiry_s: u64 = expiry.parse().ok()?;
        if expiry_s.saturating_mul(1_000) <= request.now_ms {
            return None;
        }
        // Compares in constant time.
        self.mac(migration, claim)?.verify_slice(&unhex(signature)?).ok()?;
        Some(side)
    }

    /// The header's value for a side until a Unix time in seconds; for tools that hand out such
    /// headers.
    pub fn sign(&self, migration: &str, side: Side, expiry_s: u64) -> String {
        let claim = format!("{};{expiry_s}", side.name());
        let mac = self.mac(migration, &claim).expect("HMAC takes keys of any length");
        let hex = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>();
        format!("{claim};{hex}")
    }

    fn mac(&self, migration: &str, claim: &str) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).ok()?;
        mac.update(migration.as_bytes());
        mac.update(b";");
        mac.update(claim.as_bytes());
        Some(mac)
    }
}

/// The bytes of 64 lower-case hex digits.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let mut bytes = [0; 32];
    if pairs.len() != bytes.len() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;

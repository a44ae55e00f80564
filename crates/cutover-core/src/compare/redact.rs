//! What may be kept of a difference: fields on a list in clear, everything else as a keyed digest.
//!
//! The digest is the same for the same value under the same key, so that a person sees that two
//! fields were swapped, or that one value keeps turning up, without seeing the value.

use super::difference::{BodyPlace, Content, Place, PlaceStep, Seen};
use super::rules::{Down, RuleFinding, RuleSpec, Rules};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;

/// Bytes of a digest that are kept: enough to tell values apart, not enough to be proof of one.
const DIGEST_BYTES: usize = 8;

/// How samples are redacted.
#[derive(Clone)]
pub struct Redaction {
    key: Box<[u8]>,
    /// The fields that stay, as paths that these rules leave out.
    clear: Rules,
}

/// A value that may be stored and shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redacted {
    /// What has no content: nothing, null, the size of a container, a status.
    Shape(String),
    /// In clear, because the field is on the list; cut after 256 bytes.
    Clear(String),
    /// Everything else.
    Digest {
        /// `string`, `number`, `boolean` or `bytes`.
        of: &'static str,
        /// In hexadecimal.
        digest: String,
    },
}

impl fmt::Display for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(text) | Self::Clear(text) => f.write_str(text),
            Self::Digest { of, digest } => write!(f, "{of} #{digest}"),
        }
    }
}

impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redaction").field("clear", &self.clear).finish_non_exhaustive()
    }
}

impl Redaction {
    /// `key` should be random and at least 32 bytes long; a new key makes the old digests strangers.
    /// `clear` lists what stays readable, as paths and `header:NAME`; a path takes in all below it.
    pub fn new(key: &[u8], clear: &[String]) -> Result<Self, Vec<RuleFinding>> {
        let spec = RuleSpec { ignore: clear.to_vec(), ..RuleSpec::default() };
        let named = |finding| RuleFinding { list: "clear", ..finding };
        let clear = Rules::compile(&spec)
            .map_err(|findings| findings.into_iter().map(named).collect::<Vec<_>>())?;
        Ok(Self { key: key.into(), clear })
    }

    /// A value as it may be kept.
    pub fn apply(&self, place: &Place, seen: &Seen) -> Redacted {
        let text = |of, text: &str| {
            if self.is_clear(place) {
                Redacted::Clear(text.to_owned())
            } else {
                Redacted::Digest { of, digest: self.digest(of, text.as_bytes()) }
            }
        };
        match &seen.0 {
            Content::Nothing | Content::Null | Content::Array(_) | Content::Object(_) => {
                Redacted::Shape(seen.describe())
            }
            Content::Status(_) => Redacted::Shape(seen.describe()),
            Content::Boolean(value) => text("boolean", if *value { "true" } else { "false" }),
            Content::Number(value) => text("number", value),
            Content::Text(value) => text("string", value),
            // Unkeyed, the digest of a short body could be guessed.
            Content::Bytes { sha256, .. } => {
                Redacted::Digest { of: "bytes", digest: self.digest("bytes", sha256) }
            }
        }
    }

    /// A pointer as it may be kept: names that do not look like a field's become digests.
    pub fn pointer(&self, place: &BodyPlace) -> String {
        place.pointer_with(|name| format!("#{}", self.digest("name", name.as_bytes())))
    }

    fn is_clear(&self, place: &Place) -> bool {
        let body = match place {
            Place::Status => return true,
            Place::Header(name) => return self.clear.headers.ignored.contains(name.as_str()),
            Place::Body(body) => body,
        };
        let mut states = Vec::new();
        let mut at = self.clear.start(&mut states);
        let mut clear = self.clear.ruling(&states[at.clone()]).ignore;
        for step in &body.steps {
            let down = match step {
                PlaceStep::Index(index) => Down::Index(*index),
                PlaceStep::Field(name) | PlaceStep::Id(name) => Down::Name(name),
            };
            at = self.clear.descend(&mut states, at, down);
            clear |= self.clear.ruling(&states[at.clone()]).ignore;
        }
        clear
    }

    fn digest(&self, of: &str, content: &[u8]) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        // So that `1` and `"1"` are strangers.
        mac.update(of.as_bytes());
        mac.update(b"\0");
        mac.update(content);
        let digest = mac.finalize().into_bytes();
        digest[..DIGEST_BYTES].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

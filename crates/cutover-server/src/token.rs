//! Admin tokens: made from the system's randomness, known by their hash, read from where `ps` does not look.

use cutover::config::{AdminToken, TokenHash};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::io::{self, Read as _};
use subtle::ConstantTimeEq as _;

/// What every token begins with, so that scanners for leaked secrets can find one.
const PREFIX: &str = "cut_";
/// Random bytes of a token.
const BYTES: usize = 32;
/// No token that is presented is longer; nobody's time is spent on hashing more.
const LONGEST: usize = 256;

/// A token. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new one.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn random() -> io::Result<Self> {
        let mut bytes = [0; BYTES];
        std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self(format!("{PREFIX}{digits}")))
    }

    /// One that somebody has written; `None` if it is none: spaces around it do not count.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        (visible && !text.is_empty() && text.len() <= LONGEST).then(|| Self(text.to_owned()))
    }

    /// The token itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the configuration knows of it. Plain SHA-256: a slow hash is there for what people choose, and nobody finds
    /// 256 random bits by trying.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// Whose it is. All are compared to their end, whichever fits: time tells nothing.
    pub fn owner<'t>(&self, all: &'t [AdminToken]) -> Option<&'t AdminToken> {
        let TokenHash(hash) = self.hash();
        all.iter().fold(None, |found, known| {
            if bool::from(known.hash.0.ct_eq(&hash)) { Some(known) } else { found }
        })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(not shown)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutover::core::migration::Role;

    #[test]
    fn tokens_are_random_and_long() {
        let [a, b] = [(); 2].map(|()| Token::random().expect("randomness"));
        assert_ne!(a.reveal(), b.reveal());
        assert_eq!(a.reveal().len(), PREFIX.len() + 2 * BYTES);
        assert!(!format!("{a:?}").contains(&a.reveal()[4..12]));
    }

    #[test]
    fn the_hash_is_sha256_as_other_tools_make_it() {
        // printf cut_x | sha256sum
        let hash = Token::parse(" cut_x\n").expect("a token").hash().to_string();
        assert_eq!(hash, "sha256:a87ced7654fb2ea6ceeae221ba7c4c5e61379996a719d44f68f4dae488150048");
    }

    #[test]
    fn whose_it_is() {
        let tokens = ["cut_a", "cut_b", "cut_c"].map(|text| Token::parse(text).expect("a token"));
        let owned = |(token, name): (&Token, &str)| AdminToken {
            name: name.to_owned(),
            role: Role::Viewer,
            hash: token.hash(),
        };
        let all: Vec<AdminToken> = tokens.iter().zip(["ana", "ben"]).map(owned).collect();
        let owners = tokens.each_ref().map(|token| token.owner(&all).map(|owner| &*owner.name));
        assert_eq!(owners, [Some("ana"), Some("ben"), None]);
    }

    #[test]
    fn what_is_no_token() {
        for text in ["", "  ", "a b", "ä", &"x".repeat(LONGEST + 1)] {
            assert_eq!(Token::parse(text), None, "{text}");
        }
    }
}

//! murmur3_x86_32 with seed 0 (Austin Appleby, public domain), fed piece by piece.

const C1: u32 = 0xcc9e_2d51;
const C2: u32 = 0x1b87_3593;

/// A hash in the making. `Copy`, so that the state behind a common beginning can be kept and used
/// again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Murmur3 {
    hash: u32,
    /// Up to three bytes that do not make a word yet, the first one lowest.
    pending: u32,
    pending_bits: u32,
    length: u32,
}

impl Murmur3 {
    /// With more bytes.
    #[inline]
    pub(super) fn then(mut self, bytes: &[u8]) -> Self {
        self.length = self.length.wrapping_add(bytes.len() as u32);
        let (words, tail) = bytes.as_chunks::<4>();
        if self.pending_bits == 0 {
            for word in words {
                self.mix(u32::from_le_bytes(*word));
            }
        } else {
            for word in words {
                let word = u32::from_le_bytes(*word);
                self.mix(self.pending | word << self.pending_bits);
                self.pending = word >> (32 - self.pending_bits);
            }
        }
        for byte in tail {
            self.pending |= u32::from(*byte) << self.pending_bits;
            self.pending_bits += 8;
            if self.pending_bits == 32 {
                self.mix(self.pending);
                (self.pending, self.pending_bits) = (0, 0);
            }
        }
        self
    }

    /// The hash of all bytes so far.
    #[inline]
    pub(super) fn finish(self) -> u32 {
        let mut hash = self.hash ^ scramble(self.pending) ^ self.length;
        hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
        hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
        hash ^ (hash >> 16)
    }

    #[inline]
    fn mix(&mut self, word: u32) {
        let hash = (self.hash ^ scramble(word)).rotate_left(13);
        self.hash = hash.wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
}

#[inline]
fn scramble(word: u32) -> u32 {
    word.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2)
}

/// murmur3_x86_32, seed 0, over the concatenation of `parts`.
pub fn murmur3_x86_32(parts: &[&[u8]]) -> u32 {
    parts.iter().fold(Murmur3::default(), |hash, part| hash.then(part)).finish()
}

//! Numbers, addresses and odd bytes as text, without the formatting machinery: what is written here is written in every request, and
//! the machinery takes some two hundred instructions a number (benches/RESULTS.md).

use std::net::Ipv4Addr;

/// Both hexadecimal digits of every byte.
const HEX: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    pairs
};

/// Lower-case hexadecimal digits of bytes, most significant first.
pub(crate) fn hex(bytes: &[u8], out: &mut [u8]) {
    let (pairs, _) = out.as_chunks_mut();
    for (byte, pair) in bytes.iter().zip(pairs) {
        *pair = HEX[usize::from(*byte)];
    }
}

/// Percent-encodes the bytes that are not plain.
pub(crate) fn percent(out: &mut String, text: &str, plain: impl Fn(u8) -> bool) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    if text.bytes().all(&plain) {
        return out.push_str(text);
    }
    for byte in text.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

/// The last two decimal digits.
pub(crate) fn two(number: u64) -> [u8; 2] {
    [b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]
}

/// Hands over the parts of an address in dotted decimal.
pub(crate) fn dotted(address: Ipv4Addr, mut put: impl FnMut(&str)) {
    for (at, octet) in address.octets().into_iter().enumerate() {
        if at > 0 {
            put(".");
        }
        put(itoa::Buffer::new().format(octet));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_the_standard_library_writes() {
        for number in (0..=u16::MAX).map(u64::from) {
            assert_eq!(two(number), format!("{:02}", number % 100).as_bytes());
        }
        let number = 0x0123_4567_89ab_cdef_u64;
        let mut out = [0; 16];
        hex(&number.to_be_bytes(), &mut out);
        assert_eq!(&out, format!("{number:016x}").as_bytes());
        for octet in 0..=255 {
            let address = Ipv4Addr::new(octet, 255 - octet, 0, octet / 3);
            let mut text = String::new();
            dotted(address, |part| text.push_str(part));
            assert_eq!(text, address.to_string());
        }
    }
}

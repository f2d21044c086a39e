//! What requests carry: content that is different in each, so that a reply can be told from every other one.
//!
//! ```text
//! offset  0 .. 8                       8 .. size
//!         the request's number,        a stretch of one long text; where it begins
//!         lowest digit first           depends on the number
//! ```
//! All of it is printable ASCII, which every framing carries. Pure: numbers in, bytes out.

/// The digits of a number, and the letters of the text.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
/// 8 digits of 6 bits number 2^48 requests: at a million a second they last for nine years.
const STAMP: usize = 8;
/// The places where the stretch of text may begin; a prime, so that it keeps changing.
const PLACES: usize = 61;

/// Makes requests of one size, and knows what each must look like.
#[derive(Clone, Debug)]
pub(super) struct Content {
    size: usize,
    text: Vec<u8>,
}

impl Content {
    /// Content of `size` bytes a request. Below 8 bytes numbers repeat, every 64^size requests.
    pub(super) fn new(size: usize) -> Content {
        let mut state = 0x9e37_79b9_u32;
        let mut letter = || {
            // xorshift32: no two stretches of the text look alike.
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            DIGITS[(state >> 26) as usize]
        };
        let text = (0..size.saturating_sub(STAMP) + PLACES).map(|_| letter()).collect();
        Content { size, text }
    }

    /// Bytes of a request.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Appends request `number` to `out`.
    pub(super) fn append(&self, number: u64, out: &mut Vec<u8>) {
        let stamp = stamp(number);
        out.extend_from_slice(&stamp[..STAMP.min(self.size)]);
        out.extend_from_slice(self.stretch(number));
    }

    /// True if `bytes` are request `number`, every byte of it.
    pub(super) fn is(&self, number: u64, bytes: &[u8]) -> bool {
        if bytes.len() != self.size {
            return false;
        }
        match bytes.split_first_chunk::<STAMP>() {
            Some((head, rest)) => *head == stamp(number) && rest == self.stretch(number),
            None => bytes == &stamp(number)[..bytes.len()],
        }
    }

    fn stretch(&self, number: u64) -> &[u8] {
        let begin = usize::try_from(number % PLACES as u64).unwrap_or(0);
        &self.text[begin..begin + self.size.saturating_sub(STAMP)]
    }
}

fn stamp(number: u64) -> [u8; STAMP] {
    std::array::from_fn(|place| DIGITS[usize::from((number >> (6 * place)).to_le_bytes()[0] & 63)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(content: &Content, number: u64) -> Vec<u8> {
        let mut out = Vec::new();
        content.append(number, &mut out);
        out
    }

    #[test]
    fn a_request_is_itself_and_no_other_one() {
        for size in [1, 7, 8, 9, 64, 1_000] {
            let content = Content::new(size);
            for number in [0, 1, 63, 64, 4_095, 1 << 40] {
                let bytes = request(&content, number);
                assert_eq!(bytes.len(), size);
                assert!(content.is(number, &bytes));
                assert!(!content.is(number + 1, &bytes), "{size} bytes, number {number}");
                assert!(!content.is(number, &bytes[1..]));
            }
        }
    }

    #[test]
    fn no_changed_byte_passes() {
        let content = Content::new(100);
        let bytes = request(&content, 12_345);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(!content.is(12_345, &changed), "byte {at}");
        }
    }

    #[test]
    fn every_framing_can_carry_it() {
        let content = Content::new(5_000);
        assert!((0..500).all(|number| request(&content, number).iter().all(u8::is_ascii_graphic)));
    }
}

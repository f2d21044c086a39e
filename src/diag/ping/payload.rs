//! What a probe says: `NETLAB PING 1A2B3C4D 0000000007....`, readable in a capture.
//!
//! ```text
//! byte  0             12        20 21          31
//!       "NETLAB PING " token, 8  ' ' seq, 10   padding of '.'
//!                      hex digits    digits
//! ```
//! The token is random, so that a reply to somebody else's probes is none to ours. There are only capitals, and no
//! white space at the ends: servers that answer in upper case, stripped, give the same bytes back.

/// What comes first.
const MARK: &str = "NETLAB PING ";
/// The least bytes of a payload: all but the padding.
pub const LEAST_SIZE: usize = MARK.len() + 8 + 1 + 10;

/// The payloads of one measurement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Payloads {
    token: u32,
    size: usize,
}

impl Payloads {
    /// Payloads of `size` bytes, at least [`LEAST_SIZE`].
    pub(super) fn new(token: u32, size: usize) -> Payloads {
        Payloads { token, size: size.max(LEAST_SIZE) }
    }

    /// How many bytes each has.
    pub(super) fn size(self) -> usize {
        self.size
    }

    pub(super) fn encode(self, seq: u64) -> Vec<u8> {
        let mut payload = format!("{MARK}{:08X} {seq:010}", self.token).into_bytes();
        payload.resize(self.size, b'.');
        payload
    }

    /// The number of a probe whose payload came back whole; `None` of anything else.
    pub(super) fn decode(self, payload: &[u8]) -> Option<u64> {
        let digits = payload.get(MARK.len() + 9..LEAST_SIZE)?;
        let seq = std::str::from_utf8(digits).ok()?.parse().ok()?;
        (self.encode(seq) == payload).then_some(seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_and_nothing_else() {
        let payloads = Payloads::new(0x1a2b_3c4d, 40);
        let payload = payloads.encode(7);
        assert_eq!(payload, b"NETLAB PING 1A2B3C4D 0000000007.........");
        assert_eq!(payloads.decode(&payload), Some(7));
        assert_eq!(payload.to_ascii_uppercase(), payload);
        let mut broken = payload.clone();
        broken[39] = b'x';
        let strangers = Payloads::new(1, 40).encode(7);
        for wrong in [&payload[..39], &broken, &strangers, b"", &[0xff; 40], b"Message received"] {
            assert_eq!(payloads.decode(wrong), None);
        }
        assert_eq!(Payloads::new(1, 0).encode(u64::from(u32::MAX)).len(), LEAST_SIZE);
    }
}

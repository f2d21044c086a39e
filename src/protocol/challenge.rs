//! The classroom's naive challenge: a server sends 32 random bytes, a client sends back their HMAC.
//!
//! ```text
//! client                              server
//!          ◄──────────  challenge     32 random bytes
//!   mac    ──────────►                HMAC-SHA256(key, challenge): 32 bytes
//!          ◄──────────                "Access Granted", or nothing and the end
//! ```
//! It proves that whoever is there can have the challenge signed, and no more: not to whom the client speaks,
//! not for which connection, not who signs for whom. [`proof`](super::proof) says these things, and survives
//! the attacks that this scheme falls to (`netlab auth-demo`).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::proof::{MacBytes, Nonce};

/// Bytes of a challenge, and of its answer.
pub const LENGTH: usize = 32;
/// What a server says to who answered right.
pub const GRANTED: &[u8] = b"Access Granted";

/// The answer to a challenge: Python's `hmac.new(key, challenge, hashlib.sha256).digest()`.
#[must_use]
pub fn answer(key: &[u8], challenge: &Nonce) -> MacBytes {
    mac(key, challenge).finalize().into_bytes().into()
}

/// True if `answer` is the right one; takes the same time whatever it is.
#[must_use]
pub fn is_answer(key: &[u8], challenge: &Nonce, answer: &[u8; LENGTH]) -> bool {
    mac(key, challenge).verify_slice(answer).is_ok()
}

fn mac(key: &[u8], challenge: &Nonce) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(challenge);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_pythons() {
        // hmac.new(b"secret", bytes(range(32)), hashlib.sha256).hexdigest()
        let challenge: Nonce = std::array::from_fn(|n| u8::try_from(n).unwrap());
        let expected = "47860bcbb991426bea828dbf6097dff33339b093e3b9f61d9aef8a052f93e402";
        let mac = answer(b"secret", &challenge);
        assert_eq!(crate::protocol::proof::to_hex(&mac), expected);
        assert!(is_answer(b"secret", &challenge, &mac));
        assert!(!is_answer(b"Secret", &challenge, &mac));
        assert!(!is_answer(b"secret", &[0; 32], &mac));
    }
}

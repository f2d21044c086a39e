//! Login by a shared key: both ends prove that they know it, for this connection and no other.
//!
//! ```text
//! client                                                 server
//!   AUTH  {username, client nonce}        ──────────►
//!                                         ◄──────────    CHALLENGE {server, server nonce}
//!   PROOF {client mac}                    ──────────►    verified first,
//!                                         ◄──────────    then LOGGED_IN {.., server mac}
//!
//! T          = SHA256("netlab-auth-v1" || lp(username) || lp(server) || client nonce || server nonce || lp(binding))
//! client mac = HMAC-SHA256(key, "netlab client v1" || T)
//! server mac = HMAC-SHA256(key, "netlab server v1" || T)
//! ```
//! `lp(x)` is `x` behind its u16 BE length, so that no two transcripts can share their bytes. The labels keep
//! one end's MAC from serving as the other's; `server` is what each end reads off its own socket, so that a
//! proof can't be relayed. On plain TCP this authenticates the login, not the bytes that follow it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// A user's shared key: 32 random bytes.
pub type Key = [u8; 32];
/// A number used once: 32 random bytes.
pub type Nonce = [u8; 32];
/// What proves the knowledge of a key.
pub type MacBytes = [u8; 32];

/// What ties the login to a secure channel below it; there is none on plain TCP.
pub const NO_BINDING: &str = "none";

const VERSION: &[u8] = b"netlab-auth-v1";
const CLIENT: &[u8] = b"netlab client v1";
const SERVER: &[u8] = b"netlab server v1";

/// The hash of everything that both ends have to agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript([u8; 32]);

impl Transcript {
    /// The transcript of one login. `username` is as it was sent; `server` is the server end's numeric
    /// address and port, like `127.0.0.1:12000`. Texts are at most 65,535 bytes.
    #[must_use]
    pub fn new(username: &str, server: &str, client: &Nonce, nonce: &Nonce, binding: &str) -> Transcript {
        let mut hash = Sha256::new();
        hash.update(VERSION);
        update_prefixed(&mut hash, username);
        update_prefixed(&mut hash, server);
        hash.update(client);
        hash.update(nonce);
        update_prefixed(&mut hash, binding);
        Transcript(hash.finalize().into())
    }

    /// What the client sends in `PROOF`.
    #[must_use]
    pub fn client_mac(&self, key: &Key) -> MacBytes {
        self.mac(key, CLIENT).finalize().into_bytes().into()
    }

    /// What the server sends in `LOGGED_IN`, once it has verified the client's.
    #[must_use]
    pub fn server_mac(&self, key: &Key) -> MacBytes {
        self.mac(key, SERVER).finalize().into_bytes().into()
    }

    /// True if `mac` is the client's; takes the same time whatever it is.
    #[must_use]
    pub fn is_client_mac(&self, key: &Key, mac: &MacBytes) -> bool {
        self.mac(key, CLIENT).verify_slice(mac).is_ok()
    }

    /// True if `mac` is the server's; takes the same time whatever it is.
    #[must_use]
    pub fn is_server_mac(&self, key: &Key, mac: &MacBytes) -> bool {
        self.mac(key, SERVER).verify_slice(mac).is_ok()
    }

    fn mac(&self, key: &Key, label: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(label);
        mac.update(&self.0);
        mac
    }
}

fn update_prefixed(hash: &mut Sha256, text: &str) {
    let length = u16::try_from(text.len()).expect("names and addresses are short");
    hash.update(length.to_be_bytes());
    hash.update(text.as_bytes());
}

/// Reads 64 hex digits.
#[must_use]
pub fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let mut bytes = [0; 32];
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    if pairs.len() != bytes.len() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

/// Writes 64 hex digits.
#[must_use]
pub fn to_hex(bytes: &[u8; 32]) -> String {
    crate::text::hex(bytes).replace(' ', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = [7; 32];
    const CLIENT_MAC: &str = "00ab3b559d10a866d9d09869b35f1a48f96df29a1d2068e9a7041964c1235367";
    const SERVER_MAC: &str = "99b184cbd8781dbbea147af9ea4aa39130ec14f91ccddf51a4cdcaf33431dabd";

    fn transcript() -> Transcript {
        Transcript::new("ada", "127.0.0.1:12000", &[1; 32], &[2; 32], NO_BINDING)
    }

    #[test]
    fn both_macs_are_what_pythons_hmac_makes_of_the_formula() {
        // python3: T = sha256(b"netlab-auth-v1" + lp(b"ada") + lp(b"127.0.0.1:12000") + b"\x01"*32
        //              + b"\x02"*32 + lp(b"none")).digest(); hmac.new(b"\x07"*32, label + T, sha256)
        assert_eq!(to_hex(&transcript().client_mac(&KEY)), CLIENT_MAC);
        assert_eq!(to_hex(&transcript().server_mac(&KEY)), SERVER_MAC);
    }

    #[test]
    fn a_change_of_anything_is_noticed() {
        let mac = transcript().client_mac(&KEY);
        assert!(transcript().is_client_mac(&KEY, &mac));
        assert!(!transcript().is_server_mac(&KEY, &mac), "a reflected proof");
        let others = [
            Transcript::new("adb", "127.0.0.1:12000", &[1; 32], &[2; 32], NO_BINDING),
            Transcript::new("ada", "127.0.0.1:12001", &[1; 32], &[2; 32], NO_BINDING),
            Transcript::new("ada", "127.0.0.1:12000", &[3; 32], &[2; 32], NO_BINDING),
            Transcript::new("ada", "127.0.0.1:12000", &[1; 32], &[3; 32], NO_BINDING),
            Transcript::new("ada", "127.0.0.1:12000", &[2; 32], &[1; 32], NO_BINDING),
            Transcript::new("ada", "127.0.0.1:12000", &[1; 32], &[2; 32], "tls"),
        ];
        for other in others {
            assert!(!other.is_client_mac(&KEY, &mac));
        }
        for bit in 0..256 {
            let mut flipped = mac;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!transcript().is_client_mac(&KEY, &flipped), "bit {bit}");
        }
    }

    #[test]
    fn no_two_transcripts_share_their_bytes() {
        let one = Transcript::new("ab", "c", &[1; 32], &[2; 32], NO_BINDING);
        assert_ne!(one, Transcript::new("a", "bc", &[1; 32], &[2; 32], NO_BINDING));
    }

    #[test]
    fn hex_is_64_digits() {
        assert_eq!(from_hex(&to_hex(&[0xa5; 32])), Some([0xa5; 32]));
        assert_eq!(from_hex(&"A5".repeat(32)), Some([0xa5; 32]));
        for wrong in ["", "a5", &"g5".repeat(32), &"a5".repeat(33), &"+5".repeat(32)] {
            assert_eq!(from_hex(wrong), None);
        }
    }
}

//! Passwords: argon2id hashes in PHC strings (`$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`).
//!
//! Slow and hungry on purpose (OWASP's minimum: 19 MiB, two passes), so that a stolen users file is no list
//! of passwords. It stands apart because nothing of this may run on an event loop: the worker does.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

/// What an unknown user's password is compared with. It costs what a real one costs, so that the time of an
/// answer does not tell which names exist. Random bytes take the hash's place.
const DUMMY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bmV0bGFiIGR1bW15IDE2Yg$GD4OWwlHDtqOmtM+S6IyilOBxSsBoLnR1hAtR+GHuXg";

/// Hashes a password with a salt (16 random bytes), into a PHC string.
#[must_use]
pub fn hash_password(password: &str, salt: &[u8; 16]) -> String {
    // The crate's defaults are the numbers above; the test `the_cost_is_written_down` holds them.
    let hash: PasswordHash = Argon2::default()
        .hash_password_with_salt(password.as_bytes(), salt)
        .expect("any password below 4 GiB has a hash");
    hash.to_string()
}

/// Compares a password with its hash; without one with a dummy, and says no. Takes some 20 ms and 19 MiB.
#[must_use]
pub fn verify_password(password: &str, hash: Option<&str>) -> bool {
    let parsed = PasswordHash::new(hash.unwrap_or(DUMMY));
    let right =
        parsed.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
    right && hash.is_some()
}

/// True for a hash that [`verify_password`] can compare with.
pub(super) fn is_hash(text: &str) -> bool {
    text.starts_with("$argon2id$") && PasswordHash::new(text).is_ok_and(|hash| hash.hash.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_is_written_down() {
        let hash = hash_password("secret", &[7; 16]);
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(DUMMY.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(is_hash(&hash) && is_hash(DUMMY));
        for wrong in ["", "secret", "$argon2id$v=19$m=19456,t=2,p=1", "$2b$12$abc"] {
            assert!(!is_hash(wrong), "{wrong}");
        }
    }

    #[test]
    fn the_right_password_alone_is_right() {
        let hash = hash_password("secret", &[7; 16]);
        assert!(verify_password("secret", Some(&hash)));
        assert!(!verify_password("Secret", Some(&hash)));
        assert!(!verify_password("secret", None));
        assert!(!verify_password("secret", Some("no hash")));
        assert_ne!(hash, hash_password("secret", &[8; 16]), "the salt counts");
    }
}

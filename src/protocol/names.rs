//! Names: what may be a user's, a room's, a record's. Checked once, then carried as a type of its own.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// The longest name, in bytes (and characters: names are ASCII).
pub const MAX_NAME: usize = 32;

/// A name that keeps the spelling it was given and is compared without case.
#[derive(Clone, Debug)]
struct Name {
    spelling: Arc<str>,
    key: Arc<str>,
}

impl Name {
    fn parse(text: &str) -> Option<Name> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        if !(1..=MAX_NAME).contains(&text.len()) || !text.bytes().all(allowed) {
            return None;
        }
        let spelling: Arc<str> = text.into();
        let lower = text.to_ascii_lowercase();
        // Most names are in lower case already: one allocation serves both.
        let key = if lower == text { spelling.clone() } else { lower.into() };
        Some(Name { spelling, key })
    }
}

macro_rules! name_type {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $type(Name);

        impl $type {
            /// The name as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0.spelling
            }

            /// The name by which it is compared: in lower case.
            #[must_use]
            pub fn key(&self) -> &str {
                &self.0.key
            }
        }

        impl PartialEq for $type {
            fn eq(&self, other: &$type) -> bool {
                self.key() == other.key()
            }
        }

        impl Eq for $type {}

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

name_type! {
    /// A user's name: 1 to 32 of `A-Za-z0-9_.-`; `anon` followed by digits alone is the server's to give.
    Username
}
name_type! {
    /// A room's name: 1 to 32 of `A-Za-z0-9_.-`; `anon` followed by digits alone is reserved as well.
    RoomName
}

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, too long, or with other characters.
    #[error("a name has 1 to 32 of the characters A-Z a-z 0-9 _ . -")]
    Shape,
    /// `anon` followed by digits.
    #[error("names of the form anonN are given by the server")]
    Reserved,
}

fn parse(text: &str) -> Result<Name, NameError> {
    let name = Name::parse(text).ok_or(NameError::Shape)?;
    let digits = name.key.strip_prefix("anon");
    if digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())) {
        return Err(NameError::Reserved);
    }
    Ok(name)
}

impl Username {
    /// Checks a name that a user wants.
    ///
    /// # Errors
    /// A name that can't be one, or one that the server gives.
    pub fn parse(text: &str) -> Result<Username, NameError> {
        parse(text).map(Username)
    }

    /// The name of the `n`th client that has none.
    #[must_use]
    pub fn anonymous(n: u64) -> Username {
        let name = Name::parse(&format!("anon{n}"));
        Username(name.expect("20 digits and four letters are a name"))
    }
}

impl RoomName {
    /// Checks a room's name.
    ///
    /// # Errors
    /// A name that can't be one.
    pub fn parse(text: &str) -> Result<RoomName, NameError> {
        parse(text).map(RoomName)
    }
}

/// The id of a record, which names a file: 1 to 32 of `A-Za-z0-9_-`, and no device of Windows.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(Arc<str>);

/// Why a text is no record id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a client_id has 1 to 32 of the characters A-Z a-z 0-9 _ -, and is no device name of Windows")]
pub struct ClientIdError;

impl ClientId {
    /// Checks an id: nothing that passes can leave the records' folder, on any system.
    ///
    /// # Errors
    /// An id that can't be one.
    pub fn parse(text: &str) -> Result<ClientId, ClientIdError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        let shaped = (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(allowed);
        if shaped && !is_device(text) { Ok(ClientId(text.into())) } else { Err(ClientIdError) }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// `NUL.txt` is the null device on Windows, whatever its folder.
fn is_device(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let numbered = ["com", "lpt"].iter().find_map(|device| lower.strip_prefix(device));
    matches!(lower.as_str(), "con" | "prn" | "aux" | "nul")
        || numbered.is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_and_compared_without_case() {
        assert_eq!(Username::parse("Ada").unwrap(), Username::parse("aDA").unwrap());
        assert_eq!(Username::parse("Ada").unwrap().as_str(), "Ada");
        for wrong in ["", "a b", "é", "a/b", "a\n", &"x".repeat(33)] {
            assert_eq!(RoomName::parse(wrong), Err(NameError::Shape), "{wrong:?}");
        }
        for reserved in ["anon1", "ANON007"] {
            assert_eq!(Username::parse(reserved), Err(NameError::Reserved));
        }
        for fine in ["anon", "anon1x", "anonymous", "x", "a.b-c_d", &"x".repeat(32)] {
            assert!(Username::parse(fine).is_ok(), "{fine}");
        }
        assert_eq!(Username::anonymous(u64::MAX).as_str().len(), 24);
    }

    #[test]
    fn an_id_can_name_no_other_file() {
        for wrong in ["", ".", "..", "a/b", "a.b", "../x", "nul", "COM1", "lpt9", "con", &"1".repeat(33)] {
            assert_eq!(ClientId::parse(wrong), Err(ClientIdError), "{wrong}");
        }
        for fine in ["2024-001", "com", "com10", "console", "a_b"] {
            assert!(ClientId::parse(fine).is_ok(), "{fine}");
        }
    }
}

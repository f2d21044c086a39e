//! Who may log in: plain data. The file that it comes from is `store`'s business.

use std::collections::HashMap;

use crate::protocol::names::Username;
use crate::protocol::proof::Key;

/// What a user may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Their own record.
    #[default]
    Student,
    /// Every record.
    Teacher,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 2] = [Role::Student, Role::Teacher];

    /// The role's name, on the command line and in the users file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Student => "student",
            Role::Teacher => "teacher",
        }
    }
}

/// One user, with what proves who they are.
#[derive(Clone)]
pub struct User {
    /// The name, as it was registered.
    pub name: Username,
    /// What they may do.
    pub role: Role,
    /// The argon2id hash of a password, as a PHC string (`$argon2id$v=19$m=...`).
    pub password_hash: Option<String>,
    /// The key shared with the server.
    pub key: Option<Key>,
}

// By hand: a secret shall not reach a log by way of `{:?}`.
impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "User({}, {})", self.name, self.role.name())
    }
}

/// All users, found by name without regard to case.
#[derive(Clone, Debug, Default)]
pub struct Users {
    by_name: HashMap<String, User>,
}

impl Users {
    /// The user of that name.
    #[must_use]
    pub fn get(&self, name: &Username) -> Option<&User> {
        self.by_name.get(name.key())
    }

    /// Adds a user, or replaces the one of the same name, which is returned.
    pub fn insert(&mut self, user: User) -> Option<User> {
        self.by_name.insert(user.name.key().to_owned(), user)
    }

    /// Removes the user of that name.
    pub fn remove(&mut self, name: &Username) -> Option<User> {
        self.by_name.remove(name.key())
    }

    /// Every user, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.by_name.values()
    }

    /// How many users there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// True if there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }
}

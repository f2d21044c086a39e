//! The users file: who may log in, and with what.
//!
//! ```json
//! {"schema_version": 1, "users": [
//!   {"name": "ada", "role": "student", "key": "64 hex digits"},
//!   {"name": "grace", "role": "teacher", "password": "$argon2id$v=19$m=19456,t=2,p=1$..."}
//! ]}
//! ```
//! One user a line, so that an error's line number leads to one. The keys in it are as good as the users
//! themselves: a file that others can read is refused, and written ones are for their owner alone. What the
//! users mean is [`service`](crate::service)'s business.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::protocol::names::Username;
use crate::protocol::proof::{from_hex, to_hex};
use crate::report::SCHEMA_VERSION;
use crate::service::{Role, User, Users};

use super::atomic;
use super::disk::{Disk, RealDisk, create_private, parent};
use super::error::{Op, StoreError};
use super::passwords::is_hash;

/// Why there are no users to be had.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// There is no such file.
    #[error("there is no users file {}", .0.display())]
    Missing(PathBuf),
    /// Others than its owner may read or write the file.
    #[error("the users file {} holds secrets, and others can open it (mode {mode:04o})", .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Something in the file is wrong.
    #[error("the users file {}, line {line}: {reason}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// The system refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads the users file.
///
/// # Errors
/// A file that is missing, readable by others (on Unix), or malformed.
pub fn load(path: &Path) -> Result<Users, UsersError> {
    let failed = |error| UsersError::Store(StoreError::of(Op::Read, path)(error));
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(UsersError::Missing(path.to_owned()));
        }
        result => result.map_err(failed)?,
    };
    // Asked of the open file, not of the name: nobody can swap it in between.
    if let Some(mode) = exposed(&file).map_err(failed)? {
        return Err(UsersError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(failed)?;
    decode(&text).map_err(|(line, reason)| UsersError::Malformed { path: path.to_owned(), line, reason })
}

/// Holds the users file for one who reads, changes and writes it: two at a time would undo each other's
/// changes. Let go when dropped.
#[derive(Debug)]
pub struct UsersLock {
    _file: File,
}

/// How long to wait for another `netlab users` to finish.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// Takes the lock, waiting for whoever has it.
///
/// # Errors
/// Somebody holds it for too long, or the folder can't be written.
pub fn lock(path: &Path) -> Result<UsersLock, StoreError> {
    let folder = parent(path);
    RealDisk.make_folder(folder).map_err(StoreError::of(Op::MakeFolder, folder))?;
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    let (lock, deadline) = (PathBuf::from(lock), Instant::now() + LOCK_WAIT);
    loop {
        match RealDisk.lock(&lock) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(10));
            }
            result => {
                return result.map(|file| UsersLock { _file: file }).map_err(StoreError::of(Op::Lock, &lock));
            }
        }
    }
}

/// Replaces the users file, durably, readable by its owner alone.
///
/// Simplification: two that load, change and save at the same moment overwrite each other's change, one
/// after the other; the file is whole all the same. Production would lock it.
///
/// # Errors
/// The disk's; the old file is intact.
pub fn save(path: &Path, users: &Users) -> Result<(), StoreError> {
    let folder = parent(path);
    RealDisk.make_folder(folder).map_err(StoreError::of(Op::MakeFolder, folder))?;
    atomic::replace(&mut RealDisk, path, encode(users).as_bytes())
}

/// Writes a secret to a file of its own, readable by its owner alone, which must not exist yet.
///
/// # Errors
/// The disk's; `AlreadyExists` for a file that is there.
pub fn write_new_secret(path: &Path, text: &str) -> Result<(), StoreError> {
    let mut file = create_private(path).map_err(StoreError::of(Op::Create, path))?;
    let result = RealDisk.write(&mut file, text.as_bytes()).and_then(|()| RealDisk.sync(&mut file));
    drop(file);
    result.map_err(|error| {
        // Half a secret helps nobody; the error is the news.
        let _ = RealDisk.remove(path);
        StoreError::of(Op::Write, path)(error)
    })
}

/// The permission bits of a file that others than its owner can open.
#[cfg(unix)]
fn exposed(file: &File) -> io::Result<Option<u32>> {
    use std::os::unix::fs::MetadataExt;
    let mode = file.metadata()?.mode() & 0o777;
    Ok((mode & 0o077 != 0).then_some(mode))
}

// Windows has access lists, inherited from the folder, in place of a mode.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same on every system")]
fn exposed(_file: &File) -> io::Result<Option<u32>> {
    Ok(None)
}

/// One user, as a line has them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

impl From<&User> for Line {
    fn from(user: &User) -> Line {
        Line {
            name: user.name.to_string(),
            role: user.role.name().to_owned(),
            key: user.key.as_ref().map(to_hex),
            password: user.password_hash.clone(),
        }
    }
}

impl TryFrom<Line> for User {
    type Error = String;

    fn try_from(line: Line) -> Result<User, String> {
        let name = Username::parse(&line.name)
            .map_err(|error| format!("name `{}`: {error}", line.name.escape_debug()))?;
        let role = Role::ALL.into_iter().find(|role| role.name() == line.role);
        let role = role.ok_or_else(|| format!("{name}'s role must be student or teacher"))?;
        // The secrets themselves stay out of the message.
        let key = match line.key.as_deref().map(from_hex) {
            Some(None) => return Err(format!("{name}'s key must be 64 hex digits")),
            key => key.flatten(),
        };
        if line.password.as_deref().is_some_and(|hash| !is_hash(hash)) {
            return Err(format!(
                "{name}'s password must be an argon2id hash, as `netlab users add` writes it"
            ));
        }
        Ok(User { name, role, password_hash: line.password, key })
    }
}

#[derive(Deserialize)]
struct Document<'a> {
    schema_version: u32,
    /// As they were written, so that each can be found again in the text.
    #[serde(borrow)]
    users: Vec<&'a RawValue>,
}

/// Reads the file's text; an error is a line, counted from 1, and what is wrong there.
fn decode(text: &str) -> Result<Users, (usize, String)> {
    let document: Document = serde_json::from_str(text).map_err(|error| described(&error, 1))?;
    if document.schema_version != SCHEMA_VERSION {
        let version = document.schema_version;
        return Err((1, format!("schema_version is {version}: this netlab reads version {SCHEMA_VERSION}")));
    }
    let mut users = Users::default();
    for raw in document.users {
        let line = line_of(raw.get(), text);
        let written: Line = serde_json::from_str(raw.get()).map_err(|error| described(&error, line))?;
        let user = User::try_from(written).map_err(|reason| (line, reason))?;
        if let Some(user) = users.insert(user) {
            return Err((line, format!("{} is there twice", user.name)));
        }
    }
    Ok(users)
}

/// serde_json's error in a part of the text that starts in line `first`, without its own "at line".
fn described(error: &serde_json::Error, first: usize) -> (usize, String) {
    let full = error.to_string();
    let reason = full.rsplit_once(" at line ").map_or(full.as_str(), |(reason, _)| reason);
    (first + error.line().saturating_sub(1), reason.to_owned())
}

/// The line of `text` in which `part` starts, which borrows from it.
fn line_of(part: &str, text: &str) -> usize {
    let offset = part.as_ptr().addr() - text.as_ptr().addr();
    1 + text[..offset].matches('\n').count()
}

fn encode(users: &Users) -> String {
    let mut sorted: Vec<&User> = users.iter().collect();
    sorted.sort_by_key(|user| user.name.key());
    let mut out = format!("{{\"schema_version\": {SCHEMA_VERSION}, \"users\": [");
    for (i, user) in sorted.into_iter().enumerate() {
        let line = serde_json::to_string(&Line::from(user)).expect("strings are JSON");
        let comma = if i == 0 { "" } else { "," };
        write!(out, "{comma}\n  {line}").expect("a String takes all");
    }
    out.push_str("\n]}\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, key: Option<[u8; 32]>) -> User {
        let name = Username::parse(name).unwrap();
        User { name, role: Role::Student, password_hash: None, key }
    }

    #[test]
    fn users_come_back_as_they_were_saved() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/users.json");
        let mut users = Users::default();
        users.insert(user("zoe", Some([9; 32])));
        let hash = super::super::hash_password("secret", &[1; 16]);
        let teacher = User { role: Role::Teacher, password_hash: Some(hash.clone()), ..user("Ada", None) };
        users.insert(teacher);
        save(&path, &users).unwrap();
        save(&path, &users).unwrap();

        let loaded = load(&path).unwrap();
        assert_eq!(loaded.len(), 2);
        let ada = loaded.get(&Username::parse("ada").unwrap()).unwrap();
        assert_eq!((ada.name.as_str(), ada.role, &ada.password_hash), ("Ada", Role::Teacher, &Some(hash)));
        let zoe = loaded.get(&Username::parse("zoe").unwrap()).unwrap();
        assert_eq!((zoe.role, zoe.key), (Role::Student, Some([9; 32])));
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary is left");
    }

    #[test]
    fn an_error_names_the_line() {
        let key = "ab".repeat(32);
        let good = format!("{{\"name\":\"ada\",\"role\":\"student\",\"key\":\"{key}\"}}");
        let cases = [
            ("{\"name\":\"a b\",\"role\":\"student\"}", "`a b`"),
            ("{\"name\":\"ADA\",\"role\":\"student\"}", "twice"),
            ("{\"name\":\"bob\",\"role\":\"boss\"}", "student or teacher"),
            ("{\"name\":\"bob\",\"role\":\"student\",\"key\":\"abc\"}", "64 hex digits"),
            ("{\"name\":\"bob\",\"role\":\"student\",\"password\":\"plain\"}", "argon2id"),
            ("{\"name\":\"bob\",\"role\":\"student\",\"pasword\":\"x\"}", "pasword"),
            ("{\"name\":\"bob\",\"role\":}", "expected value"),
        ];
        for (line, expected) in cases {
            let text = format!("{{\"schema_version\": 1, \"users\": [\n  {good},\n  {line}\n]}}\n");
            let (number, error) = decode(&text).unwrap_err();
            assert!(error.contains(expected) && number == 3, "{line}: {error}");
            assert!(!error.contains("plain") && !error.contains("abc"), "a secret in {error}");
        }
        assert!(decode("{\"schema_version\": 2, \"users\": []}").unwrap_err().1.contains("version 1"));
    }

    #[test]
    fn a_missing_file_is_said_to_be_missing() {
        assert!(matches!(load(Path::new("/no/such/file")), Err(UsersError::Missing(_))));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_open_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.json");
        save(&path, &Users::default()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for mode in [0o644, 0o640, 0o604, 0o620, 0o601] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            assert!(matches!(load(&path), Err(UsersError::Exposed { mode: found, .. }) if found == mode));
        }
    }
}

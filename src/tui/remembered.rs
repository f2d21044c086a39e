//! What the connect form remembers from one run to the next, in a file of the user's own. Never a secret.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// The last values with which a login worked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// The version of this file's shape.
    pub schema_version: u32,
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The user's name.
    pub username: String,
    /// The kind of login, as `--auth` names it.
    pub login: String,
    /// The room.
    pub room: String,
    /// The framing's name.
    pub framing: String,
}

impl Remembered {
    /// What the file says; nothing, if there is none or it can't be read: a form that is empty is no failure.
    #[must_use]
    pub fn load(path: &Path) -> Remembered {
        let read = std::fs::read(path).ok();
        read.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Writes the file, and its folder if there is none.
    ///
    /// # Errors
    /// A folder or a file that can't be written.
    // Simplification: not durable like a record. The rename makes sure that the file is whole; after a power cut
    // an old form is all that is lost.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        // Two chats of one user may end at the same time: each writes a file of its own first.
        let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        std::fs::write(&temporary, json)?;
        std::fs::rename(&temporary, path).inspect_err(|_| drop(std::fs::remove_file(&temporary)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_loaded_and_anything_else_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/chat.json");
        assert_eq!(Remembered::load(&path), Remembered::default());
        let last =
            Remembered { host: "::1".into(), port: 12_000, username: "ada".into(), ..Remembered::default() };
        last.save(&path).unwrap();
        assert_eq!(Remembered::load(&path), last);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing else is left");
        std::fs::write(&path, b"\xff{").unwrap();
        assert_eq!(Remembered::load(&path), Remembered::default());
    }
}

//! The folder in which a program that nobody trusts may write: made, measured and removed, whatever it has left in
//! there.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::os;

/// Where shared memory and semaphores have their names.
const NAMES: &str = "/dev/shm";
/// What was there before the first program.
static NAMES_BEFORE: OnceLock<HashSet<PathBuf>> = OnceLock::new();
/// A file takes room itself, too.
const ENTRY: u64 = 4 << 10;
/// Folders in folders that are followed; no server needs as many.
const DEPTH: usize = 32;

/// A folder for one program. It goes with whatever the program has left in it.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    /// Whom it belongs to, if root gave it away.
    user: Option<u32>,
}

impl Scratch {
    /// An empty folder in the system's temporary one. Where root makes it, it belongs to a user that nobody else is.
    ///
    /// # Errors
    /// No folder can be made there.
    pub fn new() -> io::Result<Scratch> {
        NAMES_BEFORE.get_or_init(|| names().collect());
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let name = format!("netlab-grade-{}", crate::text::hex(&random).replace(' ', ""));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder)?;
        let folder = fs::canonicalize(folder)?;
        let [a, b, c, d, ..] = random;
        // A container may not have that user: then there is none of its own.
        let user = os::fresh_user(u32::from_be_bytes([a, b, c, d]));
        let user = user.filter(|user| os::give(&folder, *user).is_ok());
        Ok(Scratch { folder, user })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// The user that the program in it has to become, if it has one of its own.
    #[must_use]
    pub fn user(&self) -> Option<u32> {
        self.user
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove_tree(&self.folder);
        if let Some(user) = self.user {
            // Simplification: what an ordinary user's program leaves there looks like that user's own, and stays.
            names_of(user).for_each(|path| drop(fs::remove_file(path)));
        }
    }
}

/// Gives a new file or folder to whom `within` belongs, if that is not netlab's user.
///
/// # Errors
/// Only root may give.
pub fn hand_over(path: &Path, within: &Path) -> io::Result<()> {
    match (os::owner(within), os::owner(path)) {
        (Some(user), Some(own)) if user != own => os::give(path, user),
        _ => Ok(()),
    }
}

/// Lets netlab make something in a folder again, if the program in it has forbidden that.
pub fn reopen(folder: &Path) {
    os::open_up(folder);
}

fn names() -> impl Iterator<Item = PathBuf> {
    fs::read_dir(NAMES).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// The files in /dev/shm that belong to a user, and were not there before.
fn names_of(user: u32) -> impl Iterator<Item = PathBuf> {
    let before = |path: &PathBuf| NAMES_BEFORE.get().is_some_and(|before| before.contains(path));
    names().filter(move |path| os::owner(path) == Some(user) && !before(path))
}

/// How many bytes are used in a folder, and since netlab began in /dev/shm by the folder's user; counting ends above `most`. `None` where that
/// can't be said: too deep, or hidden.
pub(super) fn used(folder: &Path, most: u64) -> Option<u64> {
    let mut sum = 0;
    let mut folders = vec![(folder.to_path_buf(), 0)];
    while let Some((inner, depth)) = folders.pop() {
        let entries = match fs::read_dir(&inner) {
            Ok(entries) => entries,
            // It has just been removed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(_) => return None,
        };
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            sum += ENTRY + os::allocated(&metadata);
            if sum > most {
                return Some(sum);
            }
            if metadata.is_dir() {
                if depth == DEPTH {
                    return None;
                }
                folders.push((entry.path(), depth + 1));
            }
        }
    }
    let names =
        os::owner(folder).into_iter().flat_map(names_of).filter_map(|path| path.symlink_metadata().ok());
    Some(sum + names.map(|metadata| ENTRY + os::allocated(&metadata)).sum::<u64>())
}

/// Removes a folder with all that is in it; links are removed, not followed. A program may have left folders that
/// nobody may enter, and folders in folders deeper than any path is long: each is moved up before it is emptied, so
/// that none is deeper than the first.
pub fn remove_tree(folder: &Path) {
    if !folder.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
        // The program put something else in its place.
        let _ = fs::remove_file(folder);
        return;
    }
    let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
    let mut number = 0_u64;
    let mut left = vec![folder.to_path_buf()];
    // A folder is emptied, and removed when those that were in it are.
    let mut emptied = Vec::new();
    while let Some(next) = left.pop() {
        os::open_up(&next);
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            // Of the entry itself, not of what it leads to.
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                let _ = fs::remove_file(path);
            } else if fs::remove_dir(&path).is_err() {
                // A name that the program could not guess, and take.
                let up = folder.join(format!(".removed-{now}-{number}"));
                number += 1;
                os::open_up(&path);
                if fs::rename(&path, &up).is_ok() {
                    left.push(up);
                }
            }
        }
        emptied.push(next);
    }
    // What can't be removed stays in the system's temporary folder.
    emptied.iter().rev().for_each(|folder| drop(fs::remove_dir(folder)));
}

/// Reads a small file where a program that nobody trusts may have put something else: a link, a pipe, or a large one.
///
/// # Errors
/// No such file; [`io::ErrorKind::InvalidData`] for what is none, or has more than `most` bytes.
pub fn read_small(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut options = fs::OpenOptions::new();
    options.read(true);
    os::only_the_file(&mut options);
    let file = options.open(path)?;
    let mut bytes = Vec::new();
    if file.metadata()?.is_file() {
        file.take(most + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 <= most {
            return Ok(bytes);
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test, a panic is the answer")]
    use super::*;

    // Catches: a removal that overflows its stack or runs out of descriptors, and one that follows a link.
    #[cfg(unix)]
    #[test]
    fn whatever_was_left_is_removed() {
        let precious = tempfile::tempdir().unwrap();
        fs::write(precious.path().join("file"), "kept").unwrap();
        let scratch = Scratch::new().unwrap();
        // Five times as deep as a path may be long: a chain of folders, moved again and again to the end of another.
        let chain = ["d"; 1_000].join("/");
        for number in 0..5 {
            let (top, new) = (scratch.path().join("d"), scratch.path().join("new"));
            fs::create_dir_all(new.join(&chain)).unwrap();
            if number > 0 {
                fs::rename(&top, new.join(&chain).join("d")).unwrap();
            }
            fs::rename(new.join("d"), top).unwrap();
        }
        std::os::unix::fs::symlink(precious.path(), scratch.path().join("link")).unwrap();
        let folder = scratch.path().to_path_buf();
        assert_eq!(used(&folder, u64::MAX), None, "too deep to be measured");
        drop(scratch);
        assert!(!folder.exists());
        assert_eq!(fs::read_to_string(precious.path().join("file")).unwrap(), "kept");
        let link = precious.path().with_extension("link");
        std::os::unix::fs::symlink(precious.path(), &link).unwrap();
        remove_tree(&link);
        assert!(!link.exists() && precious.path().join("file").exists(), "the link alone is removed");
    }

    #[cfg(unix)]
    #[test]
    fn only_a_small_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "12345").unwrap();
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        assert_eq!(read_small(&file, 5).unwrap(), b"12345");
        assert_eq!(read_small(&file, 4).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert!(read_small(&link, 5).is_err());
        assert_eq!(read_small(folder.path(), 5).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}

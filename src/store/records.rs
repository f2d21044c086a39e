//! The records: one file each, and an index of their stamps. The time is an argument, the disk a parameter.
//!
//! ```text
//! FILE_PATH/2024-001.txt                      RECORD_PATH/records.json
//!   Last updated: 2026-03-09 14:05:00           {
//!   Student ID: 2024-001                          "2024-001": "2026-03-09 14:05:00",
//!   Name: Ada                                     "2024-002": "2026-03-09 14:06:10"
//!   ...                                         }
//! ```
//! The files are the truth: the index is rebuilt from them at every start, so a crash between the two costs
//! nothing. Format: the course's records exercise. No threads and no clock here; [`super::Workers`] has them.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::protocol::names::ClientId;

use super::atomic::{self, TEMPORARY};
use super::disk::{Disk, Entry};
use super::error::{Op, StoreError};
use super::stamp::Stamp;

const STAMP_LINE: &str = "Last updated: ";
const EXTENSION: &str = ".txt";
/// Held locked while the folder is in use: two servers on one folder would undo each other's work.
const LOCK: &str = "netlab.lock";

/// The lock file of an index.
fn index_lock(index: &Path) -> PathBuf {
    let mut name = index.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// The largest record that is read. What the server wrote fits a frame of 64 KiB; a file put there by hand
/// shall not fill the memory.
const MAX_RECORD: usize = 1 << 20;
const TOO_LARGE: &str = "it is over 1 MiB";
const NO_STAMP: &str = "its first line is no stamp";

/// Where the records live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// The folder of the record files (`FILE_PATH`).
    pub files: PathBuf,
    /// The index file (`RECORD_PATH/RECORD_FILE`).
    pub index: PathBuf,
}

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When it was last written or refreshed.
    pub updated: Stamp,
    /// Its text, without the stamp line.
    pub text: String,
}

/// What was found at the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// How many records there are.
    pub records: usize,
    /// How many temporary files of an interrupted write were removed.
    pub temporaries: usize,
    /// Files that are no records, by name, with the reason. They were left alone.
    pub odd: Vec<(String, &'static str)>,
}

/// What a refresh did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// These records got a new stamp.
    pub ids: Vec<ClientId>,
    /// These left the index, with the reason: somebody removed their files or made them something else.
    pub lost: Vec<(ClientId, String)>,
    /// These kept their stamp, with the reason: the disk refused them.
    pub failed: Vec<(ClientId, String)>,
    /// There may be more behind this one.
    pub last: Option<ClientId>,
}

impl Refreshed {
    /// True if there was nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.lost.is_empty() && self.failed.is_empty()
    }
}

/// The records of one folder, whose only writer this is.
#[derive(Debug)]
pub struct Records<D: Disk> {
    disk: D,
    folders: Folders,
    stamps: BTreeMap<ClientId, Stamp>,
    index_is_stale: bool,
    _locks: Vec<D::File>,
}

impl<D: Disk> Records<D> {
    /// Opens the folder, which is made if need be: removes what an interrupted write left behind, and
    /// rebuilds the index from the files.
    ///
    /// # Errors
    /// A folder in use by another server, or one that can't be read and written.
    pub fn open(mut disk: D, folders: Folders) -> Result<(Records<D>, Opened), StoreError> {
        for folder in [folders.files.as_path(), super::disk::parent(&folders.index)] {
            disk.make_folder(folder).map_err(StoreError::of(Op::MakeFolder, folder))?;
        }
        // The files and their index may lie apart, and be shared with another server each.
        let mut locks = Vec::new();
        for lock in [folders.files.join(LOCK), index_lock(&folders.index)] {
            locks.push(disk.lock(&lock).map_err(|error| locked(&lock, error))?);
        }
        let entries = disk.list(&folders.files).map_err(StoreError::of(Op::List, &folders.files))?;
        let mut records =
            Records { disk, folders, stamps: BTreeMap::new(), index_is_stale: true, _locks: locks };
        let mut opened = Opened::default();
        for entry in entries {
            records.take_in(entry, &mut opened)?;
        }
        opened.odd.sort();
        opened.records = records.len();
        records.write_index()?;
        Ok((records, opened))
    }

    /// Sorts one file of the folder: a record, a stale temporary, netlab's own, or odd.
    fn take_in(&mut self, entry: Entry, opened: &mut Opened) -> Result<(), StoreError> {
        let Some(name) = entry.name else {
            opened.odd.push(("?".to_owned(), "its name is not UTF-8"));
            return Ok(());
        };
        let path = self.folders.files.join(&name);
        if name == LOCK || path == self.folders.index || path == index_lock(&self.folders.index) {
            return Ok(());
        }
        if let Some(stem) = name.strip_suffix(TEMPORARY)
            && (id_of(stem).is_some() || self.folders.files.join(stem) == self.folders.index)
        {
            opened.temporaries += 1;
            return self.disk.remove(&path).map_err(StoreError::of(Op::Remove, &path));
        }
        let found = match id_of(&name) {
            None => Err("its name is no client_id with .txt"),
            Some(_) if !entry.regular => Err("it is no regular file"),
            Some(id) => self.stamp_of(&path).map(|stamp| (id, stamp)),
        };
        match found {
            Ok((id, stamp)) => drop(self.stamps.insert(id, stamp)),
            Err(why) => opened.odd.push((name, why)),
        }
        Ok(())
    }

    /// The stamp in a file's first line.
    fn stamp_of(&mut self, path: &Path) -> Result<Stamp, &'static str> {
        let head = STAMP_LINE.len() + Stamp::LENGTH + "\r\n".len();
        let bytes = self.disk.read(path, head).map_err(|_| "it can't be read")?;
        split_stamp(&bytes).map(|(stamp, _)| stamp).ok_or(NO_STAMP)
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.stamps.len()
    }

    /// True if there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stamps.is_empty()
    }

    /// Every record's stamp, as the index has it.
    pub fn stamps(&self) -> impl Iterator<Item = (&ClientId, Stamp)> {
        self.stamps.iter().map(|(id, stamp)| (id, *stamp))
    }

    /// Writes a record, replacing the one before. It is durable after the next [`settle`](Self::settle), and
    /// must not be acknowledged earlier; in the index after the next [`write_index`](Self::write_index).
    ///
    /// # Errors
    /// The disk's, or a record over 1 MiB; the record before is intact.
    pub fn put(&mut self, id: &ClientId, text: &str, now: Stamp) -> Result<(), StoreError> {
        let path = self.path(id);
        let file = encode(now, text);
        if file.len() > MAX_RECORD {
            return Err(StoreError::of(Op::Write, &path)(io::Error::new(
                io::ErrorKind::FileTooLarge,
                TOO_LARGE,
            )));
        }
        atomic::put(&mut self.disk, &path, file.as_bytes())?;
        self.stamps.insert(id.clone(), now);
        self.index_is_stale = true;
        Ok(())
    }

    /// Makes every write so far durable: one fsync of the folder for all of them.
    ///
    /// # Errors
    /// The disk's: the records written since the last time are whole, but a power cut might undo them.
    pub fn settle(&mut self) -> Result<(), StoreError> {
        atomic::settle(&mut self.disk, &self.folders.files)
    }

    /// Brings the index on disk up to date, durably; does nothing if it is.
    ///
    /// # Errors
    /// The disk's: the records are safe, the index is stale until the next time.
    pub fn write_index(&mut self) -> Result<(), StoreError> {
        if self.index_is_stale {
            let by_id: BTreeMap<&str, String> =
                self.stamps.iter().map(|(id, stamp)| (id.as_str(), stamp.to_string())).collect();
            let mut json = serde_json::to_vec_pretty(&by_id).expect("a map of strings is JSON");
            json.push(b'\n');
            atomic::replace(&mut self.disk, &self.folders.index, &json)?;
            self.index_is_stale = false;
        }
        Ok(())
    }

    /// Reads a record; `None` if there is none.
    ///
    /// # Errors
    /// The disk's; `InvalidData` for a file that is no record, or is over 1 MiB.
    pub fn get(&mut self, id: &ClientId) -> Result<Option<Record>, StoreError> {
        let path = self.path(id);
        let bytes = match self.disk.read(&path, MAX_RECORD + 1) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            result => result.map_err(StoreError::of(Op::Read, &path))?,
        };
        let invalid = |why| StoreError::of(Op::Read, &path)(io::Error::new(io::ErrorKind::InvalidData, why));
        decode(&bytes).map(Some).map_err(invalid)
    }

    /// Gives records older than `threshold` the stamp `now`, in their files and in the index: at most `limit` of
    /// them, in the order of their ids, behind `after`. The index alone says which. One that the disk refuses
    /// keeps its stamp, and the others have their turn.
    ///
    /// # Errors
    /// A folder or an index that can't be written. What was refreshed before is whole.
    pub fn refresh(
        &mut self,
        now: Stamp,
        threshold: Duration,
        limit: usize,
        after: Option<&ClientId>,
    ) -> Result<Refreshed, StoreError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let old =
            self.stamps.range((from, Bound::Unbounded)).filter(|(_, stamp)| stamp.is_older(threshold, now));
        let old: Vec<ClientId> = old.take(limit).map(|(id, _)| id.clone()).collect();
        let mut refreshed = Refreshed::default();
        if old.len() == limit {
            refreshed.last = old.last().cloned();
        }
        for id in old {
            match self.get(&id) {
                Ok(Some(record)) => match self.put(&id, &record.text, now) {
                    Ok(()) => refreshed.ids.push(id),
                    Err(error) => refreshed.failed.push((id, error.reason())),
                },
                // The files are the truth.
                Ok(None) => self.lose(id, "its file is gone".to_owned(), &mut refreshed),
                Err(error) => self.lose(id, error.reason(), &mut refreshed),
            }
        }
        if !refreshed.ids.is_empty() {
            self.settle()?;
        }
        self.write_index()?;
        Ok(refreshed)
    }

    fn lose(&mut self, id: ClientId, why: String, refreshed: &mut Refreshed) {
        self.stamps.remove(&id);
        self.index_is_stale = true;
        refreshed.lost.push((id, why));
    }

    fn path(&self, id: &ClientId) -> PathBuf {
        self.folders.files.join(format!("{id}{EXTENSION}"))
    }
}

fn locked(path: &Path, error: io::Error) -> StoreError {
    let error = match error.kind() {
        io::ErrorKind::WouldBlock => {
            io::Error::new(io::ErrorKind::WouldBlock, "another server uses this folder")
        }
        _ => error,
    };
    StoreError::of(Op::Lock, path)(error)
}

/// The record that a file of this name is.
fn id_of(name: &str) -> Option<ClientId> {
    ClientId::parse(name.strip_suffix(EXTENSION)?).ok()
}

fn encode(stamp: Stamp, text: &str) -> String {
    format!("{STAMP_LINE}{stamp}\n{text}")
}

fn decode(file: &[u8]) -> Result<Record, &'static str> {
    if file.len() > MAX_RECORD {
        return Err(TOO_LARGE);
    }
    let (updated, text) = split_stamp(file).ok_or(NO_STAMP)?;
    let text = std::str::from_utf8(text).map_err(|_| "it is not UTF-8")?;
    Ok(Record { updated, text: text.to_owned() })
}

/// The stamp of the first line, and what follows that line.
fn split_stamp(file: &[u8]) -> Option<(Stamp, &[u8])> {
    let (first, text) = file.split_at(file.iter().position(|b| *b == b'\n')? + 1);
    // A `\r` is an editor's on Windows.
    let first = std::str::from_utf8(first).ok()?.trim_end_matches(['\r', '\n']);
    Some((Stamp::parse(first.strip_prefix(STAMP_LINE)?)?, text))
}

#[cfg(test)]
mod tests;

//! A disk for tests: it records every operation, and fails at the one it is told to.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::disk::{Disk, Entry, RealDisk};

/// The operations as `operation name`, and what comes in between.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(super) fn add(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }

    /// What was recorded since the last time.
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// The real disk, watched. Its clones share the log and the fault.
#[derive(Clone, Debug, Default)]
pub(super) struct TestDisk {
    pub(super) log: Log,
    /// A line of the log at which to fail, and errno.
    fault: Arc<Mutex<Option<(String, i32)>>>,
}

impl TestDisk {
    /// Every operation whose line in the log starts so fails.
    pub(super) fn fail(&self, operation: &str, errno: i32) {
        *self.fault.lock().unwrap() = Some((operation.to_owned(), errno));
    }

    pub(super) fn heal(&self) {
        *self.fault.lock().unwrap() = None;
    }

    fn step(&self, operation: &str, path: &Path) -> io::Result<()> {
        let name = path.file_name().unwrap_or_default().to_str().unwrap();
        let line = format!("{operation} {name}");
        self.log.add(&line);
        match &*self.fault.lock().unwrap() {
            Some((fault, errno)) if line.starts_with(fault) => Err(io::Error::from_raw_os_error(*errno)),
            _ => Ok(()),
        }
    }
}

/// A file with its name, for the log.
pub(super) struct TestFile(File, std::path::PathBuf);

impl Disk for TestDisk {
    type File = TestFile;

    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        RealDisk.make_folder(path)
    }

    fn list(&mut self, folder: &Path) -> io::Result<Vec<Entry>> {
        RealDisk.list(folder)
    }

    fn read(&mut self, path: &Path, limit: usize) -> io::Result<Vec<u8>> {
        self.step("read", path)?;
        RealDisk.read(path, limit)
    }

    fn create(&mut self, path: &Path) -> io::Result<TestFile> {
        self.step("create", path)?;
        RealDisk.create(path).map(|file| TestFile(file, path.to_owned()))
    }

    fn write(&mut self, file: &mut TestFile, bytes: &[u8]) -> io::Result<()> {
        // A full disk takes a part of it first.
        RealDisk.write(&mut file.0, &bytes[..bytes.len() / 2])?;
        self.step("write", &file.1)?;
        RealDisk.write(&mut file.0, &bytes[bytes.len() / 2..])
    }

    fn sync(&mut self, file: &mut TestFile) -> io::Result<()> {
        self.step("fsync", &file.1)?;
        RealDisk.sync(&mut file.0)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.step("rename", to)?;
        RealDisk.rename(from, to)
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        self.step("fsync-folder", folder)?;
        RealDisk.sync_folder(folder)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.step("remove", path)?;
        RealDisk.remove(path)
    }

    fn lock(&mut self, path: &Path) -> io::Result<TestFile> {
        RealDisk.lock(path).map(|file| TestFile(file, path.to_owned()))
    }
}

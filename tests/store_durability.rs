//! kill -9 during writes: no torn file, no acknowledged write lost, and an index that equals the files.
//!
//! The writer is this very test program, run again for one ignored test. SIGKILL takes the process and
//! leaves the system's cache, so this tests the order of the steps, not the fsyncs; those are shown by the
//! recording disk in `store/records/tests.rs`. A broken store is killed as well, and must be found out.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use netlab::protocol::names::ClientId;
use netlab::service::{Done, Job, Ticket};
use netlab::store::{Completion, Disk, Folders, RealDisk, Records, Refresh, Stamp, Workers, disk};

/// Where the writer writes; unset in an ordinary run.
const FOLDER: &str = "NETLAB_TEST_STORE";
/// The name of the fault that its disk shall have, if any.
const BROKEN: &str = "NETLAB_TEST_STORE_BROKEN";
/// Records, which are written in turn.
const IDS: u64 = 8;

fn folders(folder: &Path) -> Folders {
    Folders { files: folder.join("files"), index: folder.join("records.json") }
}

fn id(n: u64) -> ClientId {
    ClientId::parse(&format!("s{}", n % IDS)).unwrap()
}

/// The `n`th text: long enough to be torn, and it shows where.
fn text(n: u64) -> String {
    format!("write {n}\n").repeat(1_000)
}

/// The number of a text, if it is whole.
fn number(found: &str) -> Option<u64> {
    let n = found.strip_prefix("write ")?.lines().next()?.parse().ok()?;
    (found == text(n)).then_some(n)
}

#[test]
#[ignore = "the writer that the other tests run and kill"]
fn writer() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    if let Ok(fault) = std::env::var(BROKEN) {
        write_until_killed(BrokenDisk { in_place: fault == IN_PLACE, late: VecDeque::new() }, &folder);
    } else {
        write_until_killed(RealDisk, &folder);
    }
}

/// Writes, and says so on stdout for each write that was acknowledged. Ends only by force.
fn write_until_killed<D: Disk + Send + 'static>(disk: D, folder: &Path)
where
    D::File: Send,
{
    let (records, _) = Records::open(disk, folders(folder)).unwrap();
    let first = 1 + (0..IDS).filter_map(|n| read(folder, n)).max().unwrap_or(0);
    let (woken, wakes) = mpsc::sync_channel(1);
    let notify = Arc::new(move || woken.try_send(()).unwrap_or_default());
    let refresh = Refresh { every: Duration::from_millis(100), threshold: Duration::from_secs(1) };
    let workers = Workers::start(records, refresh, Stamp::now, notify).unwrap();
    let mut stdout = io::stdout().lock();
    let mut next = first;
    loop {
        while workers.try_submit(Ticket(next), Job::WriteRecord { id: id(next), text: text(next) }).is_ok() {
            next += 1;
        }
        wakes.recv().unwrap();
        for completion in workers.drain() {
            match completion {
                Completion::Finished(Ticket(n), Done::Written { .. }) => {
                    writeln!(stdout, "\nack {n}").unwrap();
                }
                Completion::Refreshed(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

fn read(folder: &Path, n: u64) -> Option<u64> {
    let file = std::fs::read_to_string(folder.join(format!("files/s{n}.txt"))).ok()?;
    number(file.split_once('\n')?.1)
}

/// Runs the writer, kills it after a while, and returns the last acknowledged write of each record.
fn run_and_kill(folder: &Path, broken: Option<&str>, acks: usize, acked: &mut BTreeMap<u64, u64>) -> usize {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "writer", "--nocapture"]).env(FOLDER, folder);
    if let Some(fault) = broken {
        command.env(BROKEN, fault);
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let child = Arc::new(Mutex::new(child));
    let mut count = 0;
    for line in stdout.lines() {
        let Some(n) = line.unwrap().strip_prefix("ack ").and_then(|n| n.parse::<u64>().ok()) else {
            continue;
        };
        acked.insert(n % IDS, n);
        count += 1;
        if count == acks {
            // From a thread of its own, some time later: in the middle of whatever goes on then.
            let child = child.clone();
            thread::spawn(move || {
                thread::sleep(Duration::from_micros(n * 7_919 % 20_000));
                child.lock().unwrap().kill().unwrap();
            });
        }
    }
    child.lock().unwrap().wait().unwrap();
    assert!(count >= acks, "the writer ended by itself");
    count
}

/// What is wrong with the folder after a kill, if anything.
fn fault(folder: &Path, acked: &BTreeMap<u64, u64>) -> Option<String> {
    let (mut records, opened) = match Records::open(RealDisk, folders(folder)) {
        Ok(opened) => opened,
        Err(error) => return Some(format!("{error}: {}", error.source)),
    };
    if !opened.odd.is_empty() {
        return Some(format!("torn: {:?}", opened.odd));
    }
    for (n, acked) in acked {
        let record = match records.get(&id(*n)) {
            Ok(Some(record)) => record,
            other => return Some(format!("s{n}: {other:?}")),
        };
        match number(&record.text) {
            None => return Some(format!("s{n} is torn: {} B", record.text.len())),
            Some(found) if found < *acked => {
                return Some(format!("s{n}: {acked} was acknowledged, {found} is there"));
            }
            Some(_) => {}
        }
    }
    let index: BTreeMap<String, String> =
        serde_json::from_reader(File::open(folder.join("records.json")).unwrap()).ok()?;
    let names = std::fs::read_dir(folder.join("files")).unwrap().map(|entry| entry.unwrap().path());
    let files = names.filter(|path| path.extension().is_some_and(|extension| extension == "txt"));
    let truth: BTreeMap<String, String> = files
        .map(|path| {
            let file = std::fs::read_to_string(&path).unwrap();
            let stamp = file.lines().next().unwrap().strip_prefix("Last updated: ").unwrap().to_owned();
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), stamp)
        })
        .collect();
    let temporaries = std::fs::read_dir(folder.join("files")).unwrap().count() - truth.len() - 1;
    if temporaries > 0 {
        return Some(format!("{temporaries} temporaries are left"));
    }
    (index != truth).then(|| format!("the index has {index:?}, the files {truth:?}"))
}

fn survives(kills: usize, acks: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut acked = BTreeMap::new();
    let mut total = 0;
    for kill in 1..=kills {
        total += run_and_kill(folder.path(), None, acks, &mut acked);
        assert_eq!(fault(folder.path(), &acked), None, "after kill {kill} and {total} writes");
    }
    assert!(total >= kills * acks);
}

#[test]
fn a_kill_during_writes_loses_nothing() {
    survives(10, 20);
}

/// What is wrong after some kills of a store on a broken disk.
fn found_out(broken: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut acked = BTreeMap::new();
    (0..100).find_map(|_| {
        run_and_kill(folder.path(), Some(broken), 5, &mut acked);
        fault(folder.path(), &acked)
    })
}

#[test]
fn a_store_that_writes_in_place_is_found_out() {
    let fault = found_out(IN_PLACE).expect("100 kills, and nothing was noticed");
    assert!(fault.contains("torn") || fault.contains("Ok(None)"), "{fault}");
}

#[test]
fn a_store_that_acknowledges_too_early_is_found_out() {
    let fault = found_out(LATE).expect("100 kills, and nothing was noticed");
    assert!(fault.contains("was acknowledged") || fault.contains("Ok(None)"), "{fault}");
}

const IN_PLACE: &str = "in place";
const LATE: &str = "late";

/// The broken variants: one writes to the file itself instead of a temporary one, the other renames a record
/// only when seven more have been written.
struct BrokenDisk {
    in_place: bool,
    late: VecDeque<(PathBuf, PathBuf)>,
}

fn target(path: &Path) -> PathBuf {
    if path.extension().is_some_and(|extension| extension == "tmp") {
        path.with_extension("")
    } else {
        path.to_owned()
    }
}

impl Disk for BrokenDisk {
    type File = File;

    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        RealDisk.make_folder(path)
    }

    fn list(&mut self, folder: &Path) -> io::Result<Vec<disk::Entry>> {
        RealDisk.list(folder)
    }

    fn read(&mut self, path: &Path, limit: usize) -> io::Result<Vec<u8>> {
        RealDisk.read(path, limit)
    }

    fn create(&mut self, path: &Path) -> io::Result<File> {
        RealDisk.create(&if self.in_place { target(path) } else { path.to_owned() })
    }

    fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        // As a slow disk would: in parts.
        bytes.chunks(512).try_for_each(|part| RealDisk.write(file, part))
    }

    fn sync(&mut self, file: &mut File) -> io::Result<()> {
        RealDisk.sync(file)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        if self.in_place {
            return Ok(());
        }
        if to.ends_with("records.json") {
            return RealDisk.rename(from, to);
        }
        self.late.push_back((from.to_owned(), to.to_owned()));
        let due = if self.late.len() > 7 { self.late.pop_front() } else { None };
        due.map_or(Ok(()), |(from, to)| RealDisk.rename(&from, &to))
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        RealDisk.sync_folder(folder)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn lock(&mut self, path: &Path) -> io::Result<File> {
        RealDisk.lock(path)
    }
}

mod long {
    #[test]
    #[ignore = "long: 200 kills during 10,000 writes"]
    fn two_hundred_kills_lose_nothing() {
        super::survives(200, 50);
    }
}

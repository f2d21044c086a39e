//! The records on a real folder, on a disk that records what is done to it, and on one that fails.

use super::super::disk::RealDisk;
use super::super::test_disk::TestDisk;
use super::*;

const ENOSPC: i32 = 28;
const EIO: i32 = 5;

fn at(seconds: u64) -> Stamp {
    Stamp::from(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + seconds))
}

fn id(text: &str) -> ClientId {
    ClientId::parse(text).unwrap()
}

/// A folder of records, with an index beside it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn folders(&self) -> Folders {
        Folders { files: self.0.path().join("files"), index: self.0.path().join("index/records.json") }
    }

    fn open<D: Disk>(&self, disk: D) -> (Records<D>, Opened) {
        Records::open(disk, self.folders()).unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folders().files.join(name)
    }

    fn index(&self) -> BTreeMap<String, String> {
        serde_json::from_slice(&std::fs::read(self.folders().index).unwrap()).unwrap()
    }

    /// What the files say, which the index must say too.
    fn truth(&self) -> BTreeMap<String, String> {
        let mut truth = BTreeMap::new();
        for entry in std::fs::read_dir(self.folders().files).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "txt") {
                let file = std::fs::read_to_string(&path).unwrap();
                let stamp = file.lines().next().unwrap().strip_prefix("Last updated: ").unwrap();
                truth.insert(path.file_stem().unwrap().to_str().unwrap().to_owned(), stamp.to_owned());
            }
        }
        truth
    }
}

fn write(records: &mut Records<impl Disk>, name: &str, text: &str, now: Stamp) -> Result<(), StoreError> {
    records.put(&id(name), text, now)?;
    records.settle()?;
    records.write_index()
}

#[test]
fn a_record_is_a_stamp_line_and_its_text() {
    let place = Place::new();
    let (mut records, opened) = place.open(RealDisk);
    assert_eq!(opened, Opened::default());
    write(&mut records, "s1", "Name: Ada\nCity: London", at(0)).unwrap();
    let file = std::fs::read_to_string(place.file("s1.txt")).unwrap();
    assert_eq!(file, "Last updated: 2001-09-09 01:46:40\nName: Ada\nCity: London");
    assert_eq!(place.index(), BTreeMap::from([("s1".into(), "2001-09-09 01:46:40".into())]));

    write(&mut records, "s1", "", at(1)).unwrap();
    let record = records.get(&id("s1")).unwrap();
    assert_eq!(record, Some(Record { updated: at(1), text: String::new() }), "a write replaces");
    assert_eq!(records.get(&id("s2")).unwrap(), None);
    for text in ["\n", "\r\nx\r\n", "é\0", "Last updated: 1999-01-01 00:00:00\n"] {
        write(&mut records, "s1", text, at(2)).unwrap();
        assert_eq!(records.get(&id("s1")).unwrap().unwrap().text, text);
    }
}

#[test]
fn a_start_rebuilds_the_index_and_clears_up() {
    let place = Place::new();
    std::fs::create_dir_all(place.file("folder.txt")).unwrap();
    let put = |name: &str, text: &str| std::fs::write(place.file(name), text).unwrap();
    put("s1.txt", "Last updated: 2026-03-07 14:05:00\nhello");
    put("s2.txt", "Last updated: 2026-03-07 14:06:00\r\né, from an editor on Windows");
    put("s3.txt", "no stamp");
    put("s4.txt.tmp", "Last upd");
    put("notes.md", "the teacher's own");
    put("a b.txt", "Last updated: 2026-03-07 14:05:00\n");
    put("mine.tmp", "not ours");
    std::fs::create_dir_all(place.folders().index.parent().unwrap()).unwrap();
    std::fs::write(place.folders().index, "{torn").unwrap();

    let (records, opened) = place.open(RealDisk);
    assert_eq!((opened.records, opened.temporaries, records.len()), (2, 1, 2));
    let odd: Vec<&str> = opened.odd.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(odd, ["a b.txt", "folder.txt", "mine.tmp", "notes.md", "s3.txt"]);
    assert!(odd.iter().all(|name| place.file(name).exists()), "odd files are left alone");
    assert!(!place.file("s4.txt.tmp").exists());
    let expected = [("s1", "2026-03-07 14:05:00"), ("s2", "2026-03-07 14:06:00")];
    assert_eq!(place.index(), expected.map(|(id, stamp)| (id.into(), stamp.into())).into());
}

#[test]
fn the_index_may_stand_among_the_files() {
    let place = Place::new();
    let folders = Folders { index: place.file("records.json"), ..place.folders() };
    let (mut records, _) = Records::open(RealDisk, folders.clone()).unwrap();
    write(&mut records, "s1", "x", at(0)).unwrap();
    drop(records);
    std::fs::write(place.file("records.json.tmp"), "{").unwrap();
    let (_, opened) = Records::open(RealDisk, folders).unwrap();
    assert_eq!(opened, Opened { records: 1, temporaries: 1, odd: vec![] });
}

#[test]
fn a_folder_has_one_writer() {
    let place = Place::new();
    let (records, _) = place.open(RealDisk);
    let second = Records::open(RealDisk, place.folders()).map(|_| ()).unwrap_err();
    assert_eq!((second.op, second.source.kind()), (Op::Lock, io::ErrorKind::WouldBlock));
    drop(records);
    place.open(RealDisk);
}

#[test]
fn bytes_are_durable_before_they_get_their_name() {
    let place = Place::new();
    let disk = TestDisk::default();
    let log = disk.log.clone();
    let (mut records, _) = place.open(disk);
    log.take();
    write(&mut records, "s1", "hello", at(0)).unwrap();
    let expected = [
        "create s1.txt.tmp",
        "write s1.txt.tmp",
        "fsync s1.txt.tmp",
        "rename s1.txt",
        "fsync-folder files",
        "create records.json.tmp",
        "write records.json.tmp",
        "fsync records.json.tmp",
        "rename records.json",
        "fsync-folder index",
    ];
    assert_eq!(log.take(), expected);
}

#[test]
fn whatever_fails_the_old_record_stays_and_no_temporary() {
    for operation in ["create", "write", "fsync s1", "rename"] {
        for errno in [ENOSPC, EIO] {
            let place = Place::new();
            let disk = TestDisk::default();
            let (mut records, _) = place.open(disk.clone());
            write(&mut records, "s1", "old", at(0)).unwrap();
            disk.fail(operation, errno);
            let error = write(&mut records, "s1", "new", at(1)).unwrap_err();
            assert_eq!(error.source.raw_os_error(), Some(errno), "{operation}");
            assert!(!error.reason().contains("s1"), "a client is told no path: {}", error.reason());
            assert!(!place.file("s1.txt.tmp").exists(), "{operation}");
            assert_eq!(records.get(&id("s1")).unwrap(), Some(Record { updated: at(0), text: "old".into() }));
            assert_eq!(place.index(), place.truth());

            disk.heal();
            write(&mut records, "s1", "new", at(2)).unwrap();
            assert_eq!(place.index(), place.truth(), "after {operation}");
        }
    }
}

#[test]
fn a_folder_that_cannot_be_synced_fails_the_write_and_leaves_whole_files() {
    let place = Place::new();
    let disk = TestDisk::default();
    let (mut records, _) = place.open(disk.clone());
    disk.fail("fsync-folder files", EIO);
    assert_eq!(write(&mut records, "s1", "new", at(1)).unwrap_err().op, Op::SyncFolder);
    assert_eq!(records.get(&id("s1")).unwrap().unwrap().text, "new");
    records.write_index().unwrap();
    assert_eq!(place.index(), place.truth());
}

#[test]
fn a_refresh_stamps_what_is_old_and_nothing_else() {
    let place = Place::new();
    let (mut records, _) = place.open(RealDisk);
    write(&mut records, "old", "stays the same", at(0)).unwrap();
    write(&mut records, "edge", "", at(100)).unwrap();
    write(&mut records, "young", "", at(101)).unwrap();
    let threshold = Duration::from_secs(900);
    assert_eq!(records.refresh(at(1_000), threshold, 64, None).unwrap().ids, [id("old")]);
    assert!(records.refresh(at(1_000), threshold, 64, None).unwrap().is_empty());
    let old = records.get(&id("old")).unwrap().unwrap();
    assert_eq!(old, Record { updated: at(1_000), text: "stays the same".into() });
    assert_eq!(place.index(), place.truth());
    assert_eq!(place.index()["edge"], at(100).to_string());
}

#[test]
fn a_refresh_looks_at_the_index_alone() {
    let place = Place::new();
    let disk = TestDisk::default();
    let (mut records, _) = place.open(disk.clone());
    for name in ["a", "b", "c"] {
        write(&mut records, name, "", at(0)).unwrap();
    }
    disk.log.take();
    assert!(records.refresh(at(900), Duration::from_secs(900), 64, None).unwrap().is_empty());
    assert_eq!(disk.log.take(), [""; 0], "nothing is old: no file is touched");
    assert_eq!(records.refresh(at(901), Duration::from_secs(900), 2, None).unwrap().ids, [id("a"), id("b")]);
    assert_eq!(records.refresh(at(901), Duration::from_secs(900), 2, None).unwrap().ids, [id("c")]);
}

#[test]
fn a_refresh_gives_up_what_was_removed_by_hand() {
    let place = Place::new();
    let disk = TestDisk::default();
    let (mut records, _) = place.open(disk.clone());
    for name in ["a", "b", "c"] {
        write(&mut records, name, "", at(0)).unwrap();
    }
    std::fs::remove_file(place.file("a.txt")).unwrap();
    std::fs::write(place.file("b.txt"), "Last updated: soon\n").unwrap();
    let refreshed = records.refresh(at(10), Duration::ZERO, 64, None).unwrap();
    assert_eq!(refreshed.ids, [id("c")]);
    let lost: Vec<&str> = refreshed.lost.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!((lost, refreshed.lost[0].1.as_str()), (vec!["a", "b"], "its file is gone"));
    assert_eq!(place.index().into_keys().collect::<Vec<_>>(), ["c"]);
    assert!(place.file("b.txt").exists());
}

#[test]
fn a_record_that_the_disk_refuses_keeps_its_stamp_and_stops_nobody() {
    let place = Place::new();
    let disk = TestDisk::default();
    let (mut records, _) = place.open(disk.clone());
    for name in ["a", "b", "c"] {
        write(&mut records, name, "", at(0)).unwrap();
    }
    disk.fail("fsync b", ENOSPC);
    let refreshed = records.refresh(at(20), Duration::ZERO, 64, None).unwrap();
    assert_eq!(refreshed.ids, [id("a"), id("c")]);
    assert_eq!(refreshed.failed.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(records.get(&id("b")).unwrap().unwrap().updated, at(0));
    assert_eq!(place.index()["a"], at(20).to_string(), "the index knows what was done");
}

#[test]
fn a_file_that_cannot_be_read_stops_nobody() {
    let place = Place::new();
    let disk = TestDisk::default();
    let (mut records, _) = place.open(disk.clone());
    for name in ["a", "b"] {
        write(&mut records, name, "", at(0)).unwrap();
    }
    disk.fail("read a.txt", EIO);
    let refreshed = records.refresh(at(10), Duration::ZERO, 64, None).unwrap();
    assert_eq!((refreshed.ids, refreshed.lost.len()), (vec![id("b")], 1));
    drop(records);
    let (_, opened) = place.open(disk);
    assert_eq!((opened.records, opened.odd), (1, vec![("a.txt".to_owned(), "it can't be read")]));
}

#[test]
fn a_file_too_large_is_neither_written_nor_read() {
    let place = Place::new();
    let (mut records, _) = place.open(RealDisk);
    assert!(records.put(&id("s1"), &"x".repeat(MAX_RECORD), at(0)).is_err());
    let head = "Last updated: 2026-03-07 14:05:00\n".to_owned();
    std::fs::write(place.file("s1.txt"), head + &"x".repeat(MAX_RECORD)).unwrap();
    let error = records.get(&id("s1")).unwrap_err();
    assert_eq!(error.source.kind(), io::ErrorKind::InvalidData);
}

// Catches: a read that follows a link out of the folder, or waits for ever for whoever writes into a pipe.
#[cfg(unix)]
#[test]
fn a_record_is_a_file_of_that_very_name() {
    let place = Place::new();
    let (mut records, _) = place.open(RealDisk);
    let secret = place.file("secret");
    std::fs::write(&secret, "Last updated: 2026-01-02 03:04:05\nsecret").unwrap();
    std::os::unix::fs::symlink(&secret, place.file("link.txt")).unwrap();
    assert!(records.get(&id("link")).is_err());
    let made = std::process::Command::new("mkfifo").arg(place.file("pipe.txt")).status();
    if made.is_ok_and(|status| status.success()) {
        assert!(records.get(&id("pipe")).is_err());
    }
}

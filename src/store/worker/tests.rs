//! The workers: order, batches, full queues, refreshes, and a disk that fails below them.

use std::sync::{Condvar, Mutex};

use super::super::records::Folders;
use super::super::test_disk::TestDisk;
use super::*;
use crate::protocol::names::ClientId;

const NEVER: Refresh = Refresh { every: Duration::from_secs(3_600), threshold: Duration::from_secs(900) };
const PATIENCE: Duration = Duration::from_secs(30);

fn at(seconds: u64) -> Stamp {
    Stamp::from(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + seconds))
}

fn id(text: &str) -> ClientId {
    ClientId::parse(text).unwrap()
}

fn write(name: &str, text: &str) -> Job {
    Job::WriteRecord { id: id(name), text: text.to_owned() }
}

fn records(folder: &tempfile::TempDir, disk: &TestDisk) -> Records<TestDisk> {
    let folders = Folders { files: folder.path().join("files"), index: folder.path().join("records.json") };
    Records::open(disk.clone(), folders).unwrap().0
}

fn finished(completions: Vec<Completion>) -> Vec<(u64, Done)> {
    let finished = completions.into_iter().filter_map(|completion| match completion {
        Completion::Finished(Ticket(n), done) => Some((n, done)),
        _ => None,
    });
    finished.collect()
}

/// A clock that the worker waits at until the gate is opened: meanwhile its queue fills.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(open, |open| !*open).unwrap());
    }
}

#[test]
fn the_answer_comes_after_the_fsyncs() {
    let folder = tempfile::tempdir().unwrap();
    let disk = TestDisk::default();
    let records = records(&folder, &disk);
    let log = disk.log.clone();
    log.take();
    let gate = Gate::default();
    let (waits, answers) = (gate.clone(), log.clone());
    let clock = move || {
        waits.pass();
        at(0)
    };
    let workers = Workers::start(records, NEVER, clock, Arc::new(move || answers.add("answer"))).unwrap();
    workers.try_submit(Ticket(1), write("s1", "a")).unwrap();
    workers.try_submit(Ticket(2), write("s2", "b")).unwrap();
    gate.open();
    let done = finished(workers.finish());
    let written = Done::Written { updated: at(0).to_string() };
    assert_eq!(done, [(1, written.clone()), (2, written)]);

    let log = log.take();
    let position =
        |line: &str| log.iter().rposition(|l| l == line).unwrap_or_else(|| panic!("{line} in {log:?}"));
    for name in ["s1.txt", "s2.txt"] {
        let steps = [
            position(&format!("write {name}.tmp")),
            position(&format!("fsync {name}.tmp")),
            position(&format!("rename {name}")),
            position("fsync-folder files"),
            position("answer"),
        ];
        assert!(steps.is_sorted(), "{name}: {steps:?} in {log:?}");
    }
}

#[test]
fn jobs_that_wait_together_share_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let disk = TestDisk::default();
    let records = records(&folder, &disk);
    disk.log.take();
    let gate = Gate::default();
    let waits = gate.clone();
    let clock = move || {
        waits.pass();
        at(0)
    };
    let workers = Workers::start(records, NEVER, clock, Arc::new(|| {})).unwrap();
    for n in 0..60 {
        workers.try_submit(Ticket(n), write(&format!("s{n}"), "x")).unwrap();
    }
    gate.open();
    assert_eq!(finished(workers.finish()).len(), 60);
    let index_writes = disk.log.take().iter().filter(|line| *line == "rename records.json").count();
    // The first batch has whatever was there when the worker woke; the rest came during it.
    assert!((1..=2).contains(&index_writes), "{index_writes}");
}

#[test]
fn a_full_queue_says_so_at_once_and_nothing_queued_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let records = records(&folder, &TestDisk::default());
    let gate = Gate::default();
    let waits = gate.clone();
    let clock = move || {
        waits.pass();
        at(0)
    };
    let workers = Workers::start(records, NEVER, clock, Arc::new(|| {})).unwrap();
    let accepted =
        (0..10_000).take_while(|n| workers.try_submit(Ticket(*n), write("s1", "x")).is_ok()).count();
    // The worker holds at most a batch of its own.
    assert!((DISK_QUEUE..=DISK_QUEUE + BATCH + 1).contains(&accepted), "{accepted}");
    let password = Job::VerifyPassword { password: "x".into(), hash: None };
    workers.try_submit(Ticket(9_999), password).expect("a slow disk delays no login");
    gate.open();
    let done = finished(workers.finish());
    assert_eq!(done.len(), accepted + 1);
    let order: Vec<u64> = done.iter().map(|(n, _)| *n).filter(|n| *n != 9_999).collect();
    assert!(order.is_sorted(), "first come, first served");
}

#[test]
fn reads_see_the_writes_before_them() {
    let folder = tempfile::tempdir().unwrap();
    let workers =
        Workers::start(records(&folder, &TestDisk::default()), NEVER, || at(5), Arc::new(|| {})).unwrap();
    workers.try_submit(Ticket(1), Job::ReadRecord { id: id("s1") }).unwrap();
    workers.try_submit(Ticket(2), write("s1", "hello")).unwrap();
    workers.try_submit(Ticket(3), Job::ReadRecord { id: id("s1") }).unwrap();
    let updated = at(5).to_string();
    let expected = [
        (1, Done::NoSuchRecord),
        (2, Done::Written { updated: updated.clone() }),
        (3, Done::Read { updated, text: "hello".into() }),
    ];
    assert_eq!(finished(workers.finish()), expected);
}

#[test]
fn what_the_disk_refuses_is_never_acknowledged() {
    for operation in ["create s1", "write s1", "fsync s1", "rename s1", "fsync-folder files"] {
        for errno in [5, 28] {
            let folder = tempfile::tempdir().unwrap();
            let disk = TestDisk::default();
            let workers = Workers::start(records(&folder, &disk), NEVER, || at(0), Arc::new(|| {})).unwrap();
            disk.fail(operation, errno);
            workers.try_submit(Ticket(1), write("s1", "x")).unwrap();
            let done = finished(workers.finish());
            assert!(matches!(&done[..], [(1, Done::StoreFailed { .. })]), "{operation}: {done:?}");
        }
    }
}

#[test]
fn an_index_that_cannot_be_written_is_reported_and_made_up_for() {
    let folder = tempfile::tempdir().unwrap();
    let disk = TestDisk::default();
    let (woken, wakes) = mpsc::channel();
    let notify = Arc::new(move || woken.send(()).unwrap());
    let workers = Workers::start(records(&folder, &disk), NEVER, || at(0), notify).unwrap();
    disk.fail("write records.json", 28);
    workers.try_submit(Ticket(1), write("s1", "x")).unwrap();
    wakes.recv_timeout(PATIENCE).unwrap();
    let completions: Vec<Completion> = workers.drain().collect();
    assert!(
        matches!(&completions[..], [
        Completion::Finished(Ticket(1), Done::Written { .. }),
        Completion::IndexFailed { reason },
    ] if reason.contains("records.json")),
        "{completions:?}"
    );
    assert_eq!(workers.records(), 1);

    disk.heal();
    workers.try_submit(Ticket(2), write("s2", "x")).unwrap();
    assert_eq!(finished(workers.finish()).len(), 1);
    let index = std::fs::read_to_string(folder.path().join("records.json")).unwrap();
    assert!(index.contains("s1") && index.contains("s2"), "{index}");
}

#[test]
fn old_records_are_refreshed_when_it_is_time() {
    let folder = tempfile::tempdir().unwrap();
    let disk = TestDisk::default();
    let mut records = records(&folder, &disk);
    for n in 0..=BATCH {
        records.put(&id(&format!("s{n:03}")), "x", at(0)).unwrap();
    }
    let (woken, wakes) = mpsc::channel();
    let refresh = Refresh { every: Duration::from_millis(1), threshold: Duration::from_secs(900) };
    let notify = Arc::new(move || woken.send(()).unwrap_or_default());
    let workers = Workers::start(records, refresh, || at(1_000), notify).unwrap();
    let mut refreshed = Vec::new();
    while refreshed.len() < BATCH + 1 {
        wakes.recv_timeout(PATIENCE).unwrap();
        for completion in workers.drain() {
            let Completion::Refreshed(part) = completion else { panic!("{completion:?}") };
            refreshed.extend(part.ids);
        }
    }
    assert!(refreshed.is_sorted(), "each of them once");
    assert_eq!(workers.finish(), [], "nothing is old any more");
}

#[test]
fn a_refresh_that_the_disk_refuses_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let disk = TestDisk::default();
    let mut records = records(&folder, &disk);
    records.put(&id("s1"), "x", at(0)).unwrap();
    disk.fail("write s1", 28);
    let (woken, wakes) = mpsc::channel();
    let refresh = Refresh { every: Duration::from_millis(20), threshold: Duration::from_secs(900) };
    let notify = Arc::new(move || woken.send(()).unwrap_or_default());
    let workers = Workers::start(records, refresh, || at(1_000), notify).unwrap();
    wakes.recv_timeout(PATIENCE).unwrap();
    let first = workers.drain().next().unwrap();
    let Completion::Refreshed(part) = first else { panic!("{first:?}") };
    assert_eq!((part.ids.len(), part.failed[0].0.clone()), (0, id("s1")));
}

#[test]
fn passwords_are_verified_beside_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let workers =
        Workers::start(records(&folder, &TestDisk::default()), NEVER, || at(0), Arc::new(|| {})).unwrap();
    let hash = super::super::hash_password("secret", &[3; 16]);
    let verify = |password: &str, hash: Option<&String>| Job::VerifyPassword {
        password: password.into(),
        hash: hash.cloned(),
    };
    workers.try_submit(Ticket(1), verify("secret", Some(&hash))).unwrap();
    workers.try_submit(Ticket(2), verify("wrong", Some(&hash))).unwrap();
    workers.try_submit(Ticket(3), verify("secret", None)).unwrap();
    let verified = [(1, true), (2, false), (3, false)].map(|(n, right)| (n, Done::Verified(right)));
    assert_eq!(finished(workers.finish()), verified);
}

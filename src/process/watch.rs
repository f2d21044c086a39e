//! The watch over what a child uses up together with all that it started. The system limits each process for itself;
//! many small ones are as much as a big one.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::capture::{self, Capture};
use super::{Limits, OTHERS, os, running, scratch};

/// How often processes and memory are looked at.
const EVERY: Duration = Duration::from_millis(100);
/// The scratch folder is looked at once in so many looks: its files have to be counted.
const FILES_EVERY: u32 = 3;

/// What the processes of a child take together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Family {
    /// How many there are.
    pub(super) processes: usize,
    /// Memory that they hold, in bytes; what they share counts once for each.
    pub(super) resident: u64,
}

/// Whom to watch.
pub(super) struct Watch {
    /// The child's process id.
    pub(super) leader: u32,
    pub(super) limits: Limits,
    /// The user that is the child's alone.
    pub(super) user: Option<u32>,
    /// Where it may write.
    pub(super) scratch: Option<PathBuf>,
    /// Where its end is explained.
    pub(super) stderr: Arc<Mutex<Capture>>,
}

impl Watch {
    /// Watches on a thread of its own until the child has been waited for.
    pub(super) fn start(self) -> io::Result<()> {
        let Limits { processes, together, files, .. } = self.limits;
        if processes.is_none() && together.is_none() && files.is_none() {
            return Ok(());
        }
        let look = move || {
            let mut look = 0_u32;
            while running(|running| running.contains(&self.leader)) {
                let excess = self.excess(look.is_multiple_of(FILES_EVERY));
                if let Some(excess) = excess {
                    self.end(&excess);
                }
                thread::sleep(EVERY);
                look = look.wrapping_add(1);
            }
        };
        thread::Builder::new().spawn(look).map(drop)
    }

    /// What there is too much of.
    fn excess(&self, with_files: bool) -> Option<String> {
        let Limits { processes, together, files, .. } = self.limits;
        let others = OTHERS.get_or_init(Default::default);
        let now = running(|running| running.clone());
        let family = os::family(self.leader, self.user, &now, others);
        if processes.is_some_and(|most| family.processes > most) {
            return Some(format!("{} processes", family.processes));
        }
        if together.is_some_and(|most| family.resident > most) {
            return Some(format!("{} MiB of memory", family.resident >> 20));
        }
        let (folder, most) = (self.scratch.as_ref().filter(|_| with_files)?, files?);
        let used = scratch::used(folder, most);
        used.is_none_or(|used| used > most).then(|| "files, or more bytes in them, than it may".to_owned())
    }

    /// Ends the child and all that is its. As long as it is in the set nobody else can have got its number.
    fn end(&self, excess: &str) {
        running(|running| {
            if running.contains(&self.leader) {
                let why = format!("\nnetlab: ended, because it had {excess}\n");
                capture::note(&self.stderr, why.as_bytes());
                os::kill_group_of(self.leader);
                os::kill_orphans(running, OTHERS.get_or_init(Default::default), self.user);
            }
        });
    }
}

//! Linux: limits by prlimit, orphans by PR_SET_CHILD_SUBREAPER, processor time by /proc.

use std::collections::HashSet;
use std::fs;
use std::process::Child;
use std::sync::Once;
use std::time::Duration;

use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitOptions, getpid, kill_process, prlimit, set_child_subreaper, waitpid,
};

use crate::process::Limits;

/// Orphans may leave orphans of their own; more generations than this nobody starts within a kill.
const GENERATIONS: usize = 50;

/// Has orphaned descendants become children of this process.
pub(in crate::process) fn adopt_orphans() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // A kernel before 3.4: what leaves its group stays out of reach.
        let _ = set_child_subreaper(Some(getpid()));
    });
}

/// The children of this process, each as a number and the time of its start: numbers are used again.
pub(in crate::process) fn children() -> HashSet<(u32, u64)> {
    let own = getpid();
    stats()
        .filter(|stat| Pid::from_raw(stat.parent) == Some(own))
        .map(|stat| (stat.pid, stat.start))
        .collect()
}

/// Kills the children of this process that came to it as orphans, and those that they leave. Left alone are those in
/// `running` with their groups, and the `others`, whom somebody else started.
pub(in crate::process) fn kill_orphans(running: &HashSet<u32>, others: &HashSet<(u32, u64)>) {
    let own = getpid();
    let orphan = |stat: &Stat| {
        Pid::from_raw(stat.parent) == Some(own)
            && !running.contains(&stat.pid)
            && !u32::try_from(stat.group).is_ok_and(|group| running.contains(&group))
            && !others.contains(&(stat.pid, stat.start))
    };
    for _ in 0..GENERATIONS {
        let orphans: Vec<Pid> =
            stats().filter(orphan).filter_map(|stat| Pid::from_raw(i32::try_from(stat.pid).ok()?)).collect();
        // All are killed before one is waited for: together they can't replace one another as fast.
        let killed: Vec<Pid> =
            orphans.into_iter().filter(|orphan| kill_process(*orphan, Signal::KILL).is_ok()).collect();
        if killed.is_empty() {
            return;
        }
        for orphan in killed {
            // Killed, it ends soon; its own children come to us by then.
            let _ = waitpid(Some(orphan), WaitOptions::empty());
        }
    }
}

/// Sets the child's limits. It has just started: what it did until now was little.
pub(in crate::process) fn limit(child: &Child, limits: Limits) {
    let asked = [
        (Resource::As, limits.memory),
        (Resource::Nofile, limits.descriptors),
        (Resource::Fsize, limits.file_size),
        (Resource::Cpu, limits.cpu_seconds),
    ];
    for (resource, limit) in asked {
        if limit.is_some() {
            // Only a limit above the own one is refused; then that one holds.
            let _ =
                prlimit(Some(super::unix::pid(child)), resource, Rlimit { current: limit, maximum: limit });
        }
    }
}

/// Processor time of all processes in the group, counted in clock ticks (10 ms mostly).
pub(in crate::process) fn group_cpu_time(group: u32) -> Option<Duration> {
    let ticks: Vec<u64> =
        stats().filter(|stat| u32::try_from(stat.group) == Ok(group)).map(|stat| stat.ticks).collect();
    let total = ticks.iter().sum::<u64>();
    (!ticks.is_empty())
        .then(|| Duration::from_millis(total * 1_000 / rustix::param::clock_ticks_per_second()))
}

/// How many processes the group has.
pub(in crate::process) fn group_size(group: u32) -> usize {
    stats().filter(|stat| u32::try_from(stat.group) == Ok(group)).count()
}

/// How many threads this process's user has: what RLIMIT_NPROC counts.
pub(in crate::process) fn threads_of_user() -> u64 {
    use std::os::unix::fs::MetadataExt;
    let own = rustix::process::getuid().as_raw();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mine = entries.filter(|entry| {
        let process = entry.file_name().to_str().is_some_and(|name| name.parse::<u32>().is_ok());
        process && entry.metadata().is_ok_and(|metadata| metadata.uid() == own)
    });
    mine.map(|entry| fs::read_dir(entry.path().join("task")).map_or(1, |tasks| tasks.count() as u64)).sum()
}

/// True if the process belongs to the group.
pub(in crate::process) fn in_group(pid: u32, group: u32) -> bool {
    stat(pid).is_some_and(|stat| u32::try_from(stat.group) == Ok(group))
}

/// What netlab wants from /proc/PID/stat (proc_pid_stat(5)).
struct Stat {
    pid: u32,
    parent: i32,
    group: i32,
    /// utime + stime.
    ticks: u64,
    /// When it started, in clock ticks since the system did.
    start: u64,
}

fn stats() -> impl Iterator<Item = Stat> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| stat(entry.file_name().to_str()?.parse().ok()?))
}

fn stat(pid: u32) -> Option<Stat> {
    parse(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The second member, the name in parentheses, may hold anything, parentheses and spaces among it.
fn parse(pid: u32, line: &str) -> Option<Stat> {
    let (_, behind_name) = line.rsplit_once(") ")?;
    let members: Vec<&str> = behind_name.split(' ').collect();
    let ticks = members.get(11)?.parse::<u64>().ok()? + members.get(12)?.parse::<u64>().ok()?;
    let (parent, group) = (members.get(1)?.parse().ok()?, members.get(2)?.parse().ok()?);
    Some(Stat { pid, parent, group, ticks, start: members.get(19)?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_line_is_read_behind_any_name() {
        let stat =
            super::parse(7, "7 (a) b ( c)) S 5 6 7 0 -1 4 9 8 7 6 250 50 3 2 20 0 1 0 100 5 6").unwrap();
        assert_eq!((stat.pid, stat.parent, stat.group, stat.ticks, stat.start), (7, 5, 6, 300, 100));
    }
}

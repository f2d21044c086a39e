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

/// Kills every child of this process that is not in `running`, and the children that those leave.
pub(in crate::process) fn kill_orphans(running: &HashSet<u32>) {
    let own = getpid();
    for _ in 0..GENERATIONS {
        let orphans: Vec<Pid> = stats()
            .filter(|stat| Pid::from_raw(stat.parent) == Some(own) && !running.contains(&stat.pid))
            .filter_map(|stat| Pid::from_raw(i32::try_from(stat.pid).ok()?))
            .collect();
        if orphans.is_empty() {
            return;
        }
        for orphan in orphans {
            let _ = kill_process(orphan, Signal::KILL);
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
    Some(Stat { pid, parent: members.get(1)?.parse().ok()?, group: members.get(2)?.parse().ok()?, ticks })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_line_is_read_behind_any_name() {
        let stat =
            super::parse(7, "7 (a) b ( c)) S 5 6 7 0 -1 4 9 8 7 6 250 50 3 2 20 0 1 0 100 5 6").unwrap();
        assert_eq!((stat.pid, stat.parent, stat.group, stat.ticks), (7, 5, 6, 300));
    }
}

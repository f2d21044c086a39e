//! Linux: limits by prlimit, orphans by PR_SET_CHILD_SUBREAPER, processor time by /proc.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::process::Child;
use std::sync::Once;
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitOptions, getpid, kill_process, prlimit, set_child_subreaper, waitpid,
};

use crate::process::Limits;
use crate::process::watch::Family;

/// The longest that orphans are chased: each may leave another one before it is killed.
const CHASE: Duration = Duration::from_secs(20);
/// The dead that are left unburied while others live: numbers of processes are scarce.
const UNBURIED: usize = 2_000;

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
/// `running` with their groups, and the `others`, whom somebody else started. With `user` it is that user's alone, as
/// long as others run.
pub(in crate::process) fn kill_orphans(
    running: &HashSet<u32>,
    others: &HashSet<(u32, u64)>,
    user: Option<u32>,
) {
    let own = getpid();
    let orphan = |stat: &Stat| {
        Pid::from_raw(stat.parent) == Some(own)
            && !running.contains(&stat.pid)
            && !u32::try_from(stat.group).is_ok_and(|group| running.contains(&group))
            && !others.contains(&(stat.pid, stat.start))
            && (running.is_empty() || user.is_none_or(|user| real_user(stat.pid) == Some(user)))
    };
    let pid = |stat: &Stat| Pid::from_raw(i32::try_from(stat.pid).ok()?);
    let begun = Instant::now();
    // The dead are waited for when none is alive: until then they count against RLIMIT_NPROC, and a program that
    // starts another before it dies comes to its end. It is over when there is neither: one look may come between the
    // death of one and the birth of the next, but then it shows the dead one.
    while begun.elapsed() < CHASE {
        let (dead, alive): (Vec<Stat>, Vec<Stat>) = stats().filter(orphan).partition(|stat| stat.zombie);
        if dead.is_empty() && alive.is_empty() {
            return;
        }
        for orphan in alive.iter().filter_map(pid) {
            let _ = kill_process(orphan, Signal::KILL);
        }
        if alive.is_empty() || dead.len() > UNBURIED {
            for orphan in dead.iter().filter_map(pid) {
                let _ = waitpid(Some(orphan), WaitOptions::NOHANG);
            }
        }
    }
}

/// What the processes of a child take together, wherever they have gone: its group, its descendants, and what came to
/// this process as orphans of its user's. Without a user of its own, orphans are its as long as nobody else runs.
pub(in crate::process) fn family(
    leader: u32,
    user: Option<u32>,
    running: &HashSet<u32>,
    others: &HashSet<(u32, u64)>,
) -> Family {
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let all: HashMap<i32, Stat> =
        stats().filter_map(|stat| Some((i32::try_from(stat.pid).ok()?, stat))).collect();
    let member = |stat: &Stat| {
        if u32::try_from(stat.group) == Ok(leader) {
            return true;
        }
        // A table that changes while it is read may have a circle in it.
        let mut top = stat;
        for _ in 0..all.len() {
            match all.get(&top.parent) {
                Some(parent) if top.parent != own && top.pid != leader => top = parent,
                _ => break,
            }
        }
        if top.pid == leader || top.parent != own {
            return top.pid == leader;
        }
        let orphan = !running.contains(&top.pid) && !others.contains(&(top.pid, top.start));
        orphan && user.map_or(running.len() == 1, |user| real_user(stat.pid) == Some(user))
    };
    let members = all.values().filter(|stat| !stat.zombie && member(stat));
    members.fold(Family::default(), |sum, stat| Family {
        processes: sum.processes + 1,
        resident: sum.resident + stat.resident,
    })
}

/// Whose a process is: that can't be hidden, as the owner of its folder in /proc can.
fn real_user(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Sets the child's limits. It has just started: what it did until now was little.
pub(in crate::process) fn limit(child: &Child, limits: Limits) {
    let asked = [
        // Not the address space: Java and Node reserve gigabytes that they never use.
        (Resource::Data, limits.memory),
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
    /// Memory that it holds, in bytes.
    resident: u64,
    /// Dead, and not waited for yet.
    zombie: bool,
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
    let resident = members.get(21)?.parse::<u64>().ok()? * rustix::param::page_size() as u64;
    let (start, zombie) = (members.get(19)?.parse().ok()?, matches!(*members.first()?, "Z" | "X"));
    Some(Stat { pid, parent, group, ticks, start, resident, zombie })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_line_is_read_behind_any_name() {
        let stat =
            super::parse(7, "7 (a) b ( c)) S 5 6 7 0 -1 4 9 8 7 6 250 50 3 2 20 0 1 0 100 5 6 7").unwrap();
        assert_eq!((stat.pid, stat.parent, stat.group, stat.ticks, stat.start), (7, 5, 6, 300, 100));
    }
}

//! What differs by system: groups, limits, orphans, processor time.

#[cfg(target_os = "linux")]
mod landlock;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub(super) use landlock::{landlock, landlock_available, limit_processes};
#[cfg(target_os = "linux")]
pub(super) use linux::{adopt_orphans, children, group_cpu_time, group_size, in_group, kill_orphans, limit};
#[cfg(unix)]
pub(super) use unix::{exit_of, exited, interrupt_group, kill_group, kill_group_of, lead_a_group};
#[cfg(windows)]
pub(super) use windows::{exit_of, exited, interrupt_group, kill_group, kill_group_of, lead_a_group};

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    //! Systems without subreapers and /proc: what leaves its group is out of reach.
    // Simplification: no limits either; production would use job objects (Windows) and a launcher (macOS).
    use std::collections::HashSet;
    use std::path::Path;
    use std::process::Child;
    use std::time::Duration;

    use crate::process::Limits;

    pub(in crate::process) fn adopt_orphans() {}

    pub(in crate::process) fn children() -> HashSet<(u32, u64)> {
        HashSet::new()
    }

    pub(in crate::process) fn kill_orphans(_running: &HashSet<u32>, _others: &HashSet<(u32, u64)>) {}

    pub(in crate::process) fn limit(_child: &Child, _limits: Limits) {}

    pub(in crate::process) fn group_size(_group: u32) -> usize {
        0
    }

    pub(in crate::process) fn limit_processes(_more: Option<u64>) {}

    pub(in crate::process) fn landlock_available() -> Result<(), String> {
        Err("only Linux has Landlock".to_owned())
    }

    pub(in crate::process) fn landlock(_read: &[&Path], _write: &[&Path]) -> Result<(), String> {
        landlock_available()
    }

    pub(in crate::process) fn group_cpu_time(_group: u32) -> Option<Duration> {
        None
    }

    pub(in crate::process) fn in_group(_pid: u32, _group: u32) -> bool {
        false
    }
}
#[cfg(not(target_os = "linux"))]
pub(super) use elsewhere::{adopt_orphans, children, group_cpu_time, in_group, kill_orphans, limit};
#[cfg(not(target_os = "linux"))]
pub(super) use elsewhere::{group_size, landlock, landlock_available, limit_processes};

//! What differs by system: groups, limits, orphans, processor time.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod landlock;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod privilege;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub(super) use calls::refuse_calls;
#[cfg(target_os = "linux")]
pub(super) use landlock::{landlock, landlock_available, limit_processes};
#[cfg(target_os = "linux")]
pub(super) use linux::{adopt_orphans, children, family, group_cpu_time, in_group, kill_orphans, limit};
#[cfg(target_os = "linux")]
pub(super) use privilege::{
    become_user, close_inherited, fresh_user, give, leave_session, owner, readable_by_all,
};
#[cfg(unix)]
pub(super) use unix::{
    allocated, exit_of, exited, interrupt_group, kill_group, kill_group_of, lead_a_group, only_the_file,
    open_up,
};
#[cfg(windows)]
pub(super) use windows::{
    allocated, exit_of, exited, interrupt_group, kill_group, kill_group_of, lead_a_group, only_the_file,
    open_up,
};

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    //! Systems without subreapers and /proc: what leaves its group is out of reach.
    // Simplification: no limits either; production would use job objects (Windows) and a launcher (macOS).
    use std::collections::HashSet;
    use std::path::Path;
    use std::process::Child;
    use std::time::Duration;

    use crate::process::Limits;
    use crate::process::confine::Rules;
    use crate::process::watch::Family;

    pub(in crate::process) fn adopt_orphans() {}

    pub(in crate::process) fn children() -> HashSet<(u32, u64)> {
        HashSet::new()
    }

    pub(in crate::process) fn kill_orphans(
        _running: &HashSet<u32>,
        _others: &HashSet<(u32, u64)>,
        _user: Option<u32>,
    ) {
    }

    pub(in crate::process) fn limit(_child: &Child, _limits: Limits) {}

    pub(in crate::process) fn family(
        _leader: u32,
        _user: Option<u32>,
        _running: &HashSet<u32>,
        _others: &HashSet<(u32, u64)>,
    ) -> Family {
        Family::default()
    }

    pub(in crate::process) fn fresh_user(_random: u32) -> Option<u32> {
        None
    }

    pub(in crate::process) fn give(_path: &Path, _user: u32) -> std::io::Result<()> {
        Ok(())
    }

    pub(in crate::process) fn owner(_path: &Path) -> Option<u32> {
        None
    }

    pub(in crate::process) fn readable_by_all(_metadata: &std::fs::Metadata) -> bool {
        true
    }

    pub(in crate::process) fn leave_session() {}

    pub(in crate::process) fn close_inherited() {}

    pub(in crate::process) fn refuse_calls() -> Result<(), String> {
        Ok(())
    }

    pub(in crate::process) fn become_user(_user: u32) -> Result<(), String> {
        landlock_available()
    }

    pub(in crate::process) fn limit_processes(_more: Option<u64>) {}

    pub(in crate::process) fn landlock_available() -> Result<(), String> {
        Err("only Linux has Landlock".to_owned())
    }

    pub(in crate::process) fn landlock(_rules: &Rules<'_>) -> Result<(), String> {
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
pub(super) use elsewhere::*;

//! Unix: process groups.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::process::Exit;

/// Has the command start as the leader of a new group.
pub(in crate::process) fn lead_a_group(command: &mut Command) {
    command.process_group(0);
}

/// How the child ended, if it has. It is not waited for: as long as it is a zombie, nobody else gets its number.
pub(in crate::process) fn exited(child: &mut Child) -> Option<Exit> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let status = waitid(WaitId::Pid(pid(child)), options).ok()??;
    match status.exit_status() {
        Some(code) => Some(Exit::Code(code)),
        None => status.terminating_signal().map(Exit::Signal),
    }
}

/// Ends every process of the child's group. SIGKILL: what may be ignored is no certain end.
pub(in crate::process) fn kill_group(child: &mut Child) {
    // The only failure is a group without living members.
    let _ = kill_process_group(pid(child), Signal::KILL);
}

/// Ends every process of the group that `leader` leads; it has not been waited for.
pub(in crate::process) fn kill_group_of(leader: u32) {
    if let Some(group) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        // The only failure is a group without living members.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Sends Ctrl-C's signal to every process of the child's group.
pub(in crate::process) fn interrupt_group(child: &mut Child) {
    // As above.
    let _ = kill_process_group(pid(child), Signal::INT);
}

/// The end of a child that was waited for.
pub(in crate::process) fn exit_of(status: ExitStatus) -> Exit {
    match status.code() {
        Some(code) => Exit::Code(code),
        None => Exit::Signal(status.signal().unwrap_or(0)),
    }
}

pub(super) fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

//! Linux: system calls that reach other processes of the same user, and that Landlock knows nothing of. seccomp.

use std::collections::BTreeMap;

use nix::libc::{
    EPERM, IPPROTO_MPTCP, SYS_ioprio_set, SYS_prlimit64, SYS_sched_setaffinity, SYS_sched_setattr,
    SYS_sched_setparam, SYS_sched_setscheduler, SYS_setpriority, SYS_socket,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// Calls that are refused when the argument of that number, a process id, is not 0: not the caller's own. A limit on
/// netlab's processor time would end the checker.
const ON_OTHERS: [(i64, u8); 7] = [
    (SYS_prlimit64, 0),
    (SYS_setpriority, 1),
    (SYS_ioprio_set, 1),
    (SYS_sched_setaffinity, 0),
    (SYS_sched_setattr, 0),
    (SYS_sched_setparam, 0),
    (SYS_sched_setscheduler, 0),
];
/// The third argument of socket(), the protocol.
const PROTOCOL: u8 = 2;

/// Refuses them to this thread and what it starts. Landlock's rules for TCP leave multipath TCP out: it is refused
/// too, and programs that try it first go on with TCP.
pub(in crate::process) fn refuse_calls() -> Result<(), seccompiler::Error> {
    let mut rules = BTreeMap::new();
    for (call, argument) in ON_OTHERS {
        rules.insert(call, vec![rule(argument, SeccompCmpOp::Ne, 0)?]);
    }
    rules
        .insert(SYS_socket, vec![rule(PROTOCOL, SeccompCmpOp::Eq, u64::from(IPPROTO_MPTCP.unsigned_abs()))?]);
    let refused = SeccompAction::Errno(EPERM.unsigned_abs());
    let machine = std::env::consts::ARCH.try_into()?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refused, machine)?;
    seccompiler::apply_filter(&BpfProgram::try_from(filter)?)
}

fn rule(argument: u8, op: SeccompCmpOp, value: u64) -> Result<SeccompRule, seccompiler::Error> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, op, value)?;
    Ok(SeccompRule::new(vec![condition])?)
}

//! Linux: files, connections and signals by Landlock, processes by RLIMIT_NPROC.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
    make_bitflags,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::process::confine::Rules;

/// The oldest Landlock that confines reading and writing (Linux 5.13); newer ones confine more.
const LEAST: ABI = ABI::V1;
/// The newest one that is asked for: Unix sockets by their path (Linux 7.1). An older kernel does what it can.
const MOST: ABI = ABI::V9;

/// True if the kernel has Landlock, and it is not switched off.
pub(in crate::process) fn landlock_available() -> Result<(), String> {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(LEAST))
        .and_then(Ruleset::create)
        .map(drop)
        .map_err(|error| format!("the kernel has no Landlock ({error})"))
}

/// Holds this process to the rules, and whatever it starts.
pub(in crate::process) fn landlock(rules: &Rules<'_>) -> Result<(), String> {
    let words = |error: RulesetError| error.to_string();
    let names = make_bitflags!(AccessFs::{ReadFile | WriteFile | Truncate | MakeReg | RemoveFile});
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(MOST))
        .and_then(|ruleset| ruleset.handle_access(AccessNet::ConnectTcp))
        .and_then(|ruleset| ruleset.scope(Scope::Signal | Scope::AbstractUnixSocket))
        .and_then(Ruleset::create)
        .map_err(words)?;
    for path in &rules.read {
        ruleset = allow(ruleset, path, AccessFs::from_read(MOST)).map_err(words)?;
    }
    for path in &rules.write {
        ruleset = allow(ruleset, path, AccessFs::from_all(MOST)).map_err(words)?;
    }
    ruleset = allow(ruleset, rules.list, AccessFs::ReadDir.into()).map_err(words)?;
    ruleset = allow(ruleset, rules.names, names).map_err(words)?;
    for port in rules.connect {
        ruleset = ruleset.add_rule(NetPort::new(*port, AccessNet::ConnectTcp)).map_err(words)?;
    }
    let status = ruleset.restrict_self().map_err(words)?;
    match status.ruleset {
        RulesetStatus::NotEnforced => Err("the kernel did not enforce the rules".to_owned()),
        _ => Ok(()),
    }
}

/// Allows it for what is beneath the path. A path that isn't there needs no rule.
fn allow(
    ruleset: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let Ok(at) = PathFd::new(path) else { return Ok(ruleset) };
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(MOST) };
    if access.is_empty() { Ok(ruleset) } else { ruleset.add_rule(PathBeneath::new(at, access)) }
}

/// Lets this user have so many threads more than now, and no core files.
pub(in crate::process) fn limit_processes(more: Option<u64>) {
    // A lower limit than the own one is never refused.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    if let Some(more) = more {
        let limit = Some(super::linux::threads_of_user() + more);
        let own = getrlimit(Resource::Nproc).maximum;
        let limit = own.map_or(limit, |own| limit.map(|limit| limit.min(own)));
        let _ = setrlimit(Resource::Nproc, Rlimit { current: limit, maximum: limit });
    }
}

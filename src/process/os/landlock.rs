//! Linux: files by Landlock, processes by RLIMIT_NPROC.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The oldest Landlock that confines reading and writing (Linux 5.13); newer ones confine more.
const LEAST: ABI = ABI::V1;
/// The newest one that is asked for: signals stay inside (Linux 6.12).
const MOST: ABI = ABI::V6;

/// True if the kernel has Landlock, and it is not switched off.
pub(in crate::process) fn landlock_available() -> Result<(), String> {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(LEAST))
        .and_then(Ruleset::create)
        .map(drop)
        .map_err(|error| format!("the kernel has no Landlock ({error})"))
}

/// Lets this process read beneath `read`, do everything beneath `write`, and nothing else with files.
pub(in crate::process) fn landlock(read: &[&Path], write: &[&Path]) -> Result<(), String> {
    let words = |error: landlock::RulesetError| error.to_string();
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(MOST))
        .and_then(|rules| rules.scope(Scope::Signal))
        .and_then(Ruleset::create)
        .map_err(words)?;
    let (may_read, may_write) = (AccessFs::from_read(MOST), AccessFs::from_all(MOST));
    for (paths, access) in [(read, may_read), (write, may_write)] {
        for path in paths {
            // A path that isn't there needs no rule.
            let Ok(at) = PathFd::new(path) else { continue };
            let access = if path.is_dir() { access } else { access & AccessFs::from_file(MOST) };
            rules = rules.add_rule(PathBeneath::new(at, access)).map_err(words)?;
        }
    }
    let status = rules.restrict_self().map_err(words)?;
    match status.ruleset {
        RulesetStatus::NotEnforced => Err("the kernel did not enforce the rules".to_owned()),
        _ => Ok(()),
    }
}

/// Lets this user have so many processes more than now, and no core files.
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

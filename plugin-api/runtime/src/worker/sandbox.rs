//! Confines the process before any engine code runs. What the kernel lacks is left out and told.

use std::io;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetStatus, Scope, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};

use super::seccomp;
use crate::wire::frame::Start;

/// Newest Landlock version this code knows; older kernels get what they have.
const LANDLOCK: ABI = ABI::V6;

/// What an engine may read: the system's libraries and time zones. Nothing may be written or run.
const READABLE: [&str; 8] = [
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
    "/usr/share/zoneinfo",
    "/etc/localtime",
];

/// End when the host does, however it ends.
pub(super) fn die_with_parent() -> io::Result<()> {
    Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
}

/// Confine this process for good; gives what could not be done.
pub(super) fn enter(start: &Start) -> Vec<String> {
    let mut remarks = Vec::new();
    let mut remark = |what: &str, outcome: Result<(), String>| {
        if let Err(why) = outcome {
            remarks.push(format!("isolation without {what}: {why}"));
        }
    };
    remark("resource limits", limits(start.memory));
    remark("no_new_privs", rustix::thread::set_no_new_privs(true).map_err(|e| e.to_string()));
    remark("Landlock", landlock());
    remark("seccomp", seccomp::enter());
    remarks
}

fn limits(memory: u64) -> Result<(), String> {
    let limit = |resource, value| {
        let both = Rlimit { current: Some(value), maximum: Some(value) };
        setrlimit(resource, both).map_err(|e| format!("{resource:?}: {e}"))
    };
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Nofile, 1024)?;
    limit(Resource::Msgqueue, 0)?;
    limit(Resource::As, memory)
}

fn landlock() -> Result<(), String> {
    let status = restrict().map_err(|e| e.to_string())?;
    match status {
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Ok(()),
        RulesetStatus::NotEnforced => Err("this kernel has none".to_owned()),
    }
}

fn restrict() -> Result<RulesetStatus, landlock::RulesetError> {
    let read = AccessFs::from_read(LANDLOCK);
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(LANDLOCK))?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?
        .create()?
        .add_rules(path_beneath_rules(READABLE, read))?
        .restrict_self()?;
    Ok(status.ruleset)
}

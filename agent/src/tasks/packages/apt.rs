//! apt on Debian and its relatives.

use agent_protocol::core_command::Manager;

use super::{
    Action, Exit, Failure, PackageManager, Plan, Request, STATUS_FD, Step, Unsupported, Upgrading, failure,
};

/// apt-get.
pub struct Apt;

/// Nobody is there to answer a question.
const ENVIRONMENT: [(&str, &str); 6] = [
    ("DEBIAN_FRONTEND", "noninteractive"),
    ("DEBIAN_PRIORITY", "critical"),
    ("APT_LISTCHANGES_FRONTEND", "none"),
    ("NEEDRESTART_MODE", "l"),
    ("UCF_FORCE_CONFFOLD", "1"),
    ("LC_ALL", "C.UTF-8"),
];

impl PackageManager for Apt {
    fn manager(&self) -> Manager {
        Manager::Apt
    }

    fn program(&self) -> &str {
        "apt-get"
    }

    fn plan(&self, request: &Request) -> Result<Plan, Unsupported> {
        let mut args = options(request);
        match &request.action {
            Action::Install(packages) => with(&mut args, &["install", "--"], packages),
            Action::Remove { packages, purge, autoremove } => {
                args.push(if *purge { "purge" } else { "remove" }.into());
                if *autoremove {
                    args.push("--auto-remove".into());
                }
                with(&mut args, &["--"], packages);
            }
            Action::Upgrade(Upgrading::Some(packages)) => {
                with(&mut args, &["install", "--only-upgrade", "--"], packages);
            }
            Action::Upgrade(Upgrading::All | Upgrading::Security) => {
                with(&mut args, &["upgrade", "--with-new-pkgs"], &[]);
            }
            Action::Refresh => with(&mut args, &["-o", "APT::Update::Error-Mode=any", "update"], &[]),
        }
        let env = ENVIRONMENT.map(|(name, value)| (name.into(), value.into())).into();
        Ok(Plan { steps: vec![Step { program: "apt-get".into(), args }], env })
    }

    fn survey(&self, request: &Request) -> Option<Plan> {
        if request.action != Action::Upgrade(Upgrading::Security) {
            return None;
        }
        let all = Request { action: Action::Upgrade(Upgrading::All), dry_run: true, ..request.clone() };
        self.plan(&all).ok()
    }

    fn surveyed(&self, request: &Request, output: &str) -> Request {
        let packages = output.lines().filter_map(security_update).collect();
        Request { action: Action::Upgrade(Upgrading::Some(packages)), ..request.clone() }
    }

    fn failure(&self, exit: &Exit, output: &str, _dry: bool) -> Option<Failure> {
        failure::of("apt-get", exit, output, &PATTERNS)
    }
}

fn options(request: &Request) -> Vec<String> {
    let mut options = vec!["-y".into(), "-q".into()];
    let mut set = |option: String| options.extend(["-o".into(), option]);
    // What the administrator changed stays; what they did not touch follows the package.
    set("Dpkg::Options::=--force-confdef".into());
    set("Dpkg::Options::=--force-confold".into());
    set("Dpkg::Use-Pty=0".into());
    // A name is a name, never a pattern.
    set("APT::Cmd::Use-Regexp=false".into());
    set(format!("DPkg::Lock::Timeout={}", request.lock_wait_s));
    if request.dry_run {
        options.push("-s".into());
    } else if request.action != Action::Refresh {
        set(format!("APT::Status-Fd={STATUS_FD}"));
    }
    options
}

fn with(args: &mut Vec<String>, words: &[&str], packages: &[String]) {
    args.extend(words.iter().map(|word| (*word).to_owned()));
    args.extend_from_slice(packages);
}

/// The package of `Inst libssl3 [3.0.11-1] (3.0.14-1 Debian-Security:12/stable-security [amd64])`.
fn security_update(line: &str) -> Option<String> {
    let rest = line.strip_prefix("Inst ")?;
    let name = rest.split(' ').next()?;
    let origin = rest.split_once('(')?.1.to_ascii_lowercase();
    let secure = origin.contains("-security") || origin.contains("debian-security") || origin.contains("esm");
    secure.then(|| name.to_owned())
}

/// What apt says when something is wrong, most telling first; `LC_ALL` keeps it English.
const PATTERNS: [failure::Pattern; 16] = [
    (
        "Unable to locate package",
        "package_unknown",
        "A package is not in the lists; refresh them, or check its name.",
    ),
    ("has no installation candidate", "package_unknown", "A package is known but no source offers it."),
    ("was not found", "package_unknown", "No source offers this version of a package."),
    (
        "Held packages were changed",
        "package_held",
        "A package is held at its version; `apt-mark unhold` releases it.",
    ),
    (
        "held broken packages",
        "dependencies_unmet",
        "The packages cannot be installed together, or one is held.",
    ),
    ("unmet dependencies", "dependencies_unmet", "A dependency cannot be met."),
    (
        "Could not get lock",
        "locked",
        "Another package manager runs; try again, or allow a longer wait for the lock.",
    ),
    (
        "Unable to acquire the dpkg",
        "locked",
        "Another package manager runs; try again, or allow a longer wait.",
    ),
    (
        "Unable to lock",
        "locked",
        "Another package manager runs; try again, or allow a longer wait for the lock.",
    ),
    ("enough free space", "no_space", "There is not enough room on the disk."),
    ("No space left on device", "no_space", "There is no room left on the disk."),
    (
        "dpkg was interrupted",
        "dpkg_interrupted",
        "An earlier run was cut short; run `dpkg --configure -a` first.",
    ),
    ("Sub-process", "package_script_failed", "A package's own script failed; the output says which."),
    ("are you root", "not_permitted", "The agent may not change packages: it does not run as root."),
    (
        "Failed to fetch",
        "network",
        "A package source cannot be reached, or its file is not what the lists say.",
    ),
    ("Could not resolve", "network", "The name of a package source cannot be resolved."),
];

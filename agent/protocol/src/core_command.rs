//! The core's commands: names, parameters as JSON in [`Command::payload`](crate::task::Command::payload), and the
//! checks that both sides make. The host refuses before it queues, the agent before it runs.
//!
//! Growth: parameters are optional with a serde default; an unknown one is an error, so that an old agent refuses what
//! it would otherwise do differently.

mod grammar;
mod sentence;

use std::fmt;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use grammar::{is_message, is_package, is_service};

/// Most packages or services in one command.
pub const MAX_NAMES: usize = 500;
/// Longest delay before a restart, in seconds.
pub const MAX_DELAY_S: u32 = 7 * 86_400;
/// Longest wait for another package manager's lock, in seconds.
pub const MAX_LOCK_WAIT_S: u32 = 3600;

/// A command's parameters are wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct InvalidParameter {
    /// The parameter; empty when the payload as a whole is wrong.
    pub field: &'static str,
    /// What is wrong, and what would be right.
    pub detail: String,
}

/// A package manager, by the name its users know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // The names say it.
pub enum Manager {
    Apt,
    Dnf,
    Zypper,
    Pacman,
    Apk,
    Pkg,
    PkgAdd,
    Pkgin,
    Brew,
    Winget,
    Choco,
    Snap,
    Flatpak,
}

impl Manager {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Apt,
        Self::Dnf,
        Self::Zypper,
        Self::Pacman,
        Self::Apk,
        Self::Pkg,
        Self::PkgAdd,
        Self::Pkgin,
        Self::Brew,
        Self::Winget,
        Self::Choco,
        Self::Snap,
        Self::Flatpak,
    ];

    /// The name in payloads.
    pub fn name(self) -> &'static str {
        match self {
            Self::Apt => "apt",
            Self::Dnf => "dnf",
            Self::Zypper => "zypper",
            Self::Pacman => "pacman",
            Self::Apk => "apk",
            Self::Pkg => "pkg",
            Self::PkgAdd => "pkg_add",
            Self::Pkgin => "pkgin",
            Self::Brew => "brew",
            Self::Winget => "winget",
            Self::Choco => "choco",
            Self::Snap => "snap",
            Self::Flatpak => "flatpak",
        }
    }
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Parameters of `core.packages.install`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Install {
    /// Packages, with a version where the manager has a form for it (`nginx=1.22.1-9`).
    pub packages: Vec<String>,
    /// Which manager; the system's own when absent.
    pub manager: Option<Manager>,
    /// Say what would happen, change nothing.
    pub dry_run: bool,
    /// Seconds to wait for another run's lock; 120 when absent.
    pub lock_wait_s: Option<u32>,
}

/// Parameters of `core.packages.remove`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Remove {
    /// Packages.
    pub packages: Vec<String>,
    /// Which manager; the system's own when absent.
    pub manager: Option<Manager>,
    /// Configuration files too.
    pub purge: bool,
    /// What was installed only for them too.
    pub autoremove: bool,
    /// Say what would happen, change nothing.
    pub dry_run: bool,
    /// Seconds to wait for another run's lock; 120 when absent.
    pub lock_wait_s: Option<u32>,
}

/// Parameters of `core.packages.upgrade`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Upgrade {
    /// Packages; all when empty.
    pub packages: Vec<String>,
    /// Only what mends a weakness.
    pub security_only: bool,
    /// Which manager; the system's own when absent.
    pub manager: Option<Manager>,
    /// Say what would happen, change nothing.
    pub dry_run: bool,
    /// Seconds to wait for another run's lock; 120 when absent.
    pub lock_wait_s: Option<u32>,
}

/// Parameters of `core.packages.refresh`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Refresh {
    /// Which manager; the system's own when absent.
    pub manager: Option<Manager>,
    /// Seconds to wait for another run's lock; 120 when absent.
    pub lock_wait_s: Option<u32>,
}

/// What to do with services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // The names say it.
pub enum ServiceVerb {
    Start,
    Stop,
    Restart,
    Reload,
    Enable,
    Disable,
}

impl ServiceVerb {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Start, Self::Stop, Self::Restart, Self::Reload, Self::Enable, Self::Disable];

    /// The last part of the command's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Reload => "reload",
            Self::Enable => "enable",
            Self::Disable => "disable",
        }
    }
}

/// Parameters of `core.services.*`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Services {
    /// Services, as the system names them (`nginx`, `nginx.service`).
    pub services: Vec<String>,
    /// With `enable` and `disable`: start or stop it now as well.
    pub now: bool,
}

/// Parameters of `core.power.*`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Power {
    /// Seconds until it happens.
    pub delay_s: u32,
    /// Told to people who are logged in.
    pub message: String,
}

/// Parameters of `core.refresh_inventory`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct RefreshInventory {
    /// Sections; all when empty. Unknown ones are passed over: agents differ in what they collect.
    pub sections: Vec<String>,
}

/// Parameters of `core.agent.update`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct AgentUpdate {
    /// Version that the agent becomes.
    pub version: String,
    /// Its release files, one per target.
    pub files: Vec<ReleaseFile>,
    /// Seconds in which the host must have welcomed it; 120 when absent.
    pub confirm_within_s: Option<u32>,
}

/// A release file, as the host has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ReleaseFile {
    /// Target triple.
    pub target: String,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
}

/// Seconds a new agent has to report when nobody says.
pub const CONFIRM_WITHIN_S: u32 = 120;

impl AgentUpdate {
    /// Seconds in which the host must have welcomed it.
    pub fn confirm_within_s(&self) -> u32 {
        self.confirm_within_s.unwrap_or(CONFIRM_WITHIN_S)
    }
}

/// A command of the core, its parameters checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CoreCommand {
    /// `core.ping`
    Ping,
    /// `core.refresh_inventory`
    RefreshInventory(RefreshInventory),
    /// `core.users.list`
    UsersList,
    /// `core.packages.install`
    Install(Install),
    /// `core.packages.remove`
    Remove(Remove),
    /// `core.packages.upgrade`
    Upgrade(Upgrade),
    /// `core.packages.refresh`
    Refresh(Refresh),
    /// `core.services.<verb>`
    Service(ServiceVerb, Services),
    /// `core.agent.update`
    AgentUpdate(AgentUpdate),
    /// `core.power.reboot`
    Reboot(Power),
    /// `core.power.shutdown`
    Shutdown(Power),
}

/// Every core command's name.
pub const NAMES: [&str; 16] = [
    "core.ping",
    "core.refresh_inventory",
    "core.users.list",
    "core.packages.install",
    "core.packages.remove",
    "core.packages.upgrade",
    "core.packages.refresh",
    "core.services.start",
    "core.services.stop",
    "core.services.restart",
    "core.services.reload",
    "core.services.enable",
    "core.services.disable",
    "core.agent.update",
    "core.power.reboot",
    "core.power.shutdown",
];

impl CoreCommand {
    /// The command `name` with the parameters in `payload`; `None` when there is none of that name.
    pub fn parse(name: &str, payload: &[u8]) -> Option<Result<Self, InvalidParameter>> {
        let verb = |name: &str| ServiceVerb::ALL.into_iter().find(|verb| verb.name() == name);
        let parsed = match name.strip_prefix("core.")? {
            "ping" => Ok(Self::Ping),
            "refresh_inventory" => parameters(payload).map(Self::RefreshInventory),
            "users.list" => Ok(Self::UsersList),
            "packages.install" => parameters(payload).map(Self::Install),
            "packages.remove" => parameters(payload).map(Self::Remove),
            "packages.upgrade" => parameters(payload).map(Self::Upgrade),
            "packages.refresh" => parameters(payload).map(Self::Refresh),
            "agent.update" => parameters(payload).map(Self::AgentUpdate),
            "power.reboot" => parameters(payload).map(Self::Reboot),
            "power.shutdown" => parameters(payload).map(Self::Shutdown),
            other => {
                let verb = verb(other.strip_prefix("services.")?)?;
                parameters(payload).map(|services| Self::Service(verb, services))
            }
        };
        Some(parsed.and_then(Self::checked))
    }

    fn checked(self) -> Result<Self, InvalidParameter> {
        match &self {
            Self::Install(Install { packages, manager, lock_wait_s, .. })
            | Self::Remove(Remove { packages, manager, lock_wait_s, .. }) => {
                some("packages", packages)?;
                grammar::packages(packages, *manager)?;
                lock_wait(*lock_wait_s)?;
            }
            Self::Upgrade(Upgrade { packages, manager, lock_wait_s, security_only, .. }) => {
                if *security_only && !packages.is_empty() {
                    return invalid("security_only", "Name packages or ask for security only, not both.");
                }
                grammar::packages(packages, *manager)?;
                lock_wait(*lock_wait_s)?;
            }
            Self::Refresh(Refresh { lock_wait_s, .. }) => lock_wait(*lock_wait_s)?,
            Self::Service(verb, Services { services, now }) => {
                some("services", services)?;
                grammar::services(services)?;
                if *now && !matches!(verb, ServiceVerb::Enable | ServiceVerb::Disable) {
                    return invalid("now", "`now` goes with enable and disable only.");
                }
            }
            Self::Reboot(power) | Self::Shutdown(power) => {
                if power.delay_s > MAX_DELAY_S {
                    return invalid("delay_s", "A delay is at most a week, 604800 seconds.");
                }
                if !is_message(&power.message) {
                    return invalid("message", "A message is one line of at most 200 bytes.");
                }
            }
            Self::AgentUpdate(update) => {
                if update.version.is_empty() || update.version.len() > 100 || update.files.len() > 100 {
                    return invalid("version", "Name a version that the host has releases of.");
                }
                if !(5..=3600).contains(&update.confirm_within_s()) {
                    return invalid("confirm_within_s", "A new agent has 5 to 3600 seconds to report.");
                }
            }
            Self::Ping | Self::RefreshInventory(_) | Self::UsersList => {}
        }
        Ok(self)
    }

    /// How long it may take when nobody says, in seconds: a restart counts until the machine is back.
    pub fn default_timeout_s(&self) -> u32 {
        match self {
            Self::Install(_) | Self::Remove(_) | Self::Upgrade(_) | Self::Refresh(_) => 3600,
            Self::Reboot(power) => power.delay_s.saturating_add(1800),
            Self::AgentUpdate(update) => update.confirm_within_s().saturating_add(1800),
            Self::Ping
            | Self::RefreshInventory(_)
            | Self::UsersList
            | Self::Service(..)
            | Self::Shutdown(_) => 600,
        }
    }

    /// Whether it only says what would happen.
    pub fn is_dry_run(&self) -> bool {
        matches!(
            self,
            Self::Install(Install { dry_run: true, .. })
                | Self::Remove(Remove { dry_run: true, .. })
                | Self::Upgrade(Upgrade { dry_run: true, .. })
        )
    }

    /// What it does on `machines` machines, in one sentence for people: "Install nginx on 12 machines".
    pub fn sentence(&self, machines: usize) -> String {
        sentence::of(self, machines)
    }
}

fn parameters<T: DeserializeOwned + Default>(payload: &[u8]) -> Result<T, InvalidParameter> {
    if payload.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(payload).map_err(|error| InvalidParameter {
        field: "payload",
        detail: format!("The parameters are wrong: {error}."),
    })
}

fn invalid<T>(field: &'static str, detail: impl Into<String>) -> Result<T, InvalidParameter> {
    Err(InvalidParameter { field, detail: detail.into() })
}

fn some(field: &'static str, names: &[String]) -> Result<(), InvalidParameter> {
    if names.is_empty() { invalid(field, format!("Name at least one of the {field}.")) } else { Ok(()) }
}

fn lock_wait(seconds: Option<u32>) -> Result<(), InvalidParameter> {
    match seconds {
        Some(seconds) if seconds > MAX_LOCK_WAIT_S => {
            invalid("lock_wait_s", "A wait for the lock is at most an hour, 3600 seconds.")
        }
        _ => Ok(()),
    }
}

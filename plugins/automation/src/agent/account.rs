//! The user a script runs as.

use std::path::PathBuf;

use plugin_sdk::{EngineError, EngineResult};

/// A user of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Name.
    pub name: String,
    /// Home directory.
    pub home: PathBuf,
    /// User and group to change to; `None` to stay what the agent is.
    pub change_to: Option<(u32, u32)>,
}

#[cfg(unix)]
impl Account {
    /// The user of that name, or the agent's own.
    ///
    /// # Errors
    /// `unknown_user` when this machine has no such user, `cannot_change_user` when the agent is not root.
    pub fn find(run_as: Option<&str>) -> EngineResult<Self> {
        use nix::unistd::{Uid, User};

        let own = Uid::effective();
        let Some(name) = run_as else {
            let user = User::from_uid(own).ok().flatten();
            let (name, home) = user.map_or_else(|| (own.to_string(), "/".into()), |u| (u.name, u.dir));
            return Ok(Self { name, home, change_to: None });
        };
        let unknown = || EngineError::new("unknown_user", format!("This machine has no user `{name}`."));
        if name.contains('\0') {
            return Err(unknown());
        }
        let user = User::from_name(name)
            .map_err(|e| {
                EngineError::new("unknown_user", format!("The user `{name}` cannot be looked up: {e}."))
            })?
            .ok_or_else(unknown)?;
        let change_to = match (user.uid == own, own.is_root()) {
            (true, _) => None,
            (false, true) => Some((user.uid.as_raw(), user.gid.as_raw())),
            (false, false) => {
                return Err(EngineError::new(
                    "cannot_change_user",
                    format!("The agent does not run as root, so it cannot run a script as `{name}`."),
                ));
            }
        };
        Ok(Self { name: user.name, home: user.dir, change_to })
    }
}

#[cfg(not(unix))]
impl Account {
    /// The agent's own user.
    ///
    /// # Errors
    /// `cannot_change_user`: a service on this system has no right to become another user without a password.
    pub fn find(run_as: Option<&str>) -> EngineResult<Self> {
        if let Some(name) = run_as {
            return Err(EngineError::new(
                "cannot_change_user",
                format!("On this system a script cannot run as `{name}`."),
            ));
        }
        let home = std::env::var_os("USERPROFILE").map_or_else(std::env::temp_dir, PathBuf::from);
        Ok(Self { name: std::env::var("USERNAME").unwrap_or_default(), home, change_to: None })
    }
}

//! Local accounts and groups. No password hash is kept, sent or logged.

use serde::{Deserialize, Serialize};

use super::is_default;

/// Local users and groups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Users {
    /// Users in the order of their ids.
    pub users: Vec<User>,
    /// Groups in the order of their ids.
    pub groups: Vec<Group>,
}

/// An account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// Login name.
    pub name: String,
    /// Numeric id; on Windows the last part of the SID.
    pub uid: u32,
    /// Primary group's id.
    pub gid: u32,
    /// Full name.
    #[serde(skip_serializing_if = "is_default")]
    pub full_name: String,
    /// Home folder.
    #[serde(skip_serializing_if = "is_default")]
    pub home: String,
    /// Login shell.
    #[serde(skip_serializing_if = "is_default")]
    pub shell: String,
    /// Belongs to the system rather than to a person.
    #[serde(skip_serializing_if = "is_default")]
    pub system: bool,
    /// Its shell lets nobody in.
    #[serde(skip_serializing_if = "is_default")]
    pub no_login: bool,
    /// `set`, `locked` (by the administrator), `none` (no password can match), `empty` (anybody gets in); absent when not known.
    #[serde(skip_serializing_if = "is_default")]
    pub password: Option<Password>,
    /// When the password was changed, in days since 1970.
    #[serde(skip_serializing_if = "is_default")]
    pub password_changed_day: Option<i64>,
    /// When the password must have been changed, in days since 1970.
    #[serde(skip_serializing_if = "is_default")]
    pub password_expires_day: Option<i64>,
    /// When the account ends, in days since 1970.
    #[serde(skip_serializing_if = "is_default")]
    pub expires_day: Option<i64>,
    /// Last login, in Unix seconds.
    #[serde(skip_serializing_if = "is_default")]
    pub last_login: Option<i64>,
    /// Where the last login came from.
    #[serde(skip_serializing_if = "is_default")]
    pub last_login_from: Option<String>,
    /// May become root, by what: `uid 0`, `group sudo`, `sudoers`.
    #[serde(skip_serializing_if = "is_default")]
    pub admin: Option<String>,
    /// Groups beside the primary one.
    #[serde(skip_serializing_if = "is_default")]
    pub groups: Vec<String>,
    /// Keys in `authorized_keys`.
    #[serde(skip_serializing_if = "is_default")]
    pub ssh_keys: u32,
}

/// What a password field says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Password {
    /// There is one.
    Set,
    /// There is one, and it is locked.
    Locked,
    /// None that could match.
    None,
    /// Empty: anybody gets in.
    Empty,
}

/// A group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Numeric id.
    pub gid: u32,
    /// Users that are members beside those whose primary group it is.
    #[serde(skip_serializing_if = "is_default")]
    pub members: Vec<String>,
}

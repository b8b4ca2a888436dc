//! Local accounts and groups. No password hash is kept, sent or logged.

pub mod logins;
pub mod sudoers;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{CollectError, is_default, source::Root};

/// Accounts beyond this many are left out.
const MOST: usize = 50_000;

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

pub(super) fn collect(root: &Root) -> Result<Users, CollectError> {
    let passwd = root.text("etc/passwd").map_err(CollectError::Read)?;
    let mut groups = parse_group(&root.text("etc/group").unwrap_or_default());
    let mut users = parse_passwd(&passwd, first_person(&root.text("etc/login.defs").unwrap_or_default()));
    if let Ok(shadow) = root.text("etc/shadow") {
        add_shadow(&mut users, &shadow);
    }
    let rights = sudoers::read(root);
    logins::add(root, &mut users);
    for user in &mut users {
        user.groups =
            groups.iter().filter(|g| g.members.contains(&user.name)).map(|g| g.name.clone()).collect();
        let primary = groups.iter().find(|group| group.gid == user.gid).map(|group| group.name.as_str());
        user.admin = sudoers::reason(user, primary, &rights);
        if !user.no_login {
            user.ssh_keys = ssh_keys(root, &user.home);
        }
    }
    users.sort_by(|a, b| (a.uid, &a.name).cmp(&(b.uid, &b.name)));
    groups.sort_by(|a, b| (a.gid, &a.name).cmp(&(b.gid, &b.name)));
    Ok(Users { users, groups })
}

/// The first id that belongs to people, of `login.defs`.
pub fn first_person(login_defs: &str) -> u32 {
    let line = login_defs.lines().find_map(|line| line.trim().strip_prefix("UID_MIN"));
    line.and_then(|rest| rest.trim().parse().ok()).unwrap_or(1000)
}

/// Parse `passwd(5)`. Of a name that comes twice the first counts, as it does for the system.
pub fn parse_passwd(text: &str, first_person: u32) -> Vec<User> {
    let mut users: Vec<User> = Vec::new();
    let mut seen = BTreeSet::new();
    for line in text.lines().take(MOST) {
        let fields: Vec<&str> = line.splitn(7, ':').collect();
        let [name, password, uid, gid, gecos, home, shell] = fields[..] else { continue };
        let (Ok(uid), Ok(gid)) = (uid.parse(), gid.parse()) else { continue };
        if name.is_empty() || name.starts_with(['#', '+', '-']) || !seen.insert(name.to_owned()) {
            continue;
        }
        users.push(User {
            name: name.into(),
            uid,
            gid,
            full_name: gecos.split(',').next().unwrap_or("").into(),
            home: home.into(),
            shell: shell.into(),
            system: uid < first_person || uid >= 65_534,
            no_login: ["/nologin", "/false", "/sync", "/shutdown", "/halt"]
                .iter()
                .any(|end| shell.ends_with(end)),
            // `x` stands for the one in shadow.
            password: (password != "x").then(|| Password::of_field(password)),
            ..User::default()
        });
    }
    users
}

/// Parse `group(5)`.
pub fn parse_group(text: &str) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut seen = BTreeSet::new();
    for line in text.lines().take(MOST) {
        let fields: Vec<&str> = line.splitn(4, ':').collect();
        let [name, _, gid, members] = fields[..] else { continue };
        let Ok(gid) = gid.parse() else { continue };
        if name.is_empty() || name.starts_with(['#', '+', '-']) || !seen.insert(name.to_owned()) {
            continue;
        }
        let members =
            members.split(',').map(str::trim).filter(|m| !m.is_empty()).map(str::to_owned).collect();
        groups.push(Group { name: name.into(), gid, members });
    }
    groups
}

impl Password {
    /// What the field says; the hash itself is looked at no further than its first sign.
    pub fn of_field(field: &str) -> Self {
        match field.as_bytes() {
            [] => Self::Empty,
            [b'!', b'$', ..] | [b'!', b'!', b'$', ..] => Self::Locked,
            [b'*' | b'!', ..] => Self::None,
            _ => Self::Set,
        }
    }
}

/// Add what `shadow(5)` says to the users.
pub fn add_shadow(users: &mut [User], text: &str) {
    let by_name: std::collections::BTreeMap<&str, &str> =
        text.lines().take(MOST).filter_map(|line| line.split_once(':')).collect();
    for user in users {
        let Some(rest) = by_name.get(user.name.as_str()) else { continue };
        let mut fields = rest.split(':');
        user.password = fields.next().map(Password::of_field);
        let mut day = || fields.next().and_then(|text| text.parse::<i64>().ok()).filter(|day| *day >= 0);
        user.password_changed_day = day();
        let (_least, most, _warn, _inactive) = (day(), day(), day(), day());
        user.expires_day = day();
        // 99999 days is how "never" is written.
        user.password_expires_day = match (user.password_changed_day, most) {
            (Some(changed), Some(most)) if most < 99_999 => Some(changed.saturating_add(most)),
            _ => None,
        };
    }
}

fn ssh_keys(root: &Root, home: &str) -> u32 {
    let text = root.text(&format!("{}/.ssh/authorized_keys", home.trim_end_matches('/'))).unwrap_or_default();
    let keys = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).count();
    u32::try_from(keys).unwrap_or(u32::MAX)
}

//! `core.users.list`: accounts and groups, from the files every Unix keeps them in.

use std::collections::BTreeMap;

use plugin_api::EngineError;
use serde::Serialize;

use crate::inventory::source::Root;

/// Accounts told at most.
const MOST: usize = 10_000;

#[derive(Debug, Serialize, PartialEq, Eq)]
struct User {
    name: String,
    uid: u32,
    gid: u32,
    full_name: String,
    home: String,
    shell: String,
    /// Groups besides the first, by name.
    groups: Vec<String>,
    /// Whether the shell lets one log in.
    login: bool,
}

#[derive(Serialize)]
struct Users {
    users: Vec<User>,
    truncated: bool,
}

/// The list as a result.
pub(super) fn list(root: &Root) -> Result<Vec<u8>, EngineError> {
    let read = |path: &str| {
        root.text(path).map_err(|error| {
            EngineError::new("not_supported", format!("/{path} cannot be read on this system: {error}."))
        })
    };
    let mut users = parse(&read("etc/passwd")?, &read("etc/group")?);
    let truncated = users.len() > MOST;
    users.truncate(MOST);
    plugin_api::error::encode(&Users { users, truncated })
}

fn parse(passwd: &str, group: &str) -> Vec<User> {
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for line in group.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, _, members] = fields[..] else { continue };
        for member in members.split(',').filter(|member| !member.is_empty()) {
            groups.entry(member).or_default().push(name.to_owned());
        }
    }
    let user = |line: &str| {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, uid, gid, gecos, home, shell] = fields[..] else { return None };
        Some(User {
            name: name.into(),
            uid: uid.parse().ok()?,
            gid: gid.parse().ok()?,
            full_name: gecos.split(',').next().unwrap_or_default().into(),
            home: home.into(),
            shell: shell.into(),
            groups: groups.get(name).cloned().unwrap_or_default(),
            login: !shell.ends_with("/nologin") && !shell.ends_with("/false"),
        })
    };
    passwd.lines().filter_map(user).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_come_with_their_groups_and_whether_they_may_log_in() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nbad line\nann:x:1000:1000:Ann Lee,,,:/home/ann:/bin/sh\n\
            www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n";
        let users = parse(passwd, "sudo:x:27:ann,bob\nweb:x:50:ann\nann:x:1000:\n");
        assert_eq!(users.len(), 3);
        assert_eq!((users[1].full_name.as_str(), users[1].groups.join(" ")), ("Ann Lee", "sudo web".into()));
        assert_eq!(users.iter().map(|u| u.login).collect::<Vec<_>>(), [true, true, false]);
    }
}

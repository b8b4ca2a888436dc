//! Who may become root, by what `sudoers` says.

use std::collections::BTreeSet;

use super::User;
use crate::inventory::source::Root;

/// Names and groups that a rule is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// Users.
    pub users: BTreeSet<String>,
    /// Groups.
    pub groups: BTreeSet<String>,
}

/// Of `/etc/sudoers` and `/etc/sudoers.d`; nobody where there is no sudo.
pub fn read(root: &Root) -> Rights {
    let mut rights = Rights::default();
    if !["usr/bin/sudo", "usr/local/bin/sudo", "usr/pkg/bin/sudo"].iter().any(|path| root.path(path).exists())
    {
        return rights;
    }
    for base in ["etc", "usr/local/etc"] {
        let mut files = vec![format!("{base}/sudoers")];
        // sudo itself leaves out names with a dot or a tilde.
        let own = root.names(&format!("{base}/sudoers.d")).into_iter();
        files.extend(
            own.filter(|n| !n.contains('.') && !n.ends_with('~')).map(|n| format!("{base}/sudoers.d/{n}")),
        );
        for file in files {
            parse(&root.text(&file).unwrap_or_default(), &mut rights);
        }
    }
    rights
}

/// Add what one file grants: rules that let a user or a group run everything.
pub fn parse(text: &str, rights: &mut Rights) {
    for line in text.replace("\\\n", " ").lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', '@']) {
            continue;
        }
        let Some((who, rest)) = line.split_once(char::is_whitespace) else { continue };
        if who == "Defaults" || who.starts_with("Defaults") || who.ends_with("_Alias") {
            continue;
        }
        let Some((_, commands)) = rest.split_once('=') else { continue };
        let everything = commands.rsplit([',', ' ', '\t', ':', ')']).any(|word| word.trim() == "ALL");
        if !everything {
            continue;
        }
        for name in who.split(',') {
            match name.strip_prefix('%') {
                Some(group) => rights.groups.insert(group.to_owned()),
                None => rights.users.insert(name.to_owned()),
            };
        }
    }
}

/// Why a user may become root; `None` when it may not.
pub fn reason(user: &User, primary_group: Option<&str>, rights: &Rights) -> Option<String> {
    if user.uid == 0 {
        return Some("uid 0".into());
    }
    if rights.users.contains(&user.name) || rights.users.contains("ALL") {
        return Some("sudoers".into());
    }
    let mut groups = user.groups.iter().map(String::as_str).chain(primary_group);
    groups.find(|group| rights.groups.contains(*group)).map(|group| format!("group {group}"))
}

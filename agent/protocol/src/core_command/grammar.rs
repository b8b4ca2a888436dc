//! Names as they may stand on a command line: none begins with a dash, none carries what a shell or a manager reads as
//! more than a name.

use super::{InvalidParameter, MAX_NAMES, Manager, invalid};

/// Longest name, in bytes.
const MAX_NAME: usize = 200;

/// Whether `name` may be given to `manager`; to any manager when it is not known yet.
pub fn is_package(name: &str, manager: Option<Manager>) -> bool {
    let extra: &[u8] = match manager {
        // foo:amd64, foo=1:2.3-4~bpo+1
        Some(Manager::Apt | Manager::Apk) => b".+-:=~",
        // foo-1:2.3-4.fc40.x86_64; @group
        Some(Manager::Dnf | Manager::Zypper) => b".+-:_~^=",
        Some(Manager::Flatpak) => b".-_",
        Some(Manager::Snap) => b"-",
        // python@3.12, homebrew/core/foo; vendor.product
        None | Some(_) => b".+-:=~_@/^%",
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || extra.contains(&b);
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    // `apt-get install foo-` removes foo.
    let removes = manager.is_none_or(|m| m == Manager::Apt) && name.ends_with('-');
    first && name.len() <= MAX_NAME && name.bytes().all(allowed) && !removes
}

/// Whether `name` may be a service's.
pub fn is_service(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b":_.@-\\".contains(&b);
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    first && name.len() <= MAX_NAME && name.bytes().all(allowed)
}

/// Whether `text` may be told to people on a terminal.
pub fn is_message(text: &str) -> bool {
    text.len() <= 200 && !text.chars().any(char::is_control)
}

pub(super) fn packages(names: &[String], manager: Option<Manager>) -> Result<(), InvalidParameter> {
    at_most("packages", names)?;
    match names.iter().find(|name| !is_package(name, manager)) {
        Some(bad) => invalid(
            "packages",
            format!(
                "`{}` is not a package name{}: letters, digits and . + - : = ~, beginning with a letter or digit.",
                printable(bad),
                manager.map(|m| format!(" of {m}")).unwrap_or_default()
            ),
        ),
        None => Ok(()),
    }
}

pub(super) fn services(names: &[String]) -> Result<(), InvalidParameter> {
    at_most("services", names)?;
    match names.iter().find(|name| !is_service(name)) {
        Some(bad) => invalid(
            "services",
            format!("`{}` is not a service name: letters, digits and . : _ @ -.", printable(bad)),
        ),
        None => Ok(()),
    }
}

fn at_most(field: &'static str, names: &[String]) -> Result<(), InvalidParameter> {
    if names.len() > MAX_NAMES {
        return invalid(field, format!("At most {MAX_NAMES} {field} in one command."));
    }
    Ok(())
}

fn printable(name: &str) -> String {
    name.chars().take(60).map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_an_option_a_path_or_a_command() {
        for bad in
            ["", "-y", "--purge", "a b", "a;b", "$(a)", "../a", "/etc", "a\n", "vim-", "é", "a*", "a|b"]
        {
            assert!(!is_package(bad, Some(Manager::Apt)), "{bad:?}");
            assert!(!is_package(bad, None), "{bad:?}");
            assert!(!is_service(bad) || bad == "vim-", "{bad:?}");
        }
    }

    #[test]
    fn the_forms_people_use_are_names() {
        for good in
            ["nginx", "g++", "libstdc++6:amd64", "nginx=1.22.1-9+deb12u1", "0ad", "linux-image-6.1.0-18"]
        {
            assert!(is_package(good, Some(Manager::Apt)), "{good}");
        }
        assert!(is_package("python@3.12", Some(Manager::Brew)));
        assert!(is_package("Mozilla.Firefox", Some(Manager::Winget)));
        assert!(is_package("org.gimp.GIMP", Some(Manager::Flatpak)));
        assert!(is_service("getty@tty1.service") && is_service("dbus-org.freedesktop.login1"));
    }
}

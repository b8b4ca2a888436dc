//! Which names of targets and roles are taken, and which file of a consistent snapshot a target is.

/// Fail, saying why, unless a target's path is one that every system reads the same.
pub(crate) fn check_target(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || name.len() > 255 {
        return Err("a path has 1 to 255 characters");
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-/".contains(&b)) {
        return Err("a path is of letters, digits, `.`, `_`, `+`, `-` and `/`");
    }
    for part in name.split('/') {
        match part {
            "" => return Err("a path neither begins nor ends with `/`, nor has `//`"),
            "." | ".." => return Err("a path that leads elsewhere"),
            _ if part.starts_with('.') || part.ends_with('.') => {
                return Err("no part of a path begins or ends with a dot");
            }
            _ => {}
        }
    }
    Ok(())
}

/// Fail, saying why, unless a delegated role may bear this name.
pub(crate) fn check_role(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || name.len() > 100 {
        return Err("a role's name has 1 to 100 characters");
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) || name.starts_with('.') {
        return Err("a role's name is of letters, digits, `.`, `_` and `-`");
    }
    if ["root", "timestamp", "snapshot", "targets"].iter().any(|top| top.eq_ignore_ascii_case(name)) {
        return Err("the name of a top-level role");
    }
    Ok(())
}

/// Where a target lies in a consistent snapshot: `a/b.engine` is `a/<sha256>.b.engine`.
pub fn consistent_name(path: &str, sha256: &[u8]) -> String {
    let sum = hex(sha256);
    match path.rsplit_once('/') {
        Some((folder, file)) => format!("{folder}/{sum}.{file}"),
        None => format!("{sum}.{path}"),
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_lead_elsewhere_or_read_differently_are_refused() {
        for name in [
            "",
            "/etc/passwd",
            "../x",
            "engines/../x",
            "engines/./x",
            "a//b",
            "a/",
            "..",
            ".",
            "a\\b",
            "C:x",
            "a b",
            "ä",
            "a/.hidden",
            "a/b.",
            "a\0b",
            "a%2fb",
            "a*",
        ] {
            assert!(check_target(name).is_err(), "{name}");
        }
        assert!(check_target(&"a".repeat(256)).is_err());
        for name in ["revocations.jws", "engines/a_b/1.0.0-rc.1+build/x86_64-unknown-linux-gnu.engine"] {
            assert_eq!(check_target(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn roles_do_not_take_the_place_of_others() {
        for name in ["root", "Targets", "SNAPSHOT", "timestamp", "a/b", "../a", ".a", "", "a b"] {
            assert!(check_role(name).is_err(), "{name}");
        }
        assert_eq!(check_role("publisher-sysmanage"), Ok(()));
    }

    #[test]
    fn the_digest_stands_before_the_files_name() {
        assert_eq!(consistent_name("a/b/c.x", &[0xab, 0x01]), "a/b/ab01.c.x");
        assert_eq!(consistent_name("c.x", &[0xff]), "ff.c.x");
    }
}

//! Updates of package systems that tell only by their own command; asked without letting them fetch anything where they can.

use std::collections::BTreeSet;

use super::{Manager, Update};
use crate::inventory::{packages::Packages, source::Root};

/// A package system and its updates; `None` when it does not answer.
type Answer = Option<Vec<Update>>;

/// Those whose program is on this machine.
pub fn collect(root: &Root, installed: &Packages) -> Vec<(Manager, Vec<Update>)> {
    let there = |program: &str| {
        ["usr/bin", "bin", "sbin", "usr/sbin"]
            .iter()
            .any(|folder| root.path(&format!("{folder}/{program}")).exists())
    };
    let mut found = Vec::new();
    let mut add = |name: &str, answer: Answer| {
        let error = answer.is_none().then(|| "its command does not answer".to_owned());
        found.push((Manager { name: name.into(), lists_at: None, error }, answer.unwrap_or_default()));
    };
    if there("dnf") {
        add("rpm", dnf(root, installed));
    } else if there("zypper") {
        add("rpm", zypper(root));
    }
    if there("apk") {
        add(
            "apk",
            root.run("apk", &["--no-network", "version", "-l", "<"]).map(|text| parse_apk(&text, installed)),
        );
    }
    if there("pacman") {
        // It ends with 1 when there is nothing to tell.
        add("pacman", root.run_any("pacman", &["-Qu"]).map(|output| parse_pacman(&output.text, installed)));
    }
    if there("flatpak") {
        let columns = "--columns=application,version,arch,origin";
        let text = root.run("flatpak", &["remote-ls", "--updates", "--cached", columns]);
        add("flatpak", text.map(|text| parse_flatpak(&text, installed)));
    }
    if there("snap") {
        add(
            "snap",
            root.run_any("snap", &["refresh", "--list"]).map(|output| parse_snap(&output.text, installed)),
        );
    }
    found
}

/// The version of an installed package; empty when it is not known.
pub fn installed_version<'a>(installed: &'a Packages, manager: &str, name: &str, arch: &str) -> &'a str {
    let mut fitting = installed.packages.iter().filter(|package| {
        package.manager == manager && package.name == name && (arch.is_empty() || package.arch == arch)
    });
    fitting.next_back().map_or("", |package| package.version.as_str())
}

/// Its architecture.
fn installed_arch<'a>(installed: &'a Packages, manager: &str, name: &str) -> &'a str {
    let package =
        installed.packages.iter().find(|package| package.manager == manager && package.name == name);
    package.map_or("", |package| package.arch.as_str())
}

fn dnf(root: &Root, installed: &Packages) -> Answer {
    // 100 is how it says that there are updates.
    let list = root.run_any("dnf", &["-q", "-C", "check-update"])?;
    let advisories = root.run("dnf", &["-q", "-C", "updateinfo", "list", "--security"]).unwrap_or_default();
    Some(parse_dnf(&list.text, &advisories, installed))
}

/// Parse `dnf check-update` and `dnf updateinfo list --security`.
pub fn parse_dnf(list: &str, advisories: &str, installed: &Packages) -> Vec<Update> {
    // ADVISORY severity/Sec. name-version-release.arch
    let secure: BTreeSet<&str> =
        advisories.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
    let mut updates = Vec::new();
    for line in list.lines().take_while(|line| !line.starts_with("Obsoleting")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [package, version, repository] = words[..] else { continue };
        let Some((name, arch)) = package.rsplit_once('.') else { continue };
        let bare = version.split_once(':').map_or(version, |(_, rest)| rest);
        updates.push(Update {
            security: secure.contains(format!("{name}-{bare}.{arch}").as_str()),
            origin: repository.into(),
            ..Update::new("rpm", name, arch, installed_version(installed, "rpm", name, arch), version)
        });
    }
    updates
}

fn zypper(root: &Root) -> Answer {
    let list = root.run("zypper", &["--no-refresh", "--quiet", "list-updates"])?;
    Some(parse_zypper(&list))
}

/// Parse the table of `zypper list-updates`: status, repository, name, current, available, architecture.
pub fn parse_zypper(text: &str) -> Vec<Update> {
    text.lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let ["v", repository, name, current, available, arch] = cells[..] else { return None };
            Some(Update { origin: repository.into(), ..Update::new("rpm", name, arch, current, available) })
        })
        .collect()
}

/// Parse `apk version -l '<'`: `musl-1.2.3-r4 < 1.2.3-r5`.
pub fn parse_apk(text: &str, installed: &Packages) -> Vec<Update> {
    text.lines()
        .filter_map(|line| {
            let (package, available) = line.split_once(" < ")?;
            let mut parts = package.trim().rsplitn(3, '-');
            let (revision, version, name) = (parts.next()?, parts.next()?, parts.next()?);
            let arch = installed_arch(installed, "apk", name);
            let available = available.split_whitespace().next()?;
            Some(Update::new("apk", name, arch, &format!("{version}-{revision}"), available))
        })
        .collect()
}

/// Parse `pacman -Qu`: `linux 6.1-1 -> 6.2-1 [ignored]`.
pub fn parse_pacman(text: &str, installed: &Packages) -> Vec<Update> {
    text.lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, current, "->", available, ..] = words[..] else { return None };
            let update =
                Update::new("pacman", name, installed_arch(installed, "pacman", name), current, available);
            Some(Update { held: words.last() == Some(&"[ignored]"), ..update })
        })
        .collect()
}

/// Parse `flatpak remote-ls --updates --columns=application,version,arch,origin`: between tabs.
pub fn parse_flatpak(text: &str, installed: &Packages) -> Vec<Update> {
    text.lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
            let [name, version, arch, origin] = cells[..] else { return None };
            let current = installed_version(installed, "flatpak", name, arch);
            (!name.is_empty() && name != "Application ID").then(|| Update {
                origin: origin.into(),
                ..Update::new("flatpak", name, arch, current, version)
            })
        })
        .collect()
}

/// Parse `snap refresh --list`: name, version, revision, size, publisher, notes.
pub fn parse_snap(text: &str, installed: &Packages) -> Vec<Update> {
    text.lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, version, revision, ..] = words[..] else { return None };
            let known = revision.bytes().all(|b| b.is_ascii_digit());
            let current = installed_version(installed, "snap", name, "");
            (known && name != "Name")
                .then(|| Update::new("snap", name, installed_arch(installed, "snap", name), current, version))
        })
        .collect()
}

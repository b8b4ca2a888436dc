//! FreeBSD: pkg, rc, sockstat, pf, jails.

use serde::Deserialize;

use super::{bytes, unix};
use crate::inventory::{
    guests::{Guest, Guests, Platform},
    os::Os,
    packages::{Package, Packages, title},
    reboot::{Cause, Reboot},
    services::{Service, Services},
    source::Root,
    updates::{Manager, Update, Updates},
};

/// What is asked of pkg: name, version, architecture, bytes, locked, comment.
pub const QUERY: &str = "%n\t%v\t%q\t%sb\t%k\t%c";

/// A section's body; `None` when it cannot be told.
pub fn body(root: &Root, name: &str) -> Option<Vec<u8>> {
    match name {
        "os" => bytes(os(root)),
        "cpu" => bytes(unix::cpu(root)),
        "memory" => bytes(unix::memory(root, "hw.physmem")),
        "disks" => bytes(unix::disks(root)),
        "network" => bytes(unix::network(root)),
        "packages" => bytes(packages(root)),
        "updates" => bytes(updates(root)),
        "reboot" => bytes(reboot(root)),
        "services" => bytes(services(root)),
        "sockets" => bytes(unix::sockets(root)),
        "firewall" => bytes(unix::firewall([unix::pf(root)])),
        "guests" => bytes(guests(root)),
        _ => None,
    }
}

fn os(root: &Root) -> Option<Os> {
    let base = unix::os(root)?;
    // What is installed, which after an update is newer than the kernel that runs.
    let version = unix::line(root, "freebsd-version", &["-u"]).unwrap_or_else(|| base.kernel.clone());
    Some(Os { pretty_name: format!("FreeBSD {version}"), version_id: version, ..base })
}

fn packages(root: &Root) -> Option<Packages> {
    let text = root.run("pkg", &["query", QUERY])?;
    Some(Packages::of(vec![("pkg", parse_packages(&text))]))
}

/// Parse `pkg query` of [`QUERY`].
pub fn parse_packages(text: &str) -> Vec<Package> {
    text.lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.splitn(6, '\t').collect();
            let [name, version, arch, size, locked, comment] = cells[..] else { return None };
            let package = Package {
                name: name.into(),
                version: version.into(),
                // `FreeBSD:14:amd64`; `*` for those that run on any.
                arch: arch.rsplit(':').next().unwrap_or_default().replace('*', "noarch"),
                title: title(comment),
                installed_kib: size.parse::<u64>().ok().map(|bytes| bytes.div_ceil(1024)),
                held: locked == "1",
                ..Package::default()
            };
            Some(package.completed("pkg"))
        })
        .collect()
}

fn updates(root: &Root) -> Option<Updates> {
    // -U: the catalogue that is there, without fetching a newer one.
    let text = root.run("pkg", &["version", "-U", "-v", "-R", "-l", "<"])?;
    let installed = packages(root).unwrap_or_default();
    let manager = Manager { name: "pkg".into(), ..Manager::default() };
    Some(Updates::of(vec![(manager, parse_updates(&text, &installed))]))
}

/// Parse `pkg version -v -R -l <`: `curl-8.4.0  <  needs updating (remote has 8.5.0)`.
pub fn parse_updates(text: &str, installed: &Packages) -> Vec<Update> {
    text.lines()
        .filter_map(|line| {
            let (package, rest) = line.split_once('<')?;
            let (name, current) = package.trim().rsplit_once('-')?;
            let version = rest.split_once(" has ")?.1.trim_end().trim_end_matches(')');
            let known = installed.packages.iter().find(|package| package.name == name);
            let arch = known.map_or("", |package| package.arch.as_str());
            let held = known.is_some_and(|package| package.held);
            Some(Update { held, ..Update::new("pkg", name, arch, current, version) })
        })
        .collect()
}

fn reboot(root: &Root) -> Option<Reboot> {
    let running_kernel = unix::line(root, "uname", &["-r"])?;
    let newest_kernel = unix::line(root, "freebsd-version", &["-k"]);
    let newer = newest_kernel.as_deref().filter(|newest| *newest != running_kernel);
    let cause = |newest: &str| Cause {
        key: format!("kernel:{newest}"),
        kind: "kernel".into(),
        detail: format!("kernel {newest} is installed, {running_kernel} runs"),
    };
    let causes: Vec<Cause> = newer.map(cause).into_iter().collect();
    Some(Reboot { required: !causes.is_empty(), causes, running_kernel, newest_kernel, services: Vec::new() })
}

fn services(root: &Root) -> Option<Services> {
    let all = root.run("service", &["-l"])?;
    let enabled = root.run("service", &["-e"]).unwrap_or_default();
    Some(Services::of("rc", parse_services(&all, &enabled)))
}

/// Parse `service -l`, names, and `service -e`, paths of those that are enabled. Whether they run is not told.
pub fn parse_services(all: &str, enabled: &str) -> Vec<Service> {
    let enabled: Vec<&str> = enabled
        .lines()
        .filter_map(|path| path.trim().rsplit('/').next())
        .filter(|name| !name.is_empty())
        .collect();
    let names = all.lines().map(str::trim).filter(|name| {
        // In capitals are milestones of the start, not services.
        name.bytes().any(|b| b.is_ascii_lowercase())
    });
    let word = |name: &str| if enabled.contains(&name) { "enabled" } else { "disabled" };
    names.map(|name| Service::new(name, "", None, word(name))).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Jls {
    jail_information: Jails,
}

#[derive(Deserialize)]
struct Jails {
    #[serde(default)]
    jail: Vec<Jail>,
}

#[derive(Deserialize)]
struct Jail {
    jid: serde_json::Value,
    #[serde(default)]
    hostname: String,
    #[serde(default)]
    path: String,
}

fn guests(root: &Root) -> Option<Guests> {
    let jails = parse_jails(&root.run("jls", &["--libxo", "json"])?)?;
    let platform = Platform { name: "jail".into(), running: true, ..Platform::default() };
    Some(Guests::of(vec![(platform, jails)]))
}

/// Parse `jls --libxo json`: jails that run.
pub fn parse_jails(json: &str) -> Option<Vec<Guest>> {
    let told: Jls = serde_json::from_str(json).ok()?;
    let guest = |jail: Jail| {
        let id = jail.jid.as_str().map_or_else(|| jail.jid.to_string(), str::to_owned);
        Guest {
            key: format!("jail/{id}"),
            platform: "jail".into(),
            kind: "container".into(),
            name: if jail.hostname.is_empty() { jail.path } else { jail.hostname },
            id,
            state: "running".into(),
            ..Guest::default()
        }
    };
    Some(told.jail_information.jail.into_iter().map(guest).collect())
}

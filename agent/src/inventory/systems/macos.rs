//! macOS: system_profiler, sw_vers, softwareupdate, launchctl, Homebrew's folders, lsof, the application firewall and pf.

use serde::{Deserialize, de::DeserializeOwned};

use super::{bytes, unix};
use crate::inventory::{
    cpu::Cpu,
    firewall::Filter,
    hardware::Hardware,
    memory::Memory,
    os::Os,
    packages::{Package, Packages},
    services::{Service, Services, State},
    sockets::{Socket, Sockets},
    source::Root,
    updates::{Manager, Update, Updates},
};

/// Where the application firewall's program is.
pub const SOCKETFILTERFW: &str = "/usr/libexec/ApplicationFirewall/socketfilterfw";

/// A section's body; `None` when it cannot be told.
pub fn body(root: &Root, name: &str) -> Option<Vec<u8>> {
    match name {
        "os" => bytes(os(root)),
        "hardware" => bytes(parse_hardware(&profile(root, "SPHardwareDataType")?)),
        "cpu" => bytes(cpu(root)),
        "memory" => bytes(memory(root)),
        "disks" => bytes(unix::disks(root)),
        "network" => bytes(unix::network(root)),
        "packages" => bytes(packages(root)),
        "updates" => bytes(updates(root)),
        "services" => bytes(services(root)),
        "sockets" => bytes(sockets(root)),
        "firewall" => bytes(unix::firewall([application_firewall(root), unix::pf(root)])),
        _ => None,
    }
}

fn profile(root: &Root, kind: &str) -> Option<String> {
    root.run("system_profiler", &["-json", kind])
}

fn os(root: &Root) -> Option<Os> {
    Some(with_version(unix::os(root)?, &root.run("sw_vers", &[])?))
}

/// Parse `sw_vers`: `ProductName: macOS`, `ProductVersion: 14.2.1`, `BuildVersion: 23C71`.
pub fn with_version(os: Os, text: &str) -> Os {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_default().trim().to_owned()
    };
    let version = field("ProductVersion");
    let pretty_name = format!("{} {version} ({})", field("ProductName"), field("BuildVersion"));
    Os { pretty_name, version_id: version, ..os }
}

fn first<T: DeserializeOwned>(json: &str, kind: &str) -> Option<Vec<T>> {
    let mut all: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).ok()?;
    serde_json::from_value(all.remove(kind)?).ok()
}

#[derive(Deserialize)]
struct Machine {
    #[serde(default)]
    machine_name: String,
    #[serde(default)]
    machine_model: String,
    #[serde(default)]
    serial_number: String,
    #[serde(default, rename = "platform_UUID")]
    uuid: String,
    #[serde(default)]
    boot_rom_version: String,
}

/// Parse `system_profiler -json SPHardwareDataType`.
pub fn parse_hardware(json: &str) -> Option<Hardware> {
    let machine: Machine = first(json, "SPHardwareDataType")?.into_iter().next()?;
    let chassis = match machine.machine_name.as_str() {
        name if name.contains("Book") => "laptop",
        "" => "",
        _ => "desktop",
    };
    let mut hardware = Hardware {
        vendor: "Apple Inc.".into(),
        model: machine.machine_model,
        version: machine.machine_name,
        serial: machine.serial_number,
        uuid: machine.uuid.to_lowercase(),
        chassis: chassis.into(),
        ..Hardware::default()
    };
    hardware.bios.version = machine.boot_rom_version;
    Some(hardware)
}

fn cpu(root: &Root) -> Option<Cpu> {
    Some(Cpu {
        model: unix::sysctl(root, "machdep.cpu.brand_string")?,
        vendor: unix::sysctl(root, "machdep.cpu.vendor").unwrap_or_else(|| "Apple".into()),
        sockets: unix::sysctl_number(root, "hw.packages"),
        cores: unix::sysctl_number(root, "hw.physicalcpu"),
        threads: unix::sysctl_number(root, "hw.logicalcpu"),
        virtualised: unix::sysctl_number::<u32>(root, "kern.hv_vmm_present") == 1,
        ..Cpu::default()
    })
}

fn memory(root: &Root) -> Option<Memory> {
    // Swap comes and goes as it is needed; how much there is now is a metric.
    Some(Memory { total_bytes: unix::sysctl(root, "hw.memsize")?.parse().ok()?, swap_total_bytes: 0 })
}

fn packages(root: &Root) -> Option<Packages> {
    let applications = profile(root, "SPApplicationsDataType").and_then(|json| parse_applications(&json));
    let brewed = homebrew(root);
    if applications.is_none() && brewed.is_empty() {
        return None;
    }
    Some(Packages::of(vec![("app", applications.unwrap_or_default()), ("brew", brewed)]))
}

#[derive(Deserialize)]
struct Application {
    #[serde(rename = "_name")]
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    path: String,
}

/// Parse `system_profiler -json SPApplicationsDataType`; those of the system itself are told by its version.
pub fn parse_applications(json: &str) -> Option<Vec<Package>> {
    let told: Vec<Application> = first(json, "SPApplicationsDataType")?;
    let own =
        told.into_iter().filter(|found| !found.path.starts_with("/System/") && !found.version.is_empty());
    let package = |found: Application| {
        Package { name: found.name, version: found.version, ..Package::default() }.completed("app")
    };
    Some(own.map(package).collect())
}

/// What Homebrew keeps: a folder per formula or cask, in it one per version. Its command refuses to run as root.
fn homebrew(root: &Root) -> Vec<Package> {
    let mut found = Vec::new();
    for folder in ["opt/homebrew/Cellar", "usr/local/Cellar", "opt/homebrew/Caskroom", "usr/local/Caskroom"] {
        for name in root.names(folder) {
            for version in root.names(&format!("{folder}/{name}")) {
                if !version.starts_with('.') {
                    found.push(
                        Package { name: name.clone(), version, ..Package::default() }.completed("brew"),
                    );
                }
            }
        }
    }
    found
}

fn updates(root: &Root) -> Option<Updates> {
    let manager = Manager { name: "softwareupdate".into(), ..Manager::default() };
    let version = unix::line(root, "sw_vers", &["-productVersion"]).unwrap_or_default();
    // What is known of the last search; a search of its own would ask the vendor.
    let text = root.run("softwareupdate", &["--list", "--no-scan"])?;
    Some(Updates::of(vec![(manager, parse_updates(&text, &version))]))
}

/// Parse `softwareupdate --list`: a label, then title, version and size in a line.
pub fn parse_updates(text: &str, system: &str) -> Vec<Update> {
    let mut found = Vec::new();
    let mut label = "";
    for line in text.lines().map(str::trim) {
        if let Some(next) = line.strip_prefix("* Label: ") {
            label = next;
            continue;
        }
        let (true, Some((_, version))) = (!label.is_empty(), line.split_once(", Version: ")) else {
            continue;
        };
        let version = version.split(',').next().unwrap_or_default();
        let installed = if label.starts_with("macOS") { system } else { "" };
        let size = line.split_once("Size: ").and_then(|(_, rest)| {
            let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse::<u64>().ok()?.checked_mul(1024)
        });
        let update = Update::new("softwareupdate", label, "", installed, version);
        found.push(Update { download_bytes: size, ..update });
        label = "";
    }
    found
}

fn services(root: &Root) -> Option<Services> {
    Some(Services::of("launchd", parse_services(&root.run("launchctl", &["list"])?)))
}

/// Parse `launchctl list`: process or `-`, last exit status, label. Applications that people opened are left out.
pub fn parse_services(text: &str) -> Vec<Service> {
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let [pid, status, label] = cells[..] else { return None };
            let state = match (pid, status) {
                ("-", "0") => State::Stopped,
                ("-", _) => State::Failed,
                _ => State::Running,
            };
            (!label.starts_with("application.")).then(|| Service::new(label, "", Some(state), "loaded"))
        })
        .collect()
}

fn sockets(root: &Root) -> Option<Sockets> {
    let tcp = root.run_any("lsof", &["-nP", "-iTCP", "-sTCP:LISTEN", "-FpctPn"])?.text;
    let udp = root.run_any("lsof", &["-nP", "-iUDP", "-FpctPn"]).unwrap_or_default().text;
    Some(unix::sockets_of([parse_lsof(&tcp), parse_lsof(&udp)].concat()))
}

/// Parse `lsof -FpctPn`: a letter and a value per line. Connected sockets, with an arrow, wait for nobody.
pub fn parse_lsof(text: &str) -> Vec<Socket> {
    let (mut pid, mut process, mut six, mut protocol) = (None, "", false, "");
    let mut found = Vec::new();
    for line in text.lines() {
        let Some((letter, value)) = line.split_at_checked(1) else { continue };
        match letter {
            "p" => pid = value.parse().ok(),
            "c" => process = value,
            "t" => six = value == "IPv6",
            "P" => protocol = if value == "UDP" { "udp" } else { "tcp" },
            "n" if !value.contains("->") => {
                let protocol = format!("{protocol}{}", if six { "6" } else { "4" });
                found.extend(unix::socket(&protocol, value, process, pid));
            }
            _ => {}
        }
    }
    found
}

fn application_firewall(root: &Root) -> Option<Filter> {
    Some(parse_application_firewall(&root.run(SOCKETFILTERFW, &["--getglobalstate"])?))
}

/// Parse `socketfilterfw --getglobalstate`: `Firewall is enabled. (State = 1)`; 2 blocks all that comes in.
pub fn parse_application_firewall(text: &str) -> Filter {
    let state = text.split_once("State = ").and_then(|(_, rest)| rest.chars().next());
    Filter {
        name: "application".into(),
        enabled: matches!(state, Some('1' | '2')),
        incoming: (state == Some('2')).then(|| "drop".to_owned()),
        ..Filter::default()
    }
}

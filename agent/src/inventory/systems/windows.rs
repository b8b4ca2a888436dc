//! Windows: asked through PowerShell, whose answers are JSON, and `wsl`.

use serde::{Deserialize, de::DeserializeOwned};

use super::{bytes, unix};
use crate::inventory::{
    antivirus::{Antivirus, Product},
    cpu::Cpu,
    firewall::{Filter, Firewall},
    guests::{Guest, Guests, Platform},
    hardware::Hardware,
    memory::Memory,
    os::Os,
    packages::{Package, Packages},
    services::{Service, Services, State},
    sockets::{Socket, Sockets},
    source::Root,
    users::{User, Users},
};

/// Questions by their name.
pub const QUESTIONS: [(&str, &str); 10] = [
    (
        "os",
        "Get-CimInstance Win32_OperatingSystem | Select-Object Caption, Version, BuildNumber, OSArchitecture, CSName, \
         TotalVisibleMemorySize, @{n='Booted';e={([DateTimeOffset]$_.LastBootUpTime).ToUnixTimeSeconds()}}",
    ),
    (
        "hardware",
        "$c = Get-CimInstance Win32_ComputerSystem; $b = Get-CimInstance Win32_BIOS; \
         $p = Get-CimInstance Win32_ComputerSystemProduct; @{Vendor=$c.Manufacturer; Model=$c.Model; \
         Serial=$b.SerialNumber; Uuid=$p.UUID; BiosVendor=$b.Manufacturer; BiosVersion=$b.SMBIOSBIOSVersion}",
    ),
    (
        "cpu",
        "Get-CimInstance Win32_Processor | Select-Object Name, Manufacturer, NumberOfCores, NumberOfLogicalProcessors",
    ),
    (
        "packages",
        "Get-ItemProperty HKLM:\\Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\*, \
         HKLM:\\Software\\WOW6432Node\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\* -ErrorAction SilentlyContinue | \
         Where-Object { -not $_.SystemComponent } | \
         Select-Object DisplayName, DisplayVersion, EstimatedSize, WindowsInstaller",
    ),
    ("hotfixes", "Get-HotFix | Select-Object HotFixID, Description"),
    ("services", "Get-CimInstance Win32_Service | Select-Object Name, DisplayName, State, StartMode"),
    ("users", "Get-LocalUser | Select-Object Name, FullName, Enabled, @{n='Sid';e={$_.SID.Value}}"),
    (
        "sockets",
        "$p = @{}; Get-Process | ForEach-Object { $p[[string]$_.Id] = $_.ProcessName }; \
         Get-NetTCPConnection -State Listen | Select-Object LocalAddress, LocalPort, OwningProcess, \
         @{n='Process';e={$p[[string]$_.OwningProcess]}}",
    ),
    (
        "firewall",
        "Get-NetFirewallProfile | Select-Object Name, @{n='Enabled';e={[int]$_.Enabled}}, \
         @{n='In';e={[string]$_.DefaultInboundAction}}, @{n='Out';e={[string]$_.DefaultOutboundAction}}",
    ),
    (
        "antivirus",
        "Get-MpComputerStatus | Select-Object AMProductVersion, AMServiceEnabled, RealTimeProtectionEnabled, \
         AntivirusSignatureVersion, \
         @{n='Made';e={([DateTimeOffset]$_.AntivirusSignatureLastUpdated).ToUnixTimeSeconds()}}",
    ),
];

/// What PowerShell is started with for a question.
pub fn arguments(question: &str) -> Option<[String; 4]> {
    let (name, asked) = QUESTIONS.iter().find(|(name, _)| *name == question)?;
    // The name in front is what recorded answers go by.
    let script = format!(
        "<#{name}#> [Console]::OutputEncoding = [Text.Encoding]::UTF8; {asked} | ConvertTo-Json -Compress -Depth 3"
    );
    Some(["-NoProfile".into(), "-NonInteractive".into(), "-Command".into(), script])
}

fn ask(root: &Root, question: &str) -> Option<String> {
    let arguments = arguments(question)?;
    root.run("powershell", &arguments.each_ref().map(String::as_str))
}

/// ConvertTo-Json writes a list of one as that one, and an empty list as nothing.
fn list<T: DeserializeOwned>(json: &str) -> Option<Vec<T>> {
    let json = json.trim_start_matches('\u{feff}').trim();
    if json.is_empty() {
        return Some(Vec::new());
    }
    if json.starts_with('[') {
        serde_json::from_str(json).ok()
    } else {
        Some(vec![serde_json::from_str(json).ok()?])
    }
}

fn one<T: DeserializeOwned>(json: &str) -> Option<T> {
    list(json)?.into_iter().next()
}

/// A section's body; `None` when it cannot be told.
pub fn body(root: &Root, name: &str) -> Option<Vec<u8>> {
    match name {
        "os" => bytes(parse_os(&ask(root, "os")?)),
        "memory" => bytes(parse_memory(&ask(root, "os")?)),
        "hardware" => bytes(parse_hardware(&ask(root, "hardware")?)),
        "cpu" => bytes(parse_cpu(&ask(root, "cpu")?)),
        "packages" => bytes(packages(root)),
        "services" => bytes(parse_services(&ask(root, "services")?)),
        "users" => bytes(parse_users(&ask(root, "users")?)),
        "sockets" => bytes(parse_sockets(&ask(root, "sockets")?)),
        "firewall" => bytes(parse_firewall(&ask(root, "firewall")?)),
        "antivirus" => bytes(parse_antivirus(&ask(root, "antivirus")?)),
        "guests" => bytes(guests(root)),
        _ => None,
    }
}

type Text = Option<String>;

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct TheSystem {
    caption: Text,
    version: Text,
    build_number: Text,
    #[serde(rename = "OSArchitecture")]
    architecture: Text,
    #[serde(rename = "CSName")]
    name: Text,
    total_visible_memory_size: u64,
    booted: Option<i64>,
}

/// Parse the answer to `os`.
pub fn parse_os(json: &str) -> Option<Os> {
    let told: TheSystem = one(json)?;
    let arch = match told.architecture.unwrap_or_default() {
        text if text.contains("ARM") => "aarch64",
        text if text.starts_with("64") => "x86_64",
        _ => "x86",
    };
    Some(Os {
        family: "windows".into(),
        id: "windows".into(),
        pretty_name: told.caption.unwrap_or_default().trim().to_owned(),
        version_id: told.version.clone().unwrap_or_default(),
        kernel: told.version.unwrap_or_default(),
        kernel_build: told.build_number.unwrap_or_default(),
        arch: arch.into(),
        hostname: told.name.unwrap_or_default(),
        init: "windows".into(),
        booted_at: told.booted,
        ..Os::default()
    })
}

/// Memory, which the answer to `os` holds in KiB.
pub fn parse_memory(json: &str) -> Option<Memory> {
    let told: TheSystem = one(json)?;
    let total_bytes = told.total_visible_memory_size.checked_mul(1024)?;
    Some(Memory { total_bytes, swap_total_bytes: 0 })
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Firmware {
    vendor: Text,
    model: Text,
    serial: Text,
    uuid: Text,
    bios_vendor: Text,
    bios_version: Text,
}

/// Parse the answer to `hardware`.
pub fn parse_hardware(json: &str) -> Option<Hardware> {
    let told: Firmware = one(json)?;
    let clean = |text: Text| text.unwrap_or_default().trim().to_owned();
    let mut hardware = Hardware {
        vendor: clean(told.vendor),
        model: clean(told.model),
        serial: clean(told.serial),
        uuid: clean(told.uuid).to_lowercase(),
        ..Hardware::default()
    };
    (hardware.bios.vendor, hardware.bios.version) = (clean(told.bios_vendor), clean(told.bios_version));
    Some(hardware)
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Processor {
    name: Text,
    manufacturer: Text,
    number_of_cores: u32,
    number_of_logical_processors: u32,
}

/// Parse the answer to `cpu`: an object per socket.
pub fn parse_cpu(json: &str) -> Option<Cpu> {
    let told: Vec<Processor> = list(json)?;
    let sum = |of: fn(&Processor) -> u32| told.iter().map(of).fold(0, u32::saturating_add);
    let (cores, threads) = (sum(|p| p.number_of_cores), sum(|p| p.number_of_logical_processors));
    let sockets = u32::try_from(told.len()).unwrap_or(u32::MAX);
    let first = told.into_iter().next()?;
    Some(Cpu {
        model: first.name.unwrap_or_default().trim().to_owned(),
        vendor: first.manufacturer.unwrap_or_default(),
        sockets,
        cores,
        threads,
        ..Cpu::default()
    })
}

fn packages(root: &Root) -> Option<Packages> {
    let mut found = parse_programs(&ask(root, "packages")?)?;
    found.extend(ask(root, "hotfixes").and_then(|json| parse_hotfixes(&json)).unwrap_or_default());
    let of = |manager: &str| found.iter().filter(|p| p.manager == manager).cloned().collect::<Vec<_>>();
    Some(Packages::of(vec![("msi", of("msi")), ("app", of("app")), ("hotfix", of("hotfix"))]))
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Program {
    display_name: Text,
    display_version: Text,
    estimated_size: Option<u64>,
    windows_installer: Option<u32>,
}

/// Parse the answer to `packages`: the registry's list of what can be uninstalled.
pub fn parse_programs(json: &str) -> Option<Vec<Package>> {
    let told: Vec<Program> = list(json)?;
    let package = |program: Program| {
        let name = program.display_name.filter(|name| !name.trim().is_empty())?;
        let package = Package {
            name: name.trim().into(),
            version: program.display_version.unwrap_or_default(),
            installed_kib: program.estimated_size,
            ..Package::default()
        };
        Some(package.completed(if program.windows_installer == Some(1) { "msi" } else { "app" }))
    };
    Some(told.into_iter().filter_map(package).collect())
}

#[derive(Deserialize)]
struct Hotfix {
    #[serde(rename = "HotFixID")]
    id: String,
    #[serde(rename = "Description", default)]
    description: Text,
}

/// Parse the answer to `hotfixes`.
pub fn parse_hotfixes(json: &str) -> Option<Vec<Package>> {
    let package = |fix: Hotfix| {
        let version = fix.id.trim_start_matches("KB").to_owned();
        Package { name: fix.id, version, title: fix.description, ..Package::default() }.completed("hotfix")
    };
    Some(list(json)?.into_iter().map(package).collect())
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct AService {
    name: String,
    display_name: Text,
    state: Text,
    start_mode: Text,
}

/// Parse the answer to `services`.
pub fn parse_services(json: &str) -> Option<Services> {
    let service = |told: AService| {
        let state = match told.state.as_deref() {
            Some("Running") => Some(State::Running),
            Some("Stopped") => Some(State::Stopped),
            Some("Start Pending" | "Continue Pending") => Some(State::Starting),
            Some("Stop Pending" | "Pause Pending") => Some(State::Stopping),
            _ => None,
        };
        let enabled = match told.start_mode.as_deref().unwrap_or_default() {
            "Auto" | "Boot" | "System" => "enabled".to_owned(),
            other => other.to_lowercase(),
        };
        Service::new(&told.name, &told.display_name.unwrap_or_default(), state, &enabled)
    };
    Some(Services::of("windows", list(json)?.into_iter().map(service).collect()))
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Account {
    name: String,
    full_name: Text,
    enabled: bool,
    sid: String,
}

/// Parse the answer to `users`. The built-in administrator is number 500.
pub fn parse_users(json: &str) -> Option<Users> {
    let user = |told: Account| {
        let uid = told.sid.rsplit('-').next().and_then(|last| last.parse().ok())?;
        Some(User {
            name: told.name,
            uid,
            full_name: told.full_name.unwrap_or_default(),
            system: uid < 1000,
            no_login: !told.enabled,
            admin: (uid == 500).then(|| "built-in administrator".to_owned()),
            ..User::default()
        })
    };
    let mut users: Vec<User> = list(json)?.into_iter().filter_map(user).collect();
    users.sort_by_key(|user| user.uid);
    Some(Users { users, groups: Vec::new() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listener {
    local_address: String,
    local_port: u16,
    owning_process: u32,
    #[serde(default)]
    process: Text,
}

/// Parse the answer to `sockets`: TCP only.
pub fn parse_sockets(json: &str) -> Option<Sockets> {
    let socket = |told: Listener| -> Option<Socket> {
        let local = format!("{}:{}", told.local_address, told.local_port);
        unix::socket("tcp", &local, &told.process.unwrap_or_default(), Some(told.owning_process))
    };
    Some(unix::sockets_of(list(json)?.into_iter().filter_map(socket).collect()))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Profile {
    name: String,
    enabled: i32,
    #[serde(default)]
    r#in: String,
    #[serde(default)]
    out: String,
}

/// Parse the answer to `firewall`: a filter per profile.
pub fn parse_firewall(json: &str) -> Option<Firewall> {
    let filter = |told: Profile| {
        // What is not configured is as delivered: nothing comes in, everything goes out.
        let policy = |action: &str, delivered: &str| {
            let word = match action {
                "Allow" => "accept",
                "Block" => "drop",
                _ => delivered,
            };
            Some(word.to_owned())
        };
        Filter {
            name: format!("windows {}", told.name.to_lowercase()),
            enabled: told.enabled == 1,
            incoming: policy(&told.r#in, "drop"),
            outgoing: policy(&told.out, "accept"),
            profile: told.name,
            ..Filter::default()
        }
    };
    Some(Firewall::of(list(json)?.into_iter().map(filter).collect()))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Defender {
    #[serde(rename = "AMProductVersion")]
    version: Text,
    #[serde(rename = "AMServiceEnabled")]
    running: bool,
    #[serde(rename = "RealTimeProtectionEnabled")]
    real_time: Option<bool>,
    #[serde(rename = "AntivirusSignatureVersion")]
    definitions: Text,
    #[serde(rename = "Made")]
    made: Option<i64>,
}

/// Parse the answer to `antivirus`.
pub fn parse_antivirus(json: &str) -> Option<Antivirus> {
    let product = |told: Defender| Product {
        name: "defender".into(),
        version: told.version.unwrap_or_default(),
        running: told.running,
        real_time: told.real_time,
        definitions: told.definitions.unwrap_or_default(),
        definitions_at: told.made,
        ..Product::default()
    };
    Some(Antivirus { products: list(json)?.into_iter().map(product).collect() })
}

fn guests(root: &Root) -> Option<Guests> {
    let text = root.run("wsl", &["-l", "-v"])?;
    let platform = Platform { name: "wsl".into(), running: true, ..Platform::default() };
    Some(Guests::of(vec![(platform, parse_wsl(&text))]))
}

/// Parse `wsl -l -v`, which is UTF-16 whatever is asked: of what was read as UTF-8, the zeros are left out.
pub fn parse_wsl(text: &str) -> Vec<Guest> {
    let text = text.replace('\0', "");
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let line = line.trim_start_matches('*');
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, state, _version] = words[..] else { return None };
            Some(Guest::new("wsl", "container", name, name, &state.to_lowercase()))
        })
        .collect()
}

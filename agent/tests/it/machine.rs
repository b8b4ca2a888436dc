//! Collectors against this machine's own commands.

use std::{collections::BTreeSet, process::Command};

use sysmanage_agent::{
    inventory::{
        self, SECTIONS, cpu::Cpu, disks::Disks, memory::Memory, network::Network, os::Os, source::Root,
    },
    metrics::Sampler,
};

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).env("LC_ALL", "C").output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

#[test]
fn packages_are_exactly_those_of_dpkg_query() {
    let Some(text) =
        output("dpkg-query", &["-W", "-f", "${db:Status-Status}\t${Package}\t${Architecture}\t${Version}\n"])
    else {
        return;
    };
    let told: BTreeSet<(String, String, String)> = text
        .lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split('\t').collect();
            let shown = !matches!(words[0], "not-installed" | "config-files");
            shown.then(|| (words[1].to_owned(), words[2].to_owned(), words[3].to_owned()))
        })
        .collect();
    let found: inventory::packages::Packages = inventory::read(&Root::default(), "packages");
    let found: BTreeSet<_> = found.packages.into_iter().map(|p| (p.name, p.arch, p.version)).collect();
    assert!(told.len() > 50, "this machine has packages");
    assert_eq!(found, told);
}

#[test]
fn sources_and_sizes_are_those_of_dpkg_query() {
    let format = "${Package}\t${Architecture}\t${source:Package}\t${source:Version}\t${Installed-Size}\n";
    let Some(text) = output("dpkg-query", &["-W", "-f", format]) else { return };
    let found: inventory::packages::Packages = inventory::read(&Root::default(), "packages");
    for package in found.packages {
        let start = format!("{}\t{}\t", package.name, package.arch);
        let line = text.lines().find(|line| line.starts_with(&start)).unwrap();
        let words: Vec<&str> = line.split('\t').collect();
        assert_eq!(package.source.as_deref().unwrap_or(&package.name), words[2], "{line}");
        assert_eq!(package.source_version.as_deref().unwrap_or(&package.version), words[3], "{line}");
        assert_eq!(package.installed_kib.unwrap_or(0).to_string(), words[4], "{line}");
    }
}

#[test]
fn processors_are_those_of_nproc() {
    let Some(text) = output("nproc", &["--all"]) else { return };
    let cpu: Cpu = inventory::read(&Root::default(), "cpu");
    assert_eq!(cpu.threads.to_string(), text.trim());
    assert!(cpu.sockets >= 1 && cpu.cores >= 1 && !cpu.model.is_empty());
}

#[test]
fn the_system_is_the_one_uname_names() {
    let os: Os = inventory::read(&Root::default(), "os");
    assert_eq!(os.kernel, output("uname", &["-r"]).unwrap().trim());
    assert_eq!(os.arch, output("uname", &["-m"]).unwrap().trim());
    assert_eq!(os.hostname, output("uname", &["-n"]).unwrap().trim());
    assert_eq!(os.family, "linux");
    let release = std::fs::read_to_string("/etc/os-release").unwrap();
    assert!(release.contains(&os.pretty_name) && !os.pretty_name.is_empty());
    if let Ok(id) = std::fs::read_to_string("/etc/machine-id") {
        assert!(!os.machine_id_hash.contains(id.trim()), "the machine id does not leave the machine");
    }
}

#[test]
fn memory_is_what_the_kernel_counts() {
    let memory: Memory = inventory::read(&Root::default(), "memory");
    let Some(text) = output("free", &["-b"]) else { return };
    let line = text.lines().find(|line| line.starts_with("Mem:")).unwrap();
    assert_eq!(memory.total_bytes.to_string(), line.split_whitespace().nth(1).unwrap());
}

#[test]
fn filesystems_are_as_large_as_df_says() {
    let Some(text) = output("df", &["-B1", "--output=target,size"]) else { return };
    let disks: Disks = inventory::read(&Root::default(), "disks");
    assert!(disks.filesystems.iter().any(|filesystem| filesystem.mount_point == "/"));
    for filesystem in &disks.filesystems {
        let line = text.lines().find(|line| line.split_whitespace().next() == Some(&filesystem.mount_point));
        let Some(size) = line.and_then(|line| line.split_whitespace().nth(1)) else { continue };
        assert_eq!(filesystem.size_bytes.to_string(), size, "{}", filesystem.mount_point);
    }
}

#[test]
fn devices_are_those_of_lsblk() {
    let columns = "KNAME,SIZE,TYPE,RO,RM,ROTA,PKNAME";
    let Some(text) = output("lsblk", &["-b", "-n", "-r", "-e", "1,7,43", "-o", columns]) else { return };
    let told: BTreeSet<String> = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.contains(" 0 disk "))
        .map(str::to_owned)
        .collect();
    let disks: Disks = inventory::read(&Root::default(), "disks");
    let bit = |flag: bool| u8::from(flag);
    let found: BTreeSet<String> = disks
        .devices
        .iter()
        .map(|d| {
            let parent = d.parents.first().map_or("", String::as_str);
            let (ro, rm, rotates) = (bit(d.read_only), bit(d.removable), bit(d.rotational));
            format!("{} {} {} {ro} {rm} {rotates} {parent}", d.name, d.size_bytes, d.kind)
                .trim_end()
                .to_owned()
        })
        .collect();
    assert_eq!(found, told);
}

#[test]
fn what_the_machine_runs_inside_of_is_what_systemd_says() {
    let Some(text) = output("systemd-detect-virt", &[]) else { return };
    let os: Os = inventory::read(&Root::default(), "os");
    assert_eq!(os.virtualization.as_deref(), Some(text.trim()));
    let boot = std::fs::read_to_string("/proc/stat").unwrap();
    let line = boot.lines().find_map(|line| line.strip_prefix("btime ")).unwrap();
    assert!(os.booted_at.unwrap().abs_diff(line.parse().unwrap()) < 60);
    assert!(!os.init.is_empty());
}

#[test]
fn addresses_are_those_of_ip() {
    let Some(text) = output("ip", &["-o", "addr", "show"]) else { return };
    let network: Network = inventory::read(&Root::default(), "network");
    let mut told: Vec<(String, String)> = text
        .lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let at = words.iter().position(|word| *word == "inet" || *word == "inet6")?;
            let address = words[at + 1].to_owned();
            Some((words[1].to_owned(), address))
        })
        .collect();
    told.sort();
    let mut found: Vec<(String, String)> = network
        .interfaces
        .iter()
        .flat_map(|i| i.addresses.iter().map(|address| (i.name.clone(), address.clone())))
        .collect();
    found.sort();
    assert_eq!(found, told);
}

#[test]
fn the_default_route_is_the_one_ip_uses() {
    let Some(text) = output("ip", &["-4", "route", "show", "default"]) else { return };
    let Some(gateway) = text.split_whitespace().skip_while(|word| *word != "via").nth(1) else { return };
    let network: Network = inventory::read(&Root::default(), "network");
    assert!(network.default_routes.iter().any(|route| route.gateway == gateway), "{gateway}");
}

#[test]
fn an_unchanged_machine_keeps_its_digests() {
    let root = Root::default();
    for name in SECTIONS {
        let (first, second) =
            (inventory::collect(&root, name).unwrap(), inventory::collect(&root, name).unwrap());
        // Other tests start and end processes and listen meanwhile.
        if !["sockets", "roles", "reboot", "guests", "antivirus"].contains(&name) {
            assert_eq!(first.digest, second.digest, "{name}");
        }
        let value: serde_json::Value = serde_json::from_slice(&first.body).unwrap();
        // Ubuntu Pro is Ubuntu's, and small virtual machines have no firmware that tells.
        let always = !["ubuntu_pro", "hardware"].contains(&name);
        assert!(!always || value.get("unavailable").is_none(), "{name} is collected here");
    }
    assert!(inventory::collect(&root, "nonsense").is_none());
}

#[test]
fn what_is_not_there_is_said_to_be_unavailable() {
    let empty = tempfile::tempdir().unwrap();
    let section = inventory::collect(&Root::at(empty.path()), "packages").unwrap();
    assert_eq!(section.body, br#"{"unavailable":"not supported on this system yet"}"#);
}

#[test]
fn live_metrics_are_within_reason() {
    let mut sampler = Sampler::new(Root::default());
    sampler.sample();
    let mut sum = 0_u64;
    let end = std::time::Instant::now() + std::time::Duration::from_millis(80);
    while std::time::Instant::now() < end {
        sum = sum.wrapping_add(std::hint::black_box(7));
    }
    std::hint::black_box(sum);
    let metrics = sampler.sample();
    assert!(metrics.cpu_percent > 0.0 && metrics.cpu_percent <= 100.0, "{}", metrics.cpu_percent);
    assert!(metrics.memory_available > 0 && metrics.memory_available < metrics.memory_total);
    assert!(metrics.uptime_s > 0);
    let root = metrics.disks.iter().find(|disk| disk.mount == "/").unwrap();
    assert!(root.used > 0 && root.used <= root.total);
}

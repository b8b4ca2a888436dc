//! What macOS and the BSDs share: ifconfig, netstat, df, mount, sysctl, sockstat, pf.

use std::{collections::BTreeMap, net::IpAddr};

use crate::inventory::{
    cpu::Cpu,
    disks::{Disks, Filesystem},
    firewall::{Filter, Firewall},
    memory::Memory,
    network::{self, DefaultRoute, Interface, Network},
    os::Os,
    sockets::{Socket, Sockets},
    source::Root,
};

/// A line that a command prints.
pub fn line(root: &Root, program: &str, arguments: &[&str]) -> Option<String> {
    let text = root.run(program, arguments)?;
    let line = text.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

/// A value of the kernel's.
pub fn sysctl(root: &Root, name: &str) -> Option<String> {
    line(root, "sysctl", &["-n", name])
}

/// A number of the kernel's; 0 when it has none.
pub fn sysctl_number<T: std::str::FromStr + Default>(root: &Root, name: &str) -> T {
    sysctl(root, name).and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// What `uname` tells.
pub fn os(root: &Root) -> Option<Os> {
    let uname = |flag: &str| line(root, "uname", &[flag]).unwrap_or_default();
    let system = root.system();
    let (kernel, name) = (uname("-r"), uname("-s"));
    Some(Os {
        family: system.family().into(),
        id: system.family().into(),
        pretty_name: format!("{name} {kernel}").trim().to_owned(),
        version_id: kernel.split('-').next().unwrap_or_default().into(),
        kernel,
        kernel_build: uname("-v"),
        arch: uname("-m"),
        hostname: uname("-n"),
        init: if name == "Darwin" { "launchd" } else { "rc" }.into(),
        booted_at: sysctl(root, "kern.boottime").and_then(|text| parse_boottime(&text)),
        ..Os::default()
    })
}

/// `{ sec = 1790000000, usec = 0 } Mon Sep 21 ...`; systems that print a date instead tell nothing.
pub fn parse_boottime(text: &str) -> Option<i64> {
    text.split_once("sec = ")?.1.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Processors by `hw.model` and `hw.ncpu`.
pub fn cpu(root: &Root) -> Option<Cpu> {
    let threads = sysctl_number(root, "hw.ncpu");
    let model = sysctl(root, "hw.model").unwrap_or_default();
    Some(Cpu { model, threads, cores: threads, sockets: u32::from(threads > 0), ..Cpu::default() })
}

/// Memory by a sysctl, swap by `swapctl`.
pub fn memory(root: &Root, total: &str) -> Option<Memory> {
    let swap = root.run("swapctl", &["-l", "-k"]).unwrap_or_default();
    Some(Memory { total_bytes: sysctl_number(root, total), swap_total_bytes: parse_swapctl(&swap) })
}

/// Bytes of swap that `swapctl -l -k` lists.
pub fn parse_swapctl(text: &str) -> u64 {
    let size = |line: &str| line.split_whitespace().nth(1)?.parse::<u64>().ok();
    text.lines().filter(|line| line.starts_with('/')).filter_map(size).sum::<u64>().saturating_mul(1024)
}

/// Interfaces, default routes and name servers.
pub fn network(root: &Root) -> Option<Network> {
    let mut interfaces = parse_ifconfig(&root.run("ifconfig", &["-a"])?);
    interfaces.sort_by(|a, b| a.name.cmp(&b.name));
    let mut default_routes = parse_routes(&root.run("netstat", &["-rn"]).unwrap_or_default());
    default_routes.sort();
    default_routes.dedup();
    let name_servers = network::parse_resolv_conf(&root.text("etc/resolv.conf").unwrap_or_default());
    Some(Network { interfaces, default_routes, name_servers })
}

/// Parse `ifconfig -a`.
pub fn parse_ifconfig(text: &str) -> Vec<Interface> {
    let mut interfaces: Vec<Interface> = Vec::new();
    for line in text.lines() {
        if !line.starts_with(char::is_whitespace) {
            let Some((name, rest)) = line.split_once(": ") else { continue };
            let flags = rest.split_once('<').and_then(|(_, rest)| rest.split('>').next()).unwrap_or_default();
            let has = |flag: &str| flags.split(',').any(|word| word == flag);
            let mtu =
                rest.split_once("mtu ").and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok());
            interfaces.push(Interface {
                name: name.into(),
                mtu: mtu.unwrap_or_default(),
                state: if has("UP") { "up" } else { "down" }.into(),
                loopback: has("LOOPBACK"),
                // Until an address of hardware is seen.
                is_virtual: true,
                ..Interface::default()
            });
            continue;
        }
        let Some(interface) = interfaces.last_mut() else { continue };
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["ether" | "lladdr" | "address:", mac, ..] => {
                interface.mac = Some(mac.to_lowercase());
                interface.is_virtual = false;
            }
            ["status:", "no", "carrier", ..] | ["status:", "inactive", ..] => interface.state = "down".into(),
            ["inet" | "inet6", address, ..] => interface.addresses.extend(parse_address(address, &words)),
            _ => {}
        }
    }
    interfaces.iter_mut().for_each(|interface| interface.addresses.sort());
    interfaces
}

/// An address with its length, which stands behind a slash, or in `netmask` or `prefixlen`.
fn parse_address(address: &str, words: &[&str]) -> Option<String> {
    let after = |name: &str| words.iter().skip_while(|word| **word != name).nth(1).copied();
    let (bare, length) = match address.split_once('/') {
        Some((bare, length)) => (bare, length.parse().ok()),
        None => (address, None),
    };
    let ip: IpAddr = bare.split('%').next()?.parse().ok()?;
    let mask = || -> Option<u32> {
        let mask = after("netmask")?;
        match mask.strip_prefix("0x") {
            Some(hex) => network::prefix_length(IpAddr::V4(u32::from_str_radix(hex, 16).ok()?.into())),
            None => network::prefix_length(mask.parse().ok()?),
        }
    };
    let length = length.or_else(|| after("prefixlen")?.parse().ok()).or_else(mask)?;
    Some(format!("{ip}/{length}"))
}

/// Default routes of `netstat -rn`: the interface is the last column that is no number.
pub fn parse_routes(text: &str) -> Vec<DefaultRoute> {
    let header = |line: &&str| line.starts_with("Destination");
    let mut column = None;
    let mut routes = Vec::new();
    for line in text.lines() {
        if header(&line) {
            let names: Vec<&str> = line.split_whitespace().collect();
            column = names.iter().position(|name| matches!(*name, "Netif" | "Iface" | "Interface"));
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["default", gateway, ..] = words[..] else { continue };
        let Some(interface) = column.and_then(|at| words.get(at)) else { continue };
        let gateway = gateway.split('%').next().unwrap_or_default().parse();
        routes.extend(gateway.ok().map(|gateway| DefaultRoute::new(interface, gateway, 0)));
    }
    routes
}

/// Mounted filesystems by `df` and `mount`.
pub fn disks(root: &Root) -> Option<Disks> {
    let (df, mount) = (root.run("df", &["-kP"])?, root.run("mount", &[])?);
    Some(Disks { filesystems: parse_filesystems(&df, &mount), ..Disks::default() })
}

/// Parse `df -kP` and `mount`: those that have a device or are of ZFS.
pub fn parse_filesystems(df: &str, mount: &str) -> Vec<Filesystem> {
    let kinds: BTreeMap<&str, (&str, bool)> = mount.lines().filter_map(parse_mount).collect();
    let mut found: Vec<Filesystem> = df
        .lines()
        .skip(1)
        .filter_map(|line| {
            // Mount points may hold blanks, sources may not.
            let percent = line.find("% ")?;
            let mount_point = line[percent + 2..].trim();
            let mut words = line.split_whitespace();
            let (source, blocks) = (words.next()?, words.next()?.parse::<u64>().ok()?);
            let (kind, read_only) = kinds.get(mount_point).copied()?;
            (source.starts_with("/dev/") || kind == "zfs").then(|| Filesystem {
                mount_point: mount_point.into(),
                source: source.into(),
                kind: kind.into(),
                size_bytes: blocks.saturating_mul(1024),
                read_only,
            })
        })
        .collect();
    found.sort_by(|a, b| a.mount_point.cmp(&b.mount_point));
    found
}

/// `/dev/sd0a on / type ffs (local)`, or `/dev/ada0p2 on / (ufs, local)`: mount point, type, read-only.
fn parse_mount(line: &str) -> Option<(&str, (&str, bool))> {
    let (place, options) = line.split_once(" on ")?.1.rsplit_once(" (")?;
    let options: Vec<&str> = options.trim_end_matches(')').split(", ").collect();
    let read_only = options.contains(&"read-only");
    Some(match place.rsplit_once(" type ") {
        Some((point, kind)) => (point, (kind, read_only)),
        None => (place, (options.first()?, read_only)),
    })
}

/// Listening sockets by `sockstat`.
pub fn sockets(root: &Root) -> Option<Sockets> {
    Some(sockets_of(parse_sockstat(&root.run("sockstat", &["-46l"])?)))
}

/// Each once, in the order of protocol, port and address.
pub fn sockets_of(mut sockets: Vec<Socket>) -> Sockets {
    sockets.sort_by(|a, b| {
        (&a.protocol, a.port, &a.address, a.pid).cmp(&(&b.protocol, b.port, &b.address, b.pid))
    });
    sockets.dedup_by(|later, first| later.key == first.key);
    Sockets { sockets, truncated: false }
}

/// Parse `sockstat -l`: user, command, pid, descriptor, protocol, local, foreign.
pub fn parse_sockstat(text: &str) -> Vec<Socket> {
    text.lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [_, process, pid, _, protocol, local, ..] = words[..] else { return None };
            socket(protocol, local, process, pid.parse().ok())
        })
        .collect()
}

/// A socket from `tcp4` and `*:22`, `[::1]:631`, or `127.0.0.1.22`.
pub fn socket(protocol: &str, local: &str, process: &str, pid: Option<u32>) -> Option<Socket> {
    let (address, port) = local.rsplit_once(':').or_else(|| local.rsplit_once('.'))?;
    let six = protocol.ends_with('6');
    let protocol = protocol.get(..3).filter(|name| matches!(*name, "tcp" | "udp"))?;
    let port: u16 = port.parse().ok()?;
    let address = match address.trim_matches(['[', ']']).split('%').next()? {
        "*" if six => "::",
        "*" => "0.0.0.0",
        address => address,
    };
    let shown = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
    Some(Socket {
        key: format!("{protocol}/{shown}:{port}"),
        protocol: protocol.into(),
        address: address.into(),
        port,
        process: process.into(),
        pid,
        ..Socket::default()
    })
}

/// pf by its control program.
pub fn pf(root: &Root) -> Option<Filter> {
    let info = root.run("pfctl", &["-s", "info"])?;
    let rules = root.run("pfctl", &["-s", "rules"]);
    Some(parse_pf(&info, rules.as_deref()))
}

/// Parse `pfctl -s info` and `pfctl -s rules`.
pub fn parse_pf(info: &str, rules: Option<&str>) -> Filter {
    let lines = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).count();
    // What no rule names passes, unless the set of rules begins with a block of everything.
    let enabled = info.lines().any(|line| line.starts_with("Status: Enabled"));
    let blocks = |way: &str| {
        rules.is_some_and(|text| {
            text.lines().any(|line| {
                let line = line.trim();
                let all = ["block drop all", "block return all", "block all"].contains(&line);
                all || line == format!("block drop {way} all") || line == format!("block return {way} all")
            })
        })
    };
    let policy = |way: &str| enabled.then(|| if blocks(way) { "drop" } else { "accept" }.to_owned());
    Filter {
        name: "pf".into(),
        enabled,
        incoming: policy("in"),
        outgoing: policy("out"),
        rules: rules.map(|text| u32::try_from(lines(text)).unwrap_or(u32::MAX)),
        ..Filter::default()
    }
}

/// A firewall section of what was found; `None` without any.
pub fn firewall(found: impl IntoIterator<Item = Option<Filter>>) -> Option<Firewall> {
    let found: Vec<Filter> = found.into_iter().flatten().collect();
    (!found.is_empty()).then(|| Firewall::of(found))
}

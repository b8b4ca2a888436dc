//! Parsers on recorded and mangled input.

use std::io::BufReader;

use proptest::prelude::*;
use sysmanage_agent::{
    inventory::{cpu, disks, memory, network, os, packages, source},
    metrics,
};

const STATUS: &str = "\
Package: libc6
Status: install ok installed
Architecture: amd64
Multi-Arch: same
Source: glibc
Version: 2.36-9+deb12u10
Installed-Size: 13003
Description: GNU C Library: Shared libraries
 Contains the standard libraries.
 Package: not-a-field

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0

Package: libgcc-s1
Status: hold ok installed
Architecture: amd64
Source: gcc-12 (12.2.0-14+deb12u1)
Version: 12.2.0-14

Package: broken
Status: install ok half-configured
Architecture: all
Version: 1:2~rc1-1
";

#[test]
fn the_dpkg_database_is_read_field_by_field() {
    let found = packages::parse_dpkg_status(STATUS.as_bytes()).unwrap().packages;
    let names: Vec<&str> = found.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names, ["broken", "libc6", "libgcc-s1"]);
    assert_eq!(found[0].state.as_deref(), Some("half-configured"));
    assert_eq!((found[1].source.as_deref(), found[1].installed_kib), (Some("glibc"), Some(13003)));
    assert!(found[2].held);
    assert_eq!(found[2].source_version.as_deref(), Some("12.2.0-14+deb12u1"));
}

#[test]
fn one_endless_line_does_not_fill_the_memory() {
    let mut text = b"Package: x\nStatus: install ok installed\nVersion: 1\nConffiles: ".to_vec();
    text.resize(8 << 20, b'a');
    let found = packages::parse_dpkg_status(BufReader::new(text.as_slice())).unwrap();
    assert_eq!(found.packages.len(), 1);
}

#[test]
fn lines_are_cut_and_joined_over_any_buffer() {
    for capacity in [1, 2, 3, 7, 64] {
        let mut reader = BufReader::with_capacity(capacity, &b"abcdef\r\n\nxy"[..]);
        let (mut line, mut lines) = (Vec::new(), Vec::new());
        while source::read_line_bounded(&mut reader, &mut line, 4).unwrap() {
            lines.push(String::from_utf8(line.clone()).unwrap());
        }
        assert_eq!(lines, ["abcd", "", "xy"], "buffer of {capacity}");
    }
}

#[test]
fn os_release_knows_quotes_and_comments() {
    let text =
        "# c\nNAME=\"A \\\"B\\\" \\$C\"\nID=debian\nVERSION_ID='12'\nnot a line\n=x\nPRETTY_NAME=\"Open";
    let fields = os::parse_os_release(text);
    assert_eq!(fields["NAME"], "A \"B\" $C");
    assert_eq!(fields["ID"], "debian");
    assert_eq!(fields["VERSION_ID"], "12");
    assert_eq!(fields["PRETTY_NAME"], "Open");
    assert_eq!(fields.len(), 4);
}

#[test]
fn processors_of_other_architectures_are_counted() {
    let arm = "processor\t: 0\nBogoMIPS\t: 243.75\nCPU implementer\t: 0x41\n\nprocessor\t: 1\nCPU implementer\t: 0x41\n";
    let cpu = cpu::parse_cpuinfo(arm);
    assert_eq!((cpu.threads, cpu.cores, cpu.sockets, cpu.vendor.as_str()), (2, 2, 1, "0x41"));
    let x86 = "processor : 0\nphysical id : 0\ncore id : 0\nflags : fpu hypervisor\nprocessor : 1\nphysical id : 0\ncore id : 0\n\
               processor : 2\nphysical id : 1\ncore id : 0\nprocessor : 3\nphysical id : 1\ncore id : 0\n";
    let cpu = cpu::parse_cpuinfo(x86);
    assert_eq!((cpu.threads, cpu.cores, cpu.sockets, cpu.virtualised), (4, 2, 2, true));
}

#[test]
fn mounts_know_escapes_and_the_last_one_wins() {
    let text = "/dev/sda1 / ext4 rw,relatime 0 0\nproc /proc proc rw 0 0\n/dev/sdb1 /mnt/a\\040b xfs ro 0 0\n\
                tmpfs /run tmpfs rw 0 0\nhost:/x /nfs nfs4 rw 0 0\n/dev/sdc1 / btrfs rw 0 0\nshort line\n";
    let mounts = disks::local_mounts(text);
    let seen: Vec<(&str, &str, bool)> =
        mounts.iter().map(|m| (m.mount_point.as_str(), m.kind.as_str(), m.read_only)).collect();
    assert_eq!(seen, [("/", "btrfs", false), ("/mnt/a b", "xfs", true)]);
    assert_eq!(disks::unescape("\\134\\011\\9"), "\\\t\\9");
    assert_eq!(disks::local_mounts("overlay / overlay rw 0 0\noverlay /x overlay rw 0 0\n").len(), 1);
}

#[test]
fn routes_are_read_in_both_families() {
    let v4 = "Iface\tDestination\tGateway\nens3\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
              ens3\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
    let routes = network::parse_routes_v4(v4);
    assert_eq!(routes.len(), 1);
    assert_eq!((routes[0].gateway.as_str(), routes[0].metric), ("192.0.2.1", 100));
    let zero = "0".repeat(32);
    let v6 = format!(
        "{zero} 00 {zero} 00 fe800000000000000000000000000001 00000400 1 0 00000003 ens3\n{zero} 00 {zero} 00 {zero} ffffffff 1 0 00200200 lo\n"
    );
    let routes = network::parse_routes_v6(&v6);
    assert_eq!(routes.len(), 1);
    assert_eq!((routes[0].gateway.as_str(), routes[0].metric), ("fe80::1", 1024));
}

#[test]
fn netmasks_become_prefix_lengths() {
    let length = |mask: &str| network::prefix_length(mask.parse().unwrap());
    assert_eq!(length("255.255.255.0"), Some(24));
    assert_eq!(length("0.0.0.0"), Some(0));
    assert_eq!(length("255.0.255.0"), None);
    assert_eq!(length("ffff:ffff::"), Some(32));
}

#[test]
fn old_kernels_have_no_memavailable() {
    let info = memory::parse_meminfo("MemTotal: 100 kB\nMemFree: 10 kB\nBuffers: 5 kB\nCached: 20 kB\n");
    assert_eq!((info.total, info.available), (102_400, 35_840));
}

#[test]
fn processor_time_is_busy_over_total() {
    let before = metrics::parse_cpu_times("cpu  10 0 10 70 10 0 0 0 5 5\ncpu0 1 2 3\n");
    let after = metrics::parse_cpu_times("cpu  20 0 20 130 30 0 0 0 9 9\n");
    assert_eq!((before, after), ((20, 100), (40, 200)));
    assert!((metrics::busy_percent(before, after) - 20.0).abs() < 0.001);
    assert_eq!(metrics::busy_percent(after, before), 0.0, "a clock that went back is no use");
}

#[test]
fn interfaces_and_disks_are_counted() {
    let nets = metrics::parse_net_dev(
        "Inter-|\n face |\n lo: 9 0 0 0 0 0 0 0 9 0\n eth0:100 1 0 0 0 0 0 0 200 1 0 0 0 0 0 0\n",
    );
    assert_eq!(nets.len(), 1);
    assert_eq!((nets[0].name.as_str(), nets[0].received_bytes, nets[0].sent_bytes), ("eth0", 100, 200));
    let disks = metrics::parse_diskstats("   8       1 sda1 10 0 4 0 20 0 8 0 0 0 0\n");
    assert_eq!(disks["sda1"], (2048, 4096));
}

fn every_parser(text: &str) {
    let _packages = packages::parse_dpkg_status(text.as_bytes()).unwrap();
    let _fields = os::parse_os_release(text);
    let _cpu = cpu::parse_cpuinfo(text);
    let _memory = memory::parse_meminfo(text);
    let _mounts = disks::local_mounts(text);
    let _escaped = disks::unescape(text);
    let _v4 = network::parse_routes_v4(text);
    let _v6 = network::parse_routes_v6(text);
    let _servers = network::parse_resolv_conf(text);
    let _ticks = metrics::parse_cpu_times(text);
    let _load = metrics::parse_loadavg(text);
    let _uptime = metrics::parse_uptime(text);
    let _nets = metrics::parse_net_dev(text);
    let _disks = metrics::parse_diskstats(text);
}

/// Recorded files, to be damaged.
const RECORDED: [&str; 6] = [
    STATUS,
    "cpu  10 0 10 70 10 0 0 0 5 5\nintr 1 2\n",
    "MemTotal:       24684096 kB\nMemAvailable:   22000000 kB\nSwapTotal: 0 kB\n",
    "/dev/vda / ext4 rw,relatime 0 0\n/dev/sdb1 /mnt/a\\040b xfs ro 0 0\n",
    "Iface\tDestination\nens3\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n",
    "   8       1 sda1 10 0 4 0 20 0 8 0 0 0 0\n eth0:100 1 0 0 0 0 0 0 200 1\n",
];

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(text in "[\\PC\n\t:=\\\\]{0,400}") {
        every_parser(&text);
    }

    #[test]
    fn no_damage_to_a_recorded_file_makes_a_parser_panic(
        which in 0..RECORDED.len(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = RECORDED[which].as_bytes().to_vec();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len() + 1));
        packages::parse_dpkg_status(bytes.as_slice()).unwrap();
        every_parser(&String::from_utf8_lossy(&bytes));
    }
}

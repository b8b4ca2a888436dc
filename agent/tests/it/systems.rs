//! Collectors of systems that nobody here has, on answers written after the documentation of the commands: not recorded from
//! machines. Each machine is read through the same door as a real one.

use std::{fs, path::Path};

use serde_json::{Value, json};
use sysmanage_agent::inventory::{
    self, commands,
    source::Root,
    systems::{System, freebsd, macos, windows},
};
use tempfile::TempDir;

/// A machine whose commands answer what is written here.
fn machine(folder: &TempDir, system: System, answers: &[(&str, &[&str], &str)]) -> Root {
    let commands = folder.path().join("commands");
    fs::create_dir_all(&commands).unwrap();
    for (program, arguments, text) in answers {
        let file = commands.join(commands::file_name(program, arguments));
        assert!(!Path::new(&file).exists(), "two answers in one file: {}", file.display());
        fs::write(file, text).unwrap();
    }
    Root::recorded(folder.path()).of(system)
}

fn section(root: &Root, name: &str) -> Value {
    serde_json::from_slice(&inventory::collect(root, name).unwrap().body).unwrap()
}

const IFCONFIG_BSD: &str = "\
em0: flags=1008843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST,LOWER_UP> metric 0 mtu 1500
\toptions=48505bb<RXCSUM,TXCSUM>
\tether 00:0C:29:aa:bb:cc
\tinet 192.0.2.10 netmask 0xffffff00 broadcast 192.0.2.255
\tinet6 fe80::20c:29ff:feaa:bbcc%em0 prefixlen 64 scopeid 0x1
\tmedia: Ethernet autoselect (1000baseT <full-duplex>)
\tstatus: active
lo0: flags=1008049<UP,LOOPBACK,RUNNING,MULTICAST,LOWER_UP> metric 0 mtu 16384
\tinet6 ::1 prefixlen 128
\tinet 127.0.0.1 netmask 0xff000000
em1: flags=8802<BROADCAST,SIMPLEX,MULTICAST> metric 0 mtu 1500
\tether 00:0c:29:aa:bb:cd
\tstatus: no carrier
";
const ROUTES_BSD: &str = "\
Routing tables

Internet:
Destination        Gateway            Flags     Netif Expire
default            192.0.2.1          UGS         em0
127.0.0.1          link#2             UH          lo0
";

fn network_of_em0() -> Value {
    json!({
        "interfaces": [
            { "name": "em0", "mac": "00:0c:29:aa:bb:cc", "mtu": 1500, "state": "up", "loopback": false, "is_virtual": false,
              "addresses": ["192.0.2.10/24", "fe80::20c:29ff:feaa:bbcc/64"] },
            { "name": "em1", "mac": "00:0c:29:aa:bb:cd", "mtu": 1500, "state": "down", "loopback": false,
              "is_virtual": false, "addresses": [] },
            { "name": "lo0", "mac": null, "mtu": 16384, "state": "up", "loopback": true, "is_virtual": true,
              "addresses": ["127.0.0.1/8", "::1/128"] },
        ],
        "default_routes": [
            { "key": "em0/192.0.2.1/0", "interface": "em0", "gateway": "192.0.2.1", "metric": 0 },
        ],
        "name_servers": [],
    })
}

fn freebsd_machine(folder: &TempDir) -> Root {
    machine(
        folder,
        System::FreeBsd,
        &[
            ("uname", &["-r"], "14.0-RELEASE\n"),
            ("uname", &["-s"], "FreeBSD\n"),
            ("uname", &["-m"], "amd64\n"),
            ("uname", &["-n"], "fb.example.org\n"),
            ("freebsd-version", &["-u"], "14.0-RELEASE-p4\n"),
            ("freebsd-version", &["-k"], "14.0-RELEASE-p3\n"),
            (
                "sysctl",
                &["-n", "kern.boottime"],
                "{ sec = 1790000000, usec = 497531 } Mon Sep 21 13:33:20 2026\n",
            ),
            ("sysctl", &["-n", "hw.ncpu"], "4\n"),
            ("sysctl", &["-n", "hw.model"], "AMD EPYC 7302P 16-Core Processor\n"),
            ("sysctl", &["-n", "hw.physmem"], "8542298112\n"),
            (
                "swapctl",
                &["-l", "-k"],
                "Device:       1024-blocks     Used:\n/dev/ada0p3     2097152         0\n",
            ),
            ("ifconfig", &["-a"], IFCONFIG_BSD),
            ("netstat", &["-rn"], ROUTES_BSD),
            (
                "df",
                &["-kP"],
                "Filesystem 1024-blocks Used Avail Capacity Mounted on\nzroot/ROOT/default 4000 1000 3000 25% /\ndevfs 1 1 0 100% /dev\n/dev/ada0p1 260 1 259 0% /boot/my efi\n",
            ),
            (
                "mount",
                &[],
                "zroot/ROOT/default on / (zfs, local, noatime)\ndevfs on /dev (devfs)\n/dev/ada0p1 on /boot/my efi (msdosfs, local, read-only)\n",
            ),
            (
                "pkg",
                &["query", freebsd::QUERY],
                "curl\t8.4.0\tFreeBSD:14:amd64\t4404019\t1\tCommand line tool\nca_root_nss\t3.93\tFreeBSD:14:*\t1025\t0\tRoot bundle\n",
            ),
            (
                "pkg",
                &["version", "-U", "-v", "-R", "-l", "<"],
                "curl-8.4.0                     <   needs updating (remote has 8.5.0)\n",
            ),
            ("service", &["-l"], "DAEMON\nsshd\nntpd\n"),
            ("service", &["-e"], "/etc/rc.d/sshd\n"),
            (
                "sockstat",
                &["-46l"],
                "USER     COMMAND    PID   FD  PROTO  LOCAL ADDRESS         FOREIGN ADDRESS\nroot     sshd       811   3   tcp6   *:22                  *:*\nroot     sshd       811   4   tcp4   *:22                  *:*\nntpd     ntpd       700   20  udp6   [::1]:123             *:*\n",
            ),
            ("pfctl", &["-s", "info"], "Status: Enabled for 3 days 01:02:03           Debug: Urgent\n"),
            (
                "pfctl",
                &["-s", "rules"],
                "block drop in all\npass in proto tcp from any to any port = ssh flags S/SA keep state\n",
            ),
            (
                "jls",
                &["--libxo", "json"],
                r#"{"__version":"2","jail-information":{"jail":[{"jid":3,"ipv4":"192.0.2.9","hostname":"www","path":"/jails/www"}]}}"#,
            ),
        ],
    )
}

#[test]
fn a_freebsd_machine_is_read_from_its_commands() {
    let folder = tempfile::tempdir().unwrap();
    let root = freebsd_machine(&folder);
    let os = section(&root, "os");
    assert_eq!((&os["family"], &os["pretty_name"]), (&json!("freebsd"), &json!("FreeBSD 14.0-RELEASE-p4")));
    assert_eq!((&os["booted_at"], &os["hostname"]), (&json!(1_790_000_000), &json!("fb.example.org")));
    assert_eq!(section(&root, "cpu")["threads"], 4);
    assert_eq!(
        section(&root, "memory"),
        json!({"total_bytes": 8_542_298_112_u64, "swap_total_bytes": 2_147_483_648_u64})
    );
    assert_eq!(section(&root, "network"), network_of_em0());
    assert_eq!(
        section(&root, "disks")["filesystems"],
        json!([
            { "mount_point": "/", "source": "zroot/ROOT/default", "kind": "zfs", "size_bytes": 4_096_000, "read_only": false },
            { "mount_point": "/boot/my efi", "source": "/dev/ada0p1", "kind": "msdosfs", "size_bytes": 266_240, "read_only": true },
        ])
    );
    assert_eq!(
        section(&root, "packages")["packages"],
        json!([
            { "key": "pkg:ca_root_nss:noarch", "name": "ca_root_nss", "arch": "noarch", "version": "3.93", "manager": "pkg",
              "title": "Root bundle", "installed_kib": 2 },
            { "key": "pkg:curl:amd64", "name": "curl", "arch": "amd64", "version": "8.4.0", "manager": "pkg",
              "title": "Command line tool", "installed_kib": 4301, "held": true },
        ])
    );
    assert_eq!(
        section(&root, "updates")["updates"],
        json!([
            { "key": "pkg:curl:amd64", "name": "curl", "arch": "amd64", "manager": "pkg", "installed": "8.4.0",
              "version": "8.5.0", "held": true },
        ])
    );
    let reboot = section(&root, "reboot");
    assert_eq!(
        (&reboot["required"], &reboot["causes"][0]["key"]),
        (&json!(true), &json!("kernel:14.0-RELEASE-p3"))
    );
    assert_eq!(
        section(&root, "services")["services"],
        json!([
            { "name": "ntpd", "enabled": "disabled" }, { "name": "sshd", "enabled": "enabled" },
        ])
    );
    let sockets = section(&root, "sockets");
    let keys: Vec<&Value> =
        sockets["sockets"].as_array().unwrap().iter().map(|socket| &socket["key"]).collect();
    assert_eq!(keys, ["tcp/0.0.0.0:22", "tcp/[::]:22", "udp/[::1]:123"]);
    assert_eq!(
        section(&root, "firewall"),
        json!({ "active": true, "firewalls": [
            { "name": "pf", "enabled": true, "incoming": "drop", "outgoing": "accept", "rules": 2 },
        ]})
    );
    assert_eq!(section(&root, "guests")["guests"][0]["name"], "www");
    assert_eq!(section(&root, "antivirus"), json!({ "unavailable": "not supported on this system yet" }));
}

#[test]
fn an_openbsd_and_a_netbsd_machine_are_read_from_their_commands() {
    let folder = tempfile::tempdir().unwrap();
    let root = machine(
        &folder,
        System::OpenBsd,
        &[
            (
                "pkg_info",
                &[],
                "py3-2to3-3.10.1p2 no\nvim-9.0.2035-no_x11 vi clone, many additional features\nquirks-6.160      exceptions to pkg_add rules\n",
            ),
            ("syspatch", &["-c"], "001_xserver\n002_msplit\n"),
            ("rcctl", &["ls", "all"], "httpd\nsshd\n"),
            ("rcctl", &["ls", "on"], "sshd\n"),
            ("rcctl", &["ls", "started"], "sshd\n"),
            (
                "vmctl",
                &["status"],
                "   ID   PID VCPUS  MAXMEM  CURMEM     TTY        OWNER    STATE NAME\n    1 79014     1    1.5G    152M   ttyp4          root  running web\n    2     -     1    512M       -       -          root  stopped db\n",
            ),
        ],
    );
    let packages = section(&root, "packages");
    let named = |at: usize| (&packages["packages"][at]["name"], &packages["packages"][at]["version"]);
    assert_eq!(named(1), (&json!("quirks"), &json!("6.160")));
    assert_eq!(named(2), (&json!("vim"), &json!("9.0.2035-no_x11")));
    assert_eq!(section(&root, "updates")["updates"][0]["version"], "001");
    assert_eq!(
        section(&root, "services")["services"],
        json!([
            { "name": "httpd", "state": "stopped", "enabled": "disabled" },
            { "name": "sshd", "state": "running", "enabled": "enabled" },
        ])
    );
    let guests = section(&root, "guests");
    assert_eq!(
        (&guests["guests"][0]["memory_bytes"], &guests["guests"][1]["state"]),
        (&json!(1_610_612_736_u64), &json!("stopped"))
    );

    let folder = tempfile::tempdir().unwrap();
    let root = machine(
        &folder,
        System::NetBsd,
        &[
            (
                "pkg_info",
                &[],
                "curl-8.4.0nb1       Client that groks URLs\npy311-setuptools-68.1 New Python packaging system\n",
            ),
            ("npfctl", &["show"], "# filtering:\tactive\n# config:\tloaded\n"),
            (
                "df",
                &["-kP"],
                "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/wd0a 1000 500 500 50% /\n",
            ),
            ("mount", &[], "/dev/wd0a on / type ffs (log, local)\n"),
        ],
    );
    let packages = section(&root, "packages");
    assert_eq!(packages["packages"][1]["name"], "py311-setuptools");
    assert_eq!(packages["packages"][0]["version"], "8.4.0nb1");
    assert_eq!(section(&root, "firewall")["active"], true);
    assert_eq!(section(&root, "disks")["filesystems"][0]["kind"], "ffs");
}

#[test]
fn a_mac_is_read_from_its_commands() {
    let folder = tempfile::tempdir().unwrap();
    let root = machine(
        &folder,
        System::MacOs,
        &[
            ("uname", &["-s"], "Darwin\n"),
            ("uname", &["-r"], "23.2.0\n"),
            ("sw_vers", &[], "ProductName:\t\tmacOS\nProductVersion:\t\t14.2\nBuildVersion:\t\t23C64\n"),
            ("sw_vers", &["-productVersion"], "14.2\n"),
            (
                "system_profiler",
                &["-json", "SPHardwareDataType"],
                r#"{"SPHardwareDataType":[{"_name":"hardware_overview","boot_rom_version":"10151.61.4","machine_model":"Mac14,7","machine_name":"MacBook Pro","platform_UUID":"ABCDEF01-0000-0000-0000-000000000000","serial_number":"C02EXAMPLE"}]}"#,
            ),
            (
                "system_profiler",
                &["-json", "SPApplicationsDataType"],
                r#"{"SPApplicationsDataType":[{"_name":"Mail","path":"/System/Applications/Mail.app","version":"16.0"},{"_name":"Firefox","path":"/Applications/Firefox.app","version":"121.0","obtained_from":"identified_developer"}]}"#,
            ),
            (
                "softwareupdate",
                &["--list", "--no-scan"],
                "Software Update Tool\n\nSoftware Update found the following new or updated software:\n* Label: macOS Sonoma 14.2.1-23C71\n\tTitle: macOS Sonoma 14.2.1, Version: 14.2.1, Size: 1000KiB, Recommended: YES, Action: restart, \n",
            ),
            (
                "launchctl",
                &["list"],
                "PID\tStatus\tLabel\n-\t0\tcom.apple.idle\n312\t0\tcom.example.daemon\n-\t78\tcom.example.broken\n900\t0\tapplication.org.mozilla.firefox.1\n",
            ),
            (
                "lsof",
                &["-nP", "-iTCP", "-sTCP:LISTEN", "-FpctPn"],
                "p512\ncsshd\nf4\ntIPv6\nPTCP\nn*:22\nf5\ntIPv4\nPTCP\nn127.0.0.1:631\n",
            ),
            (
                "lsof",
                &["-nP", "-iUDP", "-FpctPn"],
                "p300\ncmDNSResponder\nf6\ntIPv4\nPUDP\nn*:5353\nf7\ntIPv4\nPUDP\nn192.0.2.5:50000->192.0.2.1:53\n",
            ),
            (macos::SOCKETFILTERFW, &["--getglobalstate"], "Firewall is enabled. (State = 1)\n"),
        ],
    );
    fs::create_dir_all(folder.path().join("root/opt/homebrew/Cellar/jq/1.7.1")).unwrap();
    assert_eq!(section(&root, "os")["pretty_name"], "macOS 14.2 (23C64)");
    let hardware = section(&root, "hardware");
    assert_eq!((&hardware["model"], &hardware["chassis"]), (&json!("Mac14,7"), &json!("laptop")));
    let packages = section(&root, "packages");
    let keys: Vec<&Value> =
        packages["packages"].as_array().unwrap().iter().map(|package| &package["key"]).collect();
    assert_eq!(keys, ["app:Firefox:", "brew:jq:"]);
    assert_eq!(
        section(&root, "updates")["updates"],
        json!([
            { "key": "softwareupdate:macOS Sonoma 14.2.1-23C71:", "name": "macOS Sonoma 14.2.1-23C71",
              "manager": "softwareupdate", "installed": "14.2", "version": "14.2.1", "download_bytes": 1_024_000 },
        ])
    );
    let services = section(&root, "services");
    let states: Vec<&Value> =
        services["services"].as_array().unwrap().iter().map(|service| &service["state"]).collect();
    assert_eq!(states, ["stopped", "failed", "running"]);
    let sockets = section(&root, "sockets");
    let keys: Vec<&Value> =
        sockets["sockets"].as_array().unwrap().iter().map(|socket| &socket["key"]).collect();
    assert_eq!(keys, ["tcp/[::]:22", "tcp/127.0.0.1:631", "udp/0.0.0.0:5353"]);
    assert_eq!(section(&root, "firewall")["active"], true);
    assert_eq!(section(&root, "users"), json!({ "unavailable": "not supported on this system yet" }));
}

#[test]
fn a_windows_machine_is_read_from_its_answers() {
    let folder = tempfile::tempdir().unwrap();
    let told = [
        (
            "os",
            r#"{"Caption":"Microsoft Windows Server 2022 Standard","Version":"10.0.20348","BuildNumber":"20348","OSArchitecture":"64-bit","CSName":"WIN1","TotalVisibleMemorySize":4193776,"Booted":1790000000}"#,
        ),
        (
            "packages",
            r#"[{"DisplayName":"7-Zip 23.01 (x64)","DisplayVersion":"23.01","EstimatedSize":5637,"WindowsInstaller":null},{"DisplayName":null,"DisplayVersion":null,"EstimatedSize":null,"WindowsInstaller":null},{"DisplayName":"PowerShell 7-x64","DisplayVersion":"7.4.0.0","EstimatedSize":1,"WindowsInstaller":1}]"#,
        ),
        ("hotfixes", r#"{"HotFixID":"KB5033118","Description":"Security Update"}"#),
        (
            "services",
            "\u{feff}[{\"Name\":\"Spooler\",\"DisplayName\":\"Print Spooler\",\"State\":\"Running\",\"StartMode\":\"Auto\"},{\"Name\":\"wuauserv\",\"DisplayName\":\"Windows Update\",\"State\":\"Stopped\",\"StartMode\":\"Manual\"}]",
        ),
        (
            "users",
            r#"[{"Name":"Guest","FullName":"","Enabled":false,"Sid":"S-1-5-21-1-2-3-501"},{"Name":"Administrator","FullName":"","Enabled":true,"Sid":"S-1-5-21-1-2-3-500"}]"#,
        ),
        (
            "sockets",
            r#"[{"LocalAddress":"::","LocalPort":445,"OwningProcess":4,"Process":"System"},{"LocalAddress":"0.0.0.0","LocalPort":135,"OwningProcess":900,"Process":"svchost"}]"#,
        ),
        (
            "firewall",
            r#"[{"Name":"Domain","Enabled":1,"In":"NotConfigured","Out":"NotConfigured"},{"Name":"Public","Enabled":0,"In":"Block","Out":"Allow"}]"#,
        ),
        (
            "antivirus",
            r#"{"AMProductVersion":"4.18.23110.3","AMServiceEnabled":true,"RealTimeProtectionEnabled":false,"AntivirusSignatureVersion":"1.403.1","Made":1790000000}"#,
        ),
    ];
    let asked: Vec<[String; 4]> = told.iter().map(|(name, _)| windows::arguments(name).unwrap()).collect();
    let arguments: Vec<[&str; 4]> = asked.iter().map(|words| words.each_ref().map(String::as_str)).collect();
    let mut answers: Vec<(&str, &[&str], &str)> =
        told.iter().zip(&arguments).map(|((_, text), words)| ("powershell", &words[..], *text)).collect();
    // UTF-16, as it comes through a pipe.
    let wsl: String = "  NAME      STATE           VERSION\r\n* Ubuntu    Running         2\r\n"
        .chars()
        .flat_map(|c| [c, '\0'])
        .collect();
    answers.push(("wsl", &["-l", "-v"], &wsl));
    let root = machine(&folder, System::Windows, &answers);

    let os = section(&root, "os");
    assert_eq!(
        (&os["pretty_name"], &os["arch"]),
        (&json!("Microsoft Windows Server 2022 Standard"), &json!("x86_64"))
    );
    assert_eq!(section(&root, "memory")["total_bytes"], 4_193_776_u64 * 1024);
    let packages = section(&root, "packages");
    let keys: Vec<&Value> =
        packages["packages"].as_array().unwrap().iter().map(|package| &package["key"]).collect();
    assert_eq!(keys, ["app:7-Zip 23.01 (x64):", "hotfix:KB5033118:", "msi:PowerShell 7-x64:"]);
    assert_eq!(
        section(&root, "services")["services"],
        json!([
            { "name": "Spooler", "description": "Print Spooler", "state": "running", "enabled": "enabled" },
            { "name": "wuauserv", "state": "stopped", "enabled": "manual" },
        ])
    );
    let users = section(&root, "users");
    assert_eq!(
        (&users["users"][0]["name"], &users["users"][1]["no_login"]),
        (&json!("Administrator"), &json!(true))
    );
    let sockets = section(&root, "sockets");
    assert_eq!(
        (&sockets["sockets"][0]["key"], &sockets["sockets"][1]["key"]),
        (&json!("tcp/0.0.0.0:135"), &json!("tcp/[::]:445"))
    );
    assert_eq!(
        section(&root, "firewall"),
        json!({ "active": true, "firewalls": [
            { "name": "windows domain", "enabled": true, "incoming": "drop", "outgoing": "accept", "profile": "Domain" },
            { "name": "windows public", "enabled": false, "incoming": "drop", "outgoing": "accept", "profile": "Public" },
        ]})
    );
    let defender = &section(&root, "antivirus")["products"][0];
    assert_eq!((&defender["running"], &defender["real_time"]), (&json!(true), &json!(false)));
    assert_eq!(section(&root, "guests")["guests"][0]["name"], "Ubuntu");
}

#[test]
fn every_section_says_so_where_a_system_does_not_answer() {
    let folder = tempfile::tempdir().unwrap();
    for system in [System::MacOs, System::FreeBsd, System::OpenBsd, System::NetBsd, System::Windows] {
        let root = machine(&folder, system, &[]);
        for name in inventory::SECTIONS {
            let body = section(&root, name);
            assert!(body.is_object(), "{system:?} {name}: {body}");
        }
        assert!(section(&root, "packages")["unavailable"].is_string(), "{system:?}");
    }
}

proptest::proptest! {
    #[test]
    fn arbitrary_answers_do_no_harm(text in "\\PC{0,200}|[a-z0-9 \t\n:=<>{}\"\\[\\],./*-]{0,300}") {
        use sysmanage_agent::inventory::systems::{netbsd, openbsd, unix};
        unix::parse_ifconfig(&text);
        unix::parse_routes(&text);
        unix::parse_filesystems(&text, &text);
        unix::parse_sockstat(&text);
        unix::parse_swapctl(&text);
        unix::parse_boottime(&text);
        unix::parse_pf(&text, Some(&text));
        freebsd::parse_packages(&text);
        freebsd::parse_jails(&text);
        openbsd::parse_packages(&text);
        openbsd::parse_guests(&text);
        netbsd::parse_packages(&text);
        macos::parse_updates(&text, "14");
        macos::parse_lsof(&text);
        macos::parse_hardware(&text);
        windows::parse_programs(&text);
        windows::parse_wsl(&text);
    }
}

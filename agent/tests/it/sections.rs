//! Sections against the commands of this machine: sockets, accounts, certificates, updates, services.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{TcpListener, UdpSocket},
    process::Command,
};

use sysmanage_agent::inventory::{
    self, certificates::Certificates, reboot::Reboot, roles::Roles, services::Services, sockets::Sockets,
    source::Root, updates::Updates, users::Users, version,
};

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).env("LC_ALL", "C").output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

/// `*:80` and `[::]:80` are one address to us, and so is what is bound to an interface.
fn ss_key(protocol: &str, local: &str) -> (String, u16) {
    let (address, port) = local.rsplit_once(':').unwrap();
    let address = address.trim_matches(['[', ']']).split('%').next().unwrap();
    let address = if address == "*" { "::" } else { address };
    (format!("{protocol} {address}"), port.parse().unwrap())
}

#[test]
fn listening_sockets_and_their_processes_are_those_of_ss() {
    let (tcp, udp) = (TcpListener::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("[::1]:0").unwrap());
    let ours = [tcp.local_addr().unwrap().port(), udp.local_addr().unwrap().port()];
    let Some(text) = output("ss", &["-H", "-l", "-n", "-t", "-u", "-p"]) else { return };
    let mut told: BTreeMap<(String, u16), Option<String>> = BTreeMap::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let process = line.split_once("users:((\"").and_then(|(_, rest)| rest.split('"').next());
        told.insert(ss_key(words[0], words[4]), process.map(str::to_owned));
    }
    let found: Sockets = inventory::read(&Root::default(), "sockets");
    let found: BTreeMap<(String, u16), String> = found
        .sockets
        .into_iter()
        .map(|s| ((format!("{} {}", s.protocol, s.address), s.port), s.process))
        .collect();
    for port in ours {
        let (_, process) = found.iter().find(|((_, found), _)| *found == port).unwrap();
        assert!(!process.is_empty(), "our own socket has a process");
    }
    // Other tests open and close sockets meanwhile: what both saw must agree, and what lasts must be in both.
    let lasting = |text: &str| -> BTreeSet<(String, u16)> {
        text.lines()
            .map(|line| {
                ss_key(line.split_whitespace().next().unwrap(), line.split_whitespace().nth(4).unwrap())
            })
            .collect()
    };
    let again = output("ss", &["-H", "-l", "-n", "-t", "-u"]).unwrap();
    for key in lasting(&again).intersection(&told.keys().cloned().collect()) {
        let process = found.get(key).unwrap_or_else(|| panic!("{key:?} is missing"));
        if let Some(told) = &told[key] {
            assert_eq!(process, told, "{key:?}");
        }
    }
    let present: BTreeSet<_> = told.keys().cloned().chain(lasting(&again)).collect();
    let unknown: Vec<_> = found.keys().filter(|key| !present.contains(*key)).collect();
    let still: BTreeSet<_> = {
        let now: Sockets = inventory::read(&Root::default(), "sockets");
        now.sockets.into_iter().map(|s| (format!("{} {}", s.protocol, s.address), s.port)).collect()
    };
    assert!(unknown.iter().all(|key| !still.contains(*key)), "{unknown:?} are not known to ss");
}

#[test]
fn users_and_groups_are_those_of_getent() {
    let Some(text) = output("getent", &["passwd"]) else { return };
    let found: Users = inventory::read(&Root::default(), "users");
    let told: BTreeSet<String> = text.lines().map(str::to_owned).collect();
    let full = |name: &str| {
        text.lines().find(|l| l.starts_with(&format!("{name}:"))).unwrap().split(':').nth(4).unwrap()
    };
    let lines: BTreeSet<String> = found
        .users
        .iter()
        .map(|u| format!("{}:x:{}:{}:{}:{}:{}", u.name, u.uid, u.gid, full(&u.name), u.home, u.shell))
        .collect();
    assert_eq!(lines, told);
    assert!(found.users.iter().all(|u| full(&u.name).split(',').next() == Some(&u.full_name)));
    let text = output("getent", &["group"]).unwrap();
    let told: BTreeSet<String> = text.lines().map(str::to_owned).collect();
    let lines: BTreeSet<String> =
        found.groups.iter().map(|g| format!("{}:x:{}:{}", g.name, g.gid, g.members.join(","))).collect();
    assert_eq!(lines, told);
    let root = found.users.iter().find(|user| user.name == "root").unwrap();
    assert_eq!(root.admin.as_deref(), Some("uid 0"));
}

#[test]
fn account_states_are_those_of_passwd() {
    let Some(text) = output("passwd", &["-S", "-a"]) else { return };
    let found: Users = inventory::read(&Root::default(), "users");
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let user = found.users.iter().find(|user| user.name == words[0]).unwrap();
        let state = serde_json::to_value(user.password).unwrap();
        let told: &[&str] = match words[1] {
            "L" => &["locked", "none"],
            "NP" => &["empty"],
            _ => &["set"],
        };
        assert!(told.contains(&state.as_str().unwrap()), "{line}: {state}");
    }
}

#[test]
fn certificates_are_what_openssl_reads() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("etc/ssl/site");
    std::fs::create_dir_all(&place).unwrap();
    let file = place.join("www.pem");
    let file = file.to_str().unwrap();
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "30",
        ])
        .args(["-subj", "/C=DE/O=Example Org/CN=www.example.org"])
        .args(["-addext", "subjectAltName=DNS:www.example.org,DNS:example.org,IP:192.0.2.7"])
        .args(["-keyout", "/dev/null", "-out", file])
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        return;
    }
    std::fs::create_dir_all(folder.path().join("etc/nginx/sites-enabled")).unwrap();
    let site = "server { listen 443 ssl;\n  ssl_certificate \"/etc/ssl/site/www.pem\";\n}\n";
    std::fs::write(folder.path().join("etc/nginx/sites-enabled/www"), site).unwrap();
    let found: Certificates = inventory::read(&Root::at(folder.path()), "certificates");
    let [certificate] = &found.certificates[..] else { panic!("{:?}", found.certificates) };
    let ask = |options: &[&str]| {
        let text = output("openssl", &[&["x509", "-noout", "-in", file], options].concat()).unwrap();
        text.trim().split_once('=').unwrap().1.to_owned()
    };
    let names = ["-nameopt", "oneline,-space_eq"];
    assert_eq!(certificate.subject, ask(&[&["-subject"], &names[..]].concat()));
    assert_eq!(certificate.issuer, ask(&[&["-issuer"], &names[..]].concat()));
    assert_eq!(certificate.serial, ask(&["-serial"]).to_lowercase());
    assert_eq!(certificate.sha256, ask(&["-fingerprint", "-sha256"]).replace(':', "").to_lowercase());
    let end = output("date", &["-u", "+%s", "-d", &ask(&["-enddate"])]).unwrap();
    assert_eq!(certificate.not_after.to_string(), end.trim());
    assert_eq!(certificate.names, ["www.example.org", "example.org", "192.0.2.7"]);
    assert_eq!(certificate.key_algorithm, "EC P-256");
    assert_eq!(certificate.used_by, ["nginx"]);
    assert!(certificate.self_signed && certificate.key == "/etc/ssl/site/www.pem");
}

#[test]
fn updates_are_those_of_apt() {
    let Some(text) = output("apt", &["list", "--upgradable"]) else { return };
    let mut secure = BTreeSet::new();
    let told: BTreeSet<String> = text
        .lines()
        .filter_map(|line| {
            let (name, rest) = line.split_once('/')?;
            let words: Vec<&str> = rest.split_whitespace().collect();
            let installed = rest.split_once("[upgradable from: ")?.1.trim_end_matches(']');
            if words[0].contains("security") {
                secure.insert(name.to_owned());
            }
            Some(format!("{name} {} {} {installed}", words[2], words[1]))
        })
        .collect();
    let found: Updates = inventory::read(&Root::default(), "updates");
    let manager = found.managers.iter().find(|manager| manager.name == "dpkg").unwrap();
    assert!(manager.error.is_some() || manager.lists_at.is_some());
    let lines: BTreeSet<String> = found
        .updates
        .iter()
        .map(|u| format!("{} {} {} {}", u.name, u.arch, u.version, u.installed))
        .collect();
    assert_eq!(lines, told);
    for update in &found.updates {
        // A hole that an earlier version closed stays a reason to upgrade, though the newest comes from elsewhere.
        let earlier = || {
            let versions = output("apt-cache", &["madison", &update.name]).unwrap();
            versions.lines().any(|line| line.contains("security"))
        };
        assert_eq!(
            update.security,
            secure.contains(&update.name) || update.security && earlier(),
            "{update:?}"
        );
    }
}

#[test]
fn versions_are_ordered_as_dpkg_orders_them() {
    let versions = [
        "1.0",
        "1.0-1",
        "1.0~rc1",
        "1.0~~",
        "1:0.9",
        "0:1.0",
        "1.0+dfsg-2",
        "1.0a",
        "1.0-1~deb12u1",
        "1.00",
        "2",
        "10",
        "1.0.",
        "1.0-1+b1",
        "7.88.1-10+deb12u12",
        "7.88.1-10+deb12u8",
        "1.2.3-4ubuntu5.10",
        "1.2.3-4ubuntu5.9",
    ];
    if output("dpkg", &["--version"]).is_none() {
        return;
    }
    for a in versions {
        for b in versions {
            let less =
                Command::new("dpkg").args(["--compare-versions", a, "lt", b]).status().unwrap().success();
            assert_eq!(version::compare(a, b).is_lt(), less, "{a} < {b}");
        }
    }
}

#[test]
fn services_of_a_machine_without_systemd_running_are_those_of_its_files() {
    if std::path::Path::new("/run/systemd/system").exists() {
        return;
    }
    let arguments = ["--root=/", "list-unit-files", "--type=service", "--no-legend", "--no-pager"];
    let Some(text) = output("systemctl", &arguments) else { return };
    let told: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next()?))
        })
        .collect();
    let found: Services = inventory::read(&Root::default(), "services");
    assert!(found.offline && found.manager == "systemd");
    let found: BTreeMap<&str, &str> =
        found.services.iter().map(|service| (service.name.as_str(), service.enabled.as_str())).collect();
    assert_eq!(found, told);
}

#[test]
fn a_program_whose_file_was_replaced_needs_a_restart() {
    // Only files of the system count, and this one is below /usr for as long as the test runs.
    let Ok(folder) = tempfile::tempdir_in("/usr/local") else { return };
    let program = folder.path().join("old-program");
    std::fs::copy("/bin/sleep", &program).unwrap();
    let mut child = Command::new(&program).arg("60").spawn().unwrap();
    std::fs::remove_file(&program).unwrap();
    let found: Reboot = inventory::read(&Root::default(), "reboot");
    child.kill().unwrap();
    child.wait().unwrap();
    let stale =
        found.services.iter().find(|stale| stale.files.contains(&program.to_str().unwrap().to_owned()));
    assert!(stale.is_some(), "{:?}", found.services);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    assert_eq!(found.running_kernel, kernel.trim());
}

#[test]
fn roles_name_what_listens() {
    let roles: Roles = inventory::read(&Root::default(), "roles");
    let sockets: Sockets = inventory::read(&Root::default(), "sockets");
    if sockets.sockets.iter().any(|socket| socket.process == "postgres") {
        let role = roles.roles.iter().find(|role| role.name == "database_server").unwrap();
        assert!(role.active && role.software.contains(&"postgresql".to_owned()), "{role:?}");
    }
}

//! Firewalls against the kernel's own, in a network of the test's: it needs root, nftables and iptables.

use std::{io::Write, process::Command};

use serde_json::{Value, json};

/// Rules in a network without anything else, and what the agent then tells; `None` without the rights or the programs.
fn told_after(rules: &str) -> Option<Value> {
    let there = |program: &str| std::path::Path::new(program).exists();
    let allowed =
        Command::new("unshare").args(["-n", "-m", "true"]).status().is_ok_and(|status| status.success());
    if !allowed || !there("/usr/sbin/nft") || !there("/usr/sbin/iptables") {
        let _ = writeln!(std::io::stderr(), "skipped: needs root, nftables and iptables");
        return None;
    }
    let data = tempfile::tempdir().unwrap();
    let script = format!("set -e; {rules}\nexec \"$AGENT\" --data \"$DATA\" inventory firewall --json");
    let output = Command::new("unshare")
        .args(["-n", "-m", "sh", "-c", &script])
        .env("AGENT", env!("CARGO_BIN_EXE_sysmanage-agent"))
        .env("DATA", data.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    Some(told[0]["data"].clone())
}

fn named<'a>(told: &'a Value, name: &str) -> &'a Value {
    told["firewalls"].as_array().unwrap().iter().find(|filter| filter["name"] == name).unwrap()
}

#[test]
fn a_network_without_rules_has_no_active_firewall() {
    let Some(told) = told_after(":") else { return };
    assert_eq!(told["active"], false, "{told}");
    assert_eq!(named(&told, "nftables")["rules"], 0);
}

#[test]
fn rules_and_policies_are_those_given_to_nft_and_iptables() {
    let rules = r#"
        nft add table inet t
        nft 'add chain inet t in { type filter hook input priority 0; policy drop; }'
        nft add rule inet t in tcp dport 22 accept
        iptables -P FORWARD DROP
        iptables -A INPUT -p tcp --dport 80 -j ACCEPT
        iptables -A INPUT -p tcp --dport 443 -j ACCEPT"#;
    let Some(told) = told_after(rules) else { return };
    assert_eq!(told["active"], true);
    let tables = named(&told, "iptables");
    let seen = json!([
        tables["enabled"],
        tables["incoming"],
        tables["forwarded"],
        tables["outgoing"],
        tables["rules"]
    ]);
    assert_eq!(seen, json!([true, "accept", "drop", "accept", 2]), "{told}");
    // nft lists what iptables made, too.
    let tables = named(&told, "nftables");
    let seen = json!([tables["enabled"], tables["incoming"], tables["forwarded"], tables["rules"]]);
    assert_eq!(seen, json!([true, "drop", "drop", 3]), "{told}");
}

#[test]
fn ufw_is_told_as_it_was_set() {
    if !std::path::Path::new("/usr/sbin/ufw").exists() {
        let _ = writeln!(std::io::stderr(), "skipped: needs ufw");
        return;
    }
    // ufw writes into its configuration: into copies, which only the test's own mounts show.
    let rules = r#"
        mkdir "$DATA/etc" "$DATA/default"
        cp -a /etc/ufw/. "$DATA/etc/"; cp -a /etc/default/ufw "$DATA/default/ufw"
        mount --bind "$DATA/etc" /etc/ufw; mount --bind "$DATA/default/ufw" /etc/default/ufw
        ufw --force enable >&2
        ufw default deny incoming >&2
        ufw default allow outgoing >&2
        ufw allow 22/tcp >&2
        ufw deny from 192.0.2.0/24 >&2"#;
    let Some(told) = told_after(rules) else { return };
    let ufw = named(&told, "ufw");
    // `allow 22/tcp` is a rule for each of the two protocols.
    let seen = json!([ufw["enabled"], ufw["at_boot"], ufw["incoming"], ufw["outgoing"], ufw["rules"]]);
    assert_eq!(seen, json!([true, true, "drop", "accept", 3]), "{told}");
}
